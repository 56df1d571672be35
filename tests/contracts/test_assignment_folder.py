"""Assignment in a ledger folder: the contract, and what only locks can do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from infra.adapters.assignment_folder import FolderAssignment
from ledger.assignment import Member
from ledger.errors import LogUnavailable
from tests.aio import run
from tests.contracts.assignment_contract import PARTITIONS, AssignmentContract, Make, Party
from tests.contracts.log_place import ROOT

_HOLD = """
import asyncio, sys
from pathlib import Path
from infra.adapters.assignment_folder import FolderAssignment
from ledger.assignment import Member

async def hold():
    one = FolderAssignment(Path(sys.argv[1]), 4, Member(where="other", log_key=True))
    await one.join()
    print(sorted(await one.ours(30)), flush=True)
    await asyncio.sleep(600)

asyncio.run(hold())
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    """Another process that takes everything and prints what it got."""
    return subprocess.Popen([sys.executable, "-c", _HOLD, str(folder)], stdout=subprocess.PIPE, text=True, cwd=ROOT)


class TestFolder(AssignmentContract):
    """The folder keeps the contract."""

    @pytest.fixture
    def make(self, tmp_path: Path) -> Make:
        return lambda me: FolderAssignment(tmp_path, PARTITIONS, me, interval=0.02)

    def test_nobody_gets_a_partition_before_its_holder_has_ended_with_it(self, make: Make) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            party.slow.add("a")
            await party.until(party.shared(4))
            await party.join("b")
            await party.until(lambda: len(party.ours["a"]) == 2)
            for _ in range(10):
                await party.look()
            assert party.ours["b"] == frozenset()
            for partition in set(range(PARTITIONS)) - party.ours["a"]:
                await one.released(partition)
            await party.until(party.shared(2, 2))

        self.play(make, story)

    def test_what_a_killed_process_held_is_free(self, make: Make, tmp_path: Path) -> None:
        async def story(party: Party) -> None:
            other = holder(tmp_path)
            try:
                assert other.stdout is not None
                assert json.loads(other.stdout.readline()) == [0, 1, 2, 3]
                one = await party.join("a")
                assert {m.where: m.held for m in await one.members()} == {"a": (), "other": (0, 1, 2, 3)}
                os.kill(other.pid, signal.SIGKILL)
                other.wait()
                await party.until(party.shared(4))
                assert [m.where for m in await one.members()] == ["a"]
            finally:
                other.kill()
                other.wait()
                assert other.stdout is not None
                other.stdout.close()

        self.play(make, story)

    def test_a_folder_that_is_not_there_is_an_error_of_ours(self, tmp_path: Path) -> None:
        one = FolderAssignment(tmp_path / "none", PARTITIONS, Member())
        with pytest.raises(LogUnavailable, match="registrars"):
            run(one.join())

    def test_it_leaves_no_member_behind(self, make: Make, tmp_path: Path) -> None:
        async def story(party: Party) -> None:
            await party.join("a")
            await party.leave("a")
            assert list((tmp_path / "registrars").glob("member-*")) == []

        self.play(make, story)

    def test_half_a_text_of_a_member_counts_at_the_next_look(self, make: Make, tmp_path: Path) -> None:
        async def story(party: Party) -> None:
            one = await party.join("a")
            two = await party.join("b")
            (file,) = (f for f in (tmp_path / "registrars").glob("member-*") if two._me.id in f.name)
            whole = file.read_bytes()
            file.write_bytes(whole[:10])
            assert [m.where for m in await one.members()] == ["a"]
            file.write_bytes(whole)
            assert {m.where for m in await one.members()} == {"a", "b"}

        self.play(make, story)


def test_time_is_not_what_frees_a_lock(tmp_path: Path) -> None:
    """A process that is paused keeps what it holds; only its end frees it."""
    other = holder(tmp_path)
    try:
        assert other.stdout is not None
        other.stdout.readline()
        os.kill(other.pid, signal.SIGSTOP)

        async def story() -> None:
            one = FolderAssignment(tmp_path, PARTITIONS, Member(where="a", log_key=True), interval=0.02)
            await one.join()
            deadline = time.monotonic() + 1
            while time.monotonic() < deadline:
                assert await one.ours(0.1) == frozenset()
            os.kill(other.pid, signal.SIGKILL)
            other.wait()
            assert await one.ours(30) == frozenset(range(PARTITIONS))
            await one.leave()

        run(story())
    finally:
        other.kill()
        other.wait()
        assert other.stdout is not None
        other.stdout.close()
