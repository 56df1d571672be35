"""``rogatory report``: documents of a told ledger, and filing them."""

from __future__ import annotations

import json
import re
import shlex
from hashlib import sha256
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from infra.documents.files import read_imprint
from tests.e2e.cli import Cli
from tests.e2e.forging import records

OF_2025 = ("annual", "RU-OMS", "--year", "2025", "--as-of", "2026-01-20")
_NOTE = re.compile(r'<li id="c(\d+)"><span class="number">\[\d+\]</span> (.*?) <code>(.*?)</code></li>')


def cited(page: Path) -> list[tuple[str, list[str]]]:
    """What the notes of a page say, and the command that each gives."""
    return [(unescape(said), shlex.split(unescape(query))) for _, said, query in _NOTE.findall(page.read_text("utf-8"))]


@pytest.fixture
def filer(case: Path, cli: Cli) -> Cli:
    """The command line where RU-OMS has been an office since 2020, and the Directorate can sign, too."""
    named = ("--name", "Омская область", "--tz", "Asia/Omsk", "--border")
    cli("register", "office", "RU-OMS", *named, "--valid-from", "2020-01-01")
    cli("keys", "enrol", cli.new_key("RU-GUMPS"))
    return cli


def file_annual(filer: Cli, time: str = "2026-01-20T10:00:00+06:00", *more: str) -> str:
    """Make and file the annual information of RU-OMS; the id of the event."""
    filer("report", *OF_2025, "--out", "a.html")
    return str(filer.json("report", "file", "a.html", "--memo", "memo-7", "--time", time, *more)["id"])


def test_annual_information_is_written_in_both_forms_with_what_a_person_proposes(case: Path, cli: Cli) -> None:
    (case / "p.txt").write_text("Предложение первое.\n\nВторое.\n", encoding="utf-8")
    said = cli.json("report", *OF_2025, "--proposals", "p.txt", "--out", "a.html", "--out", "a.docx")
    assert [one["file"] for one in said["files"]] == ["a.html", "a.docx"]
    for one in said["files"]:
        raw = (case / one["file"]).read_bytes()
        assert sha256(raw).hexdigest() == one["sha256"]
        imprint = read_imprint(raw, case)
        assert (imprint.sort, imprint.office, imprint.year, imprint.proposals) == ("annual", "RU-OMS", 2025, 2)
    assert "Предложение первое." in (case / "a.html").read_text("utf-8")


def test_the_same_position_and_moment_give_the_same_bytes(case: Path, cli: Cli) -> None:
    first = cli.json("report", *OF_2025, "--out", "a.html", "--out", "a.docx")
    again = cli.json("report", *OF_2025, "--out", "b.html", "--out", "b.docx")
    assert [one["sha256"] for one in first["files"]] == [one["sha256"] for one in again["files"]]


@pytest.mark.parametrize("lang", ["en", "ru"])
def test_each_figure_is_what_the_command_of_its_note_lists(case: Path, cli: Cli, lang: str) -> None:
    cli("report", *OF_2025, "--lang", lang, "--out", "a.html")
    cli("report", "review", "--year", "2025", "--as-of", "2026-01-20", "--lang", lang, "--out", "r.html")
    told = [*cited(case / "a.html"), *cited(case / "r.html")]
    assert len(told) > 20
    for said, query in told:
        found = re.search(r"(?:Records|Findings|Записей|Выводов): (\d+)", said)
        assert found is not None, said
        listed = cli.json(*query[1:], "--limit", "10000")
        assert int(found[1]) == len(listed["findings" if "findings" in listed else "records"]), said


def test_what_was_breached_stands_in_it_with_its_article(case: Path, cli: Cli) -> None:
    page = cli("report", *OF_2025, "--lang", "en").stdout
    assert "Annual information on direct contacts" in page
    assert re.search(r"A6\.2b \(Agr\. 6\(2\)[^)]*\)\s*│ breached", page)
    assert "request/2025-000201" in page


def test_confirmed_oral_requests_and_findings_by_materials_are_what_the_figures_say(case: Path, cli: Cli) -> None:
    page = " ".join(cli("report", *OF_2025, "--lang", "en").stdout.split())
    (told,) = cli.json("partners", "KZ", "--period", "2025", "--office", "RU-OMS", "--figure", "M33")["figures"]
    (own,) = cli.json("partners", "all", "--period", "2025", "--office", "RU-OMS", "--figure", "M30")["figures"]
    met, judged = told["confirmed"]["of"], told["confirmed"]["all"]
    findings, materials = own["per_materials"]["findings"], own["per_materials"]["materials"]
    assert judged
    assert findings
    assert f"by every reading of the term: {100 * met / judged:.1f} % of the oral requests" in page
    rate = f"{1000 * findings / materials:,.1f}"
    assert f"whoever the partner: {rate} per 1,000 materials. Materials sent and received: {materials} [" in page
    assert f"Findings breached or undetermined: {findings} (" in page


def test_without_a_file_it_is_shown_and_with_json_it_is_given_whole(case: Path, cli: Cli) -> None:
    said = cli.json("report", *OF_2025)
    assert said["imprint"]["rogatory"] == "annual"
    assert said["document"]["blocks"][-1]["type"] == "Notes"


def test_the_review_says_which_offices_are_missing(filer: Cli) -> None:
    page = filer("report", "review", "--year", "2025", "--as-of", "2026-02-20", "--lang", "en").stdout
    assert re.search(r"RU-OMS, Омская область\s*│ missing", page)


