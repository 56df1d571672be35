"""Time: what is open, whose step it is, how long things take (M4, M5, M10-M12).

A request is open from its opener until it is closed, withdrawn or returned, and again from where it is reopened.  As
the state of a request, this follows the order of the ledger; an opener that was recorded late opens all the same.  An
act that is dated before the one that it follows counts with that one's time, so nothing ends before it begins.

Whose step it is (M5) is what the status fold says of the acts that count, so with corrections applied; while a request
is open it is always the step of one side, and those sum up to M4 at every moment.

Our choices: M10 and M11 begin with the first receipt; of a request that ends, or is answered for good, nothing more is
waited for, though a later answer has its days.  M12 is posted where a request first ends, for each side that had to act
until then.
"""

from __future__ import annotations

from typing import NamedTuple

from projections.compliance.case import Case, CaseAct
from projections.figures.posting import DAY
from projections.figures.requests import line_of
from projections.figures.sheet import Sheet, ended, first
from projections.figures.sides import sides_of

ENDS = ("request.closed", "request.withdrawn", "request.returned")
"""Acts that end a request."""


class Span(NamedTuple):
    """A time during which a request was open; moments in ms, ``until`` None where it still is."""

    begun: CaseAct
    since: int
    ended: CaseAct | None
    until: int | None


def spans_of(case: Case) -> list[Span]:
    """When a request was open, in order; never overlapping. At least one where it has an opener."""
    opener = case.opener
    if opener is None:
        return []
    spans: list[Span] = []
    begun: CaseAct | None = opener
    since = clock = opener.time
    for act in case.named(*ENDS, "request.reopened"):
        if begun is None and act.name == "request.reopened":
            begun, since = act, max(clock, act.time)
            clock = since
        elif begun is not None and act.name in ENDS:
            clock = max(clock, act.time)
            spans.append(Span(begun, since, act, clock))
            begun = None
    if begun is not None:
        spans.append(Span(begun, since, None, None))
    return spans


def count_waits(sheet: Sheet) -> None:
    """M4, M5, M10-M12 of a request with an opener."""
    spans, line = spans_of(sheet.case), line_of(sheet)
    for span in spans:
        sheet.post("M4", span.begun, line, time=span.since)
        if span.ended is not None:
            sheet.post("M4", span.ended, line, value=-1, time=span.until)
    _count_sides(sheet, spans)
    _count_lags(sheet)


def _count_sides(sheet: Sheet, spans: list[Span]) -> None:
    opener = sheet.case.opener
    assert opener is not None
    turns = sides_of(sheet.case, opener, spans)
    for number, (span, held) in enumerate(zip(spans, turns, strict=True)):
        waited: dict[str, int] = {}
        for place, turn in enumerate(held):
            after = held[place + 1] if place + 1 < len(held) else None
            act, until = (span.ended, span.until) if after is None else (after.act, after.time)
            sheet.post("M5", turn.act, turn.side, time=turn.time)
            if act is not None and until is not None:
                sheet.post("M5", act, turn.side, item=ended(sheet.name(act)), value=-1, time=until)
                waited[turn.side] = waited.get(turn.side, 0) + until - turn.time
        if number == 0 and span.ended is not None:
            for side, time in waited.items():
                sheet.post("M12", span.ended, side, item=side, value=time // DAY, time=span.until, begun=opener.index)


def _count_lags(sheet: Sheet) -> None:
    case = sheet.case
    answered = first(act for act in case.named("request.answered") if act.data.final)
    over = first(act for act in (answered, case.first(*ENDS)) if act is not None)
    received, accepted = case.first("request.received"), case.first("request.accepted")
    if received is not None:
        sheet.stands("M10.open", received, over)
        if answered is not None:
            sheet.days("M10", received, answered)
        sheet.stands("M11.accept.open", received, first(act for act in (accepted, over) if act is not None))
        if accepted is not None:
            sheet.days("M11.accept", received, accepted)
    if accepted is not None:
        executed = first(act for act in case.named(*_EXECUTED) if act.name != "person.handedover" or _for_good(act))
        sheet.stands("M11.execute.open", accepted, first(act for act in (executed, over) if act is not None))
        if executed is not None:
            sheet.days("M11.execute", accepted, executed)


_EXECUTED = ("request.executed", "person.handedover", "prosecution.concluded")


def _for_good(handover: CaseAct) -> bool:
    return bool(handover.data.what != "temporary")
