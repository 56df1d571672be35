"""What the authorities settled, as the log and statement files say it now: asked by whoever meets a fork.

Reads partition 0's ledger for the register that follows by attestation (``ledger/settlement.py``), whatever stands
between and however far the reader itself has come: a settlement is found although it stands behind its fork.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.ids import LedgerId
from ledger.log import LEDGER, Log
from ledger.register import Register
from ledger.settlement import Settled, Statement, follow_attested

_READ = 2000


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
                for stored in messages:
                    self.register = follow_attested(self.register, self._ledger_id, stored) or self.register
                self._position = reader.position
        finally:
            await reader.close()

    def of(self, partition: int) -> Settled:
        """What is settled in one partition, as far as it was found."""
        return Settled(partition, self.register.settled if self.register else {}, self._statements)
