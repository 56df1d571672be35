"""The register as the law reads it: who was what when, what is in force, who holds which role.

It is made of the case file of subject ``register`` (partition 0) and answers for any moment.  While a subject is
judged, ``asked`` notes which of its entries were looked at; when the register grows, only subjects that looked at an
entry which the new records touch are judged again::

    entry                 looked at by                            touched by
    office:RU-OMS         office, zone                            office.registered
    roles:RU-OMS          roles                                   role.assigned, role.ended
    instrument:ru-kz-2009 instrument                              instrument.*, notice.received
    coordinator:KZ        coordinator                             coordinator.changed, office.registered (coordinator)
    acts                  acts                                    act.*
    key:RU-OMS#5f…        compromised                             key.revoked
    rulebook              adopted                                 rulebook.adopted
    contacts              anything about contacts                 contact.*
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from projections.compliance.case import Case, CaseAct
from projections.compliance.facts import CaseFile
from projections.compliance.faults import fault_of
from projections.compliance.readings import day_of, zone_or
from projections.compliance.verdict import Mark

SUBJECT = "register"
MOSCOW = "Europe/Moscow"
T = TypeVar("T")


class OfficeEntry(msgspec.Struct, frozen=True):
    """An office as registered for a time."""

    code: str
    party: str
    sort: str
    tz: str
    """Moscow where it states none that the pinned database has."""
    border: bool
    valid_from: date
    valid_to: date | None
    direct_since: date | None
    act: CaseAct


class RoleEntry(msgspec.Struct, frozen=True):
    """A person holds a role at an office from a day until before another; ``acts`` say so."""

    office: str
    person: str
    role: str
    valid_from: date
    valid_to: date | None
    acts: tuple[CaseAct, ...]

    def held_on(self, day: date) -> bool:
        """Whether it is held on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class InstrumentEntry(msgspec.Struct, frozen=True):
    """What the register says of one instrument; the acts of each sort in order."""

    id: str
    signed: tuple[CaseAct, ...] = ()
    entered: tuple[CaseAct, ...] = ()
    notices: tuple[CaseAct, ...] = ()
    ended: tuple[CaseAct, ...] = ()
    released: tuple[CaseAct, ...] = ()
    staged: tuple[CaseAct, ...] = ()


