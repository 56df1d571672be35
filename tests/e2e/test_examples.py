"""The demonstration and the examples, run as processes by somebody who has only the command line and its output."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from infra.demo.offices import ALL, RUSSIAN_BORDER
from infra.demo.plans import SHOWN
from infra.demo.stream import tell
from ledger.catalogue.base import Sealed
from ledger.dispositions import Disposition
from ledger.event import read_event
from ledger.log import LEDGER
from ledger.seal import entry, leaf_hash
from ledger.sealing import Place as FieldPlace
from ledger.sealing import open_field
from tests.contracts.log_place import Place

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
OFFICE = "RU-OMS"


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", "infra.cli.main", *map(str, arguments)]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROGATORY_")}
    return {**kept, "PYTHONPATH": str(ROOT)}


def ran(arguments: list[str], folder: Path, *, code: int = 0) -> str:
    """What a process printed, which ended as it should."""
    done = subprocess.run(
        arguments, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout if code == 0 else done.stderr


def asked(folder: Path, *arguments: str) -> dict:
    """What a command of ours says as JSON."""
    return json.loads(ran(command(*arguments, "--json", "--config", folder / "rogatory.toml"), folder))


@contextmanager
def served(folder: Path) -> Iterator[None]:
    """Registrars, herald and projection running as a process of their own."""
    service = subprocess.Popen(
        command("run", "all", "--config", folder / "rogatory.toml"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
        assert service.poll() is None, "the service ended by itself"
    finally:
        service.terminate()
        try:
            service.wait(30)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait(30)


def kept_demo(folder: Path, *more: str) -> Path:
    """A ledger with all offices and their keys, as the demonstration leaves it."""
    ran(command("demo", "--requests", "1", "--keep", folder / "kept", *more), folder)
    return folder / "kept"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    """What the demonstration says as JSON, and the folder that it left."""
    folder = tmp_path_factory.mktemp("demo")
    said = json.loads(ran(command("demo", "--json", "--keep", folder / "kept"), folder))
    return said, folder / "kept"


def test_the_demonstration_shows_each_mistake_refused_for_its_own_reason(document: tuple[dict, Path]) -> None:
    refused = [r["reason"] for r in document[0]["refused"]]
    assert refused
    assert len(refused) == len(set(refused)) == document[0]["stream"]["refused"]
    left_out = {"duplicate", "admitted", "not-an-event", "bad-subject", "wrong-partition", "bad-home"}
    assert set(refused) == {d.reason for d in Disposition} - left_out - {"contradicts-register"}
    assert all(r["story"] and r["meaning"] for r in document[0]["refused"])
    assert document[0]["twice"]["original"] is False


def test_the_demonstration_has_all_offices_and_every_request_with_a_status(document: tuple[dict, Path]) -> None:
    said = document[0]
    codes = {office["code"] for office in said["offices"]}
    assert codes == {place.code for place in ALL}
    assert len(RUSSIAN_BORDER) == 17
    assert [office["code"] for office in said["offices"] if any(k["revoked"] for k in office["keys"])] == ["RU-ORE"]
    assert len(said["requests"]) == said["stream"]["requests"] == 40
    assert sum(r["records"] for r in said["requests"]) == said["stream"]["admitted"]
    assert {r["kind"] for r in said["requests"]} >= {plan.kind for plan in SHOWN}
    remarks = {code for r in said["requests"] for code in r["remarked"]}
    assert remarks == {"no_decision", "out_of_order", "after_closure"}
    waits = {sort for r in said["requests"] for sort in r["waits_for"]}
    assert waits == {"confirmation", "doubt", "information", "condition", "refusal_notice", "consent"}


def test_the_demonstration_judges_its_requests(document: tuple[dict, Path]) -> None:
    said, kept = document
    law = said["law"]
    counted = {(row["rule"], row["verdict"]) for row in law["counts"]}
    assert {verdict for _, verdict in counted} == {"met", "breached", "open", "undetermined"}
    assert len({rule for rule, _ in counted}) > 35
    assert law["findings"][0]["verdict"] == "breached"
    assert all(finding["evidence"] for finding in law["findings"])
    asked_again = asked(kept, "compliance", law["request"])["findings"]
    assert [f["rule"] for f in asked_again] == [f["rule"] for f in law["findings"]]


def test_the_demonstration_checks_its_ledger(document: tuple[dict, Path]) -> None:
    check = document[0]["check"]
    assert check["sound"]
    assert check["rebuilt_the_same"]
    assert all(p["register_seq"] == 117 and p["fault"] is None for p in check["partitions"])


def test_what_the_demonstration_leaves_is_a_ledger_like_any_other(document: tuple[dict, Path]) -> None:
    said, kept = document
    assert asked(kept, "check")["sound"]
    requests = asked(kept, "status", "--limit", "100")["requests"]
    assert {r["request"]: r["state"] for r in requests} == {r["request"]: r["state"] for r in said["requests"]}
    assert asked(kept, "outcomes")["counts"]["duplicate"] == 1


def test_the_demonstration_says_what_to_try_and_it_works(tmp_path: Path) -> None:
    printed = ran(command("demo", "--requests", "3", "--seed", "7", "--keep", "my demo"), tmp_path)
    tries = re.findall(r"^   rogatory (.+)$", printed, re.MULTILINE)
    assert len(tries) >= 5
    for line in tries:
        assert ran(["sh", "-c", f'"{sys.executable}" -m infra.cli.main {line}'], tmp_path)


def test_the_demonstration_leaves_nothing_behind(tmp_path: Path) -> None:
    done = subprocess.run(
        command("demo", "--requests", "2"),
        env={**environment(), "TMPDIR": str(tmp_path), "ROGATORY_LEDGER": "file:/nowhere", "ROGATORY_CONFIG": "/none"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Sound: " in done.stdout
    assert "is gone" in done.stdout
    assert not list(tmp_path.iterdir())


def test_the_same_seed_tells_the_same_stories_and_another_one_others() -> None:
    keyed = frozenset(place.code for place in ALL)
    one, same, other = (tell(seed, 40, 1_760_000_000_000, keyed) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_names_and_texts_of_the_stories_are_sealed(document: tuple[dict, Path]) -> None:
    """No phrase that stands for confidential text is in the ledger's files."""
    kept = document[1]
    stored = b"".join(path.read_bytes() for path in sorted((kept / "ledger").iterdir()))
    assert b"request.signed" in stored
    for phrase in (b"substance of the request", b"grounds of the request", b"who holds it", b"court that decided"):
        assert phrase not in stored


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ledger", "assistance"], "expected --ledger file:FOLDER or kafka://"),
        (["--keep", "full"], "expected --keep to name a new or empty folder"),
        (["--ledger", "file:full/ledger"], "expected room for a new ledger"),
        (["--requests", "0"], "--requests"),
    ],
)
def test_a_wrong_option_is_a_message(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "full" / "ledger").mkdir(parents=True)
    (tmp_path / "full" / "ledger" / "submissions.sqlite").touch()
    said = ran(command("demo", *arguments), tmp_path, code=2)
    assert message in said
    assert "Traceback" not in said


