"""What commands read from a log themselves: its opening, its register, and who is at work on it.

Records of the register are chained to each other from genesis, whose hash is the ledger's id, so they are taken without
looking at the records between them; signatures are the business of ``rogatory check``.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import msgspec

from ledger import catalogue
from ledger.catalogue.own import RegisterOpened
from ledger.errors import ChainError, FormatError
from ledger.event import read_event
from ledger.ids import LedgerId
from ledger.log import LEDGER, SUBMISSIONS, Log, Stored, header
from ledger.register import Change, Contradiction, Register, apply, make_ledger_id
from ledger.seal import entry, leaf_hash, read_seal
from ledger.submission import SEAL_HEADER

_REGISTER = b"register"
_OPENING = "rogatory.register.opened.v1"
_LOOK = 2000  # submissions that are searched for genesis before a ledger counts as not opened
_PIECE = 2000


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


async def read_register(log: Log, ledger_id: LedgerId, at: int | None = None) -> Register | None:
    """The register by partition 0's records (up to index ``at``); None before the opening is sealed.

    Raises:
        ChainError: a record contradicts those before it.
    """
    register: Register | None = None
    reader = log.reader(LEDGER, 0)
    try:
        while piece := await reader.read(_PIECE):
            for stored in piece:
                if stored.key == _REGISTER:
                    register = _follow(ledger_id, register, stored, at)
    finally:
        await reader.close()
    return register


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
    """The register after a message of partition 0, if that is its next event."""
    text = header(stored.headers, SEAL_HEADER)
    seq, leaf = (register.seq, register.home_leaf.hex()) if register else (0, "")
    try:
        seal = read_seal(text or b"")
    except FormatError:
        return register
    if seal.seq != seq + 1 or seal.prev != leaf or (at is not None and seal.index > at):
        return register
    value = stored.value or b""
    event = read_event(value)
    if register is None and make_ledger_id(value, ledger_id.partition(".")[0]) != ledger_id:
        return None
    data = catalogue.decode_data(catalogue.known(event.type), event.data)
    change = Change(data, seal.admitted, leaf_hash(entry(text or b"", value)))
    try:
        return apply(register, ledger_id, change)
    except Contradiction as error:
        raise ChainError(f"partition 0, index {seal.index}: {error}; run `rogatory check`") from error


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
