"""Requests through the Main Directorate: signed or received, accepted, executed by kind, answered, closed."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from producers.simulator import materials, oral, refusals
from producers.simulator.chance import Chance, LogNormal, Weighted
from producers.simulator.parameters import Parameters
from producers.simulator.places import GUMPS
from producers.simulator.requests import Case, content, far, note_content, signer
from producers.simulator.story import DAY, HOUR, MINUTE, days, iso

_GROUPS = {"extradition": "extradition", "asset": "asset", "direct_exchange": "direct", "initiative": "direct"}
LONGEST = 320.0
"""Days: what takes longer in a draw is cut, so that every case of the year comes to its end in the next."""
REFUSALS = ("no_reason", "told_orally", "near_refusal", "no_consultation", "other_ground", "told_late")


@lru_cache(16)
def _durations(median: float, sigma: float) -> LogNormal:
    return LogNormal(median, sigma)


@lru_cache(16)
def _money(median: float, sigma: float) -> LogNormal:
    return LogNormal(median, sigma)


@lru_cache(4)
def _outcomes(granted: float, partial: float, not_executed: float, refused: float) -> Weighted[str]:
    return Weighted({"granted": granted, "partial": partial, "not_executed": not_executed, "refused": refused})


def length(case: Case) -> float:
    """How long the answer takes, in days."""
    parameters, group = case.story.parameters, _GROUPS.get(case.kind, "mla")
    drawn = _durations(parameters[f"durations.{group}"], parameters[f"durations.{group}.sigma"]).draw(case.story.chance)
    if case.plant == "near_answer":
        drawn = 60.0
    elif case.story.direct and case.kind != "direct_exchange":
        drawn = min(drawn, 20.0)
    return max(1.5, min(drawn, LONGEST))


def outcome(case: Case) -> str:
    """How it ends."""
    story = case.story
    if case.plant in REFUSALS:
        return "refused"
    drawn = _outcomes(*story.parameters.under("outcomes").values()).draw(story.chance)
    return "granted" if case.plant and drawn == "refused" else drawn


def tell(case: Case) -> None:
    """The whole of a request through the Main Directorate."""
    story, chance = case.story, case.story.chance
    _route(case)
    end = outcome(case)
    arrived = begin(case)
    if arrived is None:
        return  # it was never confirmed, or sent back
    took = length(case)
    span = days(took)
    ready = _doubted(case, arrived)
    accepted = max(arrived + span // 6, ready)
    if end == "refused":
        refusals.tell(case, arrived, accepted)
        return
    told = max(arrived + span, accepted + 2 * HOUR)
    if case.plant == "near_answer":
        told = arrived + 90 * DAY - HOUR
    side: dict[str, Any] = {"ours": not case.outgoing}
    case.tell("request.accepted", accepted, {"executing": case.requested}, **side)
    _execute(case, accepted, told, end)
    held = materials.tell(case, accepted, told)
    _costs(case, accepted)
    done: dict[str, Any] = {"outcome": {"granted": "full", "partial": "partial"}.get(end, "impossible")}
    case.tell("request.executed", told - HOUR, done | ({"materials": held} if held else {}), **side)
    if case.plant != "unanswered":
        answer = {"outcome": end, "channel": case.channel, "written": True, "to": _home(case), "final": True}
        id_ = case.tell("request.answered", told, answer, office=_answerer(case), **side)
        note_answer(case, arrived, told, id_)
        if case.plant == "misrouted_in":
            story.plant("breach", case.plant, "O9", id_)
    closed = told + days(2 + 18 * chance.random())
    id_ = case.tell("request.closed", closed, {"outcome": "done"})
    if case.plant == "unanswered":
        story.plant("breach", case.plant, "A8.2", id_, span=(arrived, closed))
    _settle_costs(case, accepted, closed)


def _home(case: Case) -> str:
    """Where an answer goes."""
    if case.channel == "direct":
        return case.requesting
    return GUMPS if case.outgoing else far(case)


def _answerer(case: Case) -> str:
    return case.ours if case.channel == "direct" else GUMPS


def note_answer(case: Case, arrived: int, told: int, id_: str) -> None:
    """Whether the answer came within the threshold that the office's configuration has for it."""
    limit = 30 if case.story.direct or case.kind == "initiative" else 90
    if told >= arrived + limit * DAY:
        case.story.plant("undetermined", "durations", "A8.2", id_, at=told, span=(arrived, told))
    elif case.plant == "near_answer":
        case.story.plant("near_miss", case.plant, "A8.2", id_, at=told)