def test_another_system_publishes_its_cases_and_may_do_so_again(tmp_path: Path) -> None:
    kept = kept_demo(tmp_path)
    example = [sys.executable, str(EXAMPLES / "publish_from_case_system.py")]
    example += ["--config", str(kept / "rogatory.toml"), "--office", OFFICE]
    with served(kept):
        first, again = ran(example, tmp_path), ran(example, tmp_path)
    assert first.count(" sealed  ") == 4
    assert first.count("refused        sequence-conflict") == 1
    assert again.count("sealed before") == 4
    assert again.count("refused        sequence-conflict") == 1
    assert re.findall("leaf (.{12})", first) == re.findall("leaf (.{12})", again)
    status = asked(kept, "status", f"{OFFICE}-2026-A-17")
    assert [entry["type"] for entry in status["history"]] == ["request.signed", "request.sent", "step.taken"]
    assert status["facts"]["state"] == "sent"
    assert asked(kept, "check")["sound"]


def test_a_program_without_an_event_loop_publishes(tmp_path: Path) -> None:
    kept = kept_demo(tmp_path)
    example = [sys.executable, str(EXAMPLES / "publish_blocking.py")]
    with served(kept):
        printed = ran([*example, "--config", str(kept / "rogatory.toml"), "--office", OFFICE], tmp_path)
    assert "sealed: records 2 3 4" in printed
    assert "refused: sequence-conflict" in printed
    assert asked(kept, "status", f"{OFFICE}-2026-B-4")["records"] == 4


