"""``rogatory rulebook``: reading the rules, and the way from a folder of profiles to the rulebook in use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from infra.cli import rulebook_diff
from infra.cli.options import NO, USAGE
from projections.compliance.rulebook import built_in
from tests.e2e.cli import Cli
from tests.e2e.lawful import GRADED, ORAL


def edited(cli: Cli, old: str, new: str, rule: str = "") -> str:
    """A folder with the built-in profiles, the Agreement's changed at one place: of one rule, or anywhere."""
    cli("rulebook", "export", "mine")
    path = Path("mine") / "ru-kz-2009.toml"
    text = path.read_text(encoding="utf-8")
    start = text.index(f'[[rule]]\nid = "{rule}"') if rule else 0
    end = text.index("[[rule]]", start + 1) if rule else len(text)
    assert text[start:end].count(old) == 1
    path.write_text(text[:start] + text[start:end].replace(old, new) + text[end:], encoding="utf-8")
    return "mine"


READINGS = 'readings = ["hours:72", "days:3:next"]'


def stricter(cli: Cli) -> str:
    """One day for the confirmation of an oral request instead of three."""
    return edited(cli, READINGS, 'readings = ["hours:24", "days:1:next"]', "A6.2b")


def without(cli: Cli) -> str:
    """No rule on the confirmation of an oral request, and none that names it."""
    folder = edited(cli, 'id = "A6.2b"', 'id = "A6.2b"  # gone', "A6.2b")
    for path in Path(folder).iterdir():
        text = path.read_text(encoding="utf-8").replace('"A6.2b", ', "").replace(', "A6.2b"', "")
        if (start := text.find('[[rule]]\nid = "A6.2b"')) >= 0:
            text = text[:start] + text[text.index("[[rule]]", start + 1) :]
        path.write_text(text, encoding="utf-8")
    return folder


def board(cli: Cli, *words: str) -> dict[tuple[str, str, str], str]:
    """The verdict of every finding."""
    return {
        (found["subject"], found["rule"], found["item"]): found["verdict"]
        for verdict in ("breached", "undetermined", "open", "met")
        for found in cli.json("compliance", "--verdict", verdict, "--limit", "10000", *words)["findings"]
    }


class TestShow:
    def test_all_rules_are_listed_without_any_ledger(self, cli: Cli) -> None:
        shown = cli.json("rulebook")
        rules = [rule["id"] for instrument in shown["instruments"] for rule in instrument["rules"]]
        assert rules == [rule.id for rule in built_in().rules()]
        assert (shown["version"], shown["sha256"]) == ("built-in", built_in().sha256)
        said = cli("rulebook", "--lang", "ru").stdout
        assert "Соглашение" in said
        assert f"rulebook built-in, digest {built_in().sha256[:12]}" in said

    def test_one_rule_is_shown_whole_in_both_languages(self, cli: Cli) -> None:
        for words in (["rulebook", "A6.2b"], ["rulebook", "show", "A6.2b"]):
            said = cli(*words).stdout
            for part in ("Agr. 6(2)", "article 6, paragraph 2", "сутки", "hours:72", "days:3:next", "our choice"):
                assert part in said
        rule = cli.json("rulebook", "A2")
        assert set(rule["never"]) == {"breached", "open"}
        assert all(rule["never"].values())
        assert rule["title"]["ru"].startswith("Соглашение")

    def test_one_instrument_is_listed_alone(self, cli: Cli) -> None:
        (instrument,) = cli.json("rulebook", "ru-kz-2009-ap-2022")["instruments"]
        assert {rule["id"] for rule in instrument["rules"]} == {f"P{n}" for n in range(1, 8)}

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["A6.2"], "did you mean A6.2a, A6.2b, A6.2c?"),
            (["a62b"], "did you mean"),
            (["zzzz"], "`rogatory rulebook` lists them"),
            (["P2", "--folder", "nowhere"], "nowhere"),
            (["P2", "--folder", ".", "--built-in"], "expected --folder or --built-in, found both"),
        ],
    )
    def test_what_is_not_there_is_named_with_what_is_near(self, cli: Cli, words: list[str], said: str) -> None:
        assert said in cli("rulebook", *words, code=USAGE).stderr