def _route(case: Case) -> None:
    """Plants of routing decide who writes to whom."""
    if case.plant in ("misrouted_out", "misrouted_in", "returned_misrouted"):
        case.channel, case.ours = "direct", case.holder
        case.theirs = f"KZ-B-{case.story.chance.whole(1, int(case.story.parameters['register.counterparts'])):02d}"
    elif case.plant in ("near_route_out", "near_route_in"):
        case.ours = case.holder


def begin(case: Case) -> int | None:
    """From the first act to the arrival at the side that is asked; None: it ends there."""
    story, at = case.story, case.at
    if case.plant.startswith("oral_") or case.plant in ("near_oral", "direct_oral"):
        return oral.tell(case)
    if not case.plant and story.chance.random() < story.parameters["oral.share"]:
        return oral.tell(case)
    said = content(case)
    return _out(case, said, at) if case.outgoing else _in(case, said, at)


def _languages(case: Case) -> dict[str, Any]:
    if case.plant == "no_translation":
        return {"translations": []}
    if case.plant == "near_request":
        return {"translations": [], "no_translation_reason": "accepted_language"}
    return {"translations": ["ru"]}


def _out(case: Case, said: dict[str, Any], at: int) -> int:
    story, chance = case.story, case.story.chance
    said |= {**signer(case, at), "signature": "ink", "lang": "en" if case.plant == "no_translation" else "ru"}
    signed = story.tell("request.signed", at, case.ours, said)
    note_content(case, signed)
    _scope(case, at + MINUTE)
    sender, to = (case.ours, case.theirs) if case.channel == "direct" else (GUMPS, far(case))
    if case.plant == "near_route_out":
        sender = case.holder
    elif case.plant == "other_unit":
        sender, to = case.ours, case.theirs
    elif case.ours != sender:
        passed = {"from": case.ours, "to": sender, "why": "competence"}
        case.tell("request.forwarded", at + HOUR, passed, office=case.ours)
    left = at + days(0.2 + chance.random())
    passage = {"channel": _channel(case), "from": sender, "to": to, **_languages(case)}
    sent = story.tell("request.sent", left, sender, {**passage, "means": "post"})
    note_route(case, sent)
    arrived = left + days(0.5 + 3 * chance.random())
    passage.pop("no_translation_reason", None)
    case.tell("request.received", arrived, passage, ours=False)
    return arrived


def _channel(case: Case) -> str:
    return "diplomatic" if case.plant == "diplomatic" else case.channel


def _scope(case: Case, at: int) -> None:
    """Law-enforcement assistance beyond the Protocol: somebody says so."""
    if case.kind == "law_enforcement" and (case.channel == "direct" or "near_route" in case.plant):
        data = {"scope": "outside", "decided_by": case.ours, "reason": case.story.text(4)}
        case.story.tell("request.scoped", at, case.ours, data)


def _in(case: Case, said: dict[str, Any], at: int) -> int | None:
    story, chance = case.story, case.story.chance
    said |= signer(case, at)
    said |= {"channel": _channel(case), "from": far(case), "to": GUMPS, **_languages(case)}
    said.pop("no_translation_reason", None)
    if case.plant == "near_request":
        said["translations"] = ["ru"]
    first = GUMPS
    if case.channel == "direct" or case.plant == "near_route_in":
        first = case.holder
        where = f"KZ-B-{chance.whole(1, int(story.parameters['register.counterparts'])):02d}"
        said |= {"channel": "direct", "from": case.theirs if case.channel == "direct" else where, "to": first}
        form = chance.whole(1, 4)
        said["forms"] = {"order": [f"o{form}"], "protocol": [f"p{form}"], "agreement": ["a1"]}
        said["topics"] = ["none"]
    elif case.plant == "other_unit":
        said |= {"from": case.theirs, "to": case.ours}
        first = case.ours
    got = story.tell("request.received", at, first, said)
    note_content(case, got)
    note_route(case, got)
    _scope(case, at + MINUTE)
    if case.plant == "returned_misrouted":
        back = story.tell("request.returned", at + 2 * DAY, first, {"to": case.theirs, "why": "misrouted"})
        story.plant("undetermined", case.plant, "O9", back)
        story.tell("request.closed", at + 3 * DAY, first, {"outcome": "returned"})
        return None
    if case.plant == "near_route_in":
        passed = story.tell(
            "request.forwarded", at + 2 * DAY, first, {"from": first, "to": GUMPS, "why": "misrouted"}
        )  # fmt: skip
        story.plant("near_miss", case.plant, "O9 A5.1", got, passed)
    elif case.channel != "direct" and first != case.ours:
        data = {"from": first, "to": case.ours, "why": "competence"}
        story.tell("request.forwarded", at + int(DAY * chance.random()), first, data)
    return at


