"""Names of things: ids, their patterns and the types that keep them apart.

====================  ===============================================  ==============================
thing                 form                                             example
====================  ===============================================  ==============================
office code           capitals, digits, hyphens, ≤ 32                  ``RU-T-WSIB``
source                ``office/<code>``                                ``office/RU-OMS``
kid                   ``<code>#<32 hex>``                              ``RU-OMS#5f…``
ledger name           lower case letters, digits, ``-``, ≤ 32          ``assistance``
ledger id             ``<name>.<32 hex>``                              ``assistance.9c1e…``
subject               ``register`` or ``<sort>/<rest>``, ASCII, ≤ 128  ``request/2025-000123``
event id              printable ASCII without blank, ≤ 64              a UUIDv7
opaque id             letters, digits and ``._~%:-``, ≤ 64             ``p-7f3a``
====================  ===============================================  ==============================
"""

from __future__ import annotations

from typing import NewType

OfficeCode = NewType("OfficeCode", str)
Kid = NewType("Kid", str)
LedgerId = NewType("LedgerId", str)
Subject = NewType("Subject", str)

OFFICE_CODE = r"[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*"
OFFICE_CODE_MAX = 32
KID = rf"{OFFICE_CODE}#[0-9a-f]{{32}}"
LEDGER_NAME = r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?"
LEDGER_ID = rf"{LEDGER_NAME}\.[0-9a-f]{{32}}"
SEGMENT = r"[A-Za-z0-9._~%:-]+"
EVENT_ID = r"[!-~]{1,64}"
SUBJECT_MAX = 128
"""Characters of a subject, all ASCII (DESIGN: opaque ASCII)."""

SORTS = {
    "register": r"register",
    "request": rf"request/{SEGMENT}",
    "meeting": rf"meeting/{SEGMENT}",
    "year": r"year/[0-9]{4}",
    "review": rf"review/{SEGMENT}/{SEGMENT}",
    "ledger": r"ledger/(?:0|[1-9][0-9]{0,3})",
}
"""Sorts of subjects, each with the pattern of its names."""
