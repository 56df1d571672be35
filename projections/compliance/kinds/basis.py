"""What a request rests on: the instruments it names, whether they were in force, by which channel it went, its topics.

Checks of the kind ``information`` for requests: none of them can be breached, since the texts set no measure.

A profile says what the register cannot know of an instrument: that it is no treaty but a principle (``principles``),
that a notice ends it by the rule's readings (``terms``), that it lives with another (``lives_with``).
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.register import retroactive
from projections.compliance.requests import bound_office
from projections.compliance.takes import NAMES, WORDS, Takes, needed, one_of
from projections.compliance.termination import InForce, Standing, in_force, standing
from projections.compliance.verdict import Finding, Read

EXECUTION = ("request.accepted", "request.executed")
CARRIERS = (
    "request.sent", "request.received", "request.spoken", "request.answered", "material.sent", "material.received",
)  # fmt: skip
NO_EXCHANGE = frozenset({
    "request.signed", "request.scoped", "request.withdrawn", "request.closed", "step.taken", "finding.disposed",
    "record.corrected",
})  # fmt: skip
"""Acts that show nothing passing between the Parties."""


class Basis(msgspec.Struct, frozen=True):
    """One instrument that a request rests on, at a moment."""

    name: str
    force: InForce
    held: tuple[Standing, ...] = ()

    @property
    def acts(self) -> tuple[CaseAct, ...]:
        """Register records about it."""
        return evidence(*(each.acts for each in self.held))

    @property
    def readings(self) -> tuple[Read, ...]:
        """Of its end."""
        return tuple(read for each in self.held for read in each.ends)

    @property
    def missing(self) -> str:
        """What is not known of it."""
        return next((each.missing for each in self.held if each.missing), "")


def bases(asked: Asked, names: list[str], ms: int) -> list[Basis]:
    """Each instrument named, and whether it was in force between the two states at a moment (ms)."""
    return [_basis(asked, name, ms) for name in dict.fromkeys(names)]


def _basis(asked: Asked, name: str, ms: int) -> Basis:
    if name in asked.param("principles", ()):
        return Basis(name, "yes")
    own, partner = asked.register.own, asked.case.partner
    between = (own, partner) if own and partner else None
    held = []
    each: str | None = name
    while each is not None:
        readings = asked.rule.readings if each in asked.param("terms", ()) else ()
        held.append(standing(asked.register, each, readings, between, calendar_id=asked.profile.calendar))
        each = asked.param("lives_with", {}).get(each)
    found = {in_force(one, ms) for one in held}
    force: InForce = "no" if "no" in found else "unclear" if "unclear" in found else "yes"
    return Basis(name, force, tuple(held))


@check(
    "information",
    "legal_basis",
    takes=Takes(
        {"at": needed(one_of("opening", "execution")), "terms": WORDS, "lives_with": NAMES, "principles": WORDS}
    ),
)
def legal_basis(asked: Asked) -> Iterator[Finding]:
    """A legal basis is named and each one was in force: at the opening, or when execution began (param ``at``)."""
    case = asked.case
    execution = asked.param("at") == "execution"
    act = case.first(*EXECUTION) if execution else case.opener
    if act is None and execution:
        return
    content = case.content
    if act is None or content is None:
        yield asked.no_content("basis", rests_on=evidence(act, case.acts[:1]))
        return
    named = list(content.data.legal_basis)
    rests_on = evidence(act, content)
    if not named:
        yield asked.finding("undetermined", "no_basis", rests_on=rests_on, values={"basis": "—"},
                            missing="legal basis")  # fmt: skip
        return
    found = bases(asked, named, act.time)
    values = {"basis": ", ".join(each.name for each in found)}
    out = [each.name for each in found if each.force == "no"]
    unclear = [each for each in found if each.force == "unclear"]
    rests_on = evidence(rests_on, *(each.acts for each in found))
    since = act.time
    if out:
        reason = "none_in_force" if len(out) == len(found) else "one_not_in_force"
        yield asked.finding("undetermined", reason, rests_on=rests_on, values={**values, "out": ", ".join(out)},
                            at=since)  # fmt: skip
    elif unclear:
        missing = ", ".join(each.missing for each in unclear if each.missing)
        yield asked.finding(
            "undetermined", "basis_unclear", rests_on=rests_on, at=since, missing=missing,
            values={**values, "out": ", ".join(each.name for each in unclear)},
            readings=tuple(read for each in unclear for read in each.readings),
        )  # fmt: skip
    else:
        entered = [record for each in found for record in each.acts if record.name == "instrument.entered"]
        yield asked.finding("met", "basis_in_force", rests_on=rests_on, values=values, at=since,
                            marks=retroactive(act, entered))  # fmt: skip


@check("information", "other_basis", takes=Takes({"own": needed(WORDS), "principles": WORDS}))
def other_basis(asked: Asked) -> Iterator[Finding]:
    """A treaty beside the instrument itself is named, for kinds that need one (the rule's ``kinds``)."""
    content = asked.case.content
    if content is None:
        yield asked.no_content("basis")
        return
    named = list(dict.fromkeys(content.data.legal_basis))
    others = [name for name in named if name not in asked.param("own")]
    treaties = [name for name in others if name not in asked.param("principles", ())]
    values = {"basis": ", ".join(treaties or named) or "—"}
    if treaties:
        yield asked.finding("met", "treaty_named", rests_on=content, values=values)
    elif others:
        yield asked.finding("undetermined", "principle_only", rests_on=content, values=values)
    else:
        reason = "own_basis_only" if named else "no_basis"
        yield asked.finding("undetermined", reason, rests_on=content, values=values, missing="treaty basis")


@check("information", "channel")
def channel(asked: Asked) -> Iterator[Finding]:
    """The Parties write to each other without diplomats between them; a right, so another way is no breach."""
    carriers = asked.case.named(*CARRIERS)
    used = list(dict.fromkeys(str(act.data.channel) for act in carriers))
    if used:
        values = {"channel": ", ".join(used)}
        if "diplomatic" in used:
            yield asked.finding("undetermined", "by_diplomats", rests_on=carriers, values=values)
        else:
            yield asked.finding("met", "channel_recorded", rests_on=carriers, values=values)
        return
    passed = [act for act in asked.case.acts if act.name not in NO_EXCHANGE]
    if passed:
        yield asked.finding("undetermined", "no_channel", rests_on=passed[0], values={"channel": "—"},
                            missing="channel of the request")  # fmt: skip


@check("information", "topics", takes=Takes({"topics": needed(WORDS)}))
def topics(asked: Asked) -> Iterator[Finding]:
    """A topic of the list is marked, ``none`` among them."""
    content = asked.case.content
    if content is None:
        yield asked.no_content("topics")
        return
    said = list(dict.fromkeys(content.get("topics") or ()))
    values, bound = {"topics": ", ".join(said) or "—"}, bound_office(asked, content)
    if any(topic in asked.param("topics") for topic in said):
        yield asked.finding("met", "topic_marked", rests_on=content, values=values, bound=bound)
    elif said:
        yield asked.finding("undetermined", "topic_not_listed", rests_on=content, values=values, bound=bound)
    else:
        yield asked.finding("undetermined", "no_topic", rests_on=content, values=values, bound=bound, missing="topic")
