"""What a projection is: a pure fold of one subject's records into facts, and the columns one can search by.

``evolve(facts, record)`` sees one subject's facts and that subject's next record, and nothing else: no clock, no
register, no other subject, no order among subjects.  So the same facts come out whatever the interleaving of
partitions and the size of batches, live or replayed.  Facts are a frozen msgspec Struct that survives JSON unchanged.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import msgspec

from ledger.chain import Record

F = TypeVar("F", bound=msgspec.Struct)

Column = str | int | bool | None


class Fold(Protocol[F]):
    """One projection. Stateless; facts go in and come out."""

    @property
    def name(self) -> str:
        """A short word, part of table names: ``status``."""
        ...

    @property
    def version(self) -> int:
        """Goes up whenever the same records would give other facts; stores of different versions are not compared."""
        ...

    @property
    def sorts(self) -> frozenset[str]:
        """Sorts of subjects it folds (``ledger/ids.py``); records of others only move the position."""
        ...

    @property
    def facts(self) -> type[F]:
        """The type of its facts."""
        ...

    def evolve(self, facts: F | None, record: Record) -> F:
        """The facts after one more record of the subject (None before its first). Never raises for an admitted one."""
        ...

    def columns(self, facts: F) -> Mapping[str, Column]:
        """What can be searched: values for the columns that the store keeps beside the facts."""
        ...


_preparing = threading.Lock()
_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def facts_decoder(facts: type[F]) -> msgspec.json.Decoder[F]:
    """The decoder of a type of facts, the same one for all threads.

    msgspec prepares a type at its first use, and two threads that do so at once may see it half prepared, which ends
    the process; hence the lock.
    """
    with _preparing:
        if facts not in _decoders:
            _decoders[facts] = msgspec.json.Decoder(facts)
        return _decoders[facts]
