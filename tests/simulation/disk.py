"""What outlives a process: states of registrars and rows of readers, which may come back older than they were."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from ledger.admission import Known
from ledger.chain import ChainState, Head
from ledger.errors import Overtaken
from ledger.ids import LedgerId
from ledger.state import Snapshot
from projections.cases import CasesFold
from projections.digest import Compared, row_digest, state_digest
from projections.fold import facts_decoder
from projections.schema import PROJECTIONS
from projections.view import Batch, Generation, PartitionView, Row, Saved
from tests.simulation.faults import Faults

FOLD = CasesFold()
_read_indices = msgspec.json.Decoder(list[int]).decode
_Copy = tuple[bytes, dict[str, Head], dict[bytes, Known]]


class Disk:
    """One registrar's state as it lies there, with all its older copies."""

    def __init__(self, faults: Faults, partition: int) -> None:
        self._faults = faults
        self._place = f"state/{partition}"
        self._copies: list[_Copy] = []

    def back(self) -> str:
        """What the dice make of it while its registrar is down."""
        dice = self._faults.dice
        fate = dice.random()
        if not self._copies or fate < 0.7:
            return "kept"
        if fate < 0.8:
            self._copies.clear()
            return "lost"
        del self._copies[dice.randrange(len(self._copies)) + 1 :]
        return "older"

    def load(self) -> Snapshot | None:
        return msgspec.json.decode(self._copies[-1][0], type=Snapshot) if self._copies else None

    def heads(self, subjects: Collection[str]) -> dict[str, Head]:
        heads = self._copies[-1][1] if self._copies else {}
        return {subject: heads[subject] for subject in subjects if subject in heads}

    def identities(self, identities: Collection[bytes]) -> dict[bytes, Known]:
        known = self._copies[-1][2] if self._copies else {}
        return {identity: known[identity] for identity in identities if identity in known}

    def save(self, snapshot: Snapshot, heads: Mapping[str, Head], identities: Mapping[bytes, Known]) -> None:
        self._faults.save(self._place)
        _, old_heads, old_identities = self._copies[-1] if self._copies else (b"", {}, {})
        # As the file does: heads are replaced, identities are kept as they came first.
        copy = msgspec.json.encode(snapshot), {**old_heads, **heads}, {**identities, **old_identities}
        self._copies.append(copy)
        self._faults.save(self._place)

    def clear(self) -> None:
        self._copies.clear()

    def close(self) -> None:
        return


_COLUMNS = tuple(column.name for column in PROJECTIONS[FOLD.name].c)


class Rows:
    """The rows of one generation in memory, committed as ``projections.store.Store`` does: by compare-and-set."""

    def __init__(self, faults: Faults, ledger_id: LedgerId) -> None:
        self.generation = Generation(1, FOLD.name, FOLD.version, ledger_id, "live", 0)
        self._faults = faults
        self._saved: dict[int, Saved] = {}
        self._rows: dict[int, dict[str, dict[str, Any]]] = {}

    def view(self, partition: int, known: Collection[int]) -> PartitionView[Any]:
        """A view from where the rows stand."""
        saved = self.saved(partition)
        return PartitionView(FOLD, self.generation, partition, saved, capacity=4, known=known)

    def saved(self, partition: int) -> Saved:
        """Where they stand."""
        return self._saved.get(partition, Saved(0, ChainState(partition)))

    def rows(self, view: PartitionView[Any], subjects: Collection[str]) -> dict[str, Row[Any]]:
        """Those of the subjects that have one."""
        if self.saved(view.partition).next not in view.bases:
            raise Overtaken("the rows have moved on")
        there = self._rows.get(view.partition, {})
        decode = facts_decoder(FOLD.facts).decode
        return {
            subject: Row(
                subject,
                row["sort"],
                Head(row["seq"], row["leaf"]),
                row["done"],
                _read_indices(row["recent"]),
                None if row["facts"] is None else decode(row["facts"]),
            )
            for subject in subjects
            if (row := there.get(subject)) is not None
        }

    def commit(self, batch: Batch) -> None:
        """All of the batch, or Overtaken."""
        place = f"commit/{batch.partition}"
        self._faults.save(place)
        if self.saved(batch.partition).next != batch.expected:
            raise Overtaken("another worker was faster")
        self._write(batch)
        self._faults.save(place)

    def _write(self, batch: Batch) -> None:
        self._saved[batch.partition] = Saved(batch.next, batch.state)
        self._put(batch)

    def _put(self, batch: Batch) -> None:
        rows = self._rows.setdefault(batch.partition, {})
        for values in batch.rows:
            row = dict(zip(_COLUMNS, values, strict=True))
            rows[str(row["subject"])] = row

    def digest(self, partition: int) -> bytes:
        """Of the partition's rows, each computed anew."""
        state = self.saved(partition).state
        generation = self.generation
        about = (generation.fold, generation.fold_version, generation.ledger_id)
        compared = Compared(*about, partition, state.size, state.root().hex())
        rows = sorted(self._rows.get(partition, {}).items())
        return state_digest(compared, [_digest(row) for _, row in rows])


def _digest(row: dict[str, Any]) -> bytes:
    facts = None if row["facts"] is None else row["facts"].encode()
    return row_digest(row["subject"], row["seq"], row["leaf"], row["done"], row["recent"].encode(), facts)
