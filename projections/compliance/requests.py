"""What the acts of a case say of a request: how it was put, in which text, who asks whom.

A request is put in writing by ``request.signed``, by ``request.confirmed``, or, where the ledger first hears of it when
it arrives, by a ``request.received`` that says who signed it.  Its *text* is the content that counts: the one in which
it left, else the one that was signed last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from projections.compliance.case import Case, CaseAct
from projections.compliance.readings import day_of, local_minute
from projections.compliance.register import LegalRegister
from projections.compliance.verdict import Mark

if TYPE_CHECKING:  # the checks import this module
    from projections.compliance.kinds.base import Asked

PENDING = "—"
"""Shown where a thing has not happened, or is not known."""
_SHOWN = {True: "✓", False: "✗"}


class Text(NamedTuple):
    """A request as it is worded in writing, and the act by which that text left (None: it did not, yet)."""

    act: CaseAct
    sent: CaseAct | None


def is_written(act: CaseAct) -> bool:
    """Whether an act shows a request in writing."""
    if act.name == "request.received":
        return act.get("signer") is not None or act.get("signer_role") is not None
    return act.name in ("request.signed", "request.confirmed")


def first_written(case: Case) -> CaseAct | None:
    """The earliest act that shows the request in writing."""
    written = [act for act in case.named("request.signed", "request.confirmed", "request.received") if is_written(act)]
    return min(written, key=lambda act: act.order, default=None)


def written_text(case: Case, register: LegalRegister) -> Text | None:
    """The request in writing; None: the ledger has its content only as spoken, or not at all."""
    worded = [
        act
        for act in case.named("request.signed", "request.confirmed", "request.received")
        if act.get("kind") is not None
    ]
    if not worded:
        return None
    worded.sort(key=lambda act: act.order)
    leaving = passages(case, register)
    if case.first("request.spoken") is not None:
        leaving += case.named("request.confirmed")  # to confirm is to send the text
    sent = min(leaving, key=lambda act: act.order, default=None)
    if sent is None:
        return Text(worded[-1], None)
    left = [act for act in worded if act.order <= sent.order]
    return Text(left[-1] if left else worded[0], sent)


def requesting(case: Case, otherwise: CaseAct) -> str:
    """The office that asks, as the content says; else the one whose act another is."""
    return str(case.said("requesting") or otherwise.office)


def bound_office(asked: Asked, act: CaseAct) -> str:
    """Who owes what is asked of an exchange: the office that asks; by an internal act the end that is of its Party.

    Where none is known to be of it: the Party.
    """
    party, office = asked.profile.instrument.issued_by, requesting(asked.case, act)
    if not party:
        return office
    ends = (office, asked.case.said("requested"), act.get("to"), act.office, act.source)
    return next((str(code) for code in ends if code and asked.register.party(code) == party), party)


def passages(case: Case, register: LegalRegister) -> list[CaseAct]:
    """The sendings and arrivals by which a request left the asking side; what stays inside that side is none."""
    state = _requesting_state(case, register)
    return [
        act
        for act in case.named("request.sent", "request.received")
        if register.party(act.data.to) != (state or register.party(act.data.from_))
    ]


def _requesting_state(case: Case, register: LegalRegister) -> str | None:
    office = case.said("requesting")
    if office:
        return register.party(office)
    if case.direction == "out":
        return register.own or None
    return case.partner


def requested_state(case: Case, register: LegalRegister) -> str | None:
    """The state that is asked; None: it is not known."""
    requested = case.said("requested")
    if requested:
        return register.party(requested)
    if case.direction == "out":
        return case.partner
    return register.own or None if case.direction == "in" else None


def before(one: CaseAct, other: CaseAct) -> tuple[bool, tuple[Mark, ...]]:
    """Whether one act came before another by effective time, and the mark where the order of admission says otherwise.

    Only an act that came before by what its sender claims is marked: that is what a reader has to know.
    """
    first = one.order < other.order
    return first, ("claimed",) if first and one.seq > other.seq else ()


def day(register: LegalRegister, moment: CaseAct | int | None, office: str) -> str:
    """The ISO day of an act or moment (ms) in the zone of an office; ``—`` for None."""
    if moment is None:
        return PENDING
    return day_of(moment if isinstance(moment, int) else moment.time, register.zone(office)).isoformat()


def minute(register: LegalRegister, ms: int | None, office: str) -> str:
    """A moment (ms) in the zone of an office, as ``2025-03-03 10:00``; ``—`` for None."""
    return PENDING if ms is None else local_minute(ms, register.zone(office))


def said(yes: bool) -> str:
    """``✓`` or ``✗``: the same in every language."""
    return _SHOWN[yes]
