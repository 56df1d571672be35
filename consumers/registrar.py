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

from consumers.settlements import Arbiter
from consumers.tail import Tail, leaf_of, seal_of
from consumers.telling import Telling
from ledger.admission import Admitted, Decision, PartitionState, Prepared, admit, opens_epoch, prepare, verify_ahead
from ledger.errors import (
    ConfigError,
    ForkError,
    FormatError,
    IntegrityError,
    KeyFault,
    LogUnavailable,
    StateUnavailable,
)
from ledger.event import CONTENT_TYPE
from ledger.ids import LedgerId
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Log, Message, Reader, Stored, header
from ledger.observing import LOG, REGISTRAR, SILENT, Observer
from ledger.outcome import outcome_message
from ledger.register import Register
from ledger.seal import entry, read_seal
from ledger.settlement import Statement
from ledger.signature import ENTRY_PAYLOAD, Signer, format_signature, sign
from ledger.state import Snapshot, StateFile
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, SEAL_HEADER, Submission
from ledger.versions import KNOWN_VERSIONS, check_known

BATCH = 1000
_HEADROOM = 2048  # what a seal or an outcome adds to a submission, with the framing of both logs
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
        self._arbiter = Arbiter(log, ledger_id, partition, statements)
        self._batch = batch
        self._known = known
        self._telling = Telling(observer, partition)
        self._state: PartitionState | None = None
        self._ledger_next = 0
        self._reader: Reader | None = None
        self._tail: Tail | None = None
        self.consumed = 0
        """Submissions decided by this object."""
        self._looked = 0
        """Up to where the ledger was searched for records that no submission explains."""
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
        if snapshot is not None and not await self._stands(snapshot):
            _log.warning("partition %d: state does not fit the ledger; admitting again from the start", self.partition)
            self._file.clear()
            snapshot = None
        self._state = snapshot.restore() if snapshot else PartitionState(self._ledger_id, self.partition)
        self._check_version()
        self._ledger_next = snapshot.ledger_next if snapshot else 0
        self._unwritten = []
        self._looked = 0
        self._tail = Tail(self._log.reader(LEDGER, self.partition, self._ledger_next), self.partition)
        self._reader = self._log.reader(SUBMISSIONS, self.partition, await self._resume_at())
        self._telling.standing(self.state)

    async def _stands(self, snapshot: Snapshot) -> bool:
        """Whether the state's last record stands at its place in the ledger (it may have been truncated).

        Raises:
            ConfigError: it is another ledger's or partition's state, which must not be cleared.
            IntegrityError: the ledger is empty.
        """
        if (snapshot.ledger_id, snapshot.partition) != (self._ledger_id, self.partition):
            raise ConfigError(
                f"expected the state of partition {self.partition} of {self._ledger_id}, found that of partition "
                f"{snapshot.partition} of {snapshot.ledger_id}: give this registrar a state folder of its own (--data, "
                "or ROGATORY_STATE), and do not delete that one"
            )
        if snapshot.index == 0:
            return True
        if await self._log.end(LEDGER, self.partition) == 0:
            raise IntegrityError(
                f"partition {self.partition}: expected the {snapshot.index} records that this registrar has seen in "
                "the ledger, found it empty: somebody made the topic anew. Restore it from a mirror or a backup. If it "
                "is lost for good, move the partition's state file away: all submissions are then admitted again, "
                "which writes the same records"
            )
        stored = await self._one(LEDGER, snapshot.ledger_next - 1)
        text = header(stored.headers, SEAL_HEADER) if stored else None
        return stored is not None and text is not None and leaf_of(text, stored) == snapshot.last_leaf

    async def _resume_at(self) -> int:
        """Where to read submissions on, after a look whether they are still the ones that were sealed.

        Raises:
            IntegrityError: they are not, and the log does not begin with ``submissions.reopened``.
        """
        state = self.state
        first = await self._one(SUBMISSIONS, 0)
        if state.index and first is not None and opens_epoch(state, Submission.of(first, state.epoch + 1)):
            return 0
        record = await self._one(LEDGER, self._ledger_next - 1 if state.index else 0)
        text = header(record.headers, SEAL_HEADER) if record else None
        if record is None or text is None:
            return state.offset + 1
        try:
            seal = read_seal(text)
        except FormatError:
            return state.offset + 1  # a stray message; what it means for readers is theirs to say
        if seal.index != max(state.index - 1, 0):
            return state.offset + 1  # ahead of its index: no record of history
        submitted = await self._one(SUBMISSIONS, seal.offset)
        if submitted is None or submitted.value != record.value or seal.epoch != state.epoch:
            raise IntegrityError(
                f"partition {self.partition}: expected the bytes of ledger record {seal.index} at offset "
                f"{seal.offset} of the submissions of epoch {state.epoch}, found "
                f"{'other bytes' if submitted else 'nothing'}; a submissions log that was made anew begins with "
                "submissions.reopened, and needs the saved state"
            )
        return state.offset + 1

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
        stored = _within(await self._reader.read(self._batch, wait), self._log.max_append_bytes)
        if not stored:
            if self._unwritten:
                await self._write([])
            await self._check_tail()
            return 0
        return await self._consume(self._reader, stored, append=True)

    async def follow(self, wait: float = 0.0) -> int:
        """A standby's step: decide what the ledger shows to be decided, compare, save, append nothing.

        It waits up to ``wait`` seconds for the ledger to grow.  ``step`` goes on from here at any time, and back.

        Raises:
            LogUnavailable, ForkError, UnknownVersion: as ``step``.
        """
        if self._reader is None:
            await self.recover()
        self.look_again()
        assert self._reader is not None
        assert self._tail is not None
        shown = await self._tail.shown(self.state.index, wait)
        if not shown:
            return 0
        if shown[0].epoch != self.state.epoch and self._reader.position:
            await self.recover()  # says whether the submissions were made anew
            if self._reader.position:
                raise _NotYet(f"partition {self.partition}: record {shown[0].index} is of epoch {shown[0].epoch}")
        here = self._reader.position
        near = [seal for seal in shown if seal.offset < here + self._batch]
        # The batch ends with a record: what was refused before it has its outcome, and what was behind waits.
        last = near[-1] if near else shown[0]
        stored: list[Stored] = []
        while (left := last.offset + 1 - self._reader.position) > 0 and (piece := await self._reader.read(left, wait)):
            stored += piece
        if not stored or stored[-1].position != last.offset:
            self._reader.seek(here)
            raise _NotYet(f"partition {self.partition}: record {last.index} names submission {last.offset}")
        return await self._consume(self._reader, stored, append=False)

    def look_again(self) -> None:
        """Somebody else may have appended: compare with the ledger before the next append."""
        if self._reader is not None and self._tail is None:
            self._tail = Tail(self._log.reader(LEDGER, self.partition, self._ledger_next), self.partition)

    async def _consume(self, reader: Reader, stored: list[Stored], *, append: bool) -> int:
        self._telling.begins()
        try:
            decided = self._decide(stored)
            reader.seek(stored[len(decided) - 1].position + 1)
            await self._write(decided, append=append)
        except BaseException:
            # Unknown what is written: only the ordinary path from the saved state tells.
            await self._drop()
            raise
        self.consumed += len(decided)
        self._telling.standing(self.state)
        return len(decided)

    def _decide(self, stored: list[Stored]) -> list[tuple[Prepared, Decision]]:
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
            if await self._matches(decision, register):
                # Its writer appended the outcomes before it first.
                self._unwritten.clear()
            elif append:
                messages.append(self._message(prepared, decision))
            else:
                raise _NotYet(f"partition {self.partition}: expected a record at {self._ledger_next}, found none yet")
            register = decision.register or register
        # When following, a record behind them was shown: their outcomes are written.
        if append and (self._tail is None or await self._tail.peek(self.state.index) is None):
            await self._append_outcomes()
            self._telling.refused(decided)
        if messages:
            # From here the outcomes survive a crash; the records not yet.
            begun = perf_counter()
            base = await self._log.append(LEDGER, self.partition, messages)
            if base != self._ledger_next:
                raise _SomebodyElse(f"partition {self.partition}: appended at {base}, expected {self._ledger_next}")
            self._ledger_next = base + len(messages)
            self._telling.appended(LEDGER, messages, begun)
            self._telling.admitted(decided, len(messages))
        # From here the records survive; without the save below recovery compares them again.
        if decided:
            state = self.state
            self._file.save(Snapshot.of(state, self._ledger_next), state.heads, state.identities)

    async def _check_tail(self) -> None:
        """With every submission decided, no record may stand beyond the next index.

        Raises:
            ForkError: one does that no submission explains.
        """
        start = max(self._ledger_next, self._looked)
        if await self._log.end(LEDGER, self.partition) <= start:
            return
        state = self.state
        reader = self._log.reader(LEDGER, self.partition, start)
        try:
            while messages := await reader.read(self._batch):
                for stored in messages:
                    seal = seal_of(stored)
                    if seal is None or seal.index != state.index:
                        continue  # a copy of an old record is harmless, anything else the readers report
                    place = (seal.epoch, seal.offset)
                    submitted = await self._log.end(SUBMISSIONS, self.partition)
                    if (state.epoch, state.offset) < place < (state.epoch, submitted):
                        return  # another registrar was faster with what has just come
                    text = header(stored.headers, SEAL_HEADER) or b""
                    if await self._arbiter.named(seal.index, state.register) not in (None, leaf_of(text, stored)):
                        continue  # settled for another one, which a later submission will give
                    raise ForkError(
                        f"partition {self.partition}: expected no record at index {seal.index}, since every submission "
                        f"is decided, found one at position {stored.position} that names submission {place}; a person "
                        "must find out who wrote it. Once something else was submitted here, `rogatory fork show "
                        f"{self.partition}/{seal.index}` tells which leaf admission gives, for the authorities to "
                        "settle"
                    )
        finally:
            await reader.close()
        self._looked = reader.position

    async def _append_outcomes(self) -> None:
        while self._unwritten:
            size, count = 0, 0
            for message in self._unwritten:
                size += _size(message.value, message.headers) + _HEADROOM
                if count and size > self._log.max_append_bytes:
                    break
                count += 1
            begun, piece = perf_counter(), self._unwritten[:count]
            await self._log.append(OUTCOMES, self.partition, piece)
            del self._unwritten[:count]
            self._telling.appended(OUTCOMES, piece, begun)

    async def _matches(self, decision: Admitted, register: Register | None) -> bool:
        """Whether the ledger holds the record already; False at its end.

        Raises:
            ForkError: it holds another one first, and the authorities have not settled for ours.
        """
        if self._tail is None:
            return False
        while (found := await self._tail.peek(decision.seal.index)) is not None:
            position, leaf = found
            if leaf == decision.leaf:
                self._ledger_next = position + 1
                return True
            await self._arbiter.check(decision, register, position, leaf)
            self._tail.skip()
        self._ledger_next = self._tail.end
        await self._tail.close()
        self._tail = None
        return False

    def _message(self, prepared: Prepared, decision: Admitted) -> Message:
        headers = [(CONTENT_TYPE_HEADER, CONTENT_TYPE), (SEAL_HEADER, decision.seal_text)]
        if decision.register is not None and self.partition == 0:
            made = entry(decision.seal_text, prepared.submission.value or b"")
            attest = sign(self._log_key(decision.register), ENTRY_PAYLOAD, made)
            headers.append((ATTEST_HEADER, format_signature(attest)))
        key = decision.subject.encode()
        return Message(key, prepared.submission.value, tuple(headers), decision.seal.admitted)

    def _log_key(self, register: Register) -> Signer:
        """A log key in force behind a register record; a new one attests for itself, since the old may be lost."""
        for kid in register.log_keys:
            if kid in self._log_keys:
                return self._log_keys[kid]
        raise KeyFault(
            f"expected a log key of the register ({', '.join(register.log_keys)}) to attest register records, "
            f"found {', '.join(self._log_keys) or 'none'}"
        )

    async def _one(self, topic: str, position: int) -> Stored | None:
        reader = self._log.reader(topic, self.partition, position)
        try:
            found = await reader.read(1)
        finally:
            await reader.close()
        return found[0] if found and found[0].position == position else None

    async def _drop(self) -> None:
        readers = [self._reader, self._tail]
        self._reader = self._tail = None
        for reader in readers:
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
        while count := await self._stepped(0.0):
            total += count
        return total

    async def _stepped(self, wait: float) -> int:
        while True:
            try:
                return await self.step(wait)
            except _SomebodyElse as error:
                _log.info("%s; comparing with what stands there", error)

    async def run(
        self, stop: asyncio.Event, holds: Callable[[], bool] = lambda: True, *, standby: bool = False
    ) -> None:
        """Serve until ``stop``; an unreachable log is a pause with back-off, everything else ends it.

        ``holds`` is asked before each batch whether the partition is ours; while it is not, a ``standby`` follows.
        """
        pause, held = 0.5, True
        while not stop.is_set():
            try:
                before, held = held, holds()
                if held:
                    if not before:
                        self.look_again()
                    await self._stepped(1.0)
                elif standby:
                    await self.follow(0.3)
                else:
                    await _sleep(stop, 0.1)
                pause = 0.5
            except _NotYet as error:
                _log.warning("%s; waiting", error)
                await _sleep(stop, pause)
                pause = min(pause * 2, 5.0)
            except (LogUnavailable, StateUnavailable) as error:
                if isinstance(error, LogUnavailable):
                    self._telling.observer.unavailable(REGISTRAR, LOG)
                what = "log" if isinstance(error, LogUnavailable) else "state file"
                _log.warning(
                    "partition %d: %s unavailable (%s); trying again in %.1f s", self.partition, what, error, pause
                )
                await _sleep(stop, pause)
                pause = min(pause * 2, 30.0)
            except Exception as error:
                self._telling.observer.stopped(REGISTRAR, self.partition, error)
                raise


class _SomebodyElse(LogUnavailable):
    """Another registrar has appended since the end was read."""


class _NotYet(LogUnavailable):
    """The ledger holds something that admission does not give, or not yet; whoever holds the partition says which."""


def _size(value: bytes | None, headers: tuple[tuple[str, bytes], ...]) -> int:
    return len(value or b"") + sum(len(name) + len(text) for name, text in headers)


def _within(stored: list[Stored], limit: int) -> list[Stored]:
    """As many of them as surely fit one append, whatever they become; at least one."""
    total = 0
    for count, one in enumerate(stored):
        total += _size(one.value, one.headers) + len(one.key or b"") + _HEADROOM
        if total > limit and count:
            return stored[:count]
    return stored


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
