"""Postings: what one record, or one request, adds to a figure.

As in book-keeping a figure is a sum of postings, each of which names the record that it rests on; one that ends
(requests open at a date) is posted with +1 where it begins and with -1 where it ends::

    figure    item  time  partner direction kind        office counterpart tag       thing value currency record begun
    M1              …     KZ      in        extradition RU-PGO KZ-PGO      in extradition  1              12    -1
    M10             …     KZ      in        extradition RU-PGO KZ-PGO                      41             96    12
    M18       e-71  …     CH      out       asset       RU-PGO CH-FOJ      funds     a-9   2500000 EUR    71    -1

Postings are made from the file of one subject alone, so that a subject that grows is counted again by itself.
"""

from __future__ import annotations

from typing import NamedTuple

DAY = 86_400_000
"""Milliseconds."""


class Posting(NamedTuple):
    """One contribution to one part of a figure. Within its subject, ``part`` and ``item`` tell it from all others."""

    part: str
    """Of a figure, as ``catalogue.py`` names it: ``M10``, ``M10.open``."""
    item: str
    """What it is about, where a subject has several postings to a part: an event id, a person, a month."""
    time: int
    """Effective (ms), which decides its month; of treaties, midnight of the day that the record states."""
    partner: str
    """State; empty: none is known, or it concerns no single one."""
    direction: str
    """``out``, ``in``; empty: not known, or no request."""
    kind: str
    """Of the request; empty likewise."""
    office: str
    """Own office; empty likewise."""
    counterpart: str
    """The partner's office; empty likewise."""
    tag: str
    """The line of the part that it belongs to: an outcome, a side, a sort of property; words divided by blanks."""
    thing: str
    """What is counted once however many subjects speak of it, as a person, an asset or an instrument, or what of a
    subject comes and goes by itself, as a material; else empty."""
    value: int
    """1, -1, a number of documents, whole days, or an amount in the currency's minor unit."""
    currency: str
    """ISO 4217 of an amount; else empty."""
    record: int
    """Leaf index of the record that it rests on, in the partition of its subject."""
    begun: int = -1
    """Leaf index of the record from which its days are counted; -1: it has no such."""
