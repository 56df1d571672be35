"""Checks on instruments themselves.

``rulebook_covers``  (validity)     a rulebook was adopted for an amendment not later than it entered into force
``termination``      (validity)     what a notice of termination leads to: on the register, and for requests after it
``dispute_means``    (closed_list)  disputes were resolved by the means that the text names
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ledger.event import time_ms
from projections.compliance.case import CaseAct, evidence, items
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import iso_day
from projections.compliance.readings import end_of, start_of
from projections.compliance.register import SUBJECT
from projections.compliance.takes import TERM, WORD, WORDS, Takes, needed
from projections.compliance.termination import Standing, in_force, standing_of
from projections.compliance.verdict import Finding, Read, Step, Verdict


@check("validity", "rulebook_covers", takes=Takes({"instruments": needed(WORDS)}))
def rulebook_covers(asked: Asked) -> Iterator[Finding]:
    """Agr. 12. One row for each instrument that amends or supplements one of the rule's param ``instruments``."""
    seen: set[str] = set()
    for signed in asked.register.case.named("instrument.signed"):
        name = signed.data.instrument
        changed = {signed.get("amends"), signed.get("supplements")}
        if name in seen or changed.isdisjoint(asked.param("instruments")):
            continue
        seen.add(name)
        yield _covered(asked, signed)


def _covered(asked: Asked, signed: CaseAct) -> Finding:
    register, name = asked.register, signed.data.instrument
    entered = min(register.instrument(name).entered, key=lambda act: act.data.date, default=None)
    adopted = [act for act in register.acts("rulebook.adopted")
               if any(profile.instrument == name for profile in act.data.profiles)]  # fmt: skip
    first = min(adopted, key=lambda act: (act.data.valid_from, act.order), default=None)
    values = {} if first is None else {"version": first.data.version, "adopted": first.data.valid_from}
    if entered is None:
        return asked.finding("open", "not_in_force", rests_on=evidence(signed, first), item=name, bound=register.own,
                             values=values)  # fmt: skip
    values["entered"] = entered.data.date
    day = date.fromisoformat(entered.data.date)
    tz = register.zone(entered.office)
    in_time = [act for act in adopted if act.data.valid_from <= entered.data.date and act.time < end_of(day, tz)]
    verdict: Verdict = "met" if in_time else "undetermined"
    reason = "covered" if in_time else "adopted_late" if adopted else "no_rulebook"
    if in_time:
        values |= {"version": in_time[0].data.version, "adopted": in_time[0].data.valid_from}
    begins = start_of(day, tz)
    steps: tuple[Step, ...] = (Step(max(begins, signed.time), verdict, reason),)
    if signed.time < begins:
        steps = (Step(signed.time, "open", "not_in_force"), *steps)
    return asked.finding(
        verdict, reason, rests_on=evidence(signed, entered, in_time[:1] or first), item=name, bound=register.own,
        values=values, steps=steps, missing="" if adopted else f"rulebook with {name}",
    )  # fmt: skip


@check("validity", "termination", timed=True, takes=Takes({"instrument": WORD, **TERM}, readings=True))
def termination(asked: Asked) -> Iterator[Finding]:
    """Agr. 15(2)."""
    if asked.case.subject == SUBJECT:
        yield from _notices(asked)
    else:
        yield from _under_notice(asked)


def _notices(asked: Asked) -> Iterator[Finding]:
    """Register: each notice runs its term; an end by notice without the notice can't be held against the text."""
    entry = asked.register.instrument(_instrument(asked))
    parties = asked.profile.instrument.parties
    notices = [act for act in entry.notices if act.data.from_ in parties]
    ended = [act for act in entry.ended if act.data.cause == "notice"]
    named = items(notices)
    for notice in notices:
        receiver = asked.register.party(notice.office)
        tz = asked.register.zone(notice.office)
        if not notice.data.received:
            yield asked.finding("undetermined", "receipt_unknown", rests_on=evidence(notice, ended), item=named[notice],
                                bound=receiver, missing=f"date of receipt of notice {notice.id}")  # fmt: skip
            continue
        received = time_ms(notice.data.received)
        reads = asked.ends(received, tz)
        if len(reads) < len(asked.rule.readings):
            yield asked.finding("undetermined", "days_unknown", rests_on=notice, item=named[notice], bound=receiver,
                                missing=f"working days of {asked.profile.calendar}")  # fmt: skip
            continue
        steps = [Step(received, "open", "term_running")]
        if len({read.ends for read in reads}) > 1:
            steps.append(Step(min(read.ends for read in reads), "open", "may_have_ended"))
        steps.append(Step(max(read.ends for read in reads), "met", "ended"))
        values = {"received": iso_day(received, tz), "ends": _last_days(reads, tz)}
        yield asked.finding(
            "open", "term_running", rests_on=evidence(notice, ended), item=named[notice], bound=receiver,
            values=values, readings=reads, steps=tuple(steps),
        )  # fmt: skip
    if ended and not notices:
        yield asked.finding("undetermined", "notice_unknown", rests_on=ended, item=ended[0].id,
                            values={"ends": ended[0].data.date}, missing=f"notice on {_instrument(asked)}")  # fmt: skip


