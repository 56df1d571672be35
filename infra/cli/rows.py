"""The rows that answers come from: bringing them up to the log, and saying when they are behind."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

from infra.cli.render import note, plural, progress
from infra.wiring import Ledger
from ledger.errors import PoisonRecord
from ledger.log import LEDGER

if TYPE_CHECKING:  # with these comes SQLAlchemy, which is slow to import, and of no use to a registrar
    from projections.compliance.queries import Compliance
    from projections.store import Store


async def bring_up(ledger: Ledger, store: Store) -> int:
    """Take the log to its present end, with a progress bar; how many records the rows rest on then."""
    ends = [await ledger.log.end(LEDGER, p) for p in range(ledger.partitions)]
    behind = await ledger.behind(store)
    nexts: dict[int, int] = {}
    first = sum(ends) - behind
    with ExitStack() as bars:
        tell = bars.enter_context(progress("Projecting", behind))

        def told(partition: int, position: int, _: int) -> None:
            nexts[partition] = position
            if len(nexts) == ledger.partitions:
                tell(max(0, sum(nexts.values()) - first))

        outcome = await ledger.project(store, progress=told, judged=judging_bar(bars))
    return sum(outcome.sizes.values())


def judging_bar(bars: ExitStack) -> Callable[[int, int], None]:
    """Tells of judging by a bar of its own, in place of those before it: a terminal shows one at a time."""
    tell: Callable[[int], None] | None = None

    def told(done: int, total: int) -> None:
        nonlocal tell
        if tell is None and total:
            bars.close()
            tell = bars.enter_context(progress("Judging", total))
        if tell is not None:
            tell(done)

    return told


async def judge_rest(ledger: Ledger, store: Store, compliance: Compliance, update: bool | None) -> None:
    """Judge and count what waits, if the rows are to be brought up to date: who did it may have been stopped."""
    if (ledger.embedded if update is None else update) and compliance.waiting():
        with progress("Judging", None) as tell:
            await ledger.judge(store, progress=lambda done, _: tell(done))


async def freshen(ledger: Ledger, store: Store, update: bool | None) -> int:
    """Bring the rows up to date if that is wanted (default: on a ledger folder); how far they are behind then.

    A partition that stands at a poison record is noted, and answers tell how far it has come.
    """
    behind = await ledger.behind(store)
    if behind and (ledger.embedded if update is None else update):
        try:
            await bring_up(ledger, store)
        except PoisonRecord as met:
            note(f"{met}; what stands behind it is not in the answer: `rogatory poison list`")
            return await ledger.behind(store)
        return 0
    if behind:
        note(f"The projections are {plural(behind, 'message')} behind the ledger: `rogatory run project`, or --update.")
    return behind
