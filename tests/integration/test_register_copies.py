"""Register copies: only partition 0's own words are taken, in its order; so every partition holds the same register."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec
import pytest

from consumers.herald import make_copy
from ledger.catalogue.own import StepTaken
from ledger.log import LEDGER, Message, Stored, header
from ledger.partition import partition_of
from ledger.seal import entry
from ledger.signature import ENTRY_PAYLOAD, format_signature, sign
from ledger.submission import ATTEST_HEADER, HOME_HEADER, SEAL_HEADER, SIGNATURE_HEADER
from producers.receipt import SubmissionRefused
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import check_all, everything
from tests.faults.world import COORDINATOR, People, message_of, office
from tests.integration.stage import SOON, Stage, stage
from tests.keys import Signer

PARTITIONS = 3
PEOPLE = People(PARTITIONS, "copies")
OMS = "RU-OMS"
Wrong = Callable[[list[Stored]], Message]


def in_partition(partition: int) -> str:
    """Some request that lives there."""
    return next(s for s in (f"request/{i}" for i in range(999)) if partition_of(s, PARTITIONS) == partition)


def copy_of(stored: Stored) -> Message:
    """As the herald makes it."""
    copy = make_copy(stored)
    assert copy is not None
    return copy


def with_home(message: Message, *homes: bytes) -> Message:
    """A copy with other ``home`` headers."""
    kept = [h for h in message.headers if h[0] != HOME_HEADER]
    return msgspec.structs.replace(message, headers=(*kept, *((HOME_HEADER, home) for home in homes)))


def home_of(stored: Stored, signer: Signer | None = None) -> bytes:
    """The ``home`` of a record of partition 0, perhaps attested by somebody else."""
    text = header(stored.headers, SEAL_HEADER) or b""
    attest = header(stored.headers, ATTEST_HEADER) or b""
    if signer is not None:
        attest = format_signature(sign(signer, ENTRY_PAYLOAD, entry(text, stored.value or b"")))
    return attest + b" " + text


# What is no right copy of the third register event, when two are there. Each is given partition 0's records.


def _without_home(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]))


def _with_two_homes(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[2]), home_of(records[2]))


def _with_another_events_home(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[3]))


def _with_the_home_of_a_record_before(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[1]))


def _another_event_with_this_home(records: list[Stored]) -> Message:
    event = PEOPLE.say(COORDINATOR, "register", office("KZ-A", "other", "KZ"), PEOPLE.authorities[0], id="other")
    return with_home(event.message(), home_of(records[2]))


def _other_bytes_with_this_home(records: list[Stored]) -> Message:
    copy = copy_of(records[2])
    return msgspec.structs.replace(copy, value=(copy.value or b"").replace(b'"id":"key-0"', b'"id":"key-9"'))


def _out_of_order(records: list[Stored]) -> Message:
    return copy_of(records[3])


def _attested_by_an_office(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[2], PEOPLE.offices[OMS]))


def _attested_by_an_authority(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[2], PEOPLE.authorities[0]))


def _attested_by_a_liar(records: list[Stored]) -> Message:
    liar = Signer(COORDINATOR, "liar")
    liar.kid = PEOPLE.log_key.kid
    return with_home(copy_of(records[2]), home_of(records[2], liar))


def _with_a_changed_seal(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[2]).replace(b'"index":2', b'"index":3'))


def _with_another_signature_than_was_sealed(records: list[Stored]) -> Message:
    copy = copy_of(records[2])
    kept = [h for h in copy.headers if h[0] != SIGNATURE_HEADER]
    other = message_of("register", copy.value or b"", PEOPLE.authorities[1]).headers[1]
    return msgspec.structs.replace(copy, headers=(other, *kept))


def _cut_off(records: list[Stored]) -> Message:
    return with_home(copy_of(records[2]), home_of(records[2]).rpartition(b" ")[0])


WRONG: dict[str, tuple[Wrong, str]] = {
    "without home": (_without_home, "found 0 home headers"),
    "with two homes": (_with_two_homes, "found 2 home headers"),
    "with another event's home": (_with_another_events_home, "expected the register's next event, 3"),
    "with the home of a record before": (_with_the_home_of_a_record_before, "expected the register's next event, 3"),
    "another event with this home": (_another_event_with_this_home, "signatures that partition 0 sealed"),
    "other bytes with this home": (_other_bytes_with_this_home, "an attestation by a log key"),
    "out of order": (_out_of_order, "expected the register's next event, 3"),
    "attested by an office": (_attested_by_an_office, "an attestation by a log key"),
    "attested by an authority": (_attested_by_an_authority, "an attestation by a log key"),
    "attested by a liar": (_attested_by_a_liar, "an attestation by a log key"),
    "with a changed seal": (_with_a_changed_seal, "an attestation by a log key"),
    "with another signature than was sealed": (_with_another_signature_than_was_sealed, "signatures that partition 0"),
    "cut off": (_cut_off, "found fewer parts"),
}


async def half_followed(ledger: Stage) -> list[Stored]:
    """Open the ledger so that partition 1 holds two register events, and all others are still to come."""
    await ledger.log.create(PARTITIONS)
    await ledger.submit(*PEOPLE.opening())
    await ledger.registrars[0].drain()
    records = await everything(ledger.log, LEDGER, 0)
    for stored in records[:2]:
        await ledger.submit_raw(1, copy_of(stored))
    await ledger.registrars[1].drain()
    return records


def on(place: Place, folder: Path, story: Callable[[Stage], Awaitable[None]]) -> None:
    async def whole() -> None:
        async with stage(place, PEOPLE, folder) as ledger:
            await story(ledger)

    run(whole())


async def check_registers(ledger: Stage) -> None:
    """All partitions hold the same register, whole, and the audit agrees."""
    registers = [r.state.register for r in ledger.registrars]
    assert registers[0] is not None
    assert registers[0].seq >= len(PEOPLE.opening())
    assert registers == [registers[0]] * PARTITIONS
    await check_all(ledger.log, PEOPLE.ledger_id, PARTITIONS)


def test_what_is_no_right_copy_is_refused_and_the_right_one_still_comes(place: Place, tmp_path: Path) -> None:
    async def story(ledger: Stage) -> None:
        records = await half_followed(ledger)
        for name, (make, words) in WRONG.items():
            submitted = await ledger.submit_raw(1, make(records))
            await ledger.registrars[1].drain()
            with pytest.raises(SubmissionRefused, match="bad-home") as caught:
                await ledger.publisher.result(submitted, SOON)
            assert words in str(caught.value), f"{name}: {caught.value}"
            register = ledger.registrars[1].state.register
            assert register is not None
            assert register.seq == 2, name
        await ledger.settle()
        await check_registers(ledger)

    on(place, tmp_path, story)


def test_home_on_anything_but_a_copy_is_refused(place: Place, tmp_path: Path) -> None:
    async def story(ledger: Stage) -> None:
        records = await half_followed(ledger)
        await ledger.settle()
        in_0 = PEOPLE.say(COORDINATOR, "register", office("KZ-A", "other", "KZ")).message()
        request = PEOPLE.say(OMS, in_partition(1), StepTaken(step="x")).message()
        for partition, message in ((0, in_0), (1, request)):
            with pytest.raises(SubmissionRefused, match=r"bad-home.*a stray home header"):
                await ledger.publish_raw(partition, with_home(message, home_of(records[2])))
        await check_registers(ledger)

    on(place, tmp_path, story)


def test_a_copy_of_a_copy_is_refused(place: Place, tmp_path: Path) -> None:
    """Partition 1's own seal of a register event attests nothing elsewhere."""

    async def story(ledger: Stage) -> None:
        await half_followed(ledger)
        copied = (await everything(ledger.log, LEDGER, 1))[0]
        text = header(copied.headers, SEAL_HEADER) or b""
        attest = sign(PEOPLE.log_key, ENTRY_PAYLOAD, entry(text, copied.value or b""))
        forwarded = with_home(PEOPLE.genesis.message(), format_signature(attest) + b" " + text)
        submitted = await ledger.submit_raw(2, forwarded)
        await ledger.registrars[2].drain()
        with pytest.raises(SubmissionRefused, match=r"bad-home.*found a copy's"):
            await ledger.publisher.result(submitted, SOON)
        await ledger.settle()
        await check_registers(ledger)

    on(place, tmp_path, story)


