"""The stream: stories merged by the time of recording, sealed under content keys and signed by offices.

Every request is told as a whole when it is opened; what it does later waits in the spool until the last act of an
earlier request can no longer come.  Signing keys are rotated: the new key is granted in the register, the old one
revoked an hour later, and no act stands behind its key's revocation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from ledger import catalogue
from ledger.catalogue.base import sealed_pointers
from ledger.catalogue.own import NamedKey, RegisterOpened
from ledger.event import CONTENT_TYPE, MAX_EVENT_BYTES
from ledger.ids import LedgerId
from ledger.log import Message
from ledger.register import make_ledger_id
from ledger.sealing import Place as Sealing
from ledger.sealing import seal_field
from ledger.signature import (
    EVENT_PAYLOAD,
    POSSESSION_PAYLOAD,
    Signature,
    Signer,
    encode_base64,
    format_signature,
    pae,
    possession_payload,
    sign,
)
from ledger.submission import CONTENT_TYPE_HEADER, SIGNATURE_HEADER
from ledger.vault import GENERAL
from producers.builder import Draft, Sender, build, format_time
from producers.simulator import calendar, central, ending, exchanges, register
from producers.simulator import chance as chances
from producers.simulator.keys import DerivedSigner, DerivedVault
from producers.simulator.parameters import Parameters
from producers.simulator.places import CENTRAL, GUMPS, PGO
from producers.simulator.requests import Case, Plan
from producers.simulator.spool import Ready, Spool
from producers.simulator.story import DAY, HOUR, Act, Story, instant, merged, moment
from producers.simulator.truth import Truth

PARTITIONS = 4
_SOON = 128  # cases told before what is due is handed out
_LEDGER_NAME = "simulated"


class Dated(msgspec.Struct, frozen=True, gc=False):
    """A signed event, and when the office recorded it."""

    recorded: int
    name: str
    subject: str
    id: str
    value: bytes
    signatures: tuple[Signature, ...]
    grants: bool = False
    """A key that later events are signed by: every partition must know it before they come."""

    def message(self) -> Message:
        """What is appended to ``submissions``, with the moment of recording as its time."""
        signatures = [(SIGNATURE_HEADER, format_signature(s)) for s in self.signatures]
        headers = ((CONTENT_TYPE_HEADER, CONTENT_TYPE), *signatures)
        return Message(self.subject.encode(), self.value, headers, self.recorded)


class Into(NamedTuple):
    """A ledger that is there already, and who may register offices and keys in it."""

    ledger_id: LedgerId
    office: str
    signer: Signer


class Year:
    """One simulated year: its genesis, its stream and what is planted in it.

    Args:
        parameters: what it is made from.
        partitions: of the ledger that it opens.
        tell: given each planted thing, as soon as its subject is told.
        into: a ledger to say it in, instead of opening one.
    """

    def __init__(
        self,
        parameters: Parameters,
        *,
        partitions: int = PARTITIONS,
        tell: Callable[[Truth], None] = lambda _: None,
        into: Into | None = None,
    ) -> None:
        self.parameters = parameters
        self.partitions = partitions
        self.plan = Plan(parameters)
        self.counts: Counter[str] = Counter()
        self._tell = tell
        self._into = into
        self._end = ending.ending(parameters)
        seed = parameters.seed
        self.authority = DerivedSigner(seed, PGO, "authority")
        self.log_key = DerivedSigner(seed, PGO, "log")
        self._signers = {office: DerivedSigner(seed, office, "sign") for office in register.signing(parameters)}
        self._numbers = dict.fromkeys(self._signers, 0)
        self.vault = DerivedVault(seed)
        self.genesis = self._open()
        self.ledger_id = make_ledger_id(self.genesis.value, _LEDGER_NAME) if into is None else into.ledger_id

    def stream(self) -> Iterator[Dated]:
        """All events in the order of recording, genesis first (where it opens the ledger)."""
        if self._into is None:
            self.counts["register.opened"] += 1
            yield self.genesis
        yield from self._enrolment()
        with Spool() as spool:
            self._settle(spool, [register.past(self.parameters), *calendar.years(self.parameters)])
            others = (ending.notice(self.parameters), *register.in_year(self.parameters))
            for story in chain(others, calendar.meetings(self.parameters)):
                self._settle(spool, [story])
            rotations = self._rotations()
            rotation = next(rotations, None)
            for act in self._acts(spool):
                while rotation is not None and rotation[0] <= act.recorded:
                    yield from self._rotate(*rotation)
                    rotation = next(rotations, None)
                yield self._signed(act)

    def _acts(self, spool: Spool) -> Iterator[Ready]:
        for case, following in _pairs(self.plan.cases()):
            self._settle(spool, [tell(case, self._end)])
            if following is not None and following.number % _SOON == 0:
                yield from spool.until(following.slot)
        yield from spool.until(None)

    def _settle(self, spool: Spool, stories: list[Story]) -> None:
        acts, truths = merged(stories)
        # Written here, while they are at hand: of what waits only bytes are kept.
        spool.put([self._ready(act) for act in acts])
        for truth in truths:
            self._tell(truth)

    # The register's own

    def _open(self) -> Dated:
        at = register.opening(self.parameters)
        opened = RegisterOpened(
            name=_LEDGER_NAME, partitions=self.partitions, party="RU",
            authorities=[NamedKey(kid=self.authority.kid, public_key=encode_base64(self.authority.public_key))],
            threshold=1,
            log_keys=[NamedKey(kid=self.log_key.kid, public_key=encode_base64(self.log_key.public_key))],
        )  # fmt: skip
        id_ = chances.case(self.parameters.seed, self.parameters.year, "genesis").event_id(at)
        draft = Draft(subject="register", data=opened, id=id_, time=format_time(at))
        signed = build(draft, Sender(LedgerId(_LEDGER_NAME), PGO, (self.authority,)), at)
        return Dated(at, "register.opened", "register", id_, signed.value, signed.signatures)

    def _enrolment(self) -> Iterator[Dated]:
        """The two offices of the centre by the authority, the rest by the Main Directorate."""
        at = register.opening(self.parameters) + HOUR
        chance = chances.case(self.parameters.seed, self.parameters.year, "enrolment")
        office_of = {place.code: place for place in (*CENTRAL, *register.offices(self.parameters))}
        for code, place in office_of.items():
            by: Signer | None = self.authority if code in (PGO, GUMPS) else None
            office = PGO if code in (PGO, GUMPS) else GUMPS
            if by is not None and self._into is not None:
                office, by = self._into.office, self._into.signer
            for name, data in self._enrolled(code, register.registered(place), at):
                at += 1000
                act = Act(at, at, office, "register", name, chance.event_id(at), data)
                yield self._signed(self._ready(act), by, grants=name == "key.granted")

    def _enrolled(self, code: str, office: dict[str, Any], at: int) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "office.registered", office
        if code in self._signers:
            yield "key.granted", self._grant(self._signers[code], at)

    def _grant(self, key: DerivedSigner, at: int) -> dict[str, Any]:
        proof = sign(key, POSSESSION_PAYLOAD, possession_payload(self.ledger_id, key.office, key.kid, "sign"))
        return {
            "office": key.office, "kid": key.kid, "public_key": encode_base64(key.public_key), "alg": "ed25519",
            "use": "sign", "possession": format_signature(proof).decode(), "valid_from": format_time(at),
        }  # fmt: skip

    def _rotations(self) -> Iterator[tuple[int, str, int]]:
        """When which office changes its key, and how many there were."""
        number = int(self.parameters["register.rotations"] * 12)
        offices = list(self._signers)
        begins = moment(f"{self.parameters.year}-01-15T06:00")
        for n in range(number):
            yield begins + n * (345 * DAY // number), offices[n % len(offices)], n // len(offices) + 1

    def _rotate(self, at: int, office: str, number: int) -> Iterator[Dated]:
        chance = chances.case(self.parameters.seed, self.parameters.year, "rotation", office, number)
        old, new = self._signers[office], DerivedSigner(self.parameters.seed, office, "sign", number)
        granted = Act(at, at, GUMPS, "register", "key.granted", chance.event_id(at), self._grant(new, at))
        yield self._signed(self._ready(granted), grants=True)
        self._signers[office] = new
        revoked = {"kid": old.kid, "reason": "superseded", "effective": format_time(at)}
        done = Act(at, at, GUMPS, "register", "key.revoked", chance.event_id(at), revoked)
        yield self._signed(self._ready(done))

    # Sealing and signing

    def _signed(self, act: Ready, signer: Signer | None = None, *, grants: bool = False) -> Dated:
        key: Signer = self._signers[act.office] if signer is None else signer
        signature = Signature(key.kid, key.sign(pae(EVENT_PAYLOAD, act.value)))
        self.counts[act.name] += 1
        return Dated(act.recorded, act.name, act.subject, act.id, act.value, (signature,), grants)

    def _ready(self, act: Act) -> Ready:
        type_, sealed = _sealed(act.name)
        source, data = f"office/{act.office}", act.data
        paths = sealed and [path for path in sealed if path[0] in data]
        if paths:
            content_key = self.vault.key_for(act.subject, _compartment(data))

            def box(pointer: str, text: Any) -> Any:
                where = Sealing(self.ledger_id, source, act.id, act.subject, type_, pointer)
                return seal_field(content_key, where, text)

            data = dict(data)
            for path in paths:
                _seal(data, path, "/data", box)
        value = _encode(
            _Wire("1.0", act.id, source, type_, act.subject, instant(act.claimed), "application/json",
                  self.ledger_id, data)
        )  # fmt: skip
        assert len(value) <= MAX_EVENT_BYTES
        return Ready(act.recorded, act.office, act.subject, act.name, act.id, value)


class _Wire(msgspec.Struct, frozen=True, gc=False):
    """An event as ``ledger/event.py`` has it, in that order; its data as they are."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    ledger: str
    data: dict[str, Any]


