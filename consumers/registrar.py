"""The registrar: admits one partition's submissions and appends what they become. Correct without any lock.

One batch, in this order::

    read submissions → prepare → look up → admit → append outcomes → append ledger → save state

- Outcomes come first: a record in the ledger proves that the outcomes before it are written.
- Each append is one batch, all or nothing, and one at a time.
- After an append its base position must be the end that was known; if not, somebody else has appended as well.
- After any failure, and at the start, the ordinary path runs again from the saved state (*recover*): decisions
  whose record stands in the ledger already are compared with it instead of being appended.  Nothing is ever
  learned from the ledger
  alone: a record forged at its tail differs from what admission derives, and stops the partition.

What a crash leaves: after outcomes, they will be written once more (readers keep the first); after the ledger
append, records that
recovery compares; after the save, nothing to do.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from time import perf_counter

from consumers.appending import first_piece, record_message, surely_fitting
from consumers.comparing import Comparison
from consumers.resuming import resume_at, stands
from consumers.serving import NotYet, serve, stepped
from consumers.telling import Telling
from ledger.admission import Admitted, Decision, PartitionState, Prepared, admit, prepare, verify_ahead
from ledger.errors import IntegrityError
from ledger.ids import LedgerId
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Message, Reader, Stored
from ledger.observing import REGISTRAR, SILENT, Observer
from ledger.outcome import outcome_message
from ledger.register import Register
from ledger.seal import Seal
from ledger.settlement import Statement
from ledger.signature import Signer
from ledger.state import Snapshot, StateFile
from ledger.submission import Submission
from ledger.versions import KNOWN_VERSIONS, check_known

BATCH = 1000
_EACH, _LONGEST, _REST = 0.005, 0.025, 0.005
"""Seconds between the beginnings of two batches: so many for each submission of the first, and at most so many.

