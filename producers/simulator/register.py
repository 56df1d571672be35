"""The register of the simulated ledger: what stood in it before the year, and what changes in the year."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from producers.simulator import chance as chances
from producers.simulator.chance import Chance
from producers.simulator.parameters import Parameters
from producers.simulator.places import (
    AGREEMENT,
    BORDER,
    CENTRAL,
    DOUBTFUL,
    GUMPS,
    INSTRUMENTS,
    KZ_DIC,
    KZ_PGO,
    LISTED,
    OLD,
    ORDER,
    OTHERS,
    PGO,
    PROTOCOL,
    UNLISTED,
    ZONES,
    Place,
    counterparts,
)
from producers.simulator.requests import deputy, official
from producers.simulator.story import DAY, HOUR, MINUTE, Story, day_of, days, moment, start_of
from producers.simulator.truth import Sort

ORIGIN = "2009-01-01"
_ISSUED = date(2022, 3, 10)


class Turns:
    """Whose turn it is among things with shares: each as often as its share says, give or take one."""

    def __init__(self, shares: dict[str, float]) -> None:
        self._shares = shares
        self._due = {name: 0.5 if share else 0.0 for name, share in shares.items()}

    def next(self) -> str:
        """The next; empty: none of them."""
        for name, share in self._shares.items():
            self._due[name] += share
        name = max(self._due, key=self._due.__getitem__)
        if self._due[name] < 1.0 - 1e-9:
            return ""
        self._due[name] -= 1.0
        return name


def _chance(parameters: Parameters, name: str) -> Chance:
    return chances.case(parameters.seed, parameters.year, name)


def opening(parameters: Parameters) -> int:
    """When the ledger was opened and its past recorded (ms): in December before the year."""
    return moment(f"{parameters.year - 1}-12-01T06:00")


def registered(place: Place) -> dict[str, Any]:
    """The data that register an office."""
    border = place.sort in ("territorial", "transport", "nature") and place != UNLISTED
    return {"office": place.code, "party": place.code[:2], "sort": place.sort, "name_ru": place.name_ru,
            "tz": place.tz, "border": border, "valid_from": ORIGIN,
            "basis": ORDER if place in BORDER else AGREEMENT}  # fmt: skip


def offices(parameters: Parameters) -> tuple[Place, ...]:
    """Those that are registered by the Main Directorate, beside the two of the centre."""
    return (*BORDER, UNLISTED, *counterparts(parameters))


def signing(parameters: Parameters) -> tuple[str, ...]:
    """Offices that sign for themselves: those of the own Party. What others do these report."""
    del parameters
    return (*(place.code for place in CENTRAL), *LISTED, UNLISTED.code)


def past(parameters: Parameters) -> Story:
    """Roles, instruments, the Order and the first contacts, in the order in which they came about."""
    story = Story(_chance(parameters, "past"), "register", parameters)
    story.earliest = opening(parameters) + DAY
    old, seed = moment(f"{ORIGIN}T06:00"), parameters.seed
    for place in (*CENTRAL, *offices(parameters)):
        for role in ("head", "deputy_head", "contact"):
            _role(story, place.code, official(seed, place.code, role), role, ORIGIN, old)
    _supervision(story)
    for month in range(1, 13):
        first, after = date(parameters.year, month, 1), date(parameters.year + month // 12, month % 12 + 1, 1)
        _role(story, PGO, deputy(seed, month), "deputy_head", first.isoformat(), story.earliest, after.isoformat())
    everybody = sorted({"RU", "KZ", *OTHERS, "BY", "UZ", "DE", "ES", "RS", "CH"})
    for each in INSTRUMENTS:
        data = {"instrument": each.id, "date": each.date, "parties": list(each.parties or everybody),
                "kind": each.kind, "profile_sha256": sha256(each.id.encode()).hexdigest()}  # fmt: skip
        if each.supplements:
            data["supplements"] = each.supplements
        at = moment(f"{each.date}T09:00")
        story.tell("instrument.signed", at, GUMPS, data)
        story.tell("instrument.entered", at, GUMPS, {"instrument": each.id, "date": each.date})
    # No rulebook is adopted for the Protocol: the one that is built in judges, and Agr. 12 can't be decided.
    story.plant("undetermined", "text", "A12", item=PROTOCOL)
    _old_agreement(story)
    _order(story)
    return story


def _role(story: Story, office: str, person: str, role: str, since: str, at: int, until: str = "") -> None:
    data = {"office": office, "person": person, "role": role, "valid_from": since, "basis": story.text(3)}
    story.tell("role.assigned", at, office if office.startswith("RU") else GUMPS,
               data | ({"valid_to": until} if until else {}))  # fmt: skip


def supervised(parameters: Parameters) -> str:
    """Who holds the role of the supervising deputy (Order 6): the first one still, or what is planted in its place.

    One ledger has it once, so the seed decides.
    """
    if not _least(parameters):
        return ""
    return _chance(parameters, "supervision").one(("handed_over", "handed_over", "vacant", "held_twice"))


def _supervision(story: Story) -> None:
    """Handed over from one day to the next; or for a time held by nobody, or by two."""
    seed, role, how = story.parameters.seed, "supervising_deputy", supervised(story.parameters)
    first, second = official(seed, PGO, role), official(seed, PGO, f"{role}/2")
    begins, day = moment(f"{ORIGIN}T06:00"), f"{story.parameters.year - 1}-10-01"
    until = day if how in ("handed_over", "vacant") else ""
    _role(story, PGO, first, role, ORIGIN, begins, until)
    if how in ("handed_over", "held_twice"):
        _role(story, PGO, second, role, day, moment(f"{day}T06:00"))


def _old_agreement(story: Story) -> None:
    states = ["RU", "BY", "KZ", "KG"]
    data = {"instrument": OLD, "date": "1992-10-08", "parties": states, "kind": "agreement",
            "profile_sha256": sha256(OLD.encode()).hexdigest()}  # fmt: skip
    story.tell("instrument.signed", moment("1992-10-08T09:00"), GUMPS, data)
    ended = {"instrument": OLD, "date": "2009-06-23", "between": ["RU", "KZ"], "cause": "succession"}
    story.tell("instrument.ended", moment("2009-06-23T10:00"), GUMPS, ended)


def _order(story: Story) -> None:
    """The Order and its Kazakh counterpart (whose text nobody has: that there is one is our choice), and contacts."""
    at = moment("2022-03-10T09:00")
    order = {"act": ORDER, "number": "136", "date": "2022-03-10", "binds": list(LISTED), "carries_out": PROTOCOL}
    story.tell("act.issued", at, GUMPS, {**order, "act_of": PGO})
    theirs = {"act": "kz-act-2022", "number": "1", "date": "2022-03-10", "binds": ["KZ-MTP"], "carries_out": PROTOCOL}
    story.tell("act.issued", at, GUMPS, {**theirs, "act_of": KZ_PGO})
    lag = {"near_outlet": 59, "outlet_late": 62}.get(outlet_plant := _outlet(story), 14)
    for n, outlet in enumerate(("zakonnost", "official_site")):
        day = (_ISSUED + timedelta(days=lag if n else 7)).isoformat()
        data = {"act": ORDER, "outlet": outlet, "date": day, "where": f"2022, {n + 1}"}
        published = story.tell("act.published", moment(f"{day}T09:00"), GUMPS, data)
    known = {"act": ORDER, "office": GUMPS, "persons": 12}
    acquainted = story.tell("act.acquainted", moment("2022-03-15T09:00"), GUMPS, known)
    if outlet_plant:
        sort: Sort = "near_miss" if outlet_plant == "near_outlet" else "undetermined"
        story.plant(sort, outlet_plant, "O15", published)
        story.plant("near_miss", "first_acquainted", "O17", acquainted)
    least = story.parameters["breaches.minimum"]
    share = 0.0 if story.parameters.clean else max(story.parameters["breaches.other"], 0.3 * bool(least))
    turns = Turns({"contact_late": share, "near_contact": share, "contact_between": share / 3})
    for office in LISTED:
        forwarded = _first_contact(story, office, turns.next() if least or share else "")
    received: dict[str, Any] = {"contacts": [_contact(story, "KZ-B-01", "ct-kz-1")], "from": KZ_DIC}
    got = story.tell("contact.received", moment("2022-04-01T09:00"), GUMPS, received)
    if outlet_plant:
        story.plant("near_miss", "once_each_way", "P3", forwarded, got)


def _outlet(story: Story) -> str:
    """When the Order was published, by the seed: a ledger has it but once."""
    if not _least(story.parameters):
        return ""
    return _chance(story.parameters, "outlet").one(("near_outlet", "near_outlet", "outlet_late"))


def _contact(story: Story, office: str, contact: str) -> dict[str, Any]:
    text = story.text
    return {"contact": contact, "office": office, "surname": text(1), "name": text(1), "patronymic": text(1),
            "post": text(2), "phone": f"+7{story.chance.whole(10**9, 10**10 - 1)}", "email": text(1)}  # fmt: skip


def _first_contact(story: Story, office: str, plant: str) -> str:
    tz = ZONES[office]
    begins = start_of(date(2022, 3, 14), tz) + 9 * HOUR
    told = begins + 2 * DAY
    contact = _contact(story, office, first_contact(office))
    empty = plant == "contact_late" and story.chance.flip(0.4)
    if plant == "near_contact":
        told = start_of(date(2022, 3, 25), tz) - MINUTE
    elif plant == "contact_between":
        told = start_of(date(2022, 3, 28), tz) + 9 * HOUR
    elif plant == "contact_late" and not empty:
        told = start_of(date(2022, 4, 1), tz) + HOUR
    if empty:
        contact["email"] = ""
    version = story.tell("contact.designated", begins, office, {**contact, "effective": "2022-03-14"})
    data = {"office": office, "contact": contact["contact"], "version": version, "means": "email"}
    id_ = story.tell("contact.notified", told, office, data)
    sent = {"versions": [version], "to": KZ_PGO, "means": "email"}
    forwarded = story.tell("contact.forwarded", begins + 5 * DAY, GUMPS, sent)
    if plant:
        sort = {"contact_late": "breach", "near_contact": "near_miss"}.get(plant, "undetermined")
        story.plant(sort, plant, "O3", version, id_, item=office)  # type: ignore[arg-type]
    return forwarded


def first_contact(office: str) -> str:
    """The id of an office's first contact."""
    return f"ct-{office}-0"