class TestFolders:
    def test_an_export_is_the_rulebook_it_came_from(self, cli: Cli) -> None:
        said = cli.json("rulebook", "export", "mine")
        assert said["sha256"] == built_in().sha256
        assert cli.json("rulebook", "check", "mine") == {
            "folder": "mine", "sha256": built_in().sha256, "faults": [], "instruments": len(built_in().profiles),
            "rules": len(list(built_in().rules())),
        }  # fmt: skip
        cli("rulebook", "export", "again", "--from", "mine")
        assert cli.json("rulebook", "show", "--folder", "again")["sha256"] == built_in().sha256

    def test_an_export_writes_over_nothing(self, cli: Cli) -> None:
        folder = edited(cli, 'signed = "2009-06-23"', 'signed = "2009-06-24"')
        assert "expected no other profiles in mine" in cli("rulebook", "export", folder, code=USAGE).stderr
        assert 'signed = "2009-06-24"' in Path("mine/ru-kz-2009.toml").read_text(encoding="utf-8")

    @pytest.mark.parametrize(
        ("rule", "old", "new", "said"),
        [
            ("A6.2b", READINGS, 'readings = ["hours:72", "days:3"]', "rule A6.2b: expected a reading"),
            ("A6.2b", READINGS, "readings = 72", "Expected `array`"),
            ("A2", 'id = "A2"\n', 'id = "A1"\n', "expected rule A1 once, found it twice"),
            ("A2", 'check = "area"', 'check = "aria"', "rule A2: expected a check of kind 'closed_list'"),
            ("", "[requests.scales]", "[requests.scales", "ru-kz-2009.toml: expected the profile of an instrument"),
            ("A5.2", 'same_as = ["A5.3"]', 'same_as = ["A55"]', "rule A5.2: expected same_as to name rules"),
            ("", 'id = "ru-kz-2009"\nkind', 'id = "ru-kz-2009"\nsort', "expected the profile of an instrument"),
            ("A2", '"Direction: {area}"', '"Direction: {"', "rule A2: expected placeholders"),
            ("A2", '"Direction: {area}"', '" "', "rule A2: expected line.en to say something"),
        ],
    )
    def test_what_is_wrong_with_a_profile_is_said(self, cli: Cli, rule: str, old: str, new: str, said: str) -> None:
        folder = edited(cli, old, new, rule)
        assert said in cli("rulebook", "check", folder, code=NO).stdout
        assert said in cli.json("rulebook", "check", folder, code=NO)["faults"][0]

    def test_a_folder_without_profiles_is_named(self, cli: Cli) -> None:
        Path("empty").mkdir()
        assert "empty" in cli("rulebook", "check", "empty", code=NO).stdout
        assert "nowhere" in cli("rulebook", "check", "nowhere", code=USAGE).stderr


