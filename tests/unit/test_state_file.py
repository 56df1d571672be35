"""A state file on a disk that is full or fails says so, keeps what it had, and goes on afterwards."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from infra.adapters.state_file import SqliteStateFile, copy_state, read_state
from ledger.admission import PartitionState
from ledger.chain import Head
from ledger.errors import ConfigError, StateUnavailable
from ledger.ids import LedgerId
from ledger.state import Snapshot

LEDGER_ID = LedgerId(f"test.{'0' * 32}")


def snapshot(offset: int) -> Snapshot:
    state = PartitionState(LEDGER_ID, 0)
    state.offset = offset
    return Snapshot.of(state, 0)


def many(start: int) -> dict[str, Head]:
    return {f"request/{n}": Head(1, bytes(32)) for n in range(start, start + 5000)}


def test_a_full_disk_is_an_error_of_ours_and_loses_nothing(tmp_path: Path) -> None:
    file = SqliteStateFile(tmp_path / "p0.sqlite", 0)
    file.save(snapshot(1), many(0), {})
    pages = file._db.execute("PRAGMA page_count").fetchone()[0]
    file._db.execute(f"PRAGMA max_page_count={pages + 1}")
    with pytest.raises(StateUnavailable, match="make room and try again") as raised:
        file.save(snapshot(2), many(5000), {})
    assert raised.value.retriable
    assert file.load() == snapshot(1)
    assert not file.heads(["request/5000"])
    file._db.execute("PRAGMA max_page_count=1000000")
    file.save(snapshot(2), many(5000), {})
    assert file.load() == snapshot(2)
    assert len(file.heads(["request/0", "request/5000"])) == 2
    file.close()


def test_a_file_that_fails_while_it_is_read_is_an_error_of_ours(tmp_path: Path) -> None:
    file = SqliteStateFile(tmp_path / "p0.sqlite", 0)
    file._db.execute("DROP TABLE heads")
    with pytest.raises(StateUnavailable, match="heads"):
        file.heads(["request/1"])
    file.close()


def test_a_file_in_use_is_told_from_one_that_cannot_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "p0.sqlite"
    file = SqliteStateFile(path, 0)
    with pytest.raises(ConfigError, match="found it in use"):
        SqliteStateFile(path, 0)
    with pytest.raises(ConfigError, match="stop the registrar"):
        read_state(path)
    file.close()
    (tmp_path / "folder.sqlite").mkdir()
    with pytest.raises(StateUnavailable, match="unable to open"):
        SqliteStateFile(tmp_path / "folder.sqlite", 0)


def test_a_copy_has_everything_and_takes_no_ones_place(tmp_path: Path) -> None:
    path, copy = tmp_path / "p0.sqlite", tmp_path / "kept" / "p0.sqlite"
    file = SqliteStateFile(path, 0)
    file.save(snapshot(3), many(0), {})
    file.close()
    assert copy_state(path, copy) == snapshot(3) == read_state(copy)
    again = SqliteStateFile(copy, 0)
    assert len(again.heads([f"request/{n}" for n in range(5000)])) == 5000
    again.close()
    with pytest.raises(ConfigError, match="move it away"):
        copy_state(path, copy)
    assert [p.name for p in copy.parent.iterdir()] == ["p0.sqlite"]


def test_a_damaged_file_is_not_copied(tmp_path: Path) -> None:
    path = tmp_path / "p0.sqlite"
    file = SqliteStateFile(path, 0)
    file.save(snapshot(3), many(0), {})
    file.close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version=9")
    db.commit()
    db.close()
    with pytest.raises(ConfigError, match="found format 9"):
        copy_state(path, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
