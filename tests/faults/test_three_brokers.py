"""Three brokers of which one is killed, leaves, stands still, is cut off or has a clock of its own, while all works.

After each round everything that was acknowledged is answered once, there is one history for all readers, and what was
projected live is what a rebuild gives.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Iterator

import pytest

from ledger.log import LEDGER, SUBMISSIONS
from ledger.seal import read_seal
from ledger.submission import SEAL_HEADER
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import everything
from tests.faults.cluster import NODES, Cluster, can_be_apart
from tests.faults.ground import seeds
from tests.faults.test_kills import PARTITIONS, Ledger, ledger_of, play

__all__ = ["ledger_of"]

pytestmark = [pytest.mark.slow, pytest.mark.kafka, pytest.mark.timeout(600)]

APART = can_be_apart()
HOUR = 3_600_000


@pytest.fixture
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The first broker's clock is an hour ahead, so that time goes back wherever it stops leading."""
    with Cluster(tmp_path_factory.mktemp("three"), apart=APART, clocks=(HOUR, 0, 0)) as made:
        yield made


def killed(cluster: Cluster, number: int, publish: Callable[[], None]) -> None:
    cluster.kill(number)
    publish()
    cluster.restart(number)


def moved(cluster: Cluster, number: int, publish: Callable[[], None]) -> None:
    """It hands its partitions to the others, and comes back as a follower."""
    cluster.leave(number)
    publish()
    cluster.restart(number)


def cut_off(cluster: Cluster, number: int, publish: Callable[[], None]) -> None:
    cluster.cut(number)
    assert not cluster.answers(number)
    publish()
    cluster.join(number)
    cluster.wait(NODES)


def frozen(cluster: Cluster, number: int, publish: Callable[[], None]) -> None:
    cluster.pause(number)
    publish()
    cluster.go_on(number)
    cluster.wait(NODES)


WAYS = [killed, moved, cut_off, frozen] if APART else [killed, moved, frozen]
if not APART:
    warnings.warn("no broker will be cut off: network namespaces cannot be made (Linux and root)", stacklevel=1)


@pytest.mark.parametrize("seed", seeds(1, 8))
def test_each_broker_breaks_in_each_way(seed: int, cluster: Cluster, ledger_of: Callable[..., Ledger]) -> None:
    lives = len(WAYS) if seed == 1 else len(WAYS) * NODES
    turns = itertools.cycle(itertools.product(range(1, NODES + 1), WAYS) if seed > 1 else [(1, way) for way in WAYS])
    ledger = ledger_of(Place("apart", cluster.bootstrap), seed, 2 * lives)

    def break_one() -> None:
        number, way = next(turns)
        way(cluster, number, lambda: ledger.publish(18))

    play(ledger, seed, lives, break_one, each=36)
    went_back = run(_clocks_of(ledger))
    assert went_back > 0, "expected the broker's time to have gone back where another one took over"


async def _clocks_of(ledger: Ledger) -> int:
    """How often the broker's time went back; the time of admission never does."""
    log = ledger.place.open()
    back = 0
    for partition in range(PARTITIONS):
        times = [stored.timestamp for stored in await everything(log, SUBMISSIONS, partition)]
        back += sum(later < earlier for earlier, later in itertools.pairwise(times))
        admitted = [
            read_seal(dict(stored.headers)[SEAL_HEADER]).admitted for stored in await everything(log, LEDGER, partition)
        ]
        assert admitted == sorted(admitted)
    await log.close()
    return back
