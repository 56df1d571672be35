"""A simulated year through a real ledger: admitted, folded, judged, and held against what was planted in it."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from infra.simulating import fill, new_folder, prepared, write_lines
from infra.wiring import Ledger
from ledger.envelope import parse_envelopes
from ledger.errors import ConfigError
from ledger.event import time_ms
from ledger.log import OUTCOMES
from ledger.signature import EVENT_PAYLOAD, decode_base64, verify
from producers.simulator.parameters import Parameters
from producers.simulator.stream import Year
from producers.simulator.truth import Truth
from projections.compliance.answers import BoardFilters
from projections.compliance.facts import CaseFile
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import Rulebook, built_in
from tests.aio import run
from tests.simulated import NO_BREACH, Compared, compare, fold, held, judged, table, wrong

AS_OF = time_ms("2027-01-15T12:00:00Z")
EVERYTHING = 10**6
TEXTS = ("ru-order-136", "ru-kz-2009-ap-2022", "ru-kz-2009")


class Told(NamedTuple):
    """What came of a year."""

    events: int
    refused: int
    rules: dict[str, Compared]
    verdicts: dict[str, int]


def told(parameters: Parameters, folder: Path) -> Told:
    return run(_told(parameters, folder))


async def _told(parameters: Parameters, folder: Path) -> Told:
    truths: list[Truth] = []
    year = Year(parameters, partitions=2, tell=truths.append)
    config = new_folder(folder)
    async with prepared(config, year, folder) as (ledger, sink):
        events = year.stream()
        next(events)
        number = await fill(ledger.log, year.partitions, events, sink, lambda _: None)
        refused = sum([await ledger.log.end(OUTCOMES, partition) for partition in range(year.partitions)])
        findings = await _findings(ledger)
    found = {verdict: sum(each == verdict for _, each, _ in findings) for verdict in ("met", "breached")}
    return Told(number, refused, compare(truths, findings), found)


async def _findings(ledger: Ledger) -> list[tuple[tuple[str, str, str], str, str]]:
    with ledger.store() as store:
        await ledger.project(store)
        board = Compliance(store, ledger.ledger_id, built_in()).board(BoardFilters(), AS_OF, limit=EVERYTHING)
    # Of the years after the simulated one nothing is told.
    rows = [row for row in board.rows if row.subject not in ("year/2026", "year/2027")]
    return [((row.rule, row.subject, row.item), row.verdict, row.reason) for row in rows]


@pytest.mark.parametrize("seed", [7, 11])
def test_every_planted_breach_is_found_and_no_other(seed: int, tmp_path: Path) -> None:
    found = told(Parameters.default(seed=seed, scale=0.05), tmp_path / "year")
    shown = table(found.rules)
    print(shown)  # noqa: T201 - the table is what a reader of the run wants to see
    assert found.refused == 0, "the simulator says what no ledger admits"
    assert not list(wrong(found.rules)), f"planted and found differ\n{shown}"
    assert sum(len(of.planted) for of in found.rules.values()) > 100


def test_a_clean_year_has_no_breach(tmp_path: Path) -> None:
    found = told(Parameters.default(seed=7, scale=0.05, clean=True), tmp_path / "clean")
    assert found.refused == 0
    assert found.verdicts["breached"] == 0
    assert found.verdicts["met"] > 1000


def test_the_end_of_the_agreement_is_judged_as_it_was_told() -> None:
    rules, reasons, _ = held(Parameters.default(seed=7, scale=0.1, changed={"agreement.notice_day": 150}))
    differences = [(rule, what, keys[0], reasons.get(keys[0])) for rule, what, keys in wrong(rules)]
    assert not differences
    for rule in ("P7", "A15.1", "A15.2", "A15.3"):
        assert rules[rule].planted, f"{rule} was never broken"


@cache
def two_years() -> list[tuple[dict[str, CaseFile], list[Truth]]]:
    """An ordinary year, and one in which the Agreement ends."""
    years = (Parameters.default(seed=7, scale=0.1, changed={"agreement.notice_day": day}) for day in (0, 150))
    return [fold(parameters)[:2] for parameters in years]


OBLIGATIONS = [
    rule.id for profile in built_in().profiles if profile.instrument.id in TEXTS for rule in profile.rule
]  # fmt: skip


@pytest.mark.parametrize("rule", OBLIGATIONS)
def test_a_rule_that_is_switched_off_is_missed(rule: str) -> None:
    files, truth = next((files, each) for files, truths in two_years() for each in truths if each.rule == rule)
    one = {truth.subject: files[truth.subject], "register": files["register"]}

    def differs(rules: Rulebook) -> bool:
        findings = [each for each in judged(one, 2025, AS_OF, rules) if each[0][0] == rule]
        compared = compare([truth], [each for each in findings if each[0][1:] == (truth.subject, truth.item)])
        return bool(list(wrong(compared)))

    assert not differs(built_in())
    assert differs(built_in().without(rule)), f"nobody would notice that {rule} is off"


def test_rules_without_breaches_are_those_of_which_the_rulebook_gives_none() -> None:
    """Given the reasons beside the table, they are of the rules that the texts let nobody break, and of no other."""
    rules = [rule for rule in built_in().rules() if rule.instrument in TEXTS]
    assert set(NO_BREACH) == {rule.id for rule in rules if "breached" not in rule.gives}


def test_the_lines_of_a_file_are_signed_envelopes() -> None:
    year, file = Year(Parameters.default(seed=7, scale=0.002)), io.BytesIO()
    number = write_lines(year.stream(), file, lambda _: None)
    lines = file.getvalue().splitlines()
    assert len(lines) == number == year.counts.total()
    keys = {}
    for line in lines:
        (envelope,) = parse_envelopes(line)
        (signature,) = envelope.signatures
        event = envelope.event()
        if event.type == "rogatory.key.granted.v1":
            said = msgspec.json.decode(event.data)
            keys[said["kid"]] = decode_base64(said["public_key"])
        public = keys.get(signature.kid, year.authority.public_key)
        assert verify(public, signature.value, EVENT_PAYLOAD, envelope.value)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("kept")
    with pytest.raises(ConfigError, match="new or empty folder"):
        new_folder(tmp_path)
    assert (tmp_path / "mine").read_text() == "kept"
