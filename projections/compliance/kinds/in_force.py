"""Whether the instrument was in force when a request was made, and whether another has taken its place.

Checks of the kind ``validity`` for requests.  The moment is that of the opener: what a request leads to later stands
on the duties that arose with it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.readings import day_of
from projections.compliance.register import local_day, retroactive
from projections.compliance.takes import FLAG, WORD, WORDS, Takes
from projections.compliance.termination import Standing, in_force, standing_of
from projections.compliance.verdict import Finding


@check("validity", "in_force", timed=True, takes=Takes({"instrument": WORD, "under": WORDS, "unnamed": FLAG}))
def instrument_in_force(asked: Asked) -> Iterator[Finding]:
    """In force by all readings, by none, or it cannot be said.

    Params: ``under``, the instruments whose naming brings a request under this rule (without it every request is);
    ``unnamed``, whether one that names no legal basis at all is brought under it, too.  Where the content is not known
    it cannot be said that a request had to rest on one of them.
    """
    case = asked.case
    act = case.opener
    if not _under(asked):
        return
    if act is None:
        yield asked.finding("undetermined", "no_opening", rests_on=case.acts[:1], missing="opening of the request",
                            values={"day": "—", "since": "—", "ends": "—"})  # fmt: skip
        return
    held = standing_of(asked)
    found = in_force(held, act.time)
    readings = tuple(msgspec.structs.replace(read, kept=act.time < read.ends) for read in held.ends)
    values = {
        "day": local_day(asked.register, act).isoformat(),
        "since": min((each.data.date for each in held.acts if _entered(each, held.instrument)), default="—"),
        "ends": _last_days(asked, held),
    }
    rests_on = evidence(act, held.acts)
    decides = [each for each in held.acts if found != "yes" or each.name == "instrument.entered"]
    marks = retroactive(act, decides)
    if found == "yes":
        yield asked.finding("met", "in_force", rests_on=rests_on, values=values, readings=readings, at=act.time,
                            marks=marks)  # fmt: skip
    elif found == "no" and asked.param("under") is not None and case.content is None:
        yield asked.finding("undetermined", "no_content", rests_on=rests_on, values=values, readings=readings,
                            missing="legal basis of the request", at=act.time)  # fmt: skip
    elif found == "no":
        over = held.last_end is not None and act.time >= held.last_end
        yield asked.finding("breached", "after_end" if over else "before_start", rests_on=rests_on, values=values,
                            readings=readings, at=act.time, marks=marks)  # fmt: skip
    else:
        reason = "not_known_in_force" if held.missing else "end_by_readings"
        yield asked.finding("undetermined", reason, rests_on=rests_on, values=values, readings=readings,
                            missing=held.missing, at=act.time)  # fmt: skip


def _under(asked: Asked) -> bool:
    under = asked.param("under")
    content = asked.case.content
    if under is None:
        return True
    named = [] if content is None else content.data.legal_basis
    return bool(set(named) & set(under)) or (not named and bool(asked.param("unnamed", False)))


def _entered(act: CaseAct, instrument: str) -> bool:
    return act.name == "instrument.entered" and act.data.instrument == instrument


def _last_days(asked: Asked, held: Standing) -> str:
    """The last day in force by each reading, in the zone of whoever received the notice."""
    office = next((act.office for act in held.acts if act.name == "notice.received"), None)
    tz = asked.register.zone(office) if office else "Europe/Moscow"
    return " / ".join(dict.fromkeys(day_of(read.ends - 1, tz).isoformat() for read in held.ends)) or "—"


@check("validity", "succeeded", timed=True, takes=Takes(requests=("succeeded",)))
def succeeded(asked: Asked) -> Iterator[Finding]:
    """An older instrument that this one has replaced between its Parties is not named any more.

    Nothing of requests before that day, nor while the legal basis is not known.
    """
    content, opener = asked.case.content, asked.case.opener
    if content is None or opener is None:
        return
    old = asked.profile.requests["succeeded"]
    day = local_day(asked.register, opener)
    if day.isoformat() < old["from"]:
        return
    values = {"basis": ", ".join(content.data.legal_basis) or "—", "day": day.isoformat()}
    rests_on = evidence(opener, content)
    if old["instrument"] in content.data.legal_basis:
        yield asked.finding("breached", "succeeded_named", rests_on=rests_on, values=values)
    else:
        yield asked.finding("met", "succeeded_not_named", rests_on=rests_on, values=values)
