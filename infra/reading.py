"""What commands read from a log themselves: its opening, its register, and who is at work on it.

Records of the register are chained to each other from genesis, whose hash is the ledger's id, and attested by a log
key, so they are taken without looking at the records between them, forged ones among them (``ledger/settlement.py``).
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from infra.adapters.cache_file import CacheFile
from ledger import catalogue
from ledger.catalogue.own import RegisterOpened
from ledger.errors import FormatError, LogSettings
from ledger.event import read_event
from ledger.ids import LedgerId
from ledger.log import LEDGER, SUBMISSIONS, Log, Stored, header
from ledger.register import Register, make_ledger_id
from ledger.seal import entry, leaf_hash, read_seal
from ledger.settlement import follow_attested
from ledger.submission import SEAL_HEADER

_REGISTER = b"register"
_OPENING = "rogatory.register.opened.v1"
_LOOK = 2000  # submissions that are searched for genesis before a ledger counts as not opened
_PIECE = 2000
_WORTH = 500  # messages that had to be read before it is worth remembering how far that was


class Genesis(msgspec.Struct, frozen=True):
    """A ledger's first event as found in its log."""

    ledger_id: LedgerId
    opened: RegisterOpened


async def find_genesis(log: Log, ledger_id: LedgerId | None = None) -> Genesis | None:
    """Genesis (the one of ``ledger_id``, if given), from the first messages of partition 0, or None."""
    for topic in (LEDGER, SUBMISSIONS):
        reader = log.reader(topic, 0)
        try:
            while reader.position < _LOOK and (piece := await reader.read(200)):
                for stored in piece:
                    genesis = _read_genesis(stored.value)
                    if genesis is not None and ledger_id in (None, genesis.ledger_id):
                        return genesis
        finally:
            await reader.close()
    return None


def _read_genesis(value: bytes | None) -> Genesis | None:
    if value is None or _OPENING.encode() not in value:
        return None
    try:
        event = read_event(value)
        data = catalogue.decode_data(catalogue.known(_OPENING), event.data) if event.type == _OPENING else None
    except FormatError:
        return None
    return Genesis(make_ledger_id(value, data.name), data) if isinstance(data, RegisterOpened) else None


class Seen(msgspec.Struct, frozen=True):
    """The register as it was found once, and the record of partition 0 that was the last one looked at then."""

    ledger_id: LedgerId
    register: Register
    place: int
    leaf: str


async def read_register(
    log: Log, ledger_id: LedgerId, at: int | None = None, cache: CacheFile[Seen] | None = None
) -> Register | None:
    """The register by partition 0's records (up to index ``at``); None before the opening is sealed.

    Args:
        log: carries the ledger.
        ledger_id: the ledger's.
        at: the last index that counts; None for all. With it, all is read.
        cache: remembers the register, so that only what came since has to be read. It counts only if the record that
            it names stands there still.

    Raises:
        ChainError: a record contradicts those before it.
    """
    seen = await _still(log, ledger_id, cache.load()) if cache and at is None else None
    register = seen.register if seen else None
    start = seen.place + 1 if seen else 0
    reader = log.reader(LEDGER, 0, start)
    last: Stored | None = None
    try:
        while piece := await reader.read(_PIECE):
            last = piece[-1]
            for stored in piece:
                if stored.key == _REGISTER:
                    register = _follow(ledger_id, register, stored, at)
    finally:
        await reader.close()
    if cache and at is None and register and last and last.position - start >= _WORTH:
        cache.save(Seen(ledger_id, register, last.position, _fingerprint(last)))
    return register


async def _still(log: Log, ledger_id: LedgerId, seen: Seen | None) -> Seen | None:
    """What was seen, if it is this ledger's and the log still has its last record in its place."""
    if seen is None or seen.ledger_id != ledger_id:
        return None
    reader = log.reader(LEDGER, 0, seen.place)
    try:
        found = await reader.read(1)
    except LogSettings:
        return None  # it does not reach that far
    finally:
        await reader.close()
    is_same = found and found[0].position == seen.place and _fingerprint(found[0]) == seen.leaf
    return seen if is_same else None


def _fingerprint(stored: Stored) -> str:
    return leaf_hash(entry(header(stored.headers, SEAL_HEADER) or b"", stored.value or b"")).hex()


class RegisterFollower:
    """The register kept up with partition 0, for whoever asks again and again. Owned by one task."""

    def __init__(self, log: Log, ledger_id: LedgerId) -> None:
        self._reader = log.reader(LEDGER, 0)
        self._ledger_id = ledger_id
        self._register: Register | None = None

    async def now(self) -> Register | None:
        """The register by what partition 0 has now; None before the opening is sealed.

        Raises:
            LogUnavailable: the log does not answer.
        """
        while piece := await self._reader.read(_PIECE):
            for stored in piece:
                if stored.key == _REGISTER:
                    self._register = _follow(self._ledger_id, self._register, stored, None)
        return self._register

    async def close(self) -> None:
        """Give back the reader."""
        await self._reader.close()


async def read_register_seq(log: Log, partition: int, start: int) -> int:
    """The last register event that a partition's ledger has from ``start`` on; 0 if there is none."""
    reader = log.reader(LEDGER, partition, start)
    seq = 0
    try:
        while piece := await reader.read(_PIECE):
            for stored in piece:
                if stored.key == _REGISTER:
                    seq = max(seq, _seq_of(header(stored.headers, SEAL_HEADER)))
    finally:
        await reader.close()
    return seq


def _follow(ledger_id: LedgerId, register: Register | None, stored: Stored, at: int | None) -> Register | None:
    """The register after a message of partition 0, if that is its next event and attested by a log key."""
    if at is not None and _index_of(header(stored.headers, SEAL_HEADER)) > at:
        return register
    return follow_attested(register, ledger_id, stored) or register


def _index_of(seal_text: bytes | None) -> int:
    try:
        return read_seal(seal_text).index if seal_text else 0
    except FormatError:
        return 0


def _seq_of(seal_text: bytes | None) -> int:
    try:
        return read_seal(seal_text).seq if seal_text else 0
    except FormatError:
        return 0


def is_held(path: Path) -> bool:
    """Whether another process has a state file open; a registrar's lock lasts as long as it runs."""
    if not path.exists():
        return False
    try:
        db = sqlite3.connect(f"file:{path}?mode=rw", uri=True, timeout=0.0)
    except sqlite3.Error:
        return False
    try:
        db.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        return "locked" in str(error)
    except sqlite3.Error:
        return False
    finally:
        db.close()
    return False
