"""Duties of a year: the annual information of each office, checks of all of them, the review of a year's practice.

Checks of the kinds ``deadline``, ``coverage``, ``authority`` and ``information`` for subjects ``year/<yyyy>``.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ledger.event import time_ms
from projections.compliance.case import CaseAct
from projections.compliance.kinds.base import Asked, check
from projections.compliance.readings import day_of, end_of, later, start_of
from projections.compliance.register import RoleEntry
from projections.compliance.takes import COUNT, FLAG, TERM, WORD, Takes, needed, some_of
from projections.compliance.verdict import Finding, Mark, Read, Step, Verdict, until
from projections.compliance.years import Year, bound_in, year_of

_BEST: tuple[Verdict, ...] = ("met", "open", "undetermined", "breached")


def _year(asked: Asked) -> Year:
    return bound_in(asked.register, asked.param("act"), year_of(asked.case.subject))


def _day(ms: int | None, tz: str) -> str:
    return "—" if ms is None else day_of(ms, tz).isoformat()


@check(
    "deadline",
    "annual_report",
    takes=Takes(
        {"act": needed(WORD), "moments": needed(some_of("sent", "received")), "weekend_shift": FLAG, **TERM},
        readings=True,
    ),
)
def annual_report(asked: Asked) -> Iterator[Finding]:
    """One finding per bound office: its report, sent and received by the day, as a block of its own."""
    year = _year(asked)
    reports: dict[str, list[CaseAct]] = {}
    for act in asked.case.named("annualreport.submitted"):
        reports.setdefault(act.data.office, []).append(act)
    for office in year.offices:
        yield _report_of(asked, year, office, reports.get(office, []))
    if year.issued is None:
        for office, acts in reports.items():
            missing = f"issue of {asked.param('act')}"
            yield asked.finding(
                "undetermined", "not_bound", rests_on=acts, item=office, bound=office, missing=missing,
                values={"year": str(year.year)},
            )  # fmt: skip


def _report_of(asked: Asked, year: Year, office: str, reports: list[CaseAct]) -> Finding:
    tz = asked.register.zone(office)
    end = asked.ends(0, tz, year=year.year)[0].ends
    if asked.param("weekend_shift", default=False):
        end = _after_weekend(end, tz)
    if not reports:
        steps = until(Step(year.begins(tz), "open", "running"), Step(end, "breached", "no_report"))
        return asked.finding(
            "open", "running", rests_on=year.issued, item=office, bound=office, steps=steps,
            values={"year": str(year.year)}, readings=tuple(Read(m, end) for m in asked.param("moments")),
        )  # fmt: skip
    found = [_judged_report(asked, year, office, report, end, tz) for report in reports]
    return min(found, key=lambda finding: _BEST.index(finding.steps[-1].verdict))


def _judged_report(asked: Asked, year: Year, office: str, report: CaseAct, end: int, tz: str) -> Finding:
    receipt = next((a for a in asked.case.named("annualreport.received") if a.data.report == report.id), None)
    received = _received(report, receipt)
    kept = {"sent": report.time < end, "received": None if received is None else received < end}
    reads = tuple(Read(moment, end, kept[moment]) for moment in asked.param("moments"))
    marks: tuple[Mark, ...] = ("claimed",) if report.time < end <= report.admitted else ()
    steps: tuple[Step, ...] = ()
    verdict, reason, missing = _of_report(report, [read.kept for read in reads])
    if marks and verdict == "met" and asked.param("late_claim", "mark") == "undetermined":
        verdict, reason = "undetermined", "only_claimed"
    if verdict == "open":
        steps = (Step(report.time, "open", "receipt_awaited"), Step(end, "undetermined", "receipt_unknown"))
    return asked.finding(
        verdict, reason, rests_on=[act for act in (report, receipt) if act is not None], item=office, bound=office,
        steps=steps, readings=reads, marks=marks, missing=missing,
        values={"year": str(year.year), "sent": _day(report.time, tz), "received": _day(received, tz)},
    )  # fmt: skip


def _of_report(report: CaseAct, kept: list[bool | None]) -> tuple[Verdict, str, str]:
    if not report.data.separate_block:
        return "breached", "no_block", ""
    if False in kept and True not in kept:
        return "breached", "late", ""
    if False in kept:
        return "undetermined", "sent_in_time_received_late", ""
    if None in kept:
        return "open", "receipt_awaited", "receipt of the report"
    return "met", "in_time", ""


def _received(report: CaseAct, receipt: CaseAct | None) -> int | None:
    told = None if receipt is None else receipt.get("received_on")
    told = told or report.get("received_on")
    if told is not None:
        return time_ms(told)
    return None if receipt is None else receipt.time


def _after_weekend(end: int, tz: str) -> int:
    day = day_of(end - 1, tz)
    while day.weekday() >= 5:
        day = later(day, 1)
    return end_of(day, tz)


@check("coverage", "control", takes=Takes({"act": needed(WORD), "minimum": needed(COUNT)}, ("coordinator",)))
def control(asked: Asked) -> Iterator[Finding]:
    """Whether each bound office was checked often enough in the year."""
    year = _year(asked)
    if year.issued is None or not year.offices:
        return
    unit = asked.profile.requests["coordinator"]
    tz = asked.register.zone(unit)
    controls = asked.case.named("control.performed")
    counts = {office: sum(office in act.data.offices for act in controls) for office in year.offices}
    left = [office for office, count in counts.items() if count < asked.param("minimum")]
    values = {"checked": str(len(counts) - len(left)), "all": str(len(counts)), "year": str(year.year)}
    rests = [*controls, year.issued]
    if not left:
        yield asked.finding("met", "all_checked", rests_on=rests, bound=unit, values=values)
        return
    steps = until(Step(year.begins(tz), "open", "running"), Step(year.ends(tz), "undetermined", "not_all_checked"))
    missing = f"a check of {', '.join(left)}"
    yield asked.finding("open", "running", rests_on=rests, bound=unit, values=values, steps=steps, missing=missing)


@check(
    "coverage",
    "practice_review",
    takes=Takes({"act": needed(WORD), "role": needed(WORD), "office": WORD}, ("coordinator",)),
)
def practice_review(asked: Asked) -> Iterator[Finding]:
    """Whether the year's practice was reviewed, for the right addressee, with proposals, citing every report."""
    year = _year(asked)
    if year.issued is None:
        return
    unit = asked.profile.requests["coordinator"]
    tz = asked.register.zone(unit)
    reports = [act.id for act in asked.case.named("annualreport.submitted") if act.data.office in year.offices]
    values = {"year": str(year.year), "all": str(len(reports)), "cited": "0"}
    reviews = [act for act in asked.case.named("practicereview.submitted") if act.data.year == year.year]
    if not reviews:
        steps = until(Step(year.begins(tz), "open", "running"), Step(year.ends(tz, 1), "breached", "no_review"))
        yield asked.finding("open", "running", rests_on=year.issued, bound=unit, values=values, steps=steps)
        return
    found = [_reviewed(asked, review, reports, values) for review in reviews]
    yield min(found, key=lambda finding: _BEST.index(finding.steps[-1].verdict))