def in_year(parameters: Parameters) -> Iterator[Story]:
    """Changes of the register in the year: contacts, disputes, units, instruments, a notice."""
    yield from _contacts(parameters)
    yield _disputes(parameters)
    yield _units(parameters)
    yield _instruments(parameters)


def _least(parameters: Parameters) -> int:
    """How often each is planted at least."""
    return 0 if parameters.clean else int(parameters["breaches.minimum"])


def _contacts(parameters: Parameters) -> Iterator[Story]:
    """Replacements of contacts; one that is never told before the next one comes can't be told any more."""
    story = Story(_chance(parameters, "contacts"), "register", parameters)
    least = _least(parameters)
    bound = [office for office in LISTED if office != DOUBTFUL]
    number = int(max(parameters["register.contact_changes"] * 12, 4.5 * least))
    share = 0.0 if parameters.clean else max(parameters["breaches.other"], (least + 1) / max(number - len(bound), 1))
    turns = Turns({"change_untold": share, "near_change": share, "change_late": share / 4})
    current = {office: first_contact(office) for office in bound}
    begins = moment(f"{parameters.year}-01-06T06:00")
    step = 350 * DAY // max(number, 1)
    for n in range(number):
        chain = Story(story.chance, "register", parameters)
        office = bound[n % len(bound)]
        tz = ZONES[office]
        at = begins + n * step
        at = start_of(day_of(at, tz), tz) + 9 * HOUR
        name = f"ct-{office}-{n + 1}"
        data = {**_contact(chain, office, name), "replaces": current[office], "effective": day_of(at, tz).isoformat()}
        current[office] = name
        version = chain.tell("contact.designated", at, office, data)
        last = n + len(bound) >= number  # nothing comes after it that would overtake it
        plant = "" if last else turns.next()
        _told(chain, office, name, version, at, plant)
        yield chain