class LegalRegister:
    """The register up to some record. Never changed."""

    def __init__(self, file: CaseFile, own: str = "") -> None:
        """``own``: the own Party, as genesis says; found there where it is not given.

        Raises:
            JudgementFault: it cannot be read, from the record on that the message names. Then nothing can be judged.
        """
        try:
            self._read(file, own)
        except MemoryError:
            raise
        except Exception as error:  # whatever it is, it is a fault of the reading
            raise fault_of(error, SUBJECT, _readable(file, own), "the reading of the register") from error

    def _read(self, file: CaseFile, own: str) -> None:
        self.file = file
        self.case = Case(SUBJECT, file)
        opened = self.case.first("register.opened")
        self.own = own or ("" if opened is None else str(opened.data.party))
        self.seq = max((act.seq for act in self.case.every), default=0)
        """Of its last record: what answers name."""
        self.looked: set[str] | None = None
        self.by_ref = {act.ref: act for act in self.case.every}
        self._made: dict[Any, tuple[Any, frozenset[str]]] = {}
        # Now, since copies (``asked``) share what is there when they are made.
        _ = self._offices, self._roles, self._instruments, self._compromised

    def asked(self) -> LegalRegister:
        """The same register, with a list of its own of what is looked at."""
        same = object.__new__(LegalRegister)
        same.__dict__.update(self.__dict__)
        same.looked = set()
        return same

    def look(self, entry: str) -> None:
        """Note that an entry was looked at."""
        if self.looked is not None:
            self.looked.add(entry)

    def once(self, key: Any, make: Callable[[LegalRegister], T]) -> T:
        """What is derived of the register alone, made once for all subjects; what it looked at is noted each time.

        Args:
            key: names what is made, and of what.
            make: makes it of this register.
        """
        known = self._made.get(key)
        if known is None:
            looking = self.asked()
            value = make(looking)
            known = self._made[key] = (value, frozenset(looking.looked or ()))
        if self.looked is not None:
            self.looked.update(known[1])
        found: T = known[0]
        return found

    # Offices

    @cached_property
    def _offices(self) -> dict[str, list[OfficeEntry]]:
        found: dict[str, list[OfficeEntry]] = {}
        for act in self.case.named("office.registered"):
            data = act.data
            entry = OfficeEntry(
                data.office, data.party, data.sort, zone_or(data.tz, MOSCOW), data.border, _day(data.valid_from),
                _day_or_none(data.valid_to), _day_or_none(data.direct_since), act,
            )  # fmt: skip
            found.setdefault(data.office, []).append(entry)
        return found

    def office(self, code: str, day: date | None = None) -> OfficeEntry | None:
        """An office as last registered for a day (without a day: as last registered); None: not registered then."""
        if self.looked is not None:
            self.looked.add(f"office:{code}")
        entries = self._offices.get(code)
        if entries is None:
            return None
        if day is not None:
            entries = [e for e in entries if e.valid_from <= day and (e.valid_to is None or day < e.valid_to)]
        return entries[-1] if entries else None

    def offices(self) -> list[str]:
        """Codes of all offices, in the order of their registration. Look each of them up to depend on it."""
        self.look("offices")
        return list(self._offices)

    def zone(self, code: str) -> str:
        """An office's zone; Moscow where it is not registered, or by a zone that nobody has (our choice).

        Admission knows the form of a zone's name and not which zones there are.
        """
        entry = self.office(code)
        return MOSCOW if entry is None else entry.tz

    def ledger_zone(self) -> str:
        """The zone of the office that opened the ledger: by it figures tell one month from another (our choice)."""
        opened = self.case.first("register.opened")
        return self.zone("" if opened is None else opened.source)

    def party(self, code: str) -> str:
        """The state of an office: as registered, else by the first part of its code."""
        entry = self.office(code)
        return code.partition("-")[0] if entry is None else entry.party

    # Roles

    @cached_property
    def _roles(self) -> dict[str, list[RoleEntry]]:
        found: dict[str, list[RoleEntry]] = {}
        for act in self.case.named("role.assigned"):
            data = act.data
            begins, until = _day(data.valid_from), _day_or_none(data.valid_to)
            entry = RoleEntry(data.office, data.person, data.role, begins, until, (act,))
            found.setdefault(data.office, []).append(entry)
        # An end is an end of what is held on its day, whichever of the two was recorded first.
        for act in sorted(self.case.named("role.ended"), key=lambda each: str(each.data.effective)):
            data = act.data
            held, over = found.get(data.office, []), _day(data.effective)
            for place, entry in enumerate(held):
                same = entry.person == data.person and entry.role == data.role and entry.valid_from <= over
                if same and (entry.valid_to is None or over < entry.valid_to):
                    held[place] = msgspec.structs.replace(entry, valid_to=over, acts=(*entry.acts, act))
        return found

    def roles(self, office: str, person: str | None = None, role: str | None = None) -> list[RoleEntry]:
        """Roles at an office, whenever held; of a person, or of one sort."""
        self.look(f"roles:{office}")
        return [
            entry
            for entry in self._roles.get(office, ())
            if (person is None or entry.person == person) and (role is None or entry.role == role)
        ]

    # Instruments

    @cached_property
    def _instruments(self) -> dict[str, InstrumentEntry]:
        found: dict[str, dict[str, list[CaseAct]]] = {}
        for act in self.case.acts:
            place = _INSTRUMENT_ACTS.get(act.name)
            if place is not None:
                found.setdefault(act.data.instrument, {}).setdefault(place, []).append(act)
        return {
            id_: InstrumentEntry(id_, **{place: tuple(acts) for place, acts in places.items()})
            for id_, places in found.items()
        }

    def instrument(self, id_: str) -> InstrumentEntry:
        """What is known of an instrument; an empty entry where nothing is."""
        self.look(f"instrument:{id_}")
        return self._instruments.get(id_) or InstrumentEntry(id_)

    # Coordinating units

    def coordinators(self, party: str, day: date, instrument: str | None = None) -> list[str]:
        """Codes of the units that coordinate for a Party on a day: registered ones, as changed since."""
        return list(self.once(("units", party, day, instrument), lambda one: one.units(party, day, instrument)))

    def units(self, party: str, day: date, instrument: str | None) -> list[str]:
        """What ``coordinators`` gives, found anew."""
        self.look(f"coordinator:{party}")
        units = {
            entry.code: True
            for entries in self._offices.values()
            for entry in entries
            if entry.party == party and entry.sort == "coordinator" and entry.valid_from <= day
            and (entry.valid_to is None or day < entry.valid_to)
        }  # fmt: skip
        changes = [
            act.data
            for act in self.case.named("coordinator.changed")
            if act.data.party == party and (instrument is None or act.data.instrument == instrument)
        ]
        # A unit is what the last change by that day made it; before its first change, what that change ended.
        past = sorted((c for c in changes if _day(c.effective) <= day), key=lambda c: c.effective)
        future = sorted((c for c in changes if _day(c.effective) > day), key=lambda c: c.effective)
        for change in reversed(future):
            units |= {change.unit_new: False, change.unit_old: True}
        for change in past:
            units |= {change.unit_old: False, change.unit_new: True}
        return [unit for unit, coordinates in units.items() if coordinates]

    # Acts, contacts, rulebooks, keys

    def acts(self, *names: str) -> list[CaseAct]:
        """Register records of these names. Notes ``contacts`` or ``acts``, by the family of the names."""
        for name in names:
            self.look(_FAMILIES.get(name.partition(".")[0], "acts"))
        return self.case.named(*names)

    def bound(self, act: str) -> list[str]:
        """Offices that an internal act binds, as it was issued, each once; none where its issue is not recorded."""
        issued = [each for each in self.acts("act.issued") if each.data.act == act]
        return list(dict.fromkeys(issued[-1].data.binds)) if issued else []

    def adopted(self) -> CaseAct | None:
        """The rulebook adopted last; None: none was."""
        self.look("rulebook")
        found = self.case.named("rulebook.adopted")
        return found[-1] if found else None

    @cached_property
    def _compromised(self) -> dict[str, CaseAct]:
        return {act.data.kid: act for act in self.case.named("key.revoked") if act.data.reason == "compromised"}

    def compromised(self, kid: str) -> CaseAct | None:
        """The revocation of a key as compromised; None: there is none."""
        self.look(f"key:{kid}")
        return self._compromised.get(kid)


