"""What a sealed field says is nowhere to be found: no file, topic, row or log line holds it in any spelling."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from consumers.replay import replay
from infra.adapters.vault import VaultFile
from ledger.catalogue.base import Data
from ledger.catalogue.own import StepTaken
from ledger.catalogue.register import ContactDesignated
from ledger.catalogue.requests import InformationRequested
from ledger.errors import FieldError
from ledger.log import TOPICS, Log
from ledger.vault import Vault
from producers.builder import Draft, Sender, build
from producers.receipt import SubmissionRefused
from projections.store import Store
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import FOLD, everything
from tests.faults.world import COORDINATOR, T0, People, changed, message_of
from tests.integration.stage import Stage, stage

PARTITIONS = 2
PEOPLE = People(PARTITIONS, "sealed")
SECRETS = ("Пётр Ёжиков из Кяхты", "Wolfeschlegelsteinhausen", "«сумма» 4815162342", 'quux\tzyzzyva/\\"')
CLEAR = "clear-marker-of-a-step"


def spellings(text: str) -> set[bytes]:
    """The text as it could stand somewhere: UTF-8, in JSON with and without escapes, UTF-16, CP1251, base64, hex."""
    escaped = json.dumps(text)[1:-1]
    plain = {
        text.encode(),
        escaped.encode(),
        escaped.replace("/", "\\/").encode(),
        json.dumps(text, ensure_ascii=False)[1:-1].encode(),
        repr(text)[1:-1].encode(),
        text.encode("utf-16-le"),
        text.encode("utf-16-be"),
        text.encode("cp1251", "ignore"),
    }
    upper = {bytes(c - 32 if 97 <= c <= 102 else c for c in one) for one in plain if b"\\u" in one}
    return plain | {one.replace(b"\\U", b"\\u") for one in upper} | _encoded(plain)


def _encoded(plain: set[bytes]) -> set[bytes]:
    """Base64 of the text at each of the three places it can begin at, without what depends on its neighbours; hex."""
    found = set()
    for one in plain:
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + one)
            whole = encoded[-(-shift * 4 // 3) : len(encoded) - len(encoded) % 4 - 4]
            found |= {whole, whole.replace(b"+", b"-").replace(b"/", b"_")}
        found |= {one.hex().encode(), one.hex().upper().encode()}
    return found


ALL = {spelling: secret for secret in SECRETS for spelling in spellings(secret)}


def leaks(content: bytes) -> set[str]:
    """The secrets that stand in some bytes."""
    return {secret for spelling, secret in ALL.items() if spelling in content}


def test_every_spelling_would_be_found() -> None:
    for secret in SECRETS:
        for before in ("", "x", "yy"):
            said = (before + secret + "zzz").encode()
            for content in (
                said,
                json.dumps({"a": said.decode()}).encode(),
                base64.b64encode(said),
                base64.urlsafe_b64encode(said),
                said.hex().encode(),
                said.decode().encode("utf-16"),
                base64.b64encode(json.dumps(said.decode()).encode()),
                msgspec.msgpack.encode([said]),
                repr(said.decode()).encode(),
            ):
                assert leaks(content) == {secret}, content
    assert not leaks(CLEAR.encode() * 9)


def acts() -> Iterator[tuple[str, str, Data]]:
    """Acts whose sealed fields hold the secrets, of several shapes and sizes."""
    for number, secret in enumerate(SECRETS):
        subject = f"request/{number}"
        yield (
            "RU-OMS",
            subject,
            StepTaken(step=CLEAR, attributes={secret: [secret], "n": {"deep": secret}}, note=secret),
        )
        yield "RU-OMS", subject, InformationRequested(from_="KZ-PGO", to="RU-OMS", what=f"{secret} " * 200, doc=secret)
    first, second = SECRETS[:2]
    stated = {"surname": first, "name": second, "no_patronymic": True, "post": first, "phone": second, "email": second}
    yield (
        COORDINATOR, "register",
        ContactDesignated(contact="c-1", office="RU-OMS", effective="2025-03-03", **stated),  # type: ignore[arg-type]
    )  # fmt: skip


async def sends(ledger: Stage, vault: Vault) -> None:
    """Publish all of it; some is refused, and some comes twice."""
    for code, subject, data in acts():
        said = PEOPLE.say(code, subject, data, vault=vault)
        await ledger.publish(said)
        await ledger.publish(said)
        with pytest.raises(SubmissionRefused) as caught:
            await ledger.publish(PEOPLE.say(code, subject, data, vault=vault, expectedseq=999))
        assert not leaks(str(caught.value).encode())


async def topics(log: Log) -> bytes:
    """Everything in all topics."""
    found = []
    for topic in TOPICS:
        for partition in range(PARTITIONS):
            for stored in await everything(log, topic, partition):
                found += [stored.key or b"", stored.value or b"", *(v for _, v in stored.headers)]
    return b"\n".join(found)


def test_sealed_plaintext_is_nowhere(place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for folder in ("states", "data"):
        (tmp_path / folder).mkdir()

    async def story() -> bytes:
        vault = VaultFile(tmp_path / "data" / "vault.sqlite")
        async with stage(place, PEOPLE, tmp_path / "states") as ledger:
            await ledger.open()
            await sends(ledger, vault)
            with Store.open(f"sqlite:///{tmp_path}/data/store.db") as store:
                outcome = await replay(ledger.log, store, FOLD, store.live(FOLD, PEOPLE.ledger_id))
                assert not outcome.stopped
                assert sum(outcome.sizes.values()) > len(list(acts()))
            content = await topics(ledger.log)
        vault.close()
        return content

    content = run(story())
    assert not leaks(content)
    assert CLEAR.encode() in content
    folders = [tmp_path] if place.bootstrap else [tmp_path, Path(place.name)]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= PARTITIONS + 2
    for path in files:
        assert not leaks(path.read_bytes()), path
    if not place.bootstrap:
        assert any(CLEAR.encode() in path.read_bytes() for path in files)  # so the files do hold what was said
    for name in ("consumers.registrar", "producers.publisher", "infra.wiring"):
        logging.getLogger(name).debug(CLEAR)
    assert caplog.text.count(CLEAR) == 3  # so what these had logged would be here
    assert not leaks(caplog.text.encode())


def test_an_error_of_the_builder_does_not_repeat_what_is_sealed(tmp_path: Path) -> None:
    vault = VaultFile(tmp_path / "vault.sqlite")
    key = PEOPLE.offices["RU-OMS"]
    for data, sender_vault, words in (
        (StepTaken(step="x", note=SECRETS[0] * 2000), vault, "hold long texts elsewhere"),
        (StepTaken(step="x", note=SECRETS[0]), None, "needs a vault"),
        (StepTaken(step="x", note={"a": SECRETS[0]}), vault, "expected text"),  # type: ignore[arg-type]
        (StepTaken(step="x", attributes=SECRETS[0]), vault, "expected an object"),  # type: ignore[arg-type]
    ):
        with pytest.raises(FieldError, match=words) as caught:
            build(Draft(subject="request/1", data=data), Sender(PEOPLE.ledger_id, "RU-OMS", (key,), sender_vault), T0)
        assert not leaks(str(caught.value).encode())
        assert not leaks(repr(caught.value.__cause__).encode())
    vault.close()


def test_a_refusal_does_not_repeat_what_somebody_forgot_to_seal(
    place: Place, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The submission itself is there for good; but nothing spreads it further."""
    caplog.set_level(logging.DEBUG, "consumers")
    caplog.set_level(logging.DEBUG, "producers")

    async def story() -> None:
        async with stage(place, PEOPLE, tmp_path) as ledger:
            await ledger.open()
            proper = PEOPLE.say("RU-OMS", "request/1", StepTaken(step="x"))
            for wrong in (
                {"step": "x", "note": SECRETS[0]},
                {"step": SECRETS[0]},
                {"step": "x", "attributes": {"s": 1, "key": SECRETS[0]}},
                {"step": "x", SECRETS[1]: 1},
            ):
                message = message_of("request/1", changed(proper.value, data=wrong), PEOPLE.offices["RU-OMS"])
                with pytest.raises(SubmissionRefused, match="bad-data") as caught:
                    await ledger.publish_raw(proper.partition(PARTITIONS), message)
                assert not leaks(str(caught.value).encode())

    run(story())
    assert not leaks(caplog.text.encode())