def _reviewed(asked: Asked, review: CaseAct, reports: list[str], values: dict[str, str]) -> Finding:
    uncited = [id_ for id_ in reports if id_ not in review.data.cites]
    values = {**values, "cited": str(len(reports) - len(uncited))}
    verdict, reason, missing = _of_review(review, asked.param("role"), uncited)
    return asked.finding(
        verdict, reason, rests_on=review, bound=asked.profile.requests["coordinator"], values=values, missing=missing
    )


def _of_review(review: CaseAct, role: str, uncited: list[str]) -> tuple[Verdict, str, str]:
    if review.data.to_role != role:
        return "breached", "other_addressee", ""
    if review.data.proposals < 1:
        return "breached", "no_proposals", ""
    if uncited:
        return "undetermined", "not_all_cited", f"a citation of {', '.join(uncited)}"
    return "met", "all_cited", ""


@check("authority", "supervision", takes=Takes({"act": needed(WORD), "role": needed(WORD), "office": needed(WORD)}))
def supervision(asked: Asked) -> Iterator[Finding]:
    """Whether the role that supervises is held by one person, and the review went to it.

    Who holds it may change with time, so each change of the role is a step.
    """
    year = _year(asked)
    if year.issued is None:
        return
    office, role = asked.param("office"), asked.param("role")
    tz = asked.register.zone(office)
    roles = asked.register.roles(office, role=role)
    reviews = [act for act in asked.case.named("practicereview.submitted") if act.data.year == year.year]
    review = next((act for act in reviews if act.data.to_role == role), None)
    begins = year.begins(tz)
    moments = {begins, *_changes(roles, tz), *([] if review is None else [review.time])}
    steps: list[Step] = []
    for at in sorted(moment for moment in moments if moment >= begins):
        held = len({r.person for r in roles if r.held_on(day_of(at, tz))})
        step = _supervised(at, held, reviewed=review is not None and review.time <= at)
        if not steps or (steps[-1].verdict, steps[-1].reason) != (step.verdict, step.reason):
            steps.append(step)
    rests = [each for each in (year.issued, review, *(act for r in roles for act in r.acts)) if each is not None]
    persons = ", ".join(sorted({r.person for r in roles if r.valid_to is None})) or "—"
    missing = f"{role} of {office}" if any(step.verdict == "undetermined" for step in steps) else ""
    yield asked.finding(
        "open", "running", rests_on=rests, bound=office, steps=tuple(steps), values={"held": persons}, missing=missing
    )


def _changes(roles: list[RoleEntry], tz: str) -> Iterator[int]:
    for role in roles:
        yield start_of(role.valid_from, tz)
        if role.valid_to is not None and role.valid_to > date(1, 1, 1):
            yield start_of(role.valid_to, tz)


def _supervised(at: int, held: int, *, reviewed: bool) -> Step:
    if held != 1:
        return Step(at, "undetermined", "vacant" if not held else "held_twice")
    return Step(at, "met", "addressed") if reviewed else Step(at, "open", "review_awaited")


@check("information", "direct_exchanges")
def direct_exchanges(asked: Asked) -> Iterator[Finding]:
    """That the text asks for activity and sets no measure of it; how many there were is joined when read."""
    year = bound_in(asked.register, asked.profile.instrument.id, year_of(asked.case.subject))
    if year.issued is None:
        return
    yield asked.finding(
        "undetermined", "no_minimum", rests_on=year.issued, bound=asked.profile.instrument.issued_by,
        values={"year": str(year.year)}, missing="a number in the text", at=year.begins("Europe/Moscow"),
    )  # fmt: skip
