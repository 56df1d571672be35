"""A saved state that cannot be read is derived again, with nothing of it left behind."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec
import pytest

from infra.adapters.state_file import SqliteStateFile, read_state
from ledger.errors import ConfigError
from ledger.log import LEDGER, SUBMISSIONS
from ledger.state import Snapshot
from tests.aio import run
from tests.faults.ground import memory_with, registrar, undisturbed


def spoil(path: Path, raw: bytes) -> None:
    with sqlite3.connect(path) as db:
        db.execute("UPDATE snapshot SET said = ?", (raw,))
    db.close()


def wrong_frontier(snapshot: Snapshot) -> bytes:
    return msgspec.json.encode(msgspec.structs.replace(snapshot, frontier=snapshot.frontier[:-1]))


@pytest.mark.parametrize("how", ["not JSON", "not UTF-8", "a frontier of another size"])
def test_a_registrar_with_an_unreadable_snapshot_admits_again_what_stands_there(tmp_path: Path, how: str) -> None:
    """Its file still holds heads and identities; would it go by these, each submission would duplicate itself."""

    async def story() -> None:
        reference = await undisturbed(2, 5, 30)
        log, path = memory_with(reference.submissions), tmp_path / "state.sqlite"
        first = registrar(log, reference.people, 1, SqliteStateFile(path, 1))
        await first.drain()
        await first.close()
        found = SqliteStateFile(path, 1)
        snapshot = found.load()
        found.close()
        assert snapshot is not None
        spoil(path, {"not JSON": b"{", "not UTF-8": b'{"ledger_id":"\xb5"}'}.get(how) or wrong_frontier(snapshot))
        with pytest.raises(ConfigError, match="an unreadable one"):
            read_state(path)
        before = await log.end(LEDGER, 1)
        again = registrar(log, reference.people, 1, SqliteStateFile(path, 1))
        assert await again.drain() == await log.end(SUBMISSIONS, 1)
        assert again.state.past == reference.pasts[1]
        assert await log.end(LEDGER, 1) == before
        await again.close()
        assert read_state(path) == snapshot

    run(story())
