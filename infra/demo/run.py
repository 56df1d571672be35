"""The run: opens a ledger, enrols offices, submits the stream, admits, projects and checks it.

Each function is one step and returns what the command prints of it.  The demonstration plays all offices at once, which
nobody else can: it holds every key.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from consumers.audit import PartitionReport, audit
from consumers.replay import replay
from infra.adapters.keys import KeyFile, SeedSigner, new_key, write_key
from infra.config import Config
from infra.demo.offices import ALL, CENTRAL, instruments, registered, roles
from infra.demo.stream import tell
from infra.demo.wrong import Cast, Wrong, mistakes
from infra.projecting import FOLD
from infra.wiring import Ledger, make_log
from ledger.catalogue.base import Data
from ledger.catalogue.register import KeyRevoked
from ledger.errors import ConfigError, IntegrityError, LogSettings
from ledger.ids import LedgerId
from ledger.log import SUBMISSIONS
from ledger.signature import Signer
from producers.builder import Draft, Sender, Signed, build, compartment_of, format_time
from producers.enrolment import NewKey, grant, make_genesis, named
from producers.publisher import Publisher
from producers.receipt import Sealed, SubmissionRefused, Submitted
from projections.store import Store

PARTITIONS = 4
REVOKED = "RU-ORE"
"""The office that lost a key and has another one."""
STRANGER = "RU-TYU"
_PATIENCE = 60.0  # seconds, for an answer that another registrar gives
_EARLIER = 60_000  # ms: the log's clock may be behind ours, and a key must be good for what follows at once


class Keys(NamedTuple):
    """All private keys of the demonstration."""

    authorities: list[KeyFile]
    log: KeyFile
    offices: dict[str, KeyFile]
    revoked: KeyFile

    @classmethod
    def fresh(cls) -> Keys:
        """New random ones: a seed makes stories, never keys."""
        return cls(
            [new_key("RU-PGO", "authority") for _ in range(3)],
            new_key("RU-PGO", "log"),
            {place.code: new_key(place.code, "sign") for place in ALL},
            new_key(REVOKED, "sign"),
        )

    def kept(self) -> list[KeyFile]:
        """Those that go to the keys folder; the revoked one is of no more use."""
        return [*self.authorities, self.log, *self.offices.values()]


class Timed(msgspec.Struct, frozen=True):
    """How long a stage took for how many."""

    what: str
    count: int
    seconds: float

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.count / self.seconds if self.seconds > 0 else 0.0


class Refusal(msgspec.Struct, frozen=True):
    """A refused submission, with what had gone wrong."""

    reason: str
    story: str
    subject: str
    expected: str
    found: str
    meaning: str


class Published(NamedTuple):
    """What the stream came to."""

    sealed: list[Sealed]
    twice: Sealed
    """The receipt of what was submitted a second time."""
    refusals: list[Refusal]
    offices: int
    """How many offices spoke."""
    boxes: int
    """How many fields were sealed."""
    times: list[Timed]


class Checked(NamedTuple):
    """What the check found."""

    reports: list[PartitionReport]
    rebuilt: bool
    """The rows, made again from the ledger, are the same."""
    times: list[Timed]

    @property
    def sound(self) -> bool:
        """Whether everything holds."""
        return self.rebuilt and all(report.fault is None for report in self.reports)


async def open_new(config: Config, name: str, keys: Keys) -> Config:
    """Open a ledger where the settings say; the settings with its id.

    Raises:
        ConfigError: there is a ledger already.
    """
    authorities = [SeedSigner(key) for key in keys.authorities]
    genesis = make_genesis(
        name,
        partitions=PARTITIONS,
        party="RU",
        authorities=authorities,
        threshold=2,
        log_keys=[named(SeedSigner(keys.log))],
        now=_now(),
    )
    log = make_log(config)
    try:
        await log.create(PARTITIONS)
        await log.append(SUBMISSIONS, 0, [genesis.signed.message()])
    except LogSettings as error:
        raise ConfigError(f"expected room for a new ledger at {config.ledger}: {error}") from None
    finally:
        await log.close()
    for key in keys.kept():
        write_key(config.keys, key)
    return msgspec.structs.replace(config, ledger_id=genesis.ledger_id)


async def enrol(ledger: Ledger, keys: Keys) -> Timed:
    """Register the offices, their keys and instruments; all partitions follow."""
    start = time.monotonic()
    now = _now()
    authority = Sender(ledger.ledger_id, "RU-PGO", (SeedSigner(keys.authorities[0]),))
    first: list[Data] = [registered(place) for place in CENTRAL]
    first += [_grant(ledger.ledger_id, keys.offices[place.code]) for place in CENTRAL]
    then: list[Data] = instruments()
    for place in ALL[len(CENTRAL) :]:
        then += [registered(place), _grant(ledger.ledger_id, keys.offices[place.code])]
    then += roles()
    then.append(_grant(ledger.ledger_id, keys.revoked))
    then.append(KeyRevoked(kid=keys.revoked.kid, reason="superseded", effective=format_time(now - _EARLIER)))
    with ledger.vault() as vault:
        directorate = Sender(ledger.ledger_id, "RU-GUMPS", (SeedSigner(keys.offices["RU-GUMPS"]),), vault)
        events = [
            build(Draft(subject="register", data=data), sender, now)
            for sender, group in ((authority, first), (directorate, then))
            for data in group
        ]
    async with ledger.publisher("RU-PGO", authority.signers) as publisher:
        submitted = await publisher.submit_all(events)
        await admit(ledger)
        for one in submitted:
            await publisher.result(one, _PATIENCE)
    return Timed("register events in all partitions", len(events) + 1, time.monotonic() - start)


async def publish(ledger: Ledger, keys: Keys, seed: int, requests: int) -> Published:
    """Submit the stream with its mistakes, admit it, and collect the answers."""
    signers: dict[str, Signer] = {office: SeedSigner(key) for office, key in keys.offices.items()}
    cast = Cast(signers, SeedSigner(keys.revoked), SeedSigner(new_key(STRANGER, "sign")))
    acts = tell(seed, requests, _now(), frozenset(signers))
    start = time.monotonic()
    with ledger.vault() as vault:
        vault.keys_for({(act.draft.subject, compartment_of(act.draft.data)) for act in acts})
        senders = {o: Sender(ledger.ledger_id, o, (s,), vault) for o, s in signers.items()}
        events = [build(act.draft, senders[act.office], 0) for act in acts]
    times = [Timed("events built, sealed and signed", len(events), time.monotonic() - start)]
    told = list(zip(acts, events, strict=True))
    wrong = mistakes(cast, ledger.ledger_id, told[len(told) // 3 :: max(1, len(told) // 24)])
    stream, places = _interleaved(events, wrong)
    async with ledger.publisher("RU-GUMPS", (signers["RU-GUMPS"],)) as publisher:
        start = time.monotonic()
        submitted = await publisher.submit_all([*stream, events[0]])  # the first one comes again
        times.append(Timed("submitted", len(submitted), time.monotonic() - start))
        start = time.monotonic()
        await admit(ledger)
        times.append(Timed("decided by the registrars", len(submitted), time.monotonic() - start))
        answers = [await _answer(publisher, one) for one in submitted]
    twice = answers.pop()
    if not isinstance(twice, Sealed) or twice.original:
        raise IntegrityError(f"expected the receipt of the first for an event submitted twice, found {twice}")
    sealed = [answer for answer in answers if isinstance(answer, Sealed)]
    refusals = [
        _refusal(answer, places.get(n)) for n, answer in enumerate(answers) if isinstance(answer, SubmissionRefused)
    ]
    boxes = sum(event.value.count(b'"commit":"') for event in events)
    return Published(sealed, twice, refusals, len({act.office for act in acts}), boxes, times)


async def admit(ledger: Ledger) -> None:
    """Let registrars decide on everything that was submitted, unless others serve the ledger."""
    if not ledger.is_served():
        async with ledger.workers() as workers:
            await workers.until_idle()


async def check(ledger: Ledger, store: Store) -> Checked:
    """Read the ledger from its start and check all of it; make the rows again and compare."""
    start = time.monotonic()
    reports = await audit(ledger.log, ledger.ledger_id, range(ledger.partitions))
    total = sum(report.size for report in reports)
    times = [Timed("records checked, with signatures", total, time.monotonic() - start)]
    start = time.monotonic()
    live, again = store.live(FOLD, ledger.ledger_id), store.new_generation(FOLD, ledger.ledger_id)
    await replay(ledger.log, store, FOLD, again)
    same = all(store.digest(live, p)[1] == store.digest(again, p, check=True)[1] for p in range(ledger.partitions))
    store.drop(again)
    times.append(Timed("records folded again from the start", total, time.monotonic() - start))
    return Checked(reports, same, times)


def _interleaved(events: Sequence[Signed], wrong: list[tuple[str, Wrong]]) -> tuple[list[Signed], dict[int, Wrong]]:
    """The events with each mistake behind its victim, and where the mistakes stand."""
    behind: dict[str, list[Wrong]] = {}
    for victim, one in wrong:
        behind.setdefault(victim, []).append(one)
    stream: list[Signed] = []
    places: dict[int, Wrong] = {}
    for event in events:
        stream.append(event)
        for one in behind.get(event.id, ()):
            places[len(stream)] = one
            stream.append(one.signed)
    return stream, places


async def _answer(publisher: Publisher, submitted: Submitted) -> Sealed | SubmissionRefused:
    try:
        return await publisher.result(submitted, _PATIENCE)
    except SubmissionRefused as refused:
        return refused


def _refusal(refused: SubmissionRefused, wrong: Wrong | None) -> Refusal:
    outcome = refused.outcome
    return Refusal(
        reason=outcome.reason,
        story=wrong.story if wrong else "",
        subject=refused.submitted.subject,
        expected=outcome.expected,
        found=outcome.found,
        meaning=outcome.meaning,
    )


def _grant(ledger_id: LedgerId, key: KeyFile) -> Data:
    signer = SeedSigner(key)
    new = NewKey(signer.kid, "ed25519", "sign", signer.public_key)
    return grant(ledger_id, new, signer, valid_from=_now() - _EARLIER)


def _now() -> int:
    return time.time_ns() // 1_000_000