def note_route(case: Case, id_: str) -> None:
    """What is planted in the way that it went."""
    story = case.story
    match case.plant:
        case "misrouted_out":
            story.plant("breach", case.plant, "O9", id_)
        case "near_route_out":  # from an office that is no unit, but to one that is
            story.plant("near_miss", case.plant, "O9 A5.1 A5.2", id_)
        case "diplomatic":
            story.plant("undetermined", case.plant, "A5.1", id_)
        case "other_unit":
            story.plant("undetermined", case.plant, "A5.2", id_)
        case "no_translation" if case.kind != "initiative":
            story.plant("undetermined", case.plant, "A6.5", id_)
        case "near_request":
            story.plant("near_miss", case.plant, "A6.5", id_)


def _doubted(case: Case, arrived: int) -> int:
    """The asked side doubts that it is genuine; from when on it goes on."""
    if case.plant not in ("near_request", "doubt_ignored"):
        return arrived
    story, asked = case.story, arrived + DAY
    data = {"of": story.acts[0].id, "why": story.text(4), "asked_of": case.requesting}
    doubt = case.tell("authenticity.doubted", asked, data, ours=not case.outgoing)
    answered = asked + 10 * DAY - HOUR
    go_on = answered + HOUR
    if case.plant == "doubt_ignored":
        story.plant("undetermined", case.plant, "A6.2c", doubt, item=doubt)
        data = {"executing": case.requested}
        case.tell("request.accepted", asked + DAY, data, ours=not case.outgoing)
    else:
        story.plant("near_miss", case.plant, "A6.2c", doubt, item=doubt)
    reply = {"answers": doubt, "authentic": True, "means": "email"}
    case.tell("authenticity.answered", answered, reply, ours=case.outgoing)
    return go_on


def _costs(case: Case, at: int) -> None:
    """A cost that arises."""
    if case.plant not in ("cost_unagreed", "near_cost", "cost_unclear") and case.story.chance.random() >= 0.1:
        return
    chance = case.story.chance
    by = "RU" if case.plant or chance.flip(0.5) else case.partner
    borne = "KZ" if case.plant in ("cost_unagreed", "near_cost", "cost_unclear") else by
    money = {"amount": f"{chance.whole(50, 5000)}.{chance.whole(0, 99):02d}", "currency": "EUR"}
    data = {"cost": f"cost-{case.case_id}", "money": money, "what": chance.one(("translation", "expert", "transport")),
            "incurred_by": by, "borne_by": borne}  # fmt: skip
    case.tell("cost.incurred", at + DAY, data)
    if case.plant == "cost_unclear":
        agreed = {"scope": "all", "borne_by": "KZ", "share": "50", "written": False}
        id_ = case.tell("cost.agreed", at + DAY + HOUR, agreed)
        case.story.plant(
            "undetermined", case.plant, "A10", id_, item=str(data["cost"]), span=(at + DAY, at + DAY + HOUR)
        )


