"""``rogatory partners``: the list, a page, one figure split and with its records, and what is refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from infra.cli.options import USAGE
from tests.e2e.cli import Cli
from tests.e2e.lawful import GRADED, ORAL, SECRET, line

YEAR = ("--period", "2025")


def figure_of(answer: dict[str, Any], id_: str) -> dict[str, Any]:
    """One figure of a page."""
    (found,) = (figure for figure in answer["figures"] if figure["id"] == id_)
    return dict(found)


def part_of(answer: dict[str, Any], code: str) -> dict[str, Any]:
    """One part of a page."""
    (found,) = (part for figure in answer["figures"] for part in figure["parts"] if part["code"] == code)
    return dict(found)


def numbers(answer: dict[str, Any], code: str) -> dict[str, int]:
    """The lines of a part."""
    return {entry["tag"]: entry["number"] for entry in part_of(answer, code)["lines"]}


class TestTheList:
    def test_a_line_for_each_partner(self, cli: Cli, case: Path) -> None:
        answer = cli.json("partners", *YEAR)
        (row,) = answer["partners"]
        assert (row["partner"], row["requests_out"], row["requests_in"], row["open"]) == ("KZ", 2, 0, 2)
        assert (row["answered"], row["answer_p50"], row["refused"], row["refused_of"]) == (0, None, 0, 0)
        assert row["breached"] == sum(
            each["number"] for each in cli.json("compliance", "--partner", "KZ", "--count")["counts"]
            if each["verdict"] == "breached"
        )  # fmt: skip
        assert (answer["period"], answer["zone"], answer["waiting"]) == ("2025", "Europe/Moscow", 0)

    def test_a_share_of_nothing_and_days_of_no_case_are_dashes(self, cli: Cli, case: Path) -> None:
        (row,) = (text for text in cli("partners", *YEAR).stdout.splitlines() if "KZ" in text)
        assert [cell.strip() for cell in row.strip("│").split("│")][5:7] == ["—", "—"]

    def test_the_period_is_this_year_unless_it_is_named(self, cli: Cli, case: Path) -> None:
        assert cli.json("partners")["period"] == f"{datetime.now(UTC):%Y}"
        assert "No partner in 1999." in cli("partners", "--period", "1999").stdout


class TestAPage:
    def test_every_figure_is_on_the_page_of_a_partner(self, cli: Cli, case: Path) -> None:
        answer = cli.json("partners", "KZ", *YEAR)
        assert [figure["id"] for figure in answer["figures"]] == [f"M{number}" for number in range(1, 37)]
        assert numbers(answer, "M1") == {"out mla": 2}
        assert numbers(answer, "M2") == {"request.sent": 1, "material.received": 1}
        assert part_of(answer, "M2")["unit"] == "documents"
        assert numbers(answer, "M33") == {"": 1}
        assert figure_of(answer, "M28")["verdicts"]

    def test_a_lower_case_state_is_the_same(self, cli: Cli, case: Path) -> None:
        lower, upper = (cli.json("partners", state, *YEAR) for state in ("kz", "KZ"))
        assert lower["figures"] == upper["figures"]

    def test_findings_about_confidentiality_stand_beside_the_materials(self, cli: Cli, case: Path) -> None:
        confidential = figure_of(cli.json("partners", "KZ", *YEAR), "M30")
        assert {line_["rule"] for line_ in confidential["verdicts"]} >= {"A9.1"}
        assert confidential["per_materials"]["materials"] == 1
        assert confidential["per_materials"]["findings"] > 0

    def test_the_table_names_the_unit_of_each_figure_and_says_too_few_or_nothing(self, cli: Cli, case: Path) -> None:
        said = cli("partners", "KZ", *YEAR).stdout
        for text in ("requests", "documents", "persons", "cases", "outgoing, legal assistance in criminal matters"):
            assert text in said
        assert "Period 2025, months of Europe/Moscow" in said
        assert SECRET not in cli.printed

    def test_a_period_before_the_first_record_has_nothing_open(self, cli: Cli, case: Path) -> None:
        before, after = (cli.json("partners", "KZ", "--period", text) for text in ("2025-02", "2025-03"))
        assert (numbers(before, "M4"), numbers(after, "M4")) == ({}, {"out mla": 1})

    def test_what_is_narrowed_leaves_what_passes(self, cli: Cli, case: Path) -> None:
        for words, found in (
            (["--direction", "out"], {"out mla": 2}), (["--direction", "in"], {}), (["--kind", "mla"], {"out mla": 2}),
            (["--kind", "asset"], {}), (["--office", "RU-OMS"], {"out mla": 2}), (["--office", "RU-GUMPS"], {}),
        ):  # fmt: skip
            assert numbers(cli.json("partners", "KZ", *YEAR, *words), "M1") == found

    def test_all_and_none_stand_for_states(self, cli: Cli, case: Path) -> None:
        assert numbers(cli.json("partners", "all", *YEAR), "M1") == {"out mla": 2}
        assert numbers(cli.json("partners", "none", *YEAR), "M1") == {}

    def test_what_was_just_published_is_in_the_figures(self, cli: Cli, case: Path) -> None:
        answered = line(
            GRADED, "request.received", "2025-04-03T10:00:00+06:00", channel="directorate", act_of="KZ-PGO",
            translations=["ru"], **{"from": "RU-OMS", "to": "KZ-PGO"},
        ), line(
            GRADED, "request.answered", "2025-05-03T09:00:00+06:00", outcome="granted", channel="directorate",
            written=True, to="RU-OMS", final=True, act_of="KZ-PGO",
        )  # fmt: skip
        (case / "more.jsonl").write_text("\n".join(map(json.dumps, answered)), encoding="utf-8")
        cli("publish", "--file", "more.jsonl")
        answer = cli.json("partners", "KZ", *YEAR)
        (days,) = part_of(answer, "M10")["lines"]
        assert (days["number"], days["p50"], days["p90"], days["p99"]) == (1, 29, None, None)
        (share,) = part_of(answer, "M6")["lines"]
        assert (share["tag"], share["share"]) == ("granted", {"of": 1, "all": 1})
        said = cli("partners", "KZ", *YEAR, "--figure", "M10").stdout
        assert "too few" in said
        (row,) = cli.json("partners", "KZ", *YEAR, "--figure", "M10", "--records")["records"]
        assert row["since"] < row["index"]
        history = {entry["index"]: entry["type"] for entry in cli.json("status", GRADED)["history"]}
        assert (history[row["since"]], history[row["index"]]) == ("request.received", "request.answered")


class TestOneFigure:
    def test_one_figure_alone(self, cli: Cli, case: Path) -> None:
        for text in ("M10", "m10"):
            (figure,) = cli.json("partners", "KZ", *YEAR, "--figure", text)["figures"]
            assert [part["code"] for part in figure["parts"]] == ["M10", "M10.open"]
        (figure,) = cli.json("partners", "KZ", *YEAR, "--figure", "M10.open")["figures"]
        assert [part["code"] for part in figure["parts"]] == ["M10.open"]

    def test_without_a_state_it_is_that_of_all_partners(self, cli: Cli, case: Path) -> None:
        answer = cli.json("partners", "--figure", "M3", *YEAR)
        assert (answer["partner"], numbers(answer, "M3")) == (None, {"": 1})

    def test_its_records_are_the_ledgers(self, cli: Cli, case: Path) -> None:
        rows = cli.json("partners", "KZ", *YEAR, "--figure", "M1", "--records")["records"]
        assert [row["subject"] for row in rows] == [ORAL, GRADED]
        for row in rows:
            first = cli.json("status", row["subject"])["history"][0]
            assert (row["index"], row["value"], row["tag"]) == (first["index"], 1, "out mla")

    def test_records_follow_page_by_page(self, cli: Cli, case: Path) -> None:
        words = ("partners", "KZ", *YEAR, "--figure", "M1", "--records", "--limit", "1")
        first = cli.json(*words)
        second = cli.json(*words, "--after", first["after"])
        assert [page["records"][0]["subject"] for page in (first, second)] == [ORAL, GRADED]
        assert second["after"] is None
        assert "More: --after" in cli(*words).stdout

    def test_records_of_one_line(self, cli: Cli, case: Path) -> None:
        words = ("partners", "KZ", *YEAR, "--figure", "M2", "--records", "--tag")
        (row,) = cli.json(*words, "material.received")["records"]
        assert row["subject"] == GRADED
        assert "did you mean material.received?" in cli(*words, "material.receive", code=USAGE).stderr

    def test_it_is_split(self, cli: Cli, case: Path) -> None:
        for dimension, keys in (
            ("month", ["202503", "202504"]), ("office", ["RU-OMS"]), ("counterpart", ["KZ-PGO"]), ("kind", ["mla"]),
            ("direction", ["out"]), ("partner", ["KZ"]),
        ):  # fmt: skip
            (part,) = cli.json("partners", "KZ", *YEAR, "--figure", "M1", "--by", dimension)["parts"]
            assert list(part["by"]) == keys
            assert sum(each["number"] for each in part["by"].values()) == 2
        said = cli("partners", "KZ", *YEAR, "--figure", "M1", "--by", "month").stdout
        assert "2025-03" in said
        assert "2025-04" in said

    def test_of_a_figure_with_parts_those_that_cannot_be_split_by_month_are_left_out(
        self, cli: Cli, case: Path
    ) -> None:
        parts = cli.json("partners", "KZ", *YEAR, "--figure", "M26", "--by", "month")["parts"]
        assert [part["code"] for part in parts] == ["M26.days", "M26.declined"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["KX"], "expected a state that a record names, by its two letters, or all or none, found 'KX'; did you mean"),
        (["Kazakhstan"], "found 'Kazakhstan'"),
        (["KZ", "--figure", "M37"], "expected --figure as one of M1 to M36 or a part of one"),
        (["KZ", "--figure", "M10.opn"], "did you mean M10.open"),
        (["KZ", "--period", "2025-13"], "--period: expected a period such as 2025"),
        (["KZ", "--period", "2026..2025"], "expected a period that ends after it begins"),
        (["KZ", "--office", "RU-OMSK"], "expected --office as an office of RU that is registered, found 'RU-OMSK'"),
        (["KZ", "--counterpart", "KZ-PG0"], "that a record names, found 'KZ-PG0'; did you mean KZ-PGO?"),
        (["KZ", "--counterpart", "\udcff"], "expected --counterpart as an office of a partner"),
        (["KZ", "--kind", "mlaa"], "did you mean mla?"),
        (["KZ", "--direction", "inn"], "expected --direction as one of in, out, found 'inn'; did you mean in?"),
        (["KZ", "--figure", "M1", "--by", "monat"], "did you mean month?"),
        (["KZ", "--by", "month"], "expected --by with --figure, found it alone"),
        (["KZ", "--records"], "expected --records with --figure, found it alone"),
        (["KZ", "--figure", "M1", "--tag", "x"], "expected --tag with --records, found it alone"),
        (["KZ", "--figure", "M1", "--after", "x"], "expected --after with --records, found it alone"),
        (["KZ", "--figure", "M1", "--by", "month", "--records"], "expected one of --records and --by, found both"),
        (["KZ", "--figure", "M25", "--records"], "one part of M25, M25.signed, M25.force, M25.new, found the whole"),
        (["KZ", "--figure", "M28", "--records"], "expected a figure that is counted from records, found M28"),
        (["KZ", "--figure", "M25.force", "--by", "month"], "expected a part that is summed by month"),
        (["KZ", "--figure", "M1", "--records", "--after", "x"], "expected a cursor of an earlier page, found 'x'"),
        (
            ["KZ", "--figure", "M1", "--records", "--after", f'[{10**30},0,"a","b","c"]'],
            "expected a cursor of an earlier",
        ),
    ],
)
def test_what_is_not_known_is_refused_with_what_was_expected(cli: Cli, case: Path, words: list[str], said: str) -> None:
    assert said in cli("partners", *words, code=USAGE).stderr
