"""Checks on the officials named for direct contact: a deadline, three lags and a coverage.

``contact_notified``          (deadline)  each office bound by an act told of its official within a term of the act
``contact_change_notified``   (lag)       each change was told by its office to the coordinating unit
``contact_forwarded``         (lag)       each version was told by the coordinating unit to the other Party
``contact_change_exchanged``  (lag)       each change was told by each Party to the other
``contacts_exchanged``        (coverage)  contacts went both ways
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ledger.event import time_ms
from projections.compliance.case import CaseAct, evidence, items
from projections.compliance.contacts import Version, following, forwarded, notified, told, versions
from projections.compliance.kinds.base import Asked, check
from projections.compliance.lags import iso_day, lagged
from projections.compliance.readings import start_of
from projections.compliance.takes import LAG, TERM, WORD, Takes, one_of
from projections.compliance.termination import Standing, in_force, standing_of
from projections.compliance.verdict import Finding, Mark, Read, Step, Verdict


@check(
    "deadline",
    "contact_notified",
    takes=Takes({"act": WORD, "moment": one_of("sent", "received"), **TERM}, readings=True),
)
def contact_notified(asked: Asked) -> Iterator[Finding]:
    """Order 3.1, first paragraph. An incomplete notice is a breach until a complete one follows (our choice)."""
    issued = _issued(asked)
    if issued is None:
        for code in sorted({act.data.office for act in asked.register.acts("contact.notified")}):
            acts = notified(code, asked.register)
            yield asked.finding("undetermined", "act_unknown", rests_on=acts, item=code, bound=code,
                                values={"office": code}, missing=f"issue of {_act(asked)}")  # fmt: skip
        return
    for code in dict.fromkeys(issued.data.binds):
        yield _told_in_term(asked, code, issued)
    yield from _added(asked, issued)


def _told_in_term(asked: Asked, code: str, issued: CaseAct) -> Finding:
    tz = asked.register.zone(code)
    start = start_of(date.fromisoformat(issued.data.date), tz)
    reads = asked.ends(start, tz)
    lost = len(reads) < len(asked.rule.readings)
    missing = f"working days of {asked.profile.calendar} after {issued.data.date}" if lost else ""
    due = ", ".join(sorted({iso_day(read.ends - 1, tz) for read in reads}))
    values = {"office": code, "due": due}

    known = {version.act.id: version for version in versions(asked.register, asked.register.party(code))
             if version.office == code}  # fmt: skip
    notices = notified(code, asked.register)
    sure = [act for act in notices if act.data.version in known and not known[act.data.version].empty()]
    vague = [act for act in notices if act.data.version not in known]
    partial = [act for act in notices if act.data.version in known and known[act.data.version].empty()]
    if partial:
        values["fields"] = ", ".join(known[partial[0].data.version].empty())
    if not notices:
        steps = asked.timeline(start, reads) if reads else (Step(start, "undetermined", "calendar_unknown"),)
        if lost and len(steps) == 2:  # a term that nobody can count may run on
            steps = (steps[0], Step(steps[1].at, "undetermined", "calendar_unknown"))
        return asked.finding("open", "running", rests_on=issued, steps=steps, item=code, bound=code, values=values,
                             readings=reads, missing=missing)  # fmt: skip
    if not sure and not vague:
        first = partial[0]
        return asked.finding(
            "breached", "field_missing", rests_on=evidence(issued, first, known[first.data.version].act), item=code,
            bound=code, values=values | {"sent": iso_day(first.time, tz)}, readings=reads,
        )  # fmt: skip
    done = (sure or vague)[0]
    verdict, kept, marks, moment = _timed(asked, reads, done)
    reason = {"met": "in_time", "breached": "late"}.get(verdict, "readings_differ")
    if moment is None:
        missing, reason = f"day on which notice {done.id} of {code} was received", "notice_arrival_unknown"
    elif lost and verdict != "met":  # working days only lengthen a term, so what was kept without them is kept
        verdict, reason = "undetermined", "calendar_unknown"
    elif not sure and verdict != "breached":
        verdict, reason, missing = "undetermined", "version_unknown", f"version {done.data.version} of a contact"
    elif verdict == "undetermined":
        missing = ""
        reason = "late_claim" if {read.kept for read in kept} == {True} else reason
    else:
        missing = ""
    version = [known[done.data.version].act] if done.data.version in known else ()
    return asked.finding(
        verdict, reason, rests_on=evidence(issued, done, version, partial), item=code, bound=code,
        values=values | ({} if moment is None else {"sent": iso_day(moment, tz)}), readings=kept, marks=marks,
        missing=missing,
    )  # fmt: skip


def _timed(
    asked: Asked, reads: tuple[Read, ...], act: CaseAct
) -> tuple[Verdict, tuple[Read, ...], tuple[Mark, ...], int | None]:
    """Verdict of a term by the rule's moment, and that moment (ms): when it was sent, or received."""
    if asked.param("moment", "sent") == "sent":
        return *asked.done(reads, act), act.time
    stated = act.get("received_on")
    if stated is None:
        return "undetermined", reads, (), None
    moment = time_ms(stated)
    kept = tuple(Read(read.reading, read.ends, moment < read.ends) for read in reads)
    results = {read.kept for read in kept}
    verdict: Verdict = "undetermined" if len(results) != 1 else "met" if True in results else "breached"
    return verdict, kept, (), moment


