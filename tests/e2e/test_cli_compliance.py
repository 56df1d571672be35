"""``rogatory compliance``: one request with its evidence, the board, counts, and the past."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.cli.options import NO, USAGE
from tests.e2e.cli import Cli
from tests.e2e.lawful import GRADED, ORAL, SECRET


def of(answer: dict[str, Any], rule: str) -> dict[str, Any]:
    """The one finding of a rule."""
    (found,) = (finding for finding in answer["findings"] if finding["rule"] == rule)
    return dict(found)


class TestThePeriodAndTheSubjectOfTheList:
    """The board narrowed to what arose in some months, or to one subject."""

    def test_what_arose_in_a_month_is_listed_and_counted(self, cli: Cli, case: Path) -> None:
        march = cli.json("compliance", "--period", "2025-03", "--limit", "1000")["findings"]
        assert {found["subject"] for found in march} == {ORAL}
        april = cli.json("compliance", "--period", "2025-04", "--limit", "1000", "--verdict", "breached")["findings"]
        assert {found["subject"] for found in april} == {GRADED}
        counted = cli.json("compliance", "--period", "2025-04", "--count")["counts"]
        assert sum(one["number"] for one in counted if one["verdict"] == "breached") == len(april)

    def test_a_silent_year_can_be_listed_by_its_name(self, cli: Cli, case: Path) -> None:
        found = cli.json("compliance", "--subject", "year/2025")["findings"]
        assert found
        assert all(one["subject"] == "year/2025" and one["silence"] for one in found)

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (("--period", "soon"), "--period: expected a period"),
            (("2025-000201", "--period", "2025"), "--subject and --period without a request"),
            (("2025-000201", "--subject", "year/2025"), "--subject and --period without a request"),
        ],
    )
    def test_wrong_use_is_said(self, cli: Cli, case: Path, args: tuple[str, ...], said: str) -> None:
        assert said in cli("compliance", *args, code=USAGE).output


class TestOneRequest:
    def test_a_verdict_comes_with_line_reason_readings_and_the_records_it_rests_on(self, cli: Cli, case: Path) -> None:
        answer = cli.json("compliance", "2025-000201")
        assert answer["subject"] == ORAL
        found = of(answer, "A6.2b")
        assert (found["verdict"], found["reason"], found["bound"]) == ("breached", "ran_out", "RU-OMS")
        assert found["line"]
        assert [reading["reading"] for reading in found["readings"]] == ["hours:72", "days:3:next"]
        (spoken,) = found["evidence"]
        history = cli.json("status", "2025-000201")["history"]
        assert (spoken["index"], spoken["event"], spoken["name"]) == (
            history[0]["index"], history[0]["id"], "request.spoken",
        )  # fmt: skip
        assert (answer["records"], answer["index"]) == (1, history[0]["index"])
        assert answer["register_seq"] == cli.json("register", "show")["seq"]
        assert answer["rulebook"] == {
            "version": "built-in",
            "sha256": cli.json("rulebook", "show", "--built-in")["sha256"],
        }

    def test_the_table_names_the_worst_first_and_what_it_rests_on(self, cli: Cli, case: Path) -> None:
        said = cli("compliance", "2025-000201").stdout
        assert said.index("A6.2b") < said.index("A6.1 ")
        assert "breached" in said
        assert "request.spoken" in said
        assert "by hours:72 before 2025-03-06 04:00:00Z" in said
        assert "Judged from 1 record of it" in said
        assert SECRET not in cli.printed

    def test_lines_and_reasons_are_there_in_russian(self, cli: Cli, case: Path) -> None:
        english, russian = (of(cli.json("compliance", ORAL, "--lang", lang), "A6.2b") for lang in ("en", "ru"))
        assert english["why"] != russian["why"]
        assert any("а" <= letter <= "я" for letter in russian["why"])

    def test_filters_leave_what_passes(self, cli: Cli, case: Path) -> None:
        for words, rules in (
            (["--rule", "A6.2b"], {"A6.2b"}),
            (["--article", "Agr. 6(2)"], {"A6.2a", "A6.2b"}),
            (["--verdict", "breached"], {"A6.2b"}),
        ):
            found = cli.json("compliance", ORAL, *words)["findings"]
            assert {finding["rule"] for finding in found} >= rules
            assert all(finding["rule"].startswith(("A6.2", "P6")) for finding in found)

    def test_the_past_is_judged_by_what_was_recorded_then(self, cli: Cli, case: Path) -> None:
        before = cli("compliance", ORAL, "--as-of", "2025-03-04T10:00:00+06:00", code=NO)
        assert "no record speaks of request/2025-000201 up to there" in before.stderr

    def test_at_a_position_only_the_records_before_it_count(self, cli: Cli, case: Path) -> None:
        history = cli.json("status", GRADED)["history"]
        wrong = [entry["type"] for entry in history].index("material.accessed") + 1
        index = history[wrong]["index"]
        assert of(cli.json("compliance", GRADED, "--at", str(index)), "O8")["verdict"] == "met"
        later = cli.json("compliance", GRADED, "--at", str(index + 1))
        assert of(later, "O8")["verdict"] == "breached"
        assert (later["at"], later["records"]) == (index + 1, wrong + 1)

    def test_strict_says_by_its_exit_code_whether_something_is_broken(self, cli: Cli, case: Path) -> None:
        cli("compliance", ORAL, "--strict", code=NO)
        cli("compliance", ORAL, "--rule", "A6.1", "--strict")
        cli("compliance", "--partner", "KZ", "--strict", code=NO)
        cli("compliance", "--count", "--rule", "A6.1", "--strict")

    def test_a_subject_of_which_nothing_is_recorded_is_no_answer(self, cli: Cli, case: Path) -> None:
        assert "no record speaks of request/2025-9" in cli("compliance", "2025-9", code=NO).stderr
        assert "no record speaks of meeting/2025-9" in cli("compliance", "meeting/2025-9", code=NO).stderr


class TestTheBoard:
    def test_the_worst_stands_first_and_met_is_left_out(self, cli: Cli, case: Path) -> None:
        page = cli.json("compliance")
        verdicts = [finding["verdict"] for finding in page["findings"]]
        assert verdicts == sorted(verdicts, key=["breached", "undetermined", "open"].index)
        assert {(f["subject"], f["rule"]) for f in page["findings"]} >= {(ORAL, "A6.2b"), (GRADED, "O8")}
        assert page["waiting"] == 0
        assert page["register_seq"] == cli.json("register", "show")["seq"]

    def test_pages_follow_each_other_and_miss_nothing(self, cli: Cli, case: Path) -> None:
        whole = cli.json("compliance", "--limit", "1000")["findings"]
        parts, after = [], None
        while True:
            page = cli.json("compliance", "--limit", "4", *(["--after", after] if after else []))
            parts += page["findings"]
            after = page["after"]
            if after is None:
                break
        assert parts == whole
        assert len(parts) > 4

    def test_it_is_searched_by_office_partner_rule_and_verdict(self, cli: Cli, case: Path) -> None:
        for words in (
            ["--office", "RU-OMS"],
            ["--partner", "KZ"],
            ["--verdict", "met"],
            ["--instrument", "ru-kz-2009"],
        ):
            found = cli.json("compliance", *words, "--limit", "1000")["findings"]
            assert found
            name, wanted = {"--office": "bound"}.get(words[0], words[0].removeprefix("--")), words[1]
            assert {finding[name] for finding in found} == {wanted}
        assert cli.json("compliance", "--office", "RU-NONE")["findings"] == []
        assert "No finding passes." in cli("compliance", "--office", "RU-NONE").stdout

    def test_counts_are_those_of_the_rows(self, cli: Cli, case: Path) -> None:
        rows = [
            finding
            for verdict in ("met", "open", "undetermined", "breached")
            for finding in cli.json("compliance", "--verdict", verdict, "--limit", "1000")["findings"]
        ]
        counts = cli.json("compliance", "--count")["counts"]
        assert sum(count["number"] for count in counts) == len(rows)
        for count in counts:
            same = [r for r in rows if (r["rule"], r["verdict"]) == (count["rule"], count["verdict"])]
            assert len(same) == count["number"]
        assert "A6.2b" in cli("compliance", "--count").stdout

    def test_the_clock_alone_changes_what_is_open(self, cli: Cli, case: Path) -> None:
        earlier = cli.json("compliance", "--rule", "A6.2b", "--as-of", "2025-03-05T09:59:00+06:00")["findings"]
        later = cli.json("compliance", "--rule", "A6.2b", "--as-of", "2025-03-07T00:00:00+06:00")["findings"]
        assert [(f["verdict"], f["subject"]) for f in (*earlier, *later)] == [("open", ORAL), ("breached", ORAL)]


def test_both_databases_give_the_same_answers(cli: Cli, case: Path, postgres_url: str) -> None:
    answers = []
    cli("rulebook", "export", "less")
    Path("less", "ru-order-136.toml").unlink()
    for url in ("sqlite:///other.db", postgres_url):
        board = cli.json("compliance", "--limit", "1000", "--as-of", "2026-01-01", "--store", url)
        pages = cli.json("compliance", "--limit", "3", "--as-of", "2026-01-01", "--store", url)
        counts = cli.json("compliance", "--count", "--as-of", "2026-01-01", "--store", url)
        one = cli.json("compliance", GRADED, "--store", url)
        materials = cli.json("materials", GRADED, "m-1", "--store", url)
        changes = cli.json("rulebook", "diff", "less", "--as-of", "2026-01-01", "--store", url)["first"]
        answers.append((board["findings"], pages["after"], counts["counts"], one["findings"], materials, changes))
    assert answers[0] == answers[1]
    assert all(answers[0])


class TestWrongInput:
    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--rule", "A6.2"], "did you mean A6.2a, A6.2b, A6.2c?"),
            (["--rule", "a6.2B"], "did you mean A6.2b?"),
            (["--article", "Agr. 99"], "such as 'Agr. 6(2)', found 'Agr. 99'"),
            (["--instrument", "ru-kz"], "expected an instrument of"),
            (["--verdict", "broken"], "expected --verdict as one of breached, undetermined, open, met, found 'broken'"),
            (["--as-of", "yesterday"], "expected --as-of as a day like 2025-06-30"),
            (["--as-of", "2025-02-30"], "expected --as-of as a day"),
            (["--as-of", "2025-06-30T12:00:00"], "expected --as-of as a day"),
            (["--at", "3"], "expected --at with one request"),
            (["--after", "nonsense"], "expected a cursor of an earlier page"),
        ],
    )
    def test_it_is_named_with_what_was_expected(self, cli: Cli, case: Path, words: list[str], said: str) -> None:
        assert said in cli("compliance", *words, code=USAGE).stderr
