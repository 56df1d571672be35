"""A small world for tests: a ledger, its people, and a seeded stream of what they submit.

::

    people = People(partitions=3)
    people.opening()              # genesis, the offices and their keys, for partition 0
    stream = Stream(people, seed=7)
    stream.take(40)               # good, doubled and refused submissions, and changes of the register between them

Everything follows from the seed, down to the bytes: keys, ids and times too.  What becomes of a submission depends on
when copies of the register arrive, so the stream does not say it; tests compare with an undisturbed run.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from ledger.catalogue.base import Data, Money
from ledger.catalogue.own import RegisterOpened, StepTaken
from ledger.catalogue.register import KeyRevoked, OfficeRegistered
from ledger.catalogue.requests import (
    CostIncurred,
    RequestAccepted,
    RequestClosed,
    RequestExecuted,
    RequestForwarded,
    RequestSent,
    RequestSigned,
)
from ledger.event import CONTENT_TYPE
from ledger.ids import LedgerId
from ledger.log import Message
from ledger.partition import partition_of
from ledger.register import make_ledger_id
from ledger.signature import EVENT_PAYLOAD, format_signature, sign
from ledger.submission import CONTENT_TYPE_HEADER, SIGNATURE_HEADER
from ledger.vault import Vault
from producers.builder import Draft, Sender, Signed, build, format_time
from producers.enrolment import NewKey, grant, named
from tests.keys import Signer
from tests.records import usual

T0 = 1_741_000_000_000
"""Keys are valid from here on; the clocks of logs show later times."""
COORDINATOR = "RU-PGO"
OFFICES = ("RU-OMS", "RU-SAR", "RU-T-WSIB")


class Sent(msgspec.Struct, frozen=True):
    """One submission: where it goes, as what, and which kind of the stream it is."""

    partition: int
    message: Message
    id: str
    kind: str


def office(code: str, sort: str = "territorial", party: str = "RU") -> OfficeRegistered:
    """The data that register an office."""
    stated = {
        "office": code, "party": party, "sort": sort, "name_ru": "Прокуратура", "tz": "Asia/Omsk", "border": False,
        "valid_from": "2022-03-10", "basis": "order-136",
    }  # fmt: skip
    return msgspec.convert(stated, OfficeRegistered)


class People:
    """A ledger's authorities (2 of 3 decide), log key, coordinating unit and offices, with all their keys."""

    def __init__(self, partitions: int, name: str = "faults") -> None:
        self.partitions = partitions
        self.name = name
        self.authorities = [Signer(COORDINATOR, f"authority {i}") for i in range(3)]
        self.log_key = Signer(COORDINATOR, "log")
        self.coordinator = Signer(COORDINATOR, "coordinator")
        self.offices = {code: Signer(code) for code in OFFICES}
        opened = RegisterOpened(
            name=name,
            partitions=partitions,
            party="RU",
            authorities=[named(a) for a in self.authorities],
            threshold=2,
            log_keys=[named(self.log_key)],
        )
        sender = Sender(LedgerId(name), COORDINATOR, self.authorities[:2])
        self.genesis = build(Draft(subject="register", data=opened, id="genesis"), sender, T0)
        self.ledger_id = make_ledger_id(self.genesis.value, name)

    def say(
        self, code: str, subject: str, data: Data, *signers: Any, vault: Vault | None = None, **stated: Any
    ) -> Signed:
        """A signed event of an office, by its own key unless others are named."""
        own = self.coordinator if code == COORDINATOR else self.offices.get(code)
        sender = Sender(self.ledger_id, code, signers or (own,), vault)
        return build(Draft(subject=subject, data=data, **stated), sender, T0)

    def granting(self, key: Any, *, valid_from: int = T0, valid_to: int | None = None) -> Data:
        """The data that grant a sign key."""
        new = NewKey(key.kid, "ed25519", "sign", key.public_key)
        return grant(self.ledger_id, new, key, valid_from=valid_from, valid_to=valid_to)

    def opening(self) -> list[Signed]:
        """Genesis, the offices and a sign key for each of them."""
        first = self.authorities[0]
        events = [
            self.genesis,
            self.say(COORDINATOR, "register", office(COORDINATOR, "coordinator"), first, id="office-0"),
            self.say(COORDINATOR, "register", self.granting(self.coordinator), first, id="key-0"),
        ]
        for i, (code, key) in enumerate(self.offices.items(), 1):
            events.append(self.say(COORDINATOR, "register", office(code), id=f"office-{i}"))
            events.append(self.say(COORDINATOR, "register", self.granting(key), id=f"key-{i}"))
        return events

    def revoking(self, key: Any, reason: str = "compromised") -> KeyRevoked:
        """The data that revoke a key."""
        stated = {"kid": key.kid, "reason": reason, "effective": format_time(T0)}
        return msgspec.convert(stated, KeyRevoked)


