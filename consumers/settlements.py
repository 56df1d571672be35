"""What the authorities settled, as the log and statement files say it now: asked by whoever meets a fork.

Reads partition 0's ledger for the register that follows by attestation (``ledger/settlement.py``), whatever stands
between and however far the reader itself has come: a settlement is found although it stands behind its fork.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ledger.admission import Admitted
from ledger.errors import ForkError
from ledger.ids import LedgerId
from ledger.log import LEDGER, Log, Stored
from ledger.register import Register
from ledger.settlement import Settled, Statement, follow_attested

_READ = 2000
_log = logging.getLogger(__name__)


class Settlements:
    """What is settled in all partitions. Whoever shares it takes turns."""

    def __init__(
        self,
        log: Log,
        ledger_id: LedgerId,
        statements: Sequence[Statement] = (),
        *,
        register: Register | None = None,
        position: int = 0,
    ) -> None:
        """Begin with a register that is trusted, and look for what follows it from ``position`` in partition 0 on."""
        self._log = log
        self._ledger_id = ledger_id
        self._statements = statements
        self._position = position
        self.register = register
        """The register as far as it was found."""

    async def refresh(self) -> None:
        """Look for what has come since.

        Raises:
            LogUnavailable: the log does not answer; calling again goes on.
        """
        if await self._log.end(LEDGER, 0) <= self._position:
            return
        reader = self._log.reader(LEDGER, 0, self._position)
        try:
            while messages := await reader.read(_READ):
                self._follow(messages)
                self._position = max(self._position, reader.position)
        finally:
            await reader.close()

    def passed(self, start: int, messages: Sequence[Stored]) -> None:
        """Take in what somebody else has read of partition 0 from position ``start`` on, so as not to read it again."""
        if messages and start <= self._position <= messages[-1].position:
            self._follow(messages)
            self._position = messages[-1].position + 1

    def _follow(self, messages: Sequence[Stored]) -> None:
        for stored in messages:
            self.register = follow_attested(self.register, self._ledger_id, stored) or self.register

    def leaves(self, partitions: int) -> dict[int, dict[int, bytes]]:
        """By partition, the leaves that count at forked indices, judged by the register as it was found.

        Raises:
            IntegrityError: a statement does not hold.
        """
        found: dict[int, dict[int, bytes]] = {}
        for partition in range(partitions):
            settled = self.of(partition)
            for index in settled.indices:
                leaf = settled.leaf(index, self.register)
                if leaf is not None:
                    found.setdefault(partition, {})[index] = leaf
        return found

    def of(self, partition: int) -> Settled:
        """What is settled in one partition, as far as it was found."""
        return Settled(partition, self.register.settled if self.register else {}, self._statements)


class Arbiter:
    """What a registrar asks when the ledger holds another record than admission gives. Owned by one task."""

    def __init__(self, log: Log, ledger_id: LedgerId, partition: int, statements: Sequence[Statement]) -> None:
        """Ask about one partition; ``statements`` came in files."""
        self._log = log
        self._ledger_id = ledger_id
        self._partition = partition
        self._statements = statements
        self._settled: dict[int, bytes] = {}

    async def check(self, ours: Admitted, register: Register | None, position: int, found: bytes) -> None:
        """Pass a record that the authorities settled against, in favour of ``ours``.

        Args:
            ours: what admission gives.
            register: as before it.
            position: where the other record stands.
            found: its leaf.

        Raises:
            ForkError: they have settled nothing, or for another leaf than ours.
        """
        index = ours.seal.index
        where = f"partition {self._partition}, index {index}"
        named = await self.named(index, register)
        if named is None:
            error = ForkError(
                f"{where}: admission gives leaf {ours.leaf.hex()}, the ledger holds {found.hex()} at position "
                f"{position}; a person must find out who wrote it, then the authorities settle which one counts: "
                f"`rogatory fork settle {self._partition}/{index} {ours.leaf.hex()}`"
            )
            error.ours = ours.leaf
            raise error
        if named != ours.leaf:
            raise ForkError(
                f"{where}: the authorities settled for leaf {named.hex()}, admission by this release gives "
                f"{ours.leaf.hex()}: this registrar cannot go on; look whether it runs the right release on the right "
                "submissions"
            )
        _log.warning("%s: passed leaf %s at position %d, as the authorities settled", where, found.hex(), position)

    async def named(self, index: int, register: Register | None) -> bytes | None:
        """The leaf (32 bytes) that the authorities named at an index, judged with the register before it."""
        if index not in self._settled:
            settlements = Settlements(self._log, self._ledger_id, self._statements, register=register)
            await settlements.refresh()
            named = settlements.of(self._partition).leaf(index, register)
            if named is None:
                return None
            self._settled[index] = named
        return self._settled[index]