def _under_notice(asked: Asked) -> Iterator[Finding]:
    """Request: opened after a notice, within the term or not."""
    opener = asked.case.opener
    if opener is None or not _rests_on_it(asked):
        return
    held = standing_of(asked)
    notices = [act for act in held.acts if act.name == "notice.received" and _known_since(asked, act) <= opener.time]
    if not notices:
        return
    reads = tuple(Read(read.reading, read.ends, opener.time < read.ends) for read in held.ends)
    results: dict[str, tuple[Verdict, str]] = {
        "yes": ("met", "before_end"), "no": ("breached", "after_end"), "unclear": ("undetermined", "end_unclear"),
    }  # fmt: skip
    verdict, reason = results[in_force(held, opener.time)]
    missing = held.missing if verdict == "undetermined" else ""
    if missing:
        reason = "receipt_unknown" if held.begins is not None else "entry_unknown"
    _, _, marks = asked.done(held.ends, opener)
    if marks and asked.param("late_claim") == "undetermined":
        verdict, reason = "undetermined", "late_claim"
    yield asked.finding(
        verdict, reason, rests_on=evidence(opener, notices, held.acts), bound=opener.office, readings=reads,
        marks=marks, missing=missing, values=_shown(asked, held, notices, opener), at=opener.time,
    )  # fmt: skip


def _shown(asked: Asked, held: Standing, notices: list[CaseAct], opener: CaseAct) -> dict[str, str]:
    values = {"opened": iso_day(opener.time, asked.register.zone(opener.office))}
    tz = asked.register.zone(notices[0].office)
    if notices[0].data.received:
        values["received"] = iso_day(time_ms(notices[0].data.received), tz)
    return values | ({"ends": _last_days(held.ends, tz)} if held.ends else {})


def _known_since(asked: Asked, notice: CaseAct) -> int:
    """From when on a request counts as opened after a notice: its receipt, else its dispatch, else its record."""
    if notice.data.received:
        return time_ms(notice.data.received)
    sent = notice.get("sent")
    return notice.time if sent is None else start_of(date.fromisoformat(sent), asked.register.zone(notice.office))


def _rests_on_it(asked: Asked) -> bool:
    """Whether the request rests on the instrument or on one that supplements it, or does not say on what it rests."""
    name = _instrument(asked)
    named = asked.case.said("legal_basis") or [name]
    return any(
        basis == name or any(name in (act.get("supplements"), act.get("amends"))
                             for act in asked.register.instrument(basis).signed)
        for basis in named
    )  # fmt: skip


def _last_days(reads: tuple[Read, ...], tz: str) -> str:
    return ", ".join(sorted({iso_day(read.ends - 1, tz) for read in reads}))


def _instrument(asked: Asked) -> str:
    return str(asked.param("instrument", asked.profile.instrument.id))


@check("closed_list", "dispute_means", takes=Takes({"means": needed(WORDS)}))
def dispute_means(asked: Asked) -> Iterator[Finding]:
    """Agr. 13, which speaks of its own Agreement: disputes about another instrument have no row."""
    resolved = asked.register.acts("dispute.resolved")
    seen: set[str] = set()
    for opened in asked.register.acts("dispute.opened"):
        name = opened.data.dispute
        if opened.data.instrument != asked.profile.instrument.id or name in seen:
            continue
        seen.add(name)
        values = {"article": opened.data.article}
        settled = min((act for act in resolved if act.data.dispute == name), key=lambda act: act.order, default=None)
        if settled is None:
            yield asked.finding("open", "unresolved", rests_on=opened, item=name, bound=asked.register.own,
                                values=values)  # fmt: skip
            continue
        kept = settled.data.means in asked.param("means")
        yield asked.finding("met" if kept else "breached", "by_means" if kept else "other_means",
                            rests_on=(opened, settled), item=name, bound=asked.register.own,
                            values=values | {"means": settled.data.means})  # fmt: skip
