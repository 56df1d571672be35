"""A herald repeats itself less and less while a partition stands still, and at once when it has moved."""

from __future__ import annotations

import itertools

from consumers.herald import RESEND_AFTER, RESEND_AT_MOST, Herald
from ledger.log import SUBMISSIONS
from tests.aio import run
from tests.fakes import MemoryLog
from tests.faults.ground import memory_state, registrar
from tests.faults.world import T0, People


def test_a_partition_that_stands_still_is_not_buried_under_copies() -> None:
    async def story() -> None:
        people, now = People(2), [0.0]
        log = MemoryLog(2, clock=lambda: T0 + 3_600_000)
        for signed in people.opening():
            await log.append(SUBMISSIONS, 0, [signed.message()])
        first, second = (registrar(log, people, p, memory_state(p), 1000) for p in range(2))
        await first.drain()
        herald = Herald(log, 2, lambda: now[0])

        async def sent_by(end: float) -> list[float]:
            """The times at which copies were sent, looking four times a second."""
            times = []
            while now[0] < end:
                if await herald.step():
                    times.append(now[0])
                now[0] += 0.25
            return times

        times = await sent_by(400.0)
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
        expected = [RESEND_AFTER, 10.0, 20.0, 40.0, RESEND_AT_MOST, RESEND_AT_MOST]
        assert [round(pause) for pause in pauses[:6]] == expected
        await second.drain()  # it takes the first of each copy, and the others are duplicates
        assert await sent_by(500.0) == []
        assert herald.lag() == {1: 0}
        key = people.say("RU-PGO", "register", people.revoking(people.offices["RU-SAR"]), id="revoked")
        await log.append(SUBMISSIONS, 0, [key.message()])
        await first.drain()
        began = now[0]
        assert [round(t - began) for t in await sent_by(began + 8.0)] == [0, 5]

    run(story())