def _readable(file: CaseFile, own: str) -> int:
    """The seq of the record from which on a register cannot be read."""

    def fails(count: int) -> bool:
        try:
            object.__new__(LegalRegister)._read(CaseFile(file.acts[:count]), own)  # noqa: SLF001 - its own class
        except Exception:  # noqa: BLE001 - looked for
            return True
        return False

    first = bisect_left(range(len(file.acts)), True, key=lambda before: fails(before + 1))
    return file.acts[min(first, len(file.acts) - 1)].seq


_INSTRUMENT_ACTS = {
    "instrument.staged": "staged",
    "instrument.signed": "signed",
    "instrument.entered": "entered",
    "notice.received": "notices",
    "instrument.ended": "ended",
    "instrument.released": "released",
}
_FAMILIES = {"contact": "contacts", "act": "acts", "rulebook": "rulebook", "dispute": "disputes"}


def touched(acts: Iterable[CaseAct]) -> frozenset[str]:
    """The entries that some register records touch."""
    found: set[str] = set()
    for act in acts:
        found.update(_touched(act.name, act.data))
    return frozenset(found)


def _touched(name: str, data: Any) -> Iterable[str]:
    if name == "office.registered":
        yield f"office:{data.office}"
        yield "offices"
        yield f"coordinator:{data.party}"
    elif name in ("role.assigned", "role.ended"):
        yield f"roles:{data.office}"
    elif name in _INSTRUMENT_ACTS:
        yield f"instrument:{data.instrument}"
    elif name == "coordinator.changed":
        yield f"coordinator:{data.party}"
    elif name == "key.revoked":
        yield f"key:{data.kid}"
    elif name == "record.corrected":
        yield "*"  # whatever it corrects: rare, so everything is judged again
    else:
        family = name.partition(".")[0]
        yield _FAMILIES.get(family, family)


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _day_or_none(text: Any) -> date | None:
    return None if text is UNSET else _day(text)


def local_day(register: LegalRegister, act: CaseAct, office: str | None = None) -> date:
    """The day of an act in the zone of the office whose act it is."""
    return day_of(act.time, register.zone(office or act.office))


def retroactive(act: CaseAct, records: Iterable[CaseAct | None]) -> tuple[Mark, ...]:
    """The mark of a verdict on an act that rests on register records which were admitted only after it."""
    late = any(record is not None and record.admitted > act.admitted for record in records)
    return ("retroactive",) if late else ()