def _added(asked: Asked, issued: CaseAct) -> Iterator[Finding]:
    """Offices that came to have direct contact after the act: whether it binds them it does not say."""
    day = date.fromisoformat(issued.data.date)
    state = asked.register.party(issued.office)
    for code in asked.register.offices():
        entry = asked.register.office(code)
        if entry is None or entry.party != state or code in issued.data.binds or entry.sort in ("party", "coordinator"):
            continue
        came = entry.direct_since
        if came is None and entry.border and asked.register.office(code, day) is None:
            came = entry.valid_from
        if came is not None and came > day:
            yield asked.finding("undetermined", "added_later", rests_on=evidence(entry.act, issued), item=code,
                                bound=code, values={"office": code, "added": came.isoformat()})  # fmt: skip


@check("lag", "contact_change_notified", takes=Takes({"act": WORD, **LAG}, ("coordinator_of",), threshold=True))
def contact_change_notified(asked: Asked) -> Iterator[Finding]:
    """Order 3.1, second paragraph: of changes since the act."""
    state = str(asked.profile.requests["coordinator_of"])
    issued = _issued(asked)
    every = versions(asked.register, state)
    for version in every:
        if not version.changes:
            continue
        if issued is None:
            yield _act_unknown(asked, version)
        elif version.since >= _issue(issued, version):
            tell = told(version, asked.register)
            yield _change(asked, version, every, version.since, tell, version.office, issued)


@check("lag", "contact_forwarded", takes=Takes({"act": WORD, **LAG}, ("coordinator_of", "coordinator"), threshold=True))
def contact_forwarded(asked: Asked) -> Iterator[Finding]:
    """Order 4.2: of every version; of one that the act found there, since the act."""
    state = str(asked.profile.requests["coordinator_of"])
    issued = _issued(asked)
    every = versions(asked.register, state)
    for version in every:
        if issued is None:
            yield _act_unknown(asked, version)
            continue
        start = max(version.since, _issue(issued, version))
        done = forwarded(version, asked.register, _other(asked, state))
        yield _change(asked, version, every, start, done, str(asked.profile.requests["coordinator"]), issued)


@check("lag", "contact_change_exchanged", takes=Takes({"instrument": WORD, **LAG}, threshold=True))
def contact_change_exchanged(asked: Asked) -> Iterator[Finding]:
    """Prot. 3, second paragraph: ours to them, theirs to us, while the instrument is in force."""
    held = standing_of(asked)
    yield from _ours(asked, held)
    yield from _theirs(asked, held)


def _ours(asked: Asked, held: Standing) -> Iterator[Finding]:
    register, own = asked.register, asked.register.own
    every = versions(register, own)
    for version in every:
        if not version.changes or in_force(held, version.since) == "no":
            continue
        entry = register.office(version.office)
        sorts = asked.profile.requests.get("sorts")
        if held.begins is None:
            yield _not_entered(asked, version.act, held.missing, version.item, version.contact)
        elif sorts and entry is not None and entry.sort not in sorts:
            # Prot. 3 speaks of contacts of the sorts that it names; the Order lets one more office have direct contact.
            yield asked.finding("undetermined", "sort_unnamed", rests_on=evidence(version.act, entry.act), bound=own,
                                item=version.item, values={"contact": version.contact, "sort": entry.sort})  # fmt: skip
        else:
            done = forwarded(version, register, _other(asked, own))
            yield _change(asked, version, every, version.since, done, own)


