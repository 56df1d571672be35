"""Judging beside the fold: whatever waits is judged, chunk by chunk, in transactions and a thread of its own.

The fold never waits for it.  ``judge_all`` goes on until nothing waits, after a replay; ``judge_on`` until it is told
to stop, woken by each commit of the fold.  Several processes may do it for one generation (``Judge`` says how): each
begins with the partitions whose records it has taken itself, and helps with the others when these are done.

Subjects that a rule or a figure fails on are set aside by ``Judge`` and go on waiting; neither loop waits for them.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import NamedTuple

import msgspec

from consumers.patience import Patience, wait
from ledger.errors import ConfigError, JudgementFault, Overtaken, StoreUnavailable
from ledger.observing import SILENT, Observer
from projections.compliance.judging import Advanced, Judge

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with how many subjects have been judged, and how many there are to judge in all."""


class JudgingPace(msgspec.Struct, frozen=True):
    """How much is judged at once, and how long is waited for what."""

    chunk: int = 200
    """Subjects in one transaction, after a replay."""
    live_chunk: int = 10
    """The same beside a fold that is at work: it shares the processor, and shall not wait long."""
    share: float = 0.1
    """The most of its time that judging takes while the fold commits. A subject that changes again meanwhile is judged
    once for both; what waits is told, and is caught up with as soon as the fold rests."""
    look_again: float = 2.0
    """Seconds between looks where nothing was committed here: another process may have moved the register."""
    first_pause: float = 0.1
    longest_pause: float = 30.0
    """Seconds between attempts while the store does not answer (``patience.py``)."""


async def judge_all(
    judge: Judge,
    partitions: Iterable[int],
    *,
    pace: JudgingPace = JudgingPace(),  # noqa: B008 - frozen
    progress: Progress | None = None,
    observer: Observer = SILENT,
) -> int:
    """Judge until nothing waits but what is set aside (``judge.aside``); how many subjects were judged.

    Raises:
        ConfigError: the rulebook that the register names is not here; what waits goes on waiting.
        JudgementFault: the register cannot be read, so nothing can be judged.
        Overtaken: another generation answers.
        StoreUnavailable: the store does not answer; what was judged stays.
    """
    mine, done = list(partitions), 0
    while True:
        await _advance(judge)
        left = await asyncio.to_thread(judge.waiting)
        observer.judged(left, 0, 0.0)
        observer.set_aside(len(judge.aside))
        if progress is not None:
            progress(done, done + left)
        if not left:
            return done
        total, idle = done + left, True
        for partition in mine:
            while dealt := await _some(judge, partition, pace.chunk, observer):
                idle = False
                done += dealt.judged
                if progress is not None:
                    progress(done, max(done, total))
        if idle and left <= len(judge.aside):
            _log.warning("%d subjects are set aside, and go on waiting for judgement", left)
            return done
        if idle:
            await asyncio.sleep(pace.first_pause)  # somebody else has them in hand


async def judge_on(
    judge: Judge,
    partitions: Iterable[int],
    *,
    stop: asyncio.Event,
    landed: asyncio.Event,
    taken: set[int],
    pace: JudgingPace = JudgingPace(),  # noqa: B008 - frozen
    observer: Observer = SILENT,
) -> None:
    """Judge what comes to wait, until told to stop; the chunk in hand is finished.

    Args:
        judge: of the generation that is written.
        partitions: all of the ledger's.
        stop: set it to end.
        landed: set with each commit of the fold in this process.
        taken: partitions that were committed here.
        pace: how much at once.
        observer: told how many subjects wait.

    Raises:
        Overtaken: another generation answers.
    """
    everything, attempt, faulty = list(partitions), 0, ""
    patience = Patience(stop, pace.first_pause, pace.longest_pause)
    while not stop.is_set():
        landed.clear()
        try:
            begun = perf_counter()
            await _advance(judge)
            faulty = ""
            made = await _turn(judge, sorted(taken) or everything, stop, pace, observer)
            if not made and taken:
                made = await _turn(judge, [p for p in everything if p not in taken], stop, pace, observer)
            observer.judged(await asyncio.to_thread(judge.waiting), 0, 0.0)
            observer.set_aside(len(judge.aside))
            attempt = 0
            if landed.is_set():
                await wait(stop, (perf_counter() - begun) * (1 / pace.share - 1))
        except StoreUnavailable as error:
            if not await patience.pause(attempt, error):
                return
            attempt += 1
            continue
        except (ConfigError, JudgementFault) as error:
            if str(error) != faulty:  # once: it is looked for again every few seconds
                faulty = str(error)
                _log.error("nothing is judged: %s", error)
            made = 0
        if not made:
            await _wait(landed, stop, pace.look_again)


async def _turn(
    judge: Judge, partitions: Iterable[int], stop: asyncio.Event, pace: JudgingPace, observer: Observer
) -> int:
    """One chunk of each partition; how many subjects it is done with."""
    made = 0
    for partition in partitions:
        if stop.is_set():
            break
        made += (await _some(judge, partition, pace.live_chunk, observer)).done
    return made


class _Dealt(NamedTuple):
    """With how many subjects a chunk is done, and how many of them were judged; the others were set aside."""

    done: int
    judged: int

    def __bool__(self) -> bool:
        return self.done > 0


async def _some(judge: Judge, partition: int, limit: int, observer: Observer) -> _Dealt:
    begun = perf_counter()
    try:
        dealt = await asyncio.to_thread(_deal, judge, partition, limit)
    except Overtaken as error:
        _log.debug("%s: beginning again", error)
        await _advance(judge)
        return _Dealt(0, 0)
    if dealt.judged:
        observer.judged(None, dealt.judged, perf_counter() - begun)
    return dealt


def _deal(judge: Judge, partition: int, limit: int) -> _Dealt:
    before = judge.aside.added
    done = judge.some(partition, limit)
    return _Dealt(done, done - (judge.aside.added - before))


async def _advance(judge: Judge) -> None:
    begun = await asyncio.to_thread(judge.advance)
    if begun is not None:  # of interest to a person only where something is judged again for it
        _log.log(logging.INFO if begun.subjects or begun.other_rulebook else logging.DEBUG, "%s", described(begun))


def described(begun: Advanced) -> str:
    """A new round in words: what is new, and how many subjects are judged again for it."""
    if begun.other_rulebook:
        why = f"rulebook {begun.rulebook[:12]}… is another one"
    else:
        why = f"{begun.records} new records of the register"
    return f"judging by register {begun.register_seq} (round {begun.round}): {why}, {begun.subjects} subjects again"


async def _wait(landed: asyncio.Event, stop: asyncio.Event, seconds: float) -> None:
    waiting = [asyncio.ensure_future(event.wait()) for event in (landed, stop)]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in waiting:
            each.cancel()
