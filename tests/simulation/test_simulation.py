"""Seeds of the deterministic campaign: each is a small ledger, opened, used and disturbed until it comes to rest.

``ROGATORY_SEED=91`` runs one seed, ``ROGATORY_SOAK=1`` leaves the thousands to ``python -m tests.simulation``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ground import seeds
from tests.simulation.__main__ import main, replaying
from tests.simulation.faults import Plan
from tests.simulation.running import Report, simulate
from tests.simulation.world import Setting

ROOT = Path(__file__).parents[2]
SEEDS = seeds(300, 300)
PIECE = 25
PIECES = [SEEDS[i : i + PIECE] for i in range(0, len(SEEDS), PIECE)]


_reports: dict[int, Report] = {}


def report_of(seed: int) -> Report:
    """How a seed went; it runs once for all tests."""
    if seed not in _reports:
        _reports[seed] = simulate(seed)
    return _reports[seed]


def hold(report: Report) -> None:
    """Raises with the command that replays the seed if it does not hold."""
    if report.error is not None:
        raise AssertionError(f"seed {report.seed}: {report.error}\nagain: {replaying(report.seed)}") from report.error


@pytest.mark.parametrize("piece", PIECES, ids=lambda piece: f"{piece[0]}-{piece[-1]}")
def test_a_world_comes_to_rest_with_one_history_and_nothing_lost(piece: list[int]) -> None:
    for seed in piece:
        hold(report_of(seed))


def test_the_campaign_meets_every_sort_of_fault_and_both_releases() -> None:
    """Else it would say little: at the seeds above, and with these numbers of people, pieces and partitions."""
    settings = [Setting.of(seed) for seed in SEEDS]
    if len(SEEDS) < 100:
        pytest.skip("too few seeds to say anything of all of them")
    assert {s.partitions for s in settings} == {2, 3}
    assert sum(s.upgrades for s in settings) > 50
    assert sum(s.sqlite for s in settings) > 5
    assert sum(s.plan.faults == 0 for s in settings) > 20
    met: Counter[str] = Counter()
    stopped = 0
    for seed in SEEDS:
        report = report_of(seed)
        met.update(report.met)
        stopped += report.stopped > 0
    places = ("submissions", "ledger", "outcomes")
    for place in places:
        for fate in ("lost", "there", "late", "dies before", "dies after"):
            assert met[f"{fate} {place}"], f"{fate} {place}"
    for sort in ("dies before state", "lost state", "dies before commit", "lost commit", "lost read", "dies registrar"):
        assert met[sort], sort
    assert stopped > 5


class TestReplaying:
    """A seed is the whole story: the same in every process, whatever its hashes and clocks."""

    @pytest.mark.parametrize("seed", [3, 7, 16])
    def test_a_seed_gives_the_same_trace_again(self, seed: int) -> None:
        first, second = simulate(seed, told=True), simulate(seed, told=True)
        assert first.lines == second.lines
        assert first.digest == second.digest
        assert first.lines

    def test_telling_a_seed_does_not_change_it(self) -> None:
        assert simulate(7, told=True).digest == simulate(7).digest

    def test_another_seed_gives_another_trace(self) -> None:
        assert len({simulate(seed).digest for seed in range(3, 8)}) == 5

    def test_another_process_with_other_hashes_gives_the_same_trace(self) -> None:
        command = [sys.executable, "-m", "tests.simulation", "--seed", "7"]
        said = [
            subprocess.run(  # the command that a failing seed prints
                command,
                cwd=ROOT,
                env={**os.environ, "PYTHONHASHSEED": hashes},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
            for hashes in ("1", "2")
        ]
        assert said[0] == said[1]
        assert simulate(7).digest in said[0]


class TestTheCommand:
    def test_a_campaign_counts_its_seeds(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["--seeds", "0:4"]) == 0
        assert capsys.readouterr().out.startswith("4 seeds in")

    def test_a_seed_that_does_not_hold_prints_the_command_that_replays_it(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mutant = "registrar with a clock of its own"
        assert main(["--seeds", "3:4", "--mutant", mutant]) == 1
        said = capsys.readouterr().out
        assert f'python -m tests.simulation --seed 3 --trace --mutant "{mutant}"' in said
        assert main(["--seed", "3", "--trace", "--mutant", mutant]) == 1
        told = capsys.readouterr().out
        assert "ForkError" in told
        assert "at ledger/0/0" in told

    @pytest.mark.parametrize("wrong", [["--seeds", "4:3"], ["--seeds", "x"], [], ["--seed", "1", "--seeds", "0:2"]])
    def test_wrong_arguments_end_with_2(self, wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
        assert "expected" in capsys.readouterr().err or not wrong or len(wrong) == 4


def setting_of(plan: Plan, **more: Any) -> Setting:
    stated = {"partitions": 2, "count": 25, "registrars": 2, "heralds": 2, "upgrades": False, "sqlite": False, **more}
    return Setting(plan=plan, **stated)


def test_a_calm_world_stops_at_nothing() -> None:
    setting = setting_of(Plan(0, 0.0, 0.0), sqlite=True)
    report = simulate(1, setting=setting)
    hold(report)
    assert report.met == {}


def test_an_upgrade_stops_older_releases_and_leaves_one_history() -> None:
    """Every registrar and reader of the older release that meets the adoption stops; no record is decided by it."""
    stopped = 0
    for seed in range(10):
        report = simulate(seed, setting=setting_of(Plan(10, 0.2, 0.1), upgrades=True))
        hold(report)
        stopped += report.stopped
    assert stopped > 20