def _settle_costs(case: Case, accepted: int, closed: int) -> None:
    """An agreement may come at any time, even when the file is about to be closed; without one it is a breach then."""
    name = f"cost-{case.case_id}"
    if case.plant == "near_cost":
        agreed = {"scope": "listed", "costs": [name], "borne_by": "KZ", "share": "100", "written": True}
        id_ = case.tell("cost.agreed", closed - MINUTE, agreed)
        case.story.plant("near_miss", case.plant, "A10", id_, item=name)
    elif case.plant == "cost_unagreed":
        incurred = next(act.id for act in case.story.acts if act.name == "cost.incurred")
        span = (accepted + DAY, closed)
        case.story.plant("breach", case.plant, "A10", incurred, item=name, at=closed, span=span)


def _execute(case: Case, start: int, end: int, how: str) -> None:
    """What a kind of request takes between acceptance and answer."""
    story, chance, kind = case.story, case.story.chance, case.kind
    asked, asking = ("RU", case.partner) if not case.outgoing else (case.partner, "RU")
    side: dict[str, Any] = {"ours": not case.outgoing}
    third = (end - start) // 3
    data: dict[str, Any]
    if how == "not_executed":
        return
    if kind in ("extradition", "transfer_sentenced", "transfer_mental"):
        person = story.person()
        if kind == "extradition":
            data = {"person": person, "date": iso(start), "state": asked, "basis": "wanted"}
            case.tell("person.detained", start + third // 2, data, **side)
        data = {"what": kind, "person": person, "date": iso(start + third), "authority": story.text(3)}
        case.tell("decision.granted", start + third, data, **side)
        if how == "granted":
            data = {"person": person, "date": iso(start + 2 * third), "from": asked, "to": asking, "what": kind}
            case.tell("person.handedover", start + 2 * third, data, **side)
    elif kind == "transfer_prosecution":
        data = {"case": case.case_id, "date": iso(start + third), "state": asked}
        case.tell("prosecution.takenover", start + third, data, **side)
    elif kind == "search_person":
        via = "interpol" if chance.flip(0.7) else "directorate"
        data = {"person": story.person(), "state": asked, "date": iso(start + third), "via": via}
        case.tell("person.located", start + third, data, **side)
    elif kind == "asset":
        _assets(case, start, third, side)
    else:
        measure = chance.one(("interview", "search_seizure", "expert", "video_hearing", "records", "inspection"))
        data = {"measure": measure, "count": chance.whole(1, 3), "date": iso(start + third), "for_kind": kind}
        case.tell("measure.performed", start + third, data, **side)
        if chance.flip(0.3):
            data = {"documents": chance.whole(1, 4), "date": iso(start + 2 * third), "result": "served"}
            case.tell("document.served", start + 2 * third, data, **side)


def _assets(case: Case, start: int, third: int, side: dict[str, Any]) -> None:
    chance, parameters = case.story.chance, case.story.parameters
    estate = chance.flip(0.5)
    money = amount(chance, parameters, "real_estate" if estate else "funds")
    asset, asked = chance.token("a-"), "RU" if not case.outgoing else case.partner
    traced = {"asset": asset, "sort": "real_estate" if estate else "funds", "state": asked, "money": money}
    case.tell("asset.traced", start + third // 2, traced, **side)
    data: dict[str, Any] = {"asset": asset, "money": money, "measure": "arrest" if estate else "block"}
    case.tell("asset.restrained", start + third, {**data, "date": iso(start + third)}, **side)
    if case.partner == "CH" and case.outgoing:
        back = {"asset": asset, "money": amount(chance, parameters, "returned"), "date": iso(start + 2 * third)}
        case.tell("asset.returned", start + 2 * third, {**back, "to": "company"}, **side)


def amount(chance: Chance, parameters: Parameters, sort: str) -> dict[str, str]:
    """An amount of money, such that those of a year come to about the knob's sum."""
    sigma = parameters["assets.sigma"]
    number = max(1.0, parameters["requests.asset"] * (0.45 * 0.03 if sort == "returned" else 0.5 * 0.86))
    # The mean of such a distribution is its median times exp(sigma²/2).
    grown = (Decimal(repr(sigma)) ** 2 / 2).exp()
    median = float((Decimal(repr(parameters[f"assets.{sort}"] / number)) / grown).quantize(Decimal("0.01")))
    drawn = int(_money(max(median, 0.01), sigma).draw(chance) * 100)
    return {"amount": f"{drawn // 100}.{drawn % 100:02d}", "currency": "USD" if sort == "returned" else "EUR"}
