"""What stands in the ledger already, as a registrar compares its own decisions with it.

Nothing is ever learned from the ledger alone: what stands there must be what admission gives, or the authorities have
settled against it, or the partition stops.
"""

from __future__ import annotations

from collections.abc import Sequence

from consumers.serving import SomebodyElse
from consumers.settlements import Arbiter
from consumers.tail import Tail, leaf_of, seal_of
from ledger.admission import Admitted, PartitionState
from ledger.errors import ForkError
from ledger.ids import LedgerId
from ledger.log import LEDGER, SUBMISSIONS, Log, Stored, header
from ledger.register import Register
from ledger.seal import Seal
from ledger.settlement import Statement
from ledger.submission import SEAL_HEADER

_READ = 1000


class Comparison:
    """One partition's ledger from the saved state on. Owned by the registrar's task."""

    def __init__(self, log: Log, ledger_id: LedgerId, partition: int, statements: Sequence[Statement] = ()) -> None:
        """Nothing is read before ``begin``; ``statements`` are settlements that came in a file."""
        self._log = log
        self._partition = partition
        self._arbiter = Arbiter(log, ledger_id, partition, statements)
        self._tail: Tail | None = None  # None once all that stands there was compared
        self.next = 0
        """The position behind the last record that is known to be ours."""
        self._looked = 0  # up to where no record was found that no submission explains

    async def begin(self, position: int) -> None:
        """Compare from a position on."""
        await self.close()
        self.next, self._looked = position, 0
        self.look_again()

    def look_again(self) -> None:
        """Somebody else may have appended: compare before the next append."""
        if self._tail is None:
            self._tail = Tail(self._log.reader(LEDGER, self._partition, self.next), self._partition)

    async def close(self) -> None:
        """Give back the reader."""
        tail, self._tail = self._tail, None
        if tail is not None:
            await tail.close()

    async def shown(self, index: int, wait: float) -> list[Seal]:
        """The seals that follow each other from ``index`` on; waits up to ``wait`` seconds for the first."""
        self.look_again()
        assert self._tail is not None
        return await self._tail.shown(index, wait)

    async def ends_before(self, index: int) -> bool:
        """Whether no record stands at ``index`` yet."""
        return self._tail is None or await self._tail.peek(index) is None

    async def holds(self, decision: Admitted, register: Register | None) -> bool:
        """Whether the ledger holds a record already; False at its end.

        Args:
            decision: the record that admission gives.
            register: as before it.

        Raises:
            ForkError: it holds another one first, and the authorities have not settled for ours.
        """
        if self._tail is None:
            return False
        while (found := await self._tail.peek(decision.seal.index)) is not None:
            position, leaf = found
            if leaf == decision.leaf:
                self.next = position + 1
                return True
            await self._arbiter.check(decision, register, position, leaf)
            self._tail.skip()
        self.next = self._tail.end
        await self.close()
        return False

    def appended(self, base: int, count: int) -> None:
        """Move on behind ``count`` records that were appended at ``base``.

        Raises:
            SomebodyElse: another position was next; what stands between has to be compared first.
        """
        if base != self.next:
            raise SomebodyElse(f"partition {self._partition}: appended at {base}, expected {self.next}")
        self.next = base + count

    async def check_explained(self, state: PartitionState) -> None:
        """With every submission decided, no record may stand beyond the next index.

        Raises:
            ForkError: one does that no submission explains.
        """
        start = max(self.next, self._looked)
        if await self._log.end(LEDGER, self._partition) <= start:
            return
        reader = self._log.reader(LEDGER, self._partition, start)
        try:
            while messages := await reader.read(_READ):
                for stored in messages:
                    seal = seal_of(stored)
                    if seal is None or seal.index != state.index:
                        continue  # a copy of an old record is harmless, anything else the readers report
                    place = (seal.epoch, seal.offset)
                    submitted = await self._log.end(SUBMISSIONS, self._partition)
                    if (state.epoch, state.offset) < place < (state.epoch, submitted):
                        return  # another registrar was faster with what has just come
                    await self._check_named(stored, seal, state.register)
        finally:
            await reader.close()
        self._looked = reader.position

    async def _check_named(self, stored: Stored, seal: Seal, register: Register | None) -> None:
        text = header(stored.headers, SEAL_HEADER) or b""
        if await self._arbiter.named(seal.index, register) not in (None, leaf_of(text, stored)):
            return  # settled for another one, which a later submission will give
        raise ForkError(
            f"partition {self._partition}: expected no record at index {seal.index}, since every submission "
            f"is decided, found one at position {stored.position} that names submission "
            f"{(seal.epoch, seal.offset)}; a person "
            "must find out who wrote it. Once something else was submitted here, `rogatory fork show "
            f"{self._partition}/{seal.index}` tells which leaf admission gives, for the authorities to "
            "settle"
        )
