"""Counting: the postings that one subject makes to the figures M1-M36, from its case file.

Pure, and without a clock: what waits is posted where it begins and taken back where it ends, so nothing changes by time
alone.  What a request posts depends on its own acts and on what never changes of the register (whose it is), but for
M36, whose months are those of the ledger's zone.

==================  ======================================================================================
``requests.py``     M1, M2, M6-M9, M22, M33, M35: openers, documents, outcomes, refusals, forms, channels
``waits.py``        M4, M5, M10-M12: what is open, whose step it is, how long things take
``persons.py``      M13-M17, M21: persons, prosecutions, measures, documents served
``assets.py``       M18-M20, M34: property and costs (``money.py``: amounts as whole numbers)
``materials.py``    M31, M32: materials, consent
``meetings.py``     M23, M27.events
``contacts.py``     M24
``treaties.py``     M25-M27 (``stages.py``: M26)
``quality.py``      M36
==================  ======================================================================================

What all of them share, our choices:

- An act counts at its effective time and as corrected; of what was disowned nothing counts but M36.
- A request whose content was said only in records that are disowned was none: it counts nowhere.  One of which no
  opening was ever recorded (an imported log) counts in M2 and M36 alone.
- Days are whole days elapsed, 0 where the second act is dated before the first.
- What has no word for its line has ``unknown`` for one.
"""

from __future__ import annotations

from collections.abc import Callable

from projections.compliance.case import CONTENT, OPENERS, Case
from projections.compliance.register import LegalRegister
from projections.figures import assets, contacts, materials, meetings, persons, quality, requests, treaties, waits
from projections.figures.posting import Posting
from projections.figures.sheet import Sheet

_OF_ACTS: tuple[tuple[frozenset[str], Callable[[Sheet], None]], ...] = (
    (requests.REFUSAL, requests.count_refusals),
    (persons.PERSONS, persons.count_persons),
    (persons.PROSECUTIONS, persons.count_prosecutions),
    (persons.EXECUTION, persons.count_execution),
    (assets.ASSETS, assets.count_assets),
    (assets.COSTS, assets.count_costs),
    (materials.MATERIALS, materials.count_materials),
    (materials.CONSENT, materials.count_consent),
)
"""What is counted only of requests that have one of some acts."""


def count(case: Case, register: LegalRegister) -> list[Posting]:
    """All postings of a subject; ``part`` and ``item`` are different in each two of them.

    Args:
        case: the subject's acts.
        register: whose Party is the own one; of it nothing else is looked at for a request but the ledger's zone.
    """
    if case.sort == "request" and _disowned(case):
        return []
    sheet = Sheet(case)
    quality.count_quality(sheet, register.ledger_zone())
    if case.sort == "request":
        _count_request(sheet)
    elif case.sort == "meeting":
        sheet.rows += meetings.count_meeting(case, register.own)
    elif case.sort == "register":
        sheet.rows += contacts.count_contacts(register)
        sheet.rows += treaties.count_treaties(register)
    return sheet.rows


def _count_request(sheet: Sheet) -> None:
    case = sheet.case
    requests.count_documents(sheet)
    if case.opener is None:
        return
    requests.count_request(sheet)
    waits.count_waits(sheet)
    names = {act.name for act in case.acts}
    for triggers, counts in _OF_ACTS:
        if not names.isdisjoint(triggers):
            counts(sheet)


def _disowned(case: Case) -> bool:
    """Whether what opened a request, or all that said what it is, was disowned."""
    if len(case.acts) == len(case.every):
        return False
    if case.opener is None and any(act.name in OPENERS for act in case.every):
        return True
    return case.content is None and any(act.name in CONTENT and act.get("kind") is not None for act in case.every)