def test_a_second_copy_is_a_duplicate(place: Place, tmp_path: Path) -> None:
    async def story(ledger: Stage) -> None:
        records = await half_followed(ledger)
        await ledger.settle()
        first = await ledger.publish_raw(2, copy_of(records[4]))
        assert (first.partition, first.seq, first.original) == (2, 5, False)
        await check_registers(ledger)

    on(place, tmp_path, story)


def test_a_revocation_takes_effect_in_each_partition_when_its_copy_arrives(place: Place, tmp_path: Path) -> None:
    async def story(ledger: Stage) -> None:
        await ledger.log.create(PARTITIONS)
        await ledger.submit(*PEOPLE.opening())
        await ledger.settle()
        await ledger.submit(PEOPLE.say(COORDINATOR, "register", PEOPLE.revoking(PEOPLE.offices[OMS])))
        await ledger.registrars[0].drain()  # sealed, and not copied yet
        events = [PEOPLE.say(OMS, in_partition(p), StepTaken(step="before")) for p in range(PARTITIONS)]
        submitted = await ledger.submit(*events)
        for registrar in ledger.registrars:
            await registrar.drain()
        with pytest.raises(SubmissionRefused, match=r"key-not-valid.*revoked at"):
            await ledger.publisher.result(submitted[0], SOON)
        kept = [await ledger.publisher.result(one, SOON) for one in submitted[1:]]
        await ledger.settle()
        for partition in range(PARTITIONS):
            later = PEOPLE.say(OMS, in_partition(partition), StepTaken(step="after"))
            with pytest.raises(SubmissionRefused, match=r"key-not-valid.*revoked at"):
                await ledger.publish(later)
        # What was sealed before stays, and its receipt is given again.
        for event, receipt in zip(events[1:], kept, strict=True):
            assert await ledger.publish(event) == msgspec.structs.replace(receipt, original=False)
        await check_registers(ledger)

    on(place, tmp_path, story)