def test_filing_is_an_event_with_the_digest_of_the_file_and_meets_the_rule(case: Path, filer: Cli) -> None:
    filer("report", *OF_2025, "--out", "a.docx")
    digest = sha256((case / "a.docx").read_bytes()).hexdigest()
    said = filer.json("report", "file", "a.docx", "--memo", "memo-7", "--time", "2026-01-20T10:00:00+06:00")
    assert (said["outcome"], said["sha256"]) == ("sealed", digest)
    event = _data(case, said["id"])
    assert event["figures_sha256"] == digest
    assert (event["memo_ref"], event["separate_block"], event["proposals"]) == ("memo-7", True, 0)
    received = json.dumps({"office": "RU-OMS", "report": said["id"]})
    at = ("--time", "2026-01-21T10:00:00+03:00", "--office", "RU-GUMPS")
    filer("publish", "year/2025", "annualreport.received", "--data", received, *at)
    (found,) = filer.json("compliance", "year/2025", "--rule", "O11")["findings"]
    assert (found["item"], found["verdict"]) == ("RU-OMS", "met")
    page = filer("report", "review", "--year", "2025", "--lang", "en").stdout
    assert re.search(r"RU-OMS, Омская область\s*│ sent in time \[\d+\]\s*│ 2026-01-20\s*│ 2026-01-21", page)


def test_a_late_filing_breaches_the_deadline_that_the_rulebook_watches(filer: Cli) -> None:
    id_ = file_annual(filer, "2026-02-03T10:00:00+06:00")
    received = json.dumps({"office": "RU-OMS", "report": id_})
    filer("publish", "year/2025", "annualreport.received", "--data", received, "--office", "RU-GUMPS")
    (found,) = filer.json("compliance", "year/2025", "--rule", "O11")["findings"]
    assert found["verdict"] == "breached"


def test_annual_information_inside_the_memorandum_breaches_what_asks_for_a_block(filer: Cli) -> None:
    file_annual(filer, "2026-01-20T10:00:00+06:00", "--inside")
    (found,) = filer.json("compliance", "year/2025", "--rule", "O11")["findings"]
    assert (found["verdict"], found["reason"]) == ("breached", "no_block")


def test_a_second_filing_is_refused_unless_it_is_meant(case: Path, cli: Cli) -> None:
    cli("report", *OF_2025, "--out", "a.html")
    cli("report", "file", "a.html", "--memo", "memo-7")
    said = cli("report", "file", "a.html", "--memo", "memo-7", code=2).output
    assert "expected no annualreport.submitted of RU-OMS for 2025 yet" in said
    cli("report", "file", "a.html", "--memo", "memo-8", "--again")


def test_a_review_cites_the_annual_information_and_is_filed_by_the_directorate(case: Path, filer: Cli) -> None:
    id_ = file_annual(filer)
    (case / "p.txt").write_text("One.", encoding="utf-8")
    review = ("report", "review", "--year", "2025", "--as-of", "2026-06-30", "--proposals", "p.txt")
    assert filer.json(*review, "--out", "r.docx")["imprint"]["cites"] == [id_]
    said = filer.json("report", "file", "r.docx")
    (found,) = filer.json("compliance", "year/2025", "--rule", "O14")["findings"]
    assert found["verdict"] == "met"
    event = _data(case, said["id"])
    assert event["sha256"] == sha256((case / "r.docx").read_bytes()).hexdigest()
    assert (event["cites"], event["to_role"], event["proposals"]) == ([id_], "supervising_deputy", 1)


class TestWrongUse:
    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (("annual", "RU-XXX", "--year", "2025"), "expected an office of the register"),
            (("annual", "KZ-PGO", "--year", "2025"), "that is RU's own ("),
            (("annual", "RU-OMS", "--year", "2025", "--out", "a.pdf"), "ends in .html or .docx"),
            (("annual", "RU-OMS", "--year", "2025", "--out", "no/a.html"), "expected a folder"),
            (("annual", "RU-OMS", "--year", "2025", "--proposals", "none.txt"), "expected proposals at none.txt"),
            (("annual", "RU-OMS", "--year", "2025", "--as-of", "soon"), "expected --as-of"),
            (("file", "none.html"), "expected a document at none.html"),
            (("file", "a.html"), "expected --memo REF"),
            (
                ("file", "a.html", "--memo", "m", "--office", "RU-GUMPS"),
                "expected a document of RU-GUMPS, found one of",
            ),
            (("file", "rogatory.toml", "--memo", "m"), "expected a page with a meta element"),
        ],
    )
    def test_is_said_with_what_was_expected(self, case: Path, cli: Cli, args: tuple[str, ...], said: str) -> None:
        cli("report", *OF_2025, "--out", "a.html")
        assert said in cli("report", *args, code=2).output

    def test_a_document_of_another_ledger_is_refused(self, case: Path, cli: Cli) -> None:
        cli("report", *OF_2025, "--out", "a.html")
        page = (case / "a.html").read_text("utf-8")
        imprint = read_imprint(page.encode(), case)
        (case / "a.html").write_text(page.replace(imprint.ledger, "other." + "0" * 32), encoding="utf-8")
        assert "found one of other." in cli("report", "file", "a.html", "--memo", "m", code=2).output

    def test_a_file_that_cannot_be_written_leaves_nothing_behind(self, case: Path, cli: Cli) -> None:
        (case / "a.html").mkdir()
        cli("report", *OF_2025, "--out", "a.html", code=2)
        assert not list(case.glob("*.new"))


def _data(place: Path, event_id: str) -> dict[str, Any]:
    """The data of an event as it stands in the ledger."""
    events = [json.loads(stored.value) for partition in (0, 1) for stored in records(place / "assistance", partition)]
    (found,) = [event for event in events if event["id"] == event_id]
    data: dict[str, Any] = found["data"]
    return data
