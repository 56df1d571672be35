"""A disk that is full: the service says so and ends, to be tried again; nothing is lost, and room is all it needs.

The disk is a real one of some megabytes (tmpfs): the error comes from the kernel, in the middle of any write.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.adapters.ledger_folder import LedgerFolder
from ledger.errors import LogFull
from ledger.log import LEDGER, SUBMISSIONS
from projections.store import Store
from tests.aio import run
from tests.campaign.office import write_log_key
from tests.campaign.services import TRY_AGAIN
from tests.contracts.log_place import ROOT, Place
from tests.e2e.cli import command, environment
from tests.faults.checks import FOLD, check_all, digests, everything, rebuilt
from tests.faults.world import People, Sent, Stream

PARTITIONS = 2
PARTS = ["ledger", "state", "store"]
DISK = 8 << 20


def _mounted(folder: Path) -> bool:
    words = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "rogatory-small", str(folder)]
    try:
        return subprocess.run(words, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk; skips with a word where none can be mounted."""
    folder = Path(tempfile.mkdtemp(prefix="rogatory-disk-"))
    if not _mounted(folder):
        folder.rmdir()
        pytest.skip("no small disk can be mounted here (needs Linux and root): a full disk was not tried")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
    folder.rmdir()


def fill(disk: Path, leave: int) -> Path:
    """Take all room but ``leave`` bytes."""
    room = os.statvfs(disk)
    filler = disk / "filler"
    filler.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - leave)))
    return filler


class Work:
    """A ledger whose parts lie where a test wants them; ``part`` on the small disk."""

    def __init__(self, disk: Path, elsewhere: Path, part: str) -> None:
        self.people = People(PARTITIONS, "full")
        places = {name: (disk if name == part else elsewhere) / name for name in PARTS}
        for place in places.values():
            place.mkdir()
        self.folder = places["ledger"] / "log"
        self.store = f"sqlite:///{places['store']}/store.db"
        keys = elsewhere / "keys"
        write_log_key(keys, self.people)
        self._environment = environment(
            ROGATORY_LEDGER=f"file:{self.folder}",
            ROGATORY_LEDGER_ID=self.people.ledger_id,
            ROGATORY_DATA=str(elsewhere),
            ROGATORY_KEYS=str(keys),
            ROGATORY_STATE=str(places["state"]),
            ROGATORY_STORE=self.store,
        )
        opening = [Sent(0, signed.message(), signed.id, "opening") for signed in self.people.opening()]
        self._waiting = [*opening, *Stream(self.people, 5, subjects=30).take(1500)]
        self.acknowledged: list[tuple[int, int, bytes]] = []

    def publish(self, count: int) -> bool:
        """The next so many events; False if there was no room for one of them, which is then still to come."""

        async def story() -> bool:
            log = LedgerFolder(self.folder)
            try:
                for _ in range(count):
                    sent = self._waiting[0]
                    offset = await log.append(SUBMISSIONS, sent.partition, [sent.message])
                    self.acknowledged.append((sent.partition, offset, sent.message.value or b""))
                    del self._waiting[0]
            except LogFull:
                return False
            finally:
                await log.close()
            return True

        return run(story())

    def work(self) -> subprocess.CompletedProcess[str]:
        """Registrars, herald and projections in a process of their own, until everything is worked off."""
        return subprocess.run(
            command("run", "all", "--until-idle"),
            env=self._environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    async def check(self) -> None:
        log = Place(str(self.folder)).open()
        await check_all(log, self.people.ledger_id, PARTITIONS)
        for partition in range(PARTITIONS):
            submitted = {s.position: s.value for s in await everything(log, SUBMISSIONS, partition)}
            assert all(submitted[offset] == value for p, offset, value in self.acknowledged if p == partition)
        with Store.open(self.store) as store:
            generation = store.live(FOLD, self.people.ledger_id)
            ends = [await log.end(LEDGER, p) for p in range(PARTITIONS)]
            assert [store.load(generation, p).next for p in range(PARTITIONS)] == ends
            live = digests(store, generation, PARTITIONS)
            assert live == await rebuilt(log, store, self.people.ledger_id, PARTITIONS)
        await log.close()


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_room_is_all_it_needs(part: str, disk: Path, tmp_path: Path) -> None:
    work = Work(disk, tmp_path, part)
    run(_created(work.folder))
    work.publish(200)
    assert work.work().returncode == 0
    filler = fill(disk, leave=64 << 10)
    room = work.publish(900)
    assert room is (part != "ledger")
    done = work.work()
    assert done.returncode == TRY_AGAIN, f"{done.returncode}: {done.stdout}{done.stderr}"
    assert "Traceback" not in done.stderr
    assert any(word in done.stderr for word in ("full", "room", "space")), done.stderr
    filler.unlink()
    work.publish(100)
    again = work.work()
    assert again.returncode == 0, again.stderr
    run(work.check())


async def _created(folder: Path) -> None:
    log = LedgerFolder(folder)
    await log.create(PARTITIONS)
    await log.close()
