"""Running one seed from its setting to its report."""

from __future__ import annotations

import gc
import logging
import random
import shutil
import tempfile
from pathlib import Path

import msgspec

from tests.simulation.loop import SimulatedLoop, Trace
from tests.simulation.parts import Parts
from tests.simulation.truth import check
from tests.simulation.world import Setting, World


class Report(msgspec.Struct, frozen=True):
    """How a seed went."""

    seed: int
    digest: str
    seconds: float
    """Virtual."""
    met: dict[str, int]
    stopped: int
    lines: list[str] | None
    error: AssertionError | None


def simulate(seed: int, *, parts: Parts = Parts(), setting: Setting | None = None, told: bool = False) -> Report:  # noqa: B008
    """Run a seed and hold what is left to the truth."""
    trace = Trace(told=told)
    loop = SimulatedLoop(random.Random(f"loop {seed}"), trace)
    kept = random.getstate()
    random.seed(seed)  # back-offs are spread by the module's own dice
    collecting = gc.isenabled()
    gc.disable()
    logging.disable(logging.CRITICAL)  # what goes wrong here goes wrong on purpose
    folder = Path(tempfile.mkdtemp(prefix="simulated-"))
    world: World | None = None
    error: AssertionError | None = None
    try:
        world = World(seed, setting or Setting.of(seed), parts, trace)
        loop.run_until_complete(world.run(folder, check))
        assert not loop.wrong, loop.wrong
    except BaseExceptionGroup as group:
        error = AssertionError(str(group.exceptions[0]))
        error.__cause__ = group.exceptions[0]
    except AssertionError as met:
        error = met
    finally:
        random.setstate(kept)
        seconds = loop.now
        loop.bury()
        shutil.rmtree(folder)
        logging.disable(logging.NOTSET)
        if collecting:
            gc.enable()
    met_faults = world.faults.met if world else {}
    stopped = len(world.stopped) if world else 0
    return Report(seed, trace.digest, seconds, met_faults, stopped, trace.lines, error)
