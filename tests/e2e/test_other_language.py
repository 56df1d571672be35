"""A publisher in another language, on a real Kafka: its events are admitted, and say what they should."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
from pathlib import Path

import msgspec
import pytest

from ledger.catalogue.base import Sealed
from ledger.event import read_event
from ledger.log import LEDGER
from ledger.seal import entry, leaf_hash
from ledger.sealing import Place as FieldPlace
from ledger.sealing import open_field
from tests.contracts.log_place import Place
from tests.e2e.test_examples import EXAMPLES, OFFICE, asked, environment, kept_demo, served
from tests.tools import Node, node

FOLDER = EXAMPLES / "node_publisher"
VECTORS = Path(__file__).parents[1] / "conformance" / "vectors"


@pytest.fixture(scope="module")
def publisher() -> Node:
    return node(FOLDER)


def published(publisher: Node, place: Place, folder: Path, *more: str, code: int = 0) -> str:
    """What the publisher prints."""
    ledger_id = asked(folder, "ledger", "show")["ledger_id"]
    key = next((folder / "data" / "keys").glob(f"{OFFICE}-*.key"))
    command = [publisher.program, str(publisher.folder / "publish.mjs"), "--bootstrap", place.bootstrap]
    command += ["--ledger-id", ledger_id, "--key", str(key), *more]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


@pytest.mark.kafka
def test_events_from_another_language_are_admitted(tmp_path: Path, kafka_place: Place, publisher: Node) -> None:
    kept = kept_demo(tmp_path, "--ledger", f"kafka://{kafka_place.bootstrap}/{kafka_place.name}")
    with served(kept):
        printed = [
            published(publisher, kafka_place, kept, "--request", f"NODE-{n}", "--note", "Запрос № 7: «да»")
            for n in range(3)  # in several partitions: the key decides
        ]
    for n, said in enumerate(printed):
        leaf = re.search(r"sealed: record 1, .* leaf ([0-9a-f]{64})", said)
        assert leaf is not None, said
        assert f"duplicate: leaf {leaf[1]}" in said
        status = asked(kept, "status", f"NODE-{n}", "--update")
        assert status["leaf"] == leaf[1]
        assert [each["type"] for each in status["history"]] == ["step.taken"]
        assert _note(said, kafka_place, leaf[1]) == "Запрос № 7: «да»"
    assert asked(kept, "check")["sound"]
    assert asked(kept, "export", "xes", "--out", str(tmp_path / "log.xes"))["cases"] >= 3
    assert set(asked(kept, "outcomes")["counts"]) >= {"duplicate"}
    assert len({asked(kept, "status", f"NODE-{n}")["partition"] for n in range(3)}) > 1


@pytest.mark.kafka
def test_an_office_that_is_not_registered_is_told_so(tmp_path: Path, kafka_place: Place, publisher: Node) -> None:
    kept = kept_demo(tmp_path, "--ledger", f"kafka://{kafka_place.bootstrap}/{kafka_place.name}")
    (key,) = (kept / "data" / "keys").glob(f"{OFFICE}-*.key")
    said = json.loads(key.read_bytes())
    said["seed"] = "A" * 43 + "="
    key.write_text(json.dumps(said), encoding="utf-8")
    with served(kept):
        assert "refused: unknown-key" in published(publisher, kafka_place, kept)


def _note(printed: str, place: Place, leaf: str) -> object:
    """The sealed note of a record, opened by our code with the content key that the publisher printed."""

    async def find() -> bytes:
        log = place.open()
        try:
            for partition in range(await log.partitions()):
                reader = log.reader(LEDGER, partition)
                while piece := await reader.read(500):
                    for stored in piece:
                        if leaf_hash(entry(dict(stored.headers).get("seal", b""), stored.value or b"")).hex() == leaf:
                            return stored.value or b""
        finally:
            await log.close()
        raise AssertionError(f"no record with leaf {leaf}")

    event = read_event(asyncio.run(find()))
    box = msgspec.convert(msgspec.json.decode(event.data)["note"], Sealed)
    where = FieldPlace(event.ledger, event.source, event.id, event.subject, event.type, "/data/note")
    content_key = re.search("content key: ([0-9a-f]{64})", printed)
    assert content_key is not None
    return open_field(bytes.fromhex(content_key[1]), where, box)


def test_the_publisher_makes_the_frozen_vectors(publisher: Node) -> None:
    """Seals, signs and hashes in the other language, byte for byte as the vectors have it."""
    script = """
    import { readFileSync, writeFileSync } from "node:fs";
    import { leaf, pae, readKey, seal, signature } from "./event.mjs";
    const read = (name) => JSON.parse(readFileSync(`${process.argv[2]}/${name}.json`));
    const [sealed, event] = [read("sealed"), read("event")];
    const value = Buffer.from(event.text);
    const place = JSON.parse(sealed.context);
    console.log(JSON.stringify({
      cases: sealed.cases.map((one) => seal(Buffer.from(sealed.content_key, "hex"), place, one.value)),
      pae: pae(value).toString(),
      signature: signature(value, readKey(process.argv[3])),
      leaf: leaf(event.seal, value),
    }));
    """
    vectors = json.loads((VECTORS / "event.json").read_bytes())
    kid = vectors["header"].removeprefix("signature: ").split()[0]
    keys = json.loads((VECTORS / "keys.json").read_bytes())["keys"]
    (key,) = (key for key in keys.values() if key["kid"] == kid)
    path = publisher.folder / "vectors.mjs"
    path.write_text(script, encoding="utf-8")
    key_file = publisher.folder / "vectors.key"
    seed = msgspec.json.encode(bytes.fromhex(key["seed"])).decode().strip('"')
    key_file.write_text(json.dumps({"kid": kid, "seed": seed}), encoding="utf-8")
    command = [publisher.program, str(path), str(VECTORS), str(key_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["cases"] == [c["sealed"] for c in json.loads((VECTORS / "sealed.json").read_bytes())["cases"]]
    assert said["pae"] == vectors["pae"]
    assert f"signature: {said['signature']}" == vectors["header"]
    assert said["leaf"] == vectors["leaf"]