@pytest.mark.kafka
def test_a_client_without_our_code_publishes_on_kafka(tmp_path: Path, kafka_place: Place) -> None:
    place = kafka_place
    kept = kept_demo(tmp_path, "--ledger", f"kafka://{place.bootstrap}/{place.name}")
    ledger_id = asked(kept, "ledger", "show")["ledger_id"]
    key = next((kept / "data" / "keys").glob(f"{OFFICE}-*.key"))
    raw = [sys.executable, str(EXAMPLES / "raw_kafka_client" / "publish.py"), "--bootstrap", place.bootstrap]
    raw += ["--ledger-id", ledger_id, "--key", str(key), "--request", "RAW-1"]
    # Isolated, with only its own folder on the path: it could not import anything of ours by accident.
    with served(kept):
        printed = ran([raw[0], "-I", *raw[1:]], tmp_path)
    leaf = re.search(r"sealed: record 1, .* leaf ([0-9a-f]{64})", printed)
    assert leaf is not None, printed
    assert f"duplicate: leaf {leaf[1]}" in printed
    status = asked(kept, "status", "RAW-1", "--update")
    assert status["leaf"] == leaf[1]
    assert [entry["type"] for entry in status["history"]] == ["step.taken"]
    assert asked(kept, "check")["sound"]
    assert _opened_field(printed, place, leaf[1]) == {"pages": 12}


def _opened_field(printed: str, place: Place, leaf: str) -> object:
    """The sealed field of the raw client's record, opened by our code with the content key that it printed."""

    async def find() -> bytes:
        log = place.open()
        try:
            for partition in range(await log.partitions()):
                reader = log.reader(LEDGER, partition)
                while piece := await reader.read(500):
                    for stored in piece:
                        seal = dict(stored.headers).get("seal", b"")
                        if leaf_hash(entry(seal, stored.value or b"")).hex() == leaf:
                            return stored.value or b""
        finally:
            await log.close()
        raise AssertionError(f"no record with leaf {leaf}")

    event = read_event(asyncio.run(find()))
    box = msgspec.convert(msgspec.json.decode(event.data)["attributes"], Sealed)
    where = FieldPlace(event.ledger, event.source, event.id, event.subject, event.type, "/data/attributes")
    content_key = re.search("content key: ([0-9a-f]{64})", printed)
    assert content_key is not None
    return open_field(bytes.fromhex(content_key[1]), where, box)


def test_the_raw_client_imports_nothing_of_ours() -> None:
    text = (EXAMPLES / "raw_kafka_client" / "publish.py").read_text(encoding="utf-8")
    imported = set(re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE))
    ours = {"ledger", "producers", "consumers", "projections", "infra", "rogatory"}
    assert not imported & ours
    assert {"json", "hashlib", "nacl", "aiokafka"} <= imported


def test_each_example_is_in_the_readme_with_a_line_to_run_it() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    for script in sorted(EXAMPLES.rglob("*.py")):
        assert f"python examples/{script.relative_to(EXAMPLES)}" in readme