A batch has a fixed cost, here and at the broker. Where submissions come one by one the next batch may follow at once;
where many come, to wait for more of them is to spend less on each, and none waits for longer than this.
"""
_log = logging.getLogger(__name__)


class Registrar:
    """Admits one partition. One task owns it."""

    def __init__(
        self,
        log: Log,
        ledger_id: LedgerId,
        partition: int,
        state_file: StateFile,
        log_keys: Sequence[Signer] = (),
        *,
        statements: Sequence[Statement] = (),
        batch: int = BATCH,
        known: Collection[int] = KNOWN_VERSIONS,
        observer: Observer = SILENT,
    ) -> None:
        """Admit ``partition``, going on from ``state_file``.

        Args:
            log: carries the ledger.
            ledger_id: the ledger's.
            partition: which one.
            state_file: keeps the state; closed with the registrar.
            log_keys: attest register records; partition 0's registrar cannot do without the one in force.
            statements: settlements of forks that came in a file.
            batch: submissions at a time.
            known: versions of admission that it executes.
            observer: told of each batch.
        """
        self._log = log
        self._ledger_id = ledger_id
        self.partition = partition
        self._file = state_file
        self._log_keys = {key.kid: key for key in log_keys}
        self._standing = Comparison(log, ledger_id, partition, statements)
        self._batch = batch
        self._known = known
        self._telling = Telling(observer, partition)
        self._state: PartitionState | None = None
        self._reader: Reader | None = None
        self._ahead: Sequence[Stored] = []
        """Submissions read and not yet decided: what a log has handed out once need not be fetched again."""
        self._due = 0.0
        """Not before this time of the event loop does the next batch begin, unless it is at hand already."""
        self._busy = False
        self.consumed = 0
        """Submissions decided by this object."""
        self._register_before: Register | None = None
        """The register before the batch in hand."""
        self._unwritten: list[Message] = []
        """Outcomes of decisions behind which no record of the ledger is known yet."""

    @property
    def state(self) -> PartitionState:
        """The state as of the last batch. Only after ``recover``."""
        assert self._state is not None, "recover() comes first"
        return self._state

    @property
    def reached(self) -> int:
        """Up to which offset of its epoch the submissions are decided; 0 before the state is known."""
        return self._state.offset + 1 if self._state else 0

    async def recover(self) -> None:
        """Go back to the saved state, if the ledger bears it out, else to the beginning.

        Raises:
            IntegrityError: the submissions are not those that the state was made from.
            UnknownVersion: a newer release left the state, under a version that this one does not know.
        """
        self._telling.recovering()
        await self._drop()
        snapshot = self._file.load()
        if snapshot is not None and not await stands(self._log, self._ledger_id, self.partition, snapshot):
            _log.warning("partition %d: state does not fit the ledger; admitting again from the start", self.partition)
            self._file.clear()
            snapshot = None
        self._state = snapshot.restore() if snapshot else PartitionState(self._ledger_id, self.partition)
        self._check_version()
        self._unwritten = []
        await self._standing.begin(snapshot.ledger_next if snapshot else 0)
        start = await resume_at(self._log, self.state, self._standing.next)
        self._reader = self._log.reader(SUBMISSIONS, self.partition, start)
        self._telling.standing(self.state)

    async def step(self, wait: float = 0.0) -> int:
        """One batch; how many submissions were consumed, 0 at the end.

        Raises:
            LogUnavailable: the log does not answer; call ``recover`` before the next step.
            ForkError: the ledger holds another record than admission derives.
            UnknownVersion: this partition adopted a version that this release does not know.
        """
        if self._reader is None:
            await self.recover()
        assert self._reader is not None
        if not self._ahead:
            await self._gather(self._reader, wait)
        stored = surely_fitting(self._ahead, self._log.max_append_bytes)
        if not stored:
            if self._unwritten:
                await self._write([])
            await self._standing.check_explained(self.state)
            return 0
        return await self._consume(self._reader, stored, append=True)

    async def _gather(self, reader: Reader, wait: float) -> None:
        """Read the next submissions; with ``wait``, those that come until the next batch is due."""
        left = self._due - asyncio.get_running_loop().time() if wait else 0.0
        if left > 0:
            await asyncio.sleep(left)
        self._ahead = found = await reader.read(self._batch, wait)
        if left > 0 and self._busy and len(found) < self._batch:
            # What a log had fetched before is as old as the last read; what has come since is one question away.
            # Should the log fail now, what was found is kept: it is not handed out again.
            self._ahead = [*found, *await reader.read(self._batch - len(found), _REST)]

    async def follow(self, wait: float = 0.0) -> int:
        """A standby's step: decide what the ledger shows to be decided, compare, save, append nothing.

        It waits up to ``wait`` seconds for the ledger to grow.  ``step`` goes on from here at any time, and back.

        Raises:
            LogUnavailable, ForkError, UnknownVersion: as ``step``.
        """
        if self._reader is None:
            await self.recover()
        assert self._reader is not None
        if self._ahead:  # a standby reads as far as the ledger shows
            self._reader.seek(self._ahead[0].position)
            self._ahead = []
        shown = await self._standing.shown(self.state.index, wait)
        if not shown:
            return 0
        if shown[0].epoch != self.state.epoch and self._reader.position:
            await self.recover()  # says whether the submissions were made anew
            if self._reader.position:
                raise NotYet(f"partition {self.partition}: record {shown[0].index} is of epoch {shown[0].epoch}")
        return await self._consume(self._reader, await self._submitted(self._reader, shown, wait), append=False)

    async def _submitted(self, reader: Reader, shown: Sequence[Seal], wait: float) -> Sequence[Stored]:
        """The submissions up to one that a record names, not many more than a batch of them.

        The last one became a record: what was refused before it has its outcome, and what was behind waits.

        Raises:
            NotYet: the log does not give them.
        """
        here = reader.position
        near = [seal for seal in shown if seal.offset < here + self._batch]
        last = near[-1] if near else shown[0]
        stored: list[Stored] = []
        while (left := last.offset + 1 - reader.position) > 0 and (piece := await reader.read(left, wait)):
            stored += piece
        if not stored or stored[-1].position != last.offset:
            reader.seek(here)
            raise NotYet(f"partition {self.partition}: record {last.index} names submission {last.offset}")
        return stored

    def look_again(self) -> None:
        """Somebody else may have appended: compare with the ledger before the next append."""
        if self._reader is not None:
            self._standing.look_again()

    async def _consume(self, reader: Reader, stored: Sequence[Stored], *, append: bool) -> int:
        self._telling.begins()
        begun = asyncio.get_running_loop().time()
        try:
            decided = self._decide(stored)
            self._ahead = self._ahead[len(decided) :]
            after = stored[len(decided) - 1].position + 1
            if not self._ahead and reader.position != after:
                reader.seek(after)
            await self._write(decided, append=append)
        except BaseException:
            # Unknown what is written: only the ordinary path from the saved state tells.
            await self._drop()
            raise
        gap = _EACH * len(decided)
        self._busy = gap >= _LONGEST
        self._due = begun + min(_LONGEST, gap)
        self.consumed += len(decided)
        self._telling.standing(self.state)
        return len(decided)

    def _decide(self, stored: Sequence[Stored]) -> list[tuple[Prepared, Decision]]:
        state = self.state
        self._register_before = state.register
        epoch = state.epoch
        if stored[0].position == 0 and state.offset >= 0:
            epoch += 1
        prepared = [prepare(Submission.of(s, epoch)) for s in stored]
        state.heads = self._file.heads({p.subject for p in prepared if p.event})
        state.identities = self._file.identities([p.identity for p in prepared if p.identity])
        loaded = dict(state.heads), dict(state.identities)
        verified = verify_ahead(state, prepared)
        decided = []
        for one in prepared:
            if state.version not in self._known:
                break  # the adoption itself is sealed under the version before it
            decision = admit(state, one, verified)
            if epoch != state.epoch and not isinstance(decision, Admitted):
                raise IntegrityError(
                    f"partition {self.partition}: expected submissions.reopened to open epoch {epoch}, found {decision}"
                )
            state.advance(one, decision)
            decided.append((one, decision))
        if not decided:
            self._check_version()
        state.heads = {k: v for k, v in state.heads.items() if loaded[0].get(k) is not v}
        state.identities = {k: v for k, v in state.identities.items() if k not in loaded[1]}
        return decided

    def _check_version(self) -> None:
        check_known(self.state.version, self._known, f"the registrar of partition {self.partition}")

    async def _write(self, decided: list[tuple[Prepared, Decision]], *, append: bool = True) -> None:
        """Compare with the ledger what stands there already, append the rest, save."""
        messages: list[Message] = []
        register = self._register_before
        for prepared, decision in decided:
            if not isinstance(decision, Admitted):
                now = max(prepared.submission.timestamp, 0)
                self._unwritten.append(outcome_message(self.partition, prepared.submission, decision, now))
                continue
            if await self._standing.holds(decision, register):
                # Its writer appended the outcomes before it first.
                self._unwritten.clear()
            elif append:
                messages.append(record_message(self.partition, prepared, decision, self._log_keys))
            else:
                raise NotYet(f"partition {self.partition}: expected a record at {self._standing.next}, found none yet")
            register = decision.register or register
        # When following, a record behind them was shown: their outcomes are written.
        if append and await self._standing.ends_before(self.state.index):
            await self._append_outcomes()
            self._telling.refused(decided)
        if messages:
            # From here the outcomes survive a crash; the records not yet.
            begun = perf_counter()
            base = await self._log.append(LEDGER, self.partition, messages)
            self._standing.appended(base, len(messages))
            self._telling.appended(LEDGER, messages, begun)
            self._telling.admitted(decided, len(messages))
        # From here the records survive; without the save below recovery compares them again.
        if decided:
            state = self.state
            self._file.save(Snapshot.of(state, self._standing.next), state.heads, state.identities)

    async def _append_outcomes(self) -> None:
        while self._unwritten:
            begun, piece = perf_counter(), first_piece(self._unwritten, self._log.max_append_bytes)
            await self._log.append(OUTCOMES, self.partition, piece)
            del self._unwritten[: len(piece)]
            self._telling.appended(OUTCOMES, piece, begun)

    async def _drop(self) -> None:
        reader, self._reader = self._reader, None
        self._ahead = []
        await self._standing.close()
        if reader is not None:
            await reader.close()

    async def close(self) -> None:
        """Give back readers and the state file."""
        self._telling.observer.ended(REGISTRAR, self.partition)
        await self._drop()
        self._file.close()

    async def drain(self) -> int:
        """Steps until the submissions' end; how many were consumed."""
        total = 0
        while count := await stepped(self, 0.0):
            total += count
        return total

    async def run(
        self, stop: asyncio.Event, holds: Callable[[], bool] = lambda: True, *, standby: bool = False
    ) -> None:
        """Serve until ``stop``; an unreachable log is a pause with back-off, everything else ends it.

        ``holds`` is asked before each batch whether the partition is ours; while it is not, a ``standby`` follows.
        """
        await serve(self, stop, holds, standby=standby, observer=self._telling.observer)