def _told(story: Story, office: str, contact: str, version: str, at: int, plant: str) -> None:
    if plant == "change_untold":
        story.plant("breach", plant, "O4 O13 P4", version, item=version)
        return
    lag, on = DAY, 3 * DAY
    if plant == "near_change":
        lag, on = 3 * DAY - HOUR, 5 * DAY - HOUR
    elif plant == "change_late":
        lag, on = 3 * DAY + HOUR, 10 * DAY + HOUR
    story.earliest = 0
    data = {"office": office, "contact": contact, "version": version, "means": "email"}
    first = story.tell("contact.notified", at + lag, office, data)
    sent = {"versions": [version], "to": KZ_PGO, "means": "email"}
    second = story.tell("contact.forwarded", at + on, GUMPS, sent)
    if plant:
        sort = "near_miss" if plant == "near_change" else "undetermined"
        story.plant(sort, plant, "O4 O13 P4", version, first, second, item=version)  # type: ignore[arg-type]


def _disputes(parameters: Parameters) -> Story:
    story = Story(_chance(parameters, "disputes"), "register", parameters)
    least = _least(parameters)
    number = int(max(parameters["register.disputes"], 2 * least + 2 * bool(least)))
    for n in range(number):
        at = moment(f"{parameters.year}-01-10T08:00") + n * (300 * DAY // max(number, 1))
        name = f"dispute-{n + 1}"
        story.earliest = 0
        data = {"dispute": name, "instrument": AGREEMENT, "article": "7(2)", "question": story.text(8)}
        opened = story.tell("dispute.opened", at, GUMPS, data)
        broken = bool(least) and n % 2 == 0
        means = "other" if broken else "negotiation"
        data = {"dispute": name, "means": means, "outcome": story.text(5)}
        ended = story.tell("dispute.resolved", at + 20 * DAY, GUMPS, data)
        if least:
            sort = "breach" if broken else "near_miss"
            story.plant(sort, "dispute_means", "A13", opened, ended, item=name)  # type: ignore[arg-type]
    return story


def _units(parameters: Parameters) -> Story:
    """Two units beside the other Party's main one take turns; letters go on going to that one."""
    story = Story(_chance(parameters, "units"), "register", parameters)
    least = _least(parameters)
    number, units = 2 * least + 2 * bool(least), ("KZ-AUX-1", "KZ-AUX-2")
    for n in range(number):
        at = moment(f"{parameters.year}-01-08T08:00") + n * (320 * DAY // number)
        day = day_of(at, "Asia/Almaty").isoformat()
        story.earliest = 0
        data = {
            "party": "KZ", "unit_old": units[n % 2], "unit_new": units[1 - n % 2], "effective": day,
            "instrument": AGREEMENT,
        }  # fmt: skip
        changed = story.tell("coordinator.changed", at, GUMPS, {**data, "act_of": KZ_DIC})
        if n % 2 == 0:
            story.plant("breach", "unit_untold", "A5.3", changed, item=changed)
            continue
        told = {"change": changed, "to": PGO, "act_of": KZ_DIC}
        id_ = story.tell("coordinator.notified", at + 5 * DAY - HOUR, GUMPS, told)
        story.plant("near_miss", "near_unit", "A5.3", changed, id_, item=changed)
    return story


def _instruments(parameters: Parameters) -> Story:
    """Interdepartmental agreements and programmes that are signed in the year, with other states."""
    story = Story(_chance(parameters, "instruments"), "register", parameters)
    for sort, kind in (("interdepartmental", "memorandum"), ("programmes", "programme")):
        number = int(parameters[f"instruments.{sort}"])
        for n in range(number):
            at = moment(f"{parameters.year}-02-01T08:00") + n * (300 * DAY // number) + days(story.chance.random())
            state = story.chance.one(OTHERS)
            name, day = f"ru-{state.lower()}-{kind}-{parameters.year}-{n + 1}", day_of(at).isoformat()
            data = {"instrument": name, "date": day, "parties": ["RU", state], "kind": kind,
                    "profile_sha256": sha256(name.encode()).hexdigest()}  # fmt: skip
            story.earliest = 0
            story.tell("instrument.signed", at, GUMPS, data)
            story.tell("instrument.entered", at + DAY, GUMPS, {"instrument": name, "date": (
                day_of(at) + timedelta(days=1)).isoformat()})  # fmt: skip
    return story