class TestDiff:
    def test_it_says_which_verdicts_would_change_and_changes_none(self, cli: Cli, case: Path) -> None:
        before = cli.json("compliance", "--limit", "1000")
        folder = without(cli)
        found = cli.json("rulebook", "diff", folder, "--into", "changes.jsonl")
        assert {"rule": "A6.2b", "before": "breached", "after": "–", "number": 1} in found["counts"]
        assert [c["subject"] for c in found["first"] if c["rule"] == "A6.2b"] == [ORAL]
        lines = Path("changes.jsonl").read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == found["first"]
        assert (found["changes"], found["judged"] >= 2) == (len(lines), True)
        assert cli.json("compliance", "--limit", "1000")["findings"] == before["findings"]
        said = cli("rulebook", "diff", folder).stdout
        assert "no such rule there" in said

    def test_what_it_says_is_what_adopting_then_does(self, cli: Cli, case: Path) -> None:
        moment = ["--as-of", "2025-03-05T10:00:00+06:00"]
        folder = stricter(cli)
        said = cli.json("rulebook", "diff", folder, *moment, "--limit", "10000")["first"]
        before = board(cli, *moment)
        cli("rulebook", "adopt", folder, "--version", "2")
        after = board(cli, *moment)
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        told = {
            (each["subject"], each["rule"], each["item"]): (each["before"], each["after"])
            for each in said
            if each["sort"] == "verdict"
        }
        assert changed == told.keys()
        assert changed
        for key, (was, becomes) in told.items():
            assert (before.get(key), after.get(key)) == (was and was["verdict"], becomes and becomes["verdict"])

    def test_every_subject_is_judged_whatever_the_size_of_a_page(
        self, cli: Cli, case: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = without(cli)
        whole = cli.json("rulebook", "diff", folder, "--as-of", "2025-06-30")
        assert whole["judged"] == 2 + 1 + 4  # requests, the register, the years from 2022 on
        monkeypatch.setattr(rulebook_diff, "_PAGE", 1)
        assert cli.json("rulebook", "diff", folder, "--as-of", "2025-06-30") == whole

    def test_the_list_is_cut_and_the_counts_are_not(self, cli: Cli, case: Path) -> None:
        folder = without(cli)
        Path(folder, "ru-order-136.toml").unlink()
        whole, cut = (cli.json("rulebook", "diff", folder, "--limit", limit) for limit in ("50", "1"))
        assert whole["changes"] > 1
        assert (cut["counts"], cut["changes"]) == (whole["counts"], whole["changes"])
        assert cut["first"] == whole["first"][:1]

    def test_a_term_that_ends_earlier_shows_at_the_moment_between(self, cli: Cli, case: Path) -> None:
        folder = stricter(cli)
        between = cli.json("rulebook", "diff", folder, "--as-of", "2025-03-05T10:00:00+06:00")
        assert {"rule": "A6.2b", "before": "open", "after": "breached", "number": 1} in between["counts"]
        before = cli.json("rulebook", "diff", folder, "--as-of", "2025-03-03T12:00:00+06:00")
        assert {"rule": "A6.2b", "before": "open", "after": "open, ending otherwise", "number": 1} in before["counts"]
        after = cli.json("rulebook", "diff", folder)
        assert [count for count in after["counts"] if count["rule"] == "A6.2b"] == []

    def test_the_same_rulebook_changes_nothing(self, cli: Cli, case: Path) -> None:
        cli("rulebook", "export", "mine")
        assert cli.json("rulebook", "diff", "mine")["changes"] == 0
        assert "The same rulebook as the one in use" in cli("rulebook", "diff", "--built-in").stdout

    def test_wrong_words_are_named(self, cli: Cli, case: Path) -> None:
        assert "expected FOLDER or --built-in" in cli("rulebook", "diff", code=USAGE).stderr
        Path("there").write_text("", encoding="utf-8")
        folder = stricter(cli)
        assert "expected no file at there" in cli("rulebook", "diff", folder, "--into", "there", code=USAGE).stderr


class TestAdopt:
    def test_the_register_names_it_and_verdicts_follow(self, cli: Cli, case: Path) -> None:
        folder = stricter(cli)
        moment = ["--rule", "A6.2b", "--as-of", "2025-03-05T10:00:00+06:00"]
        assert [f["verdict"] for f in cli.json("compliance", *moment)["findings"]] == ["open"]
        sealed = cli.json("rulebook", "adopt", folder, "--version", "2026.1", "--valid-from", "2026-01-01")
        assert (sealed["outcome"], sealed["subject"]) == ("sealed", "register")
        shown = cli.json("rulebook")
        assert (shown["version"], shown["sha256"]) == ("2026.1", cli.json("rulebook", "check", folder)["sha256"])
        board = cli.json("compliance", *moment)
        assert [f["verdict"] for f in board["findings"]] == ["breached"]
        assert (board["rulebook_sha256"], board["waiting"]) == (shown["sha256"], 0)
        one = cli.json("compliance", GRADED)
        assert one["rulebook"] == {"version": "2026.1", "sha256": shown["sha256"]}
        kept = case / "rogatory-data" / "rulebooks" / shown["sha256"]
        assert sorted(path.name for path in kept.iterdir()) == sorted(path.name for path in Path(folder).iterdir())

    def test_the_one_in_use_is_not_adopted_again(self, cli: Cli, case: Path) -> None:
        cli("rulebook", "export", "mine")
        cli("rulebook", "adopt", "mine", "--version", "1")
        assert "found the same: 1 (" in cli("rulebook", "adopt", "mine", "--version", "1", code=USAGE).stderr
        cli("rulebook", "adopt", "mine", "--version", "2")
        assert cli.json("rulebook")["version"] == "2"

    def test_a_reader_without_the_profiles_says_so_and_judges_nothing(self, cli: Cli, case: Path) -> None:
        folder = stricter(cli)
        cli("rulebook", "adopt", folder, "--version", "2026.1")
        shutil.rmtree(case / "rogatory-data" / "rulebooks")
        digest = cli.json("rulebook", "check", folder)["sha256"]
        for words in (["compliance"], ["compliance", ORAL], ["rulebook"], ["materials", GRADED]):
            refused = cli(*words, code=USAGE).stderr
            assert f"expected the rulebook 2026.1 with digest {digest}" in refused
        kept = cli.json("rulebook", "keep", folder)
        assert kept["sha256"] == digest
        assert cli.json("compliance", ORAL)["rulebook"]["version"] == "2026.1"

    def test_a_kept_copy_that_was_changed_is_not_used(self, cli: Cli, case: Path) -> None:
        folder = stricter(cli)
        cli("rulebook", "adopt", folder, "--version", "2026.1")
        (kept,) = (case / "rogatory-data" / "rulebooks").iterdir()
        profile = kept / "ru-kz-2009.toml"
        profile.write_text(profile.read_text(encoding="utf-8") + "\n# changed\n", encoding="utf-8")
        assert "its files have changed" in cli("compliance", ORAL, code=USAGE).stderr
        assert "were changed" in cli("rulebook", "keep", folder, code=USAGE).stderr

    def test_an_unsound_rulebook_is_not_adopted(self, cli: Cli, case: Path) -> None:
        folder = edited(cli, '"Direction: {area}"', '" "', "A2")
        refused = cli("rulebook", "adopt", folder, "--version", "1", code=USAGE)
        assert "rule A2: expected line.en to say something" in refused.stderr
        assert cli.json("rulebook")["version"] == "built-in"
        assert not (case / "rogatory-data" / "rulebooks").exists()