def _theirs(asked: Asked, held: Standing) -> Iterator[Finding]:
    register = asked.register
    arrived = register.acts("contact.received")
    named = items([*arrived, *(version.act for version in versions(register, register.own))])
    for act in arrived:
        sender = register.party(act.data.from_)
        if act.get("changes_of") is None or sender != _other(asked, register.own):
            continue
        changed = [other for other in arrived if other.id == act.data.changes_of]
        names = ", ".join(dict.fromkeys(contact.contact for contact in act.data.contacts))
        stated = act.get("effective")
        if stated is None:
            missing = f"date of the change that {act.id} tells of"
            yield asked.finding("undetermined", "change_undated", rests_on=evidence(act, changed), item=named[act],
                                bound=sender, values={"contact": names}, missing=missing)  # fmt: skip
            continue
        tz = register.zone(act.data.from_)
        start = start_of(date.fromisoformat(stated), tz)
        if in_force(held, start) == "no":
            continue
        if held.begins is None:
            yield _not_entered(asked, act, held.missing, named[act], names)
            continue
        yield lagged(asked, start, evidence(act, changed), tz, done=act, item=named[act], bound=sender,
                     values={"contact": names})  # fmt: skip


@check("coverage", "contacts_exchanged")
def contacts_exchanged(asked: Asked) -> Iterator[Finding]:
    """Prot. 3, first paragraph: once each way is enough, since the text sets no date."""
    register, own = asked.register, asked.register.own
    entered = asked.register.instrument(asked.profile.instrument.id).entered
    ours = [a for a in register.acts("contact.forwarded") if register.party(a.data.to) == _other(asked, own)]
    theirs = [a for a in register.acts("contact.received") if register.party(a.data.from_) == _other(asked, own)]
    first = [min(group, key=lambda act: act.order) for group in (ours, theirs) if group]
    if not entered and not first:
        return
    shown = {way: iso_day(min(a.time for a in group), register.zone(group[0].office))
             for way, group in (("ours", ours), ("theirs", theirs)) if group}  # fmt: skip
    verdict: Verdict = "met" if len(first) == 2 else "open"
    reason = "both_ways" if len(first) == 2 else "ours_awaited" if theirs else "theirs_awaited" if ours else "none_yet"
    yield asked.finding(verdict, reason, rests_on=evidence(entered[:1], first), bound=own, values=shown)


def _change(
    asked: Asked, version: Version, every: list[Version], start: int, done: CaseAct | None, bound: str,
    issued: CaseAct | None = None,
) -> Finding:  # fmt: skip
    overtaking = following(version, every)
    gone = None if overtaking is None else (overtaking.since, overtaking.act)
    return lagged(asked, start, evidence(version.act, issued), version.tz, done=done, gone=gone, item=version.item,
                  bound=bound, values={"contact": version.contact})  # fmt: skip


def _act_unknown(asked: Asked, version: Version) -> Finding:
    return asked.finding("undetermined", "act_unknown", rests_on=version.act, item=version.item, bound=version.office,
                         values={"contact": version.contact}, missing=f"issue of {_act(asked)}")  # fmt: skip


def _not_entered(asked: Asked, act: CaseAct, missing: str, item: str, contact: str) -> Finding:
    return asked.finding("undetermined", "entry_unknown", rests_on=act, item=item, values={"contact": contact},
                         missing=missing)  # fmt: skip


def _act(asked: Asked) -> str:
    """The act whose duties these are: the rule's param ``act``, else that of the profile."""
    return str(asked.param("act", asked.profile.instrument.id))


def _issued(asked: Asked) -> CaseAct | None:
    issued = [act for act in asked.register.acts("act.issued") if act.data.act == _act(asked)]
    return issued[-1] if issued else None


def _issue(issued: CaseAct, version: Version) -> int:
    return start_of(date.fromisoformat(issued.data.date), version.tz)


def _parties(asked: Asked) -> tuple[str, ...]:
    return asked.profile.instrument.parties


def _other(asked: Asked, state: str) -> str:
    return next((party for party in _parties(asked) if party != state), "")
