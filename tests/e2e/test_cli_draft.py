"""``rogatory check-draft`` and ``rogatory.check_draft``: what an event would do, and that nothing of it is left."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import rogatory
from infra.cli.options import NO, USAGE
from rogatory import Draft, events
from tests.e2e.cli import Cli
from tests.e2e.lawful import CONFIRMATION, ORAL, SECRET, opened

IN_TIME = "2025-03-05T10:00:00+06:00"


def spoken_id(cli: Cli) -> str:
    """The event id of the oral request."""
    return str(cli.json("status", ORAL)["history"][0]["id"])


def write(draft: dict[str, Any]) -> str:
    """A draft in a file."""
    Path("draft.json").write_text(json.dumps(draft, ensure_ascii=False), encoding="utf-8")
    return "draft.json"


def confirmation(cli: Cli) -> dict[str, Any]:
    """A written confirmation of the oral request, in time."""
    return {**CONFIRMATION, "data": {**CONFIRMATION["data"], "confirms": spoken_id(cli)}}


def effect(answer: dict[str, Any], rule: str) -> dict[str, Any]:
    """What becomes of the one finding of a rule."""
    (found,) = (each for each in answer["effects"] if each["rule"] == rule)
    return dict(found)


class TestWhatIf:
    def test_a_confirmation_would_mend_what_is_broken(self, cli: Cli, case: Path) -> None:
        answer = cli.json("check-draft", write(confirmation(cli)))
        found = effect(answer, "A6.2b")
        assert (found["before"]["verdict"], found["after"]["verdict"]) == ("breached", "met")
        assert (answer["office"], answer["refusals"], answer["records"]) == ("RU-OMS", [], 1)
        assert [ref["event"] for ref in found["after"]["evidence"]] == [spoken_id(cli), "draft"]

    def test_what_it_says_is_what_publishing_then_does(self, cli: Cli, case: Path) -> None:
        draft = confirmation(cli)
        answer = cli.json("check-draft", write(draft))
        cli("publish", ORAL, draft["type"], "--time", draft["time"], "--data", json.dumps(draft["data"]))
        really = {(f["rule"], f["item"]): f["verdict"] for f in cli.json("compliance", ORAL)["findings"]}
        told = {(e["rule"], e["item"]): e["after"]["verdict"] for e in answer["effects"] if e["after"] is not None}
        assert told
        assert told.items() <= really.items()

    def test_strict_exits_with_no_where_something_would_be_broken_or_refused(self, cli: Cli, case: Path) -> None:
        first = {**opened("p-7", "2025-05-02T09:00:00+06:00"), "subject": "request/2025-000999"}
        assert "would breach 1 obligation" in cli("check-draft", write(first)).stdout
        cli("check-draft", write(first), "--strict", code=NO)
        cli("check-draft", write(confirmation(cli)), "--strict")
        wrong = {**confirmation(cli), "expectedseq": 7}
        cli("check-draft", write(wrong), "--strict", code=NO)

    def test_nothing_is_stored_or_sent_and_no_secret_is_printed(self, cli: Cli, case: Path) -> None:
        before = cli.json("status", ORAL)
        keys = (case / "rogatory-data" / "vault.sqlite").read_bytes()
        said = cli("check-draft", write(confirmation(cli))).stdout
        assert "nothing was stored or sent" in said
        assert cli.json("status", ORAL) == before
        assert (case / "rogatory-data" / "vault.sqlite").read_bytes() == keys
        assert SECRET not in cli.printed

    def test_it_comes_from_standard_input_too(self, cli: Cli, case: Path) -> None:
        said = cli("check-draft", "-", "--lang", "ru", given=json.dumps(confirmation(cli))).stdout
        assert "meet 4 obligations" in said
        assert "подтверждён письменно" in said

    def test_a_draft_about_the_register_says_what_it_touches(self, cli: Cli, case: Path) -> None:
        draft = {
            "subject": "register", "name": "role.ended",
            "data": {"office": "RU-OMS", "person": "p-1", "role": "head", "effective": "2025-04-01"},
        }  # fmt: skip
        answer = cli.json("check-draft", write(draft))
        assert answer["touches"] == ["roles:RU-OMS"]

    def test_silence_is_broken_by_the_first_act_of_a_year(self, cli: Cli, case: Path) -> None:
        year = datetime.now(UTC).year
        report = {
            "subject": f"year/{year}", "type": "annualreport.submitted",
            "data": {"office": "RU-OMS", "year": year, "separate_block": False, "memo_ref": "memo-1", "contacts": 3,
                     "proposals": 1, "nil": False},
        }  # fmt: skip
        found = effect(cli.json("check-draft", write(report)), "O11")
        assert (found["item"], found["before"]["verdict"], found["after"]["verdict"]) == ("RU-OMS", "open", "breached")
        assert found["after"]["reason"] == "no_block"


class TestWhatWouldBeRefused:
    @pytest.mark.parametrize(
        ("change", "said"),
        [
            ({"type": "request.acepted"}, "did you mean request.accepted?"),
            ({"data": {}}, "expected the member"),
            ({"data": {"executing": 7}}, "request.accepted.executing: expected office, found 7"),
            ({"data": {"executing": "RU-OMS", "execting": "x"}}, "did you mean executing?"),
            ({"subject": "meeting/1"}, "expected a subject request"),
            ({"subject": "request/nö"}, "expected a well-formed subject"),
            ({"time": "yesterday"}, "expected a well-formed time"),
            ({"expectedseq": 9}, "expected expectedseq 1, the records that request/2025-000201 has, found 9"),
            ({"source": "office/RU OMS"}, "expected a well-formed source"),
            ({"id": "x" * 65}, "expected a well-formed id"),
            ({"actor": "a b"}, "expected a well-formed actor"),
            ({"source": "office/RU-GUMPS"}, "expected an office with an enrolled sign key, found RU-GUMPS"),
        ],
    )
    def test_it_is_said_and_is_no_error_of_the_command(
        self, cli: Cli, case: Path, change: dict[str, Any], said: str
    ) -> None:
        draft = {"subject": ORAL, "type": "request.accepted", "data": {"executing": "RU-OMS"}, "source": "RU-OMS"}
        answer = cli.json("check-draft", write({**draft, **change}))
        assert said in " ".join(answer["refusals"])
        assert f"It would be refused: {answer['refusals'][0][:20]}" in cli("check-draft", "draft.json").stdout

    def test_an_id_that_stands_already_is_said(self, cli: Cli, case: Path) -> None:
        draft = {"subject": ORAL, "type": "request.accepted", "data": {"executing": "RU-OMS"}, "id": spoken_id(cli)}
        (refusal,) = cli.json("check-draft", write(draft))["refusals"]
        assert "expected a new id" in refusal

    def test_who_may_not_speak_for_the_register_is_told_so(self, cli: Cli, case: Path) -> None:
        draft = {
            "subject": "register", "type": "rulebook.adopted", "source": "RU-OMS",
            "data": {"version": "9", "sha256": "00" * 32, "profiles": [], "valid_from": "2025-01-01"},
        }  # fmt: skip
        (refusal,) = cli.json("check-draft", write(draft))["refusals"]
        assert "signed by an authority or a coordinating unit of the own Party, found RU-OMS" in refusal


class TestWhatCannotBeRead:
    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "draft.json: "),
            ("[]", "expected a JSON object, found a list"),
            ('{"subject": "request/1", "type": "request.accepted"}', "expected the member data, found none"),
            ('{"subject": "request/1", "data": {}}', "expected type or name, one of them"),
            ('{"subject": "request/1", "type": "a", "name": "a", "data": {}}', "expected type or name, one of them"),
            ('{"subject": "request/1", "type": "a", "data": {}, "dta": 1}', "expected the members subject"),
            ('{"subject": 7, "type": "a", "data": {}}', "Expected `str`"),
            ('{"subject": "request/1", "subject": "request/2", "type": "a", "data": {}}', "draft.json: "),
        ],
    )
    def test_it_is_named_with_what_was_expected(self, cli: Cli, case: Path, text: str, said: str) -> None:
        Path("draft.json").write_text(text, encoding="utf-8")
        assert said in cli("check-draft", "draft.json", code=USAGE).stderr

    def test_a_file_that_is_not_there_is_named(self, cli: Cli, case: Path) -> None:
        assert "expected a draft at nowhere.json" in cli("check-draft", "nowhere.json", code=USAGE).stderr


class TestSdk:
    def draft(self) -> Draft:
        return Draft(subject=ORAL, data=events.RequestAccepted(executing="RU-OMS"), time=IN_TIME)

    def test_it_answers_as_the_command_does(self, cli: Cli, case: Path) -> None:
        answer = asyncio.run(rogatory.check_draft(self.draft(), office="RU-OMS"))
        members = {"subject": ORAL, "type": "request.accepted", "data": {"executing": "RU-OMS"}, "time": IN_TIME}
        told = cli.json("check-draft", write(members))
        assert [(e.rule, e.item, e.after and e.after.verdict) for e in answer.effects] == [
            (e["rule"], e["item"], e["after"] and e["after"]["verdict"]) for e in told["effects"]
        ]
        assert answer.refusals == ()
        assert rogatory.check_draft_blocking(self.draft(), office="RU-OMS").effects == answer.effects

    def test_it_is_asked_for_a_moment_with_a_zone(self, case: Path) -> None:
        with pytest.raises(rogatory.ConfigError, match="expected as_of with a zone"):
            asyncio.run(rogatory.check_draft(self.draft(), as_of=datetime(2025, 3, 5)))  # noqa: DTZ001 - that is it

    def test_what_the_schema_refuses_is_raised(self, case: Path) -> None:
        wrong = Draft(subject="meeting/1", data=events.RequestAccepted(executing="RU-OMS"))
        with pytest.raises(rogatory.FieldError, match="expected a subject request"):
            asyncio.run(rogatory.check_draft(wrong, office="RU-OMS"))
