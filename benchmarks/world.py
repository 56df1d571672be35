"""A ledger to measure on: one office, requests of seven events each, written as fast as they can be signed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import msgspec

from consumers.registrar import Registrar
from infra.adapters.keys import SeedSigner, new_key
from infra.adapters.state_file import SqliteStateFile
from ledger.catalogue.register import OfficeRegistered
from ledger.event import CONTENT_TYPE
from ledger.ids import LedgerId
from ledger.log import SUBMISSIONS, Log, Message
from ledger.partition import partition_of
from ledger.signature import EVENT_PAYLOAD, format_signature, sign
from ledger.submission import CONTENT_TYPE_HEADER, SIGNATURE_HEADER
from producers.builder import Draft, Sender, build
from producers.enrolment import NewKey, grant, make_genesis, named
from rogatory import events

NAME = "bench"
START = 1_760_000_000_000
_TEXT = "Просим допросить свидетеля и направить заверенные копии материалов дела."


class FixedVault:
    """One content key for all, since what is measured here never opens a field."""

    def key_for(self, subject: str, compartment: str) -> bytes:
        """The one."""
        del subject, compartment
        return bytes(32)

    def find(self, key_id: str) -> bytes | None:
        """None: nobody opens anything."""
        del key_id
        return None

    def destroy(self, subject: str, compartment: str) -> list[str]:
        """Nothing."""
        del subject, compartment
        return []


class World:
    """Keys and genesis of a ledger that is about to be filled."""

    def __init__(self, partitions: int = 1) -> None:
        self.partitions = partitions
        self.authority = SeedSigner(new_key("RU-PGO", "sign"))
        self.log_key_file = new_key("RU-PGO", "log")
        self.log_key = SeedSigner(self.log_key_file)
        self.signer = SeedSigner(new_key("RU-OMS", "sign"))
        self.genesis = make_genesis(
            NAME,
            partitions=partitions,
            party="RU",
            authorities=[self.authority],
            threshold=1,
            log_keys=[named(self.log_key)],
            now=START,
        )
        self.ledger_id: LedgerId = self.genesis.ledger_id

    def opening(self) -> list[Message]:
        """Genesis, the office and its key."""
        sender = Sender(self.ledger_id, "RU-PGO", (self.authority,))
        office = events.OfficeRegistered(
            office="RU-OMS",
            party="RU",
            sort="territorial",
            name_ru="Омская область",
            tz="Asia/Omsk",
            border=True,
            valid_from="2022-03-10",
            basis="ru-order-136",
        )
        assert isinstance(office, OfficeRegistered)
        key = NewKey(self.signer.kid, "ed25519", "sign", self.signer.public_key)
        granted = grant(self.ledger_id, key, self.signer, valid_from=START - 1000)
        drafts = [Draft(subject="register", data=office), Draft(subject="register", data=granted)]
        return [self.genesis.signed.message(), *(build(d, sender, START).message() for d in drafts)]

    def messages(self, count: int) -> Iterator[Message]:
        """``count`` signed submissions: signed, sent, accepted, measure, step, executed, closed, request by request.

        The first request goes through the builder; the others are its bytes with other ids, signed anew.
        """
        sender = Sender(self.ledger_id, "RU-OMS", (self.signer,), FixedVault())
        first = [build(Draft(subject="request/SUBJECT", data=d, id="EVENT-ID"), sender, START).value for d in _course()]
        for n in range(count):
            request, step = divmod(n, len(first))
            subject = f"request/2025-{request:07}"
            id_ = str(UUID(int=(n << 64) | (7 << 76) | (2 << 62)))
            value = first[step].replace(b"request/SUBJECT", subject.encode()).replace(b"EVENT-ID", id_.encode())
            signature = format_signature(sign(self.signer, EVENT_PAYLOAD, value))
            headers = ((CONTENT_TYPE_HEADER, CONTENT_TYPE), (SIGNATURE_HEADER, signature))
            yield Message(subject.encode(), value, headers, START + n)


def _course() -> list[msgspec.Struct]:
    content = {
        "kind": "mla",
        "direction": "out",
        "partner": "KZ",
        "requesting": "RU-OMS",
        "requested": "KZ-PGO",
        "substance": _TEXT * 3,
        "purpose_text": _TEXT,
        "grounds": _TEXT,
        "purposes": [],
        "assistance": _TEXT,
        "legal_basis": ["ru-kz-2009"],
    }
    return [
        events.RequestSigned(**content, signer="p-1", signer_role="head", signature="ink", lang="ru"),
        events.RequestSent(
            channel="directorate", from_="RU-OMS", to="RU-GUMPS", means="post", translations=["kk"], note=_TEXT
        ),
        events.RequestAccepted(executing="KZ-PGO"),
        events.MeasurePerformed(measure="interview", count=1, date="2025-05-05", for_kind="mla"),
        events.StepTaken(step="check documents", resource="p-12"),
        events.RequestExecuted(outcome="full"),
        events.RequestClosed(outcome="done"),
    ]


async def submit(log: Log, world: World, count: int) -> None:
    """Fill the submissions log of a new ledger of one partition."""
    await log.create(world.partitions)
    await log.append(SUBMISSIONS, 0, world.opening())
    batch: list[Message] = []
    for message in world.messages(count):
        assert world.partitions == 1 or partition_of(message.key.decode(), world.partitions) == 0  # type: ignore[union-attr]
        batch.append(message)
        if len(batch) == 500:
            await log.append(SUBMISSIONS, 0, batch)
            batch = []
    if batch:
        await log.append(SUBMISSIONS, 0, batch)


async def admit_all(log: Log, world: World, folder: Path) -> tuple[float, int]:
    """Let a registrar work everything off; CPU seconds of this process, and submissions."""
    registrar = Registrar(log, world.ledger_id, 0, SqliteStateFile(folder / "state.sqlite", 0), [world.log_key])
    begun = time.process_time()
    count = await registrar.drain()
    spent = time.process_time() - begun
    await registrar.close()
    return spent, count
