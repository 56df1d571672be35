"""Waiting for seals: one tailer a process follows what becomes of submissions, however many wait.

It reads the ``ledger`` and ``outcomes`` of the partitions that somebody waits on, from where they ended before
the first
submission.  What it passes before anybody asks is kept for a while, since an answer may overtake the
acknowledgement of the submission itself.

It believes the first record that it sees of a submission: it has not read what came before, so it cannot tell a record
that follows from one that does not (readers do).  It does see two records at one index, and then gives no receipt for
either.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from hashlib import sha256

from ledger.errors import ForkError, FormatError, LogUnavailable, RogatoryError
from ledger.log import LEDGER, OUTCOMES, Log, Reader, Stored, header
from ledger.outcome import Outcome, read_outcome
from ledger.seal import entry, leaf_hash, read_seal
from ledger.submission import SEAL_HEADER, Receipt

_KEPT = 50_000
_READ = 1000
_WAIT = 0.5
_log = logging.getLogger(__name__)

Answer = Receipt | Outcome | ForkError
_Place = tuple[int, int, str]


class Watcher:
    """Answers for submissions by (partition, offset, SHA-256 of the bytes). Owned by one event loop."""

    def __init__(self, log: Log) -> None:
        """Nothing is read before ``watch``."""
        self._log = log
        self._tasks: dict[int, list[asyncio.Task[None]]] = {}
        self._starting: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: dict[_Place, asyncio.Future[Receipt | Outcome]] = {}
        self._passed: OrderedDict[_Place, Answer] = OrderedDict()
        self._records: OrderedDict[tuple[int, int], tuple[str, _Place]] = OrderedDict()
        """By partition and index: the leaf that was seen there first, and the submission that it names."""
        self._broken: dict[int, RogatoryError] = {}
        """Partitions that can't be followed any further, and why; whoever waits there is told."""

    async def watch(self, partition: int) -> None:
        """Start to follow a partition from its present end; call before submitting to it.

        Raises:
            LogUnavailable: the log does not answer.
        """
        # Whoever comes while another still asks for the ends must wait as well: an answer could stand before them.
        async with self._starting[partition]:
            if partition in self._tasks:
                return
            readers = [
                self._log.reader(topic, partition, await self._log.end(topic, partition))
                for topic in (LEDGER, OUTCOMES)
            ]
            takes = (self._take_record, self._take_outcome)
            self._tasks[partition] = [
                asyncio.create_task(self._follow(reader, partition, take))
                for reader, take in zip(readers, takes, strict=True)
            ]

    async def answer(self, partition: int, offset: int, digest: str) -> Receipt | Outcome:
        """The receipt or outcome of a submission; waits until there is one.

        Raises:
            ForkError: two records were seen at the index of its receipt.
            RogatoryError: the partition can't be followed any further; the submission stands all the same.
        """
        place = (partition, offset, digest)
        if place in self._passed:
            known = self._passed[place]
            if isinstance(known, ForkError):
                raise known
            return known
        if partition in self._broken:
            raise self._broken[partition]
        future = self._waiting.get(place)
        if future is None:
            future = self._waiting[place] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(future)

    async def _follow(self, reader: Reader, partition: int, take: Callable[[int, Stored], None]) -> None:
        pause = 0.5
        try:
            while True:
                try:
                    for stored in await reader.read(_READ, _WAIT):
                        take(partition, stored)
                    pause = 0.5
                except LogUnavailable as error:
                    _log.warning("waiting for seals of partition %d: %s; again in %.1f s", partition, error, pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, 30.0)
        except RogatoryError as error:
            self._give_up(partition, error)
        finally:
            await reader.close()

    def _give_up(self, partition: int, error: RogatoryError) -> None:
        self._broken[partition] = error
        for place in [place for place in self._waiting if place[0] == partition]:
            future = self._waiting.pop(place)
            if not future.done():
                future.set_exception(error)

    def _take_record(self, partition: int, stored: Stored) -> None:
        text = header(stored.headers, SEAL_HEADER)
        if text is None or stored.value is None:
            return
        try:
            seal = read_seal(text)
        except FormatError:
            return  # readers of the ledger report it
        leaf = leaf_hash(entry(text, stored.value)).hex()
        receipt = Receipt(partition, seal.epoch, seal.offset, seal.index, seal.seq, leaf)
        place = (partition, seal.offset, sha256(stored.value).hexdigest())
        first, other = self._records.setdefault((partition, seal.index), (leaf, place))
        if first != leaf:
            self._doubt(receipt, first, {place, other})
            return
        if len(self._records) > _KEPT:
            self._records.popitem(last=False)
        self._give(place, receipt)

    def _doubt(self, receipt: Receipt, first: str, places: set[_Place]) -> None:
        """Two records at one index: which one counts is not for whoever waits to guess."""
        error = ForkError(
            f"index {receipt.partition}/{receipt.index}: expected one record, found leaves {first} and {receipt.leaf}; "
            f"which one counts is for the authorities to settle (`rogatory fork show {receipt.partition}/"
            f"{receipt.index}`). What was submitted stands: submitting the same event again later gives its receipt"
        )
        for place in places:
            future = self._waiting.pop(place, None)
            if future is not None and not future.done():
                future.set_exception(error)
            self._passed[place] = error

    def _take_outcome(self, partition: int, stored: Stored) -> None:
        try:
            key, outcome = read_outcome(stored)
        except FormatError:
            return
        self._give((partition, key.offset, sha256(stored.value or b"").hexdigest()), outcome)

    def _give(self, place: _Place, answer: Receipt | Outcome) -> None:
        future = self._waiting.pop(place, None)
        if future is not None and not future.done():
            future.set_result(answer)
        self._passed.setdefault(place, answer)
        if len(self._passed) > _KEPT:
            self._passed.popitem(last=False)

    async def close(self) -> None:
        """Stop following; whoever still waits is cancelled."""
        tasks = [task for pair in self._tasks.values() for task in pair]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for future in self._waiting.values():
            future.cancel()
        self._waiting.clear()
