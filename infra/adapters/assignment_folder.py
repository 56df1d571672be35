"""Assignment on a ledger folder: the processes of one machine share its partitions by locks.

::

    folder/registrars/
      member-<32 hex>.json      one for each member, locked by it; what it says of itself
      partition-<n>.lock        locked by who holds the partition; empty

A lock is the kernel's (``flock``): it is free as soon as the process that had it is gone, however it went, and not
before.  So a process that was only paused keeps what it holds, and its partitions wait for it; where SQLite's own locks
would wait for it just the same, nothing better can be had.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import time
import uuid
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ledger.assignment import Member, share
from ledger.errors import LogUnavailable

_FOLDER = "registrars"
_log = logging.getLogger(__name__)


class FolderAssignment:
    """``ledger.assignment.Assignment`` in a folder.

    Args:
        folder: the ledger folder.
        partitions: how many it has.
        me: what this process says of itself; its id is given here.
        interval: seconds between two looks at the others.
    """

    def __init__(self, folder: Path, partitions: int, me: Member, interval: float = 0.3) -> None:
        self._folder = folder / _FOLDER
        self._partitions = partitions
        self._me = msgspec.structs.replace(me, id=me.id or uuid.uuid4().hex)
        self._interval = interval
        self._file = self._folder / f"member-{self._me.id}.json"
        self._own: int | None = None  # the descriptor that locks it
        self._locks: dict[int, int] = {}
        """Descriptors of the partitions that are locked here, those that are being ended with included."""
        self._ours: frozenset[int] = frozenset()

    async def join(self) -> None:
        """Become a member."""
        try:
            self._folder.mkdir(exist_ok=True)
            # Nobody must find the file before it is locked, or it would look like one of the dead.
            draft = self._file.with_suffix(".new")
            self._own = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            fcntl.flock(self._own, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._say()
            draft.rename(self._file)
        except OSError as error:
            raise LogUnavailable(f"join the registrars in {self._folder}: {error}") from error

    async def ours(self, wait: float) -> frozenset[int]:
        """The partitions to work on now; returns when they change, or after ``wait`` seconds."""
        deadline = time.monotonic() + wait
        while True:
            before = self._ours
            try:
                self._look()
            except OSError as error:
                raise LogUnavailable(f"look at the registrars in {self._folder}: {error}") from error
            left = deadline - time.monotonic()
            if self._ours != before or left <= 0:
                return self._ours
            await asyncio.sleep(min(self._interval, left))

    def holds(self, partition: int) -> bool:
        """Whether to go on with it: the lock outlasts any pause."""
        return partition in self._ours

    async def released(self, partition: int) -> None:
        """Unlock what is no longer ours."""
        if partition not in self._ours and partition in self._locks:
            os.close(self._locks.pop(partition))
            self._publish()

    async def tell(self, warm: Mapping[int, int], stopped: Mapping[int, str]) -> None:
        """What others should know of this member."""
        self._me = msgspec.structs.replace(self._me, warm=dict(warm), stopped=dict(stopped))
        self._publish()

    async def members(self) -> list[Member]:
        """Everybody whose lock holds."""
        try:
            return self._members()
        except OSError as error:
            raise LogUnavailable(f"look at the registrars in {self._folder}: {error}") from error

    async def leave(self) -> None:
        """Unlock everything and take the member's file away."""
        self._ours = frozenset()
        for partition in list(self._locks):
            os.close(self._locks.pop(partition))
        if self._own is not None:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)
            os.close(self._own)
            self._own = None

    def _look(self) -> None:
        """Take and give up what the sharing says."""
        members = self._members()
        fair = set(share(members, self._partitions).get(self._me.id, ()))
        kept = {p for p in self._ours if p in fair}
        got = {p for p in fair - kept if p in self._locks or self._lock(p)}
        now = frozenset(kept | got)
        if now != self._ours:
            self._ours = now
            self._publish()

    def _lock(self, partition: int) -> bool:
        descriptor = os.open(self._folder / f"partition-{partition}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)  # its holder has not ended yet: next time
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._locks[partition] = descriptor
        return True

    def _publish(self) -> None:
        self._me = msgspec.structs.replace(self._me, held=tuple(sorted(self._locks)))
        if self._own is not None:
            self._say()

    def _say(self) -> None:
        """Write what this member says, in one call and in place: another file would not have the lock."""
        assert self._own is not None
        text = msgspec.json.encode(self._me) + b"\n"
        # What may be left of a longer text stands behind the line, where nobody reads.
        os.pwrite(self._own, text, 0)

    def _members(self) -> list[Member]:
        if not self._folder.is_dir():
            return []
        found = []
        for path in sorted(self._folder.glob("member-*.json")):
            if path == self._file and self._own is not None:
                found.append(self._me)
                continue
            try:
                descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except (FileNotFoundError, PermissionError):
                continue
            try:
                if not _is_locked(descriptor):
                    path.unlink(missing_ok=True)
                    _log.info("%s: its process is gone", path.name)
                    continue
                found.append(msgspec.json.decode(os.pread(descriptor, 1 << 20, 0).partition(b"\n")[0], type=Member))
            except msgspec.MsgspecError:
                continue  # caught while it was being written; the next look finds it whole
            finally:
                os.close(descriptor)
        return found


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