_encode = msgspec.json.Encoder().encode


@cache
def _sealed(name: str) -> tuple[str, list[tuple[str, ...]]]:
    """A type, and its sealed places that the simulator fills (no notes, no file numbers), by names on the wire.

    None of them has another name in Python.
    """
    type_ = f"rogatory.{name}.v1"
    places = sealed_pointers(catalogue.known(type_).data)
    return type_, [path for path in places if path[0] not in ("note", "doc")]


def _seal(data: dict[str, Any], path: tuple[str, ...], pointer: str, box: Callable[[str, Any], Any]) -> None:
    first, rest = path[0], path[1:]
    if first not in data:
        return  # an optional member inside another
    value = data[first]
    if not rest:
        data[first] = box(f"{pointer}/{first}", value)
    elif rest[0] == "*":
        data[first] = [dict(item) for item in value]
        for n, item in enumerate(data[first]):
            _seal(item, rest[1:], f"{pointer}/{first}/{n}", box)
    else:
        data[first] = dict(value)
        _seal(data[first], rest, f"{pointer}/{first}", box)


def _compartment(data: dict[str, Any]) -> str:
    for kind in ("material", "contact"):
        name = data.get(kind)
        if isinstance(name, str):
            return f"{kind}/{name}"
    return GENERAL


def _pairs(cases: Iterator[Case]) -> Iterator[tuple[Case, Case | None]]:
    """Each case with the one that follows it."""
    before = next(cases, None)
    for case in cases:
        assert before is not None
        yield before, case
        before = case
    if before is not None:
        yield before, None


def tell(case: Case, end: ending.Ending | None = None) -> Story:
    """The story of a request; ``end``: of the Agreement, if it ends."""
    if end is not None:
        ending.prepare(case, end)
    if case.kind == "direct_exchange":
        exchanges.direct(case)
    elif case.kind in ("initiative", "general_cooperation"):
        exchanges.mutual(case)
    else:
        central.tell(case)
    if end is not None:
        ending.note(case, end)
    return case.story