def message_of(subject: str, value: bytes, *signers: Any) -> Message:
    """Bytes as somebody would submit them who does without our builder."""
    signatures = [(SIGNATURE_HEADER, format_signature(sign(s, EVENT_PAYLOAD, value))) for s in signers]
    return Message(subject.encode(), value, ((CONTENT_TYPE_HEADER, CONTENT_TYPE), *signatures))


def changed(value: bytes, **members: Any) -> bytes:
    """An event with some of its members replaced; not signed any more."""
    return msgspec.json.encode({**msgspec.json.decode(value), **members})


class Stream:
    """What people submit, from a seed."""

    def __init__(self, people: People, seed: int, subjects: int = 12) -> None:
        self._people = people
        self._dice = random.Random(seed)
        self._seed = seed
        self._subjects = subjects
        self._count = 0
        self._said: list[Signed] = []
        self._keys: list[tuple[str, Signer]] = list(people.offices.items())
        self._revoked: list[tuple[str, Signer]] = []
        self._kinds: dict[Callable[[], Sent], int] = {
            self._good: 120, self._again: 20, self._badly_signed: 6, self._by_nobody: 6, self._by_another: 4,
            self._in_conflict: 6, self._not_json: 4, self._with_a_used_id: 5, self._for_another_ledger: 4,
            self._misplaced: 4, self._with_bad_data: 4, self._new_office: 5, self._new_key: 5, self._revocation: 4,
            self._stray_register_event: 3, self._by_a_revoked_key: 6,
        }  # fmt: skip

    def take(self, count: int) -> list[Sent]:
        """The next so many submissions."""
        kinds, weights = list(self._kinds), list(self._kinds.values())
        return [kind() for kind in self._dice.choices(kinds, weights, k=count)]

    # What works, unless a copy of the register is still on its way

    def _good(self) -> Sent:
        code, key = self._dice.choice(self._keys)
        return self._sent(self._speak(code, key), "good")

    def _again(self) -> Sent:
        return self._sent(self._dice.choice(self._said), "again") if self._said else self._good()

    def _new_office(self) -> Sent:
        data = office(f"KZ-B-{self._number()}", "other", "KZ")
        return self._sent(self._people.say(COORDINATOR, "register", data, id=self._id()), "new office")

    def _new_key(self) -> Sent:
        code = self._dice.choice(OFFICES)
        key = Signer(code, f"{self._seed} {self._number()}")
        self._keys.append((code, key))
        return self._sent(
            self._people.say(COORDINATOR, "register", self._people.granting(key), id=self._id()), "new key"
        )

    def _revocation(self) -> Sent:
        if len(self._keys) < 3:
            return self._new_key()
        gone = self._keys.pop(self._dice.randrange(len(self._keys)))
        self._revoked.append(gone)
        event = self._people.say(COORDINATOR, "register", self._people.revoking(gone[1]), id=self._id())
        return self._sent(event, "revocation")

    # What is refused

    def _badly_signed(self) -> Sent:
        code, key = self._dice.choice(self._keys)
        said = self._speak(code, key)
        other = sign(key, EVENT_PAYLOAD, said.value + b" ")
        return self._sent(msgspec.structs.replace(said, signatures=(other,)), "badly signed", remember=False)

    def _by_nobody(self) -> Sent:
        code = self._dice.choice(OFFICES)
        return self._sent(self._speak(code, Signer(code, "nobody")), "by nobody")

    def _by_another(self) -> Sent:
        code, key = self._dice.choice(self._keys)
        other = next(o for o in OFFICES if o != code)
        return self._sent(self._speak(other, key), "by another")

    def _by_a_revoked_key(self) -> Sent:
        if not self._revoked:
            return self._good()
        return self._sent(self._speak(*self._dice.choice(self._revoked)), "by a revoked key")

    def _in_conflict(self) -> Sent:
        code, key = self._dice.choice(self._keys)
        return self._sent(self._speak(code, key, expectedseq=9999), "in conflict")

    def _with_a_used_id(self) -> Sent:
        said = [s for s in self._said if s.subject != "register"]
        if not said:
            return self._good()
        key = self._keys[0][1]
        old = self._dice.choice(said)
        value = changed(old.value, time="2025-03-03T10:00:01Z")
        return self._raw(old.subject, value, key, "with a used id", old.id)

    def _not_json(self) -> Sent:
        return self._raw(self._subject(), b'{"id": ' + self._id().encode(), self._keys[0][1], "not json", "")

    def _for_another_ledger(self) -> Sent:
        said = self._speak(*self._keys[0])
        return self._raw(
            said.subject, changed(said.value, ledger=f"other.{'0' * 32}"), self._keys[0][1], "elsewhere", said.id
        )

    def _with_bad_data(self) -> Sent:
        said = self._speak(*self._keys[0])
        return self._raw(said.subject, changed(said.value, data={"wrong": True}), self._keys[0][1], "bad data", said.id)

    def _misplaced(self) -> Sent:
        said = self._speak(*self._keys[0])
        partition = (said.partition(self._people.partitions) + 1) % self._people.partitions
        return Sent(partition, said.message(), said.id, "misplaced")

    def _stray_register_event(self) -> Sent:
        event = self._people.say(COORDINATOR, "register", office(f"BY-{self._number()}", "other", "BY"), id=self._id())
        return Sent(self._people.partitions - 1, event.message(), event.id, "stray register event")

    # Parts

    def _number(self) -> int:
        self._count += 1
        return self._count

    def _id(self) -> str:
        return f"s{self._seed}-{self._number()}"

    def _subject(self) -> str:
        return f"request/{self._dice.randrange(self._subjects)}"

    def _speak(self, code: str, key: Signer, **stated: Any) -> Signed:
        return self._people.say(code, self._subject(), self._act(code), key, id=self._id(), **stated)

    def _act(self, code: str) -> Data:
        acts: Sequence[Callable[[], Data]] = (
            lambda: StepTaken(step=f"step {self._number()}"),
            lambda: RequestAccepted(executing=code),
            lambda: RequestSent(channel="directorate", from_=code, to="KZ-PGO", means="post", translations=["ru"]),
            lambda: RequestForwarded(from_=code, to="RU-GUMPS", why="competence"),
            lambda: RequestExecuted(outcome="partial"),
            lambda: RequestClosed(outcome="done"),
            lambda: msgspec.convert(usual("request.signed"), RequestSigned),
            lambda: CostIncurred(
                cost=f"k-{self._number()}", money=Money(amount="12.50", currency="EUR"), what="expert",
                incurred_by="KZ", borne_by="RU",
            ),
        )  # fmt: skip
        return self._dice.choice(acts)()

    def _sent(self, signed: Signed, kind: str, *, remember: bool = True) -> Sent:
        if remember:
            self._said.append(signed)
        return Sent(signed.partition(self._people.partitions), signed.message(), signed.id, kind)

    def _raw(self, subject: str, value: bytes, key: Signer, kind: str, id_: str) -> Sent:
        return Sent(partition_of(subject, self._people.partitions), message_of(subject, value, key), id_, kind)
