"""Rule kind ``routing``: did it go the way that it must.

Two checks of the same crossings: may these two offices write to each other directly (``direct_contact``), and does
this content have to pass the coordinating unit (``by_directorate``).  Which offices, which kinds and which unit is in
the profile.  Of several crossings the worst decides; the others are evidence, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.correspondence import Passage, passages, said_forms
from projections.compliance.kinds.base import Asked, check
from projections.compliance.readings import span
from projections.compliance.register import OfficeEntry, local_day, retroactive
from projections.compliance.takes import Takes
from projections.compliance.verdict import Finding, Mark, Verdict, worst

UNDECIDED = "undecided"


class Part(msgspec.Struct, frozen=True):
    """What one crossing, or one arrival, leads to."""

    verdict: Verdict
    reason: str
    acts: tuple[CaseAct, ...]
    office: str
    """Who is bound."""
    values: dict[str, str] = {}
    missing: str = ""
    expected_by: int = 0
    marks: tuple[Mark, ...] = ()


@check(
    "routing",
    "direct_contact",
    timed=True,
    takes=Takes(
        requests=(
            "coordinator_of",
            "issued",
            "direct_offices",
            "counterparts",
            "doubtful_counterparts",
            "doubtful_sorts",
        )
    ),
)
def direct_contact(asked: Asked) -> Iterator[Finding]:
    """Direct contact only between listed offices and their counterparts."""
    parts = [_pair(asked, passage) for passage in passages(asked.case, asked.register) if passage.channel == "direct"]
    yield from _worst(asked, parts)


def _pair(asked: Asked, passage: Passage) -> Part:
    register, profile = asked.register, asked.profile.requests
    ours, theirs = passage.sender, passage.receiver
    if register.party(ours) != profile["coordinator_of"]:
        ours, theirs = theirs, ours
    day = local_day(register, passage.act, ours)
    own, other = register.office(ours, day), register.office(theirs, day)
    values = {"from": passage.sender or "—", "to": passage.receiver or "—"}

    def part(verdict: Verdict, reason: str, missing: str = "") -> Part:
        entries = [entry.act for entry in (own, other) if entry is not None]
        marks = retroactive(passage.act, entries)
        return Part(verdict, reason, evidence(passage.act, entries), ours, values, missing, marks=marks)

    if day.isoformat() < profile["issued"]:
        return part("undetermined", "before_order")
    if ours not in profile["direct_offices"]:
        return part("breached", "sender_not_listed" if ours == passage.sender else "receiver_not_listed")
    if theirs not in profile["counterparts"]:
        if other is None:
            return part("undetermined", "counterpart_unknown", f"registration of {theirs or 'the other office'}")
        if not other.border:
            doubtful = other.sort in profile["doubtful_counterparts"]
            return part("undetermined", "counterpart_doubtful") if doubtful else part("breached", "not_a_counterpart")
        if other.direct_since is not None and day < other.direct_since:
            return part("undetermined", "before_direct")
    return _own(own, profile["doubtful_sorts"], part("met", "both_listed"))


def _own(own: OfficeEntry | None, doubtful: list[str], found: Part) -> Part:
    """A pair that may write to each other, unless the sort of our own office leaves it open."""
    if own is None:
        return msgspec.structs.replace(
            found, verdict="undetermined", reason="office_unknown", missing=f"registration of {found.office}"
        )
    if own.sort in doubtful:
        return msgspec.structs.replace(found, verdict="undetermined", reason="sort_doubtful")
    return found


@check(
    "routing",
    "by_directorate",
    takes=Takes(
        requests=(
            "never_direct",
            "scope_to_decide",
            "wider_forms",
            "forms",
            "direct_offices",
            "other_channels",
            "coordinator_of",
            "coordinator",
        )
    ),
)
def by_directorate(asked: Asked) -> Iterator[Finding]:
    """What the offices may not exchange directly passes the coordinating unit."""
    scope, reason, basis = _scope(asked)
    if scope == "inside":
        return
    found = passages(asked.case, asked.register)
    if asked.case.kind is None:
        direct = [passage.act for passage in found if passage.channel == "direct"]
        if direct:
            yield asked.finding("undetermined", "no_content", rests_on=direct, missing="kind of the request",
                                values={"kind": "—", "channel": "direct"})  # fmt: skip
        return
    parts = [_out(asked, passage, scope, reason, basis) for passage in found if _outgoing(asked, passage)]
    arrivals = [passage for passage in found if _misrouted(asked, passage)]
    if arrivals:  # its receipt says more than that somebody sent it
        arrival = next((passage for passage in arrivals if passage.act.name == "request.received"), arrivals[0])
        parts.append(_in(asked, arrival, scope, reason, basis))
    yield from _worst(asked, parts)


def _scope(asked: Asked) -> tuple[str, str, tuple[CaseAct, ...]]:
    """Whether the content must pass the unit: ``outside`` (it must), ``inside`` or ``undecided``; why; by which acts.

    Legal assistance must whatever anybody decides on its scope; for the rest the last decision counts.
    """
    case, profile = asked.case, asked.profile.requests
    content = evidence(case.content)
    if case.kind in profile["never_direct"]:
        return "outside", "never_direct", content
    decided = case.last("request.scoped")
    if decided is not None:
        scope = {"inside": "inside", "outside": "outside"}.get(decided.data.scope, UNDECIDED)
        return scope, "scoped_outside" if scope == "outside" else "scoped_part", (*content, decided)
    if case.kind in profile["scope_to_decide"]:
        return UNDECIDED, "scope_undecided", content
    named = set(said_forms(case, "order", "protocol"))
    if case.kind is None or (named & set(profile["wider_forms"]) and not named & set(profile["forms"])):
        return UNDECIDED, "wider_form", content
    return "inside", "", content


def _outgoing(asked: Asked, passage: Passage) -> bool:
    """Whether a bound office wrote to the other state."""
    return passage.sender in asked.profile.requests["direct_offices"]


def _misrouted(asked: Asked, passage: Passage) -> bool:
    """Whether a request of the other state reached a bound office directly."""
    bound = asked.profile.requests["direct_offices"]
    return passage.requests and passage.channel == "direct" and passage.receiver in bound


def _out(asked: Asked, passage: Passage, scope: str, reason: str, basis: tuple[CaseAct, ...]) -> Part:
    profile, kind = asked.profile.requests, str(asked.case.kind)
    rests_on = evidence(passage.act, basis)
    values = {"kind": kind, "channel": passage.channel}
    if passage.channel == "directorate":
        return Part("met", "by_directorate", rests_on, passage.sender, values)
    if passage.channel in profile["other_channels"].get(kind, ()):
        return Part("met", "by_own_channel", rests_on, passage.sender, values)
    if passage.channel != "direct":
        return Part("undetermined", "channel_doubtful", rests_on, passage.sender, values)
    if scope == UNDECIDED:
        missing = {"scope_undecided": "decision on the scope of the request"}.get(reason, "")
        return Part("undetermined", reason, rests_on, passage.sender, values, missing)
    if passage.act.name == "request.spoken":
        return Part("undetermined", "spoken_directly", rests_on, passage.sender, values)
    return Part("breached", reason, rests_on, passage.sender, values)


def _in(asked: Asked, passage: Passage, scope: str, reason: str, basis: tuple[CaseAct, ...]) -> Part:
    """A request that arrived where it should not: it is to be passed on to the unit."""
    case, office = asked.case, passage.receiver
    values = {"kind": str(case.kind), "channel": passage.channel}
    rests_on = evidence(passage.act, basis)
    passed_on = [act for act in case.named("request.forwarded") if act.data.to in _units(asked, act)]
    if passed_on:
        return Part("met", "passed_on", evidence(rests_on, passed_on[0]), office, values)
    if scope == UNDECIDED:
        missing = {"scope_undecided": "decision on the scope of the request"}.get(reason, "")
        return Part("undetermined", reason, rests_on, office, values, missing)
    returned = [act for act in case.named("request.returned") if act.office == office]
    if returned:
        return Part("undetermined", "returned", evidence(rests_on, returned[0]), office, values)
    over = case.closed or case.withdrawn
    if over is not None:
        return Part("undetermined", "never_passed_on", evidence(rests_on, over), office, values)
    expected = passage.act.time + span(asked.rule.threshold) if asked.rule.threshold else 0
    return Part("open", "not_passed_on", rests_on, office, values, expected_by=expected)


def _units(asked: Asked, act: CaseAct) -> set[str]:
    """The coordinating unit by the profile, and whatever the register says has taken its place by then."""
    party, unit = asked.profile.requests["coordinator_of"], asked.profile.requests["coordinator"]
    return {unit, *asked.register.coordinators(party, local_day(asked.register, act))}


def _worst(asked: Asked, parts: Sequence[Part]) -> Iterator[Finding]:
    if not parts:
        return
    verdict = worst(part.verdict for part in parts)
    chosen = next(part for part in parts if part.verdict == verdict)
    acts = [act for part in parts for act in part.acts if act.subject == asked.case.subject]
    yield asked.finding(
        chosen.verdict,
        chosen.reason,
        rests_on=evidence(chosen.acts, acts),
        bound=chosen.office,
        values=chosen.values,
        missing=chosen.missing,
        expected_by=chosen.expected_by,
        marks=chosen.marks,
        at=max(act.time for act in chosen.acts if act.subject == asked.case.subject),
    )
