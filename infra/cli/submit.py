"""Submitting from the command line: give events to the log, see to it that they are decided, say what became of them.

On a ledger folder that no registrar serves, the command admits what it submitted itself (``--work``); else it waits for
the seal a while (``--wait``).  What is not sealed by then is submitted all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import msgspec
import typer

from infra.cli.options import NO, Common
from infra.cli.render import note, plural, say, short, show_json
from infra.wiring import Ledger
from ledger.errors import ConfigError, KeyFault
from producers.builder import Signed
from producers.publisher import Publisher
from producers.receipt import Sealed, SubmissionRefused, Submitted

Answer = Sealed | SubmissionRefused | None
_LOOK_AGAIN = 0.5


class Delivery(msgspec.Struct, frozen=True):
    """What became of a submission; ``answer`` None: not decided within the wait."""

    submitted: Submitted
    answer: Answer

    def shown(self) -> dict[str, Any]:
        """For JSON."""
        base = msgspec.to_builtins(self.submitted)
        if self.answer is None:
            return {"outcome": "submitted", **base}
        if isinstance(self.answer, Sealed):
            return {"outcome": "sealed", **msgspec.to_builtins(self.answer)}
        outcome = self.answer.outcome
        return {"outcome": "refused", **base, **msgspec.to_builtins(outcome), "meaning": outcome.meaning}


async def deliver(common: Common, ledger: Ledger, publisher: Publisher, events: Sequence[Signed]) -> list[Delivery]:
    """Submit events and wait for what becomes of them, at most ``--wait`` seconds after the last work done here."""
    submitted = await publisher.submit_all(events)
    tasks = [asyncio.ensure_future(answer(publisher, one)) for one in submitted]
    try:
        await decide(common, ledger, tasks)
    finally:
        answers = [task.result() if task.done() and not task.cancelled() else None for task in tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [Delivery(one, answer) for one, answer in zip(submitted, answers, strict=True)]


async def answer(publisher: Publisher, submitted: Submitted) -> Answer:
    """What became of a submission; waits as long as that takes."""
    try:
        return await publisher.result(submitted)
    except SubmissionRefused as refused:
        return refused


async def decide(common: Common, ledger: Ledger, tasks: Sequence[asyncio.Task[Answer]]) -> None:
    """See to it that submissions are decided: work here, or wait, until all ``tasks`` are done or time is up."""
    works = ledger.embedded if common.work is None else common.work
    deadline = time.monotonic() + common.wait
    while True:
        if works and not ledger.is_served():
            works = await work_off(ledger, must=bool(common.work))
            deadline = time.monotonic() + common.wait if works else deadline
        left = deadline - time.monotonic()
        _, pending = await asyncio.wait(tasks, timeout=max(0.0, min(left, _LOOK_AGAIN)))
        if not pending or left <= 0:
            return


async def work_off(ledger: Ledger, *, must: bool = False) -> bool:
    """Admit everything submitted, here; False if this process cannot (which is an error if it ``must``)."""
    try:
        async with ledger.workers() as workers:
            await workers.until_idle()
    except (ConfigError, KeyFault) as error:
        if must or (isinstance(error, ConfigError) and not ledger.is_served()):
            raise
        if isinstance(error, KeyFault):
            note(f"Not admitted here: {error}")
        return isinstance(error, ConfigError)  # another process has just begun to serve: look again later
    return True


async def change_register(common: Common, ledger: Ledger, publisher: Publisher, events: Sequence[Signed]) -> None:
    """Deliver register events, and report how many partitions have followed; raises the first refusal."""
    since = await ledger.ends()
    deliveries = await deliver(common, ledger, publisher, events)
    seqs = [d.answer.seq for d in deliveries if isinstance(d.answer, Sealed)]
    followed = await _followed(common, ledger, max(seqs), since) if seqs else 0
    if common.json:
        shown = [{**d.shown(), "followed": followed, "partitions": ledger.partitions} for d in deliveries]
        show_json(shown if len(shown) > 1 else shown[0])
    else:
        for delivery in deliveries:
            report(delivery)
        if seqs:
            follow = (
                f"{followed} of {plural(ledger.partitions, 'partition')} {'has' if followed == 1 else 'have'} followed."
            )
            behind = followed < ledger.partitions
            say(
                follow + (" The others follow as soon as they are served; --wait-all waits for them." if behind else "")
            )
    raise_refusal(deliveries, told=common.json)


async def _followed(common: Common, ledger: Ledger, seq: int, since: dict[int, int]) -> int:
    deadline = time.monotonic() + common.wait
    while True:
        count = len(await ledger.followed(seq, since))
        if count == ledger.partitions or not common.wait_all or time.monotonic() > deadline:
            return count
        await asyncio.sleep(_LOOK_AGAIN / 2)


def report(delivery: Delivery) -> None:
    """One sentence about a delivery; of a refusal none, since it is raised."""
    answer, submitted = delivery.answer, delivery.submitted
    if answer is None:
        say(
            f"Submitted {submitted.subject} {submitted.id} at offset {submitted.offset} of partition "
            f"{submitted.partition}; not sealed yet. Is a registrar running? `rogatory run all`"
        )
    elif isinstance(answer, Sealed):
        again = "" if answer.original else " already"
        say(
            f"Sealed{again}: {answer.subject}, its record {answer.seq}; index {answer.index} of partition "
            f"{answer.partition}, leaf {short(answer.leaf)}, event {answer.id}"
        )


def raise_refusal(deliveries: Sequence[Delivery], *, told: bool = False) -> None:
    """End with the first refusal, if there is one; ``told``: it was printed already."""
    for delivery in deliveries:
        if isinstance(delivery.answer, SubmissionRefused):
            if told:
                raise typer.Exit(NO)
            raise delivery.answer
