"""Opening a ledger: once, wholly, and to be taken up again where it was interrupted."""

from __future__ import annotations

import asyncio
import tomllib
from pathlib import Path

import pytest

from infra.adapters.ledger_folder import LedgerFolder
from ledger.errors import LogUnavailable
from tests.e2e.cli import Cli


def test_it_writes_settings_that_the_other_commands_find(cli: Cli, tmp_path: Path) -> None:
    opened = cli.json("ledger", "open", "one")
    found = tomllib.loads((tmp_path / "rogatory.toml").read_text())
    assert found == {"ledger": "file:./one", "ledger_id": opened["ledger_id"], "data": "rogatory-data"}
    shown = cli.json("ledger", "show")
    assert shown["ledger_id"] == opened["ledger_id"]
    assert len(shown["authorities"]) == 3
    assert [part["ledger"] for part in shown["partitions"]] == [1, 1, 1, 1]


def test_settings_elsewhere_find_the_same_ledger(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    opened = cli.json("ledger", "open", "one", "--write", "etc/one.toml")
    assert cli.json("ledger", "show", "-c", "etc/one.toml")["ledger_id"] == opened["ledger_id"]


def test_settings_that_exist_are_never_overwritten(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "rogatory.toml").write_text("")
    refused = cli("ledger", "open", "one", code=2)
    assert "--write" in refused.stderr
    assert not (tmp_path / "one").exists()
    assert not (tmp_path / "rogatory-data").exists()


def test_a_second_opening_is_refused_and_leaves_nothing(cli: Cli, tmp_path: Path) -> None:
    first = cli.json("ledger", "open", "one")
    keys = sorted((tmp_path / "rogatory-data/keys").iterdir())
    refused = cli("ledger", "open", "one", "--write", "b.toml", code=2)
    assert first["ledger_id"] in refused.stderr
    assert "opened before" in refused.stderr
    assert sorted((tmp_path / "rogatory-data/keys").iterdir()) == keys
    assert not (tmp_path / "b.toml").exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["One"], "small letters"),
        (["one", "--party", "Russia"], "--party"),
        (["one", "--office", "pgo"], "--office"),
        (["one", "--threshold", "4"], "--threshold"),
        (["one", "--ledger", "kafka://127.0.0.1:1/two"], "'one'"),
        (["one", "--ledger", "nowhere"], "file:FOLDER"),
        (["one", "--authority", "no-such.key", "--threshold", "1"], "key file"),
    ],
)
def test_wrong_input_makes_nothing(cli: Cli, tmp_path: Path, args: list[str], said: str) -> None:
    refused = cli("ledger", "open", *args, code=2)
    assert "expected" in refused.stderr
    assert said in refused.stderr
    assert list(tmp_path.iterdir()) == []


def test_topics_without_an_opening_are_taken_over_by_resume(cli: Cli, tmp_path: Path) -> None:
    asyncio.run(_create(tmp_path / "one", 2))
    assert "--resume" in cli("ledger", "open", "one", "--partitions", "2", code=2).stderr
    assert "--partitions 2" in cli("ledger", "open", "one", "--partitions", "3", "--resume", code=2).stderr
    cli("ledger", "open", "one", "--partitions", "2", "--resume")
    assert cli.json("check")["sound"]


def test_an_opening_that_stands_without_settings_is_finished_by_resume(cli: Cli, tmp_path: Path) -> None:
    first = cli.json("ledger", "open", "one")
    (tmp_path / "rogatory.toml").unlink()
    again = cli.json("ledger", "open", "one", "--resume")
    assert again["ledger_id"] == first["ledger_id"]
    assert len(list((tmp_path / "rogatory-data/keys").iterdir())) == 4


def test_an_append_that_fails_leaves_something_to_resume(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> int:
        raise LogUnavailable("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(LedgerFolder, "append", fail)
        assert "the disk is gone" in cli("ledger", "open", "one", code=3).stderr
    assert not (tmp_path / "rogatory.toml").exists()
    cli("ledger", "open", "one", "--resume")
    assert len(list((tmp_path / "rogatory-data/keys").iterdir())) == 4
    assert cli.json("check")["sound"]


def test_keys_that_exist_serve_as_authorities(cli: Cli, tmp_path: Path) -> None:
    files = [cli.json("keys", "new", "RU-PGO", "--use", "authority", "--ledger", "file:x")["file"] for _ in range(2)]
    opened = cli.json("ledger", "open", "one", *[arg for file in files for arg in ("--authority", file)])
    assert len(opened["authorities"]) == 2
    assert len(list((tmp_path / "rogatory-data/keys").iterdir())) == 3  # and a log key


async def _create(folder: Path, partitions: int) -> None:
    log = LedgerFolder(folder)
    await log.create(partitions)
    await log.close()
