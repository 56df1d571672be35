"""Documents as files: the same bytes for the same document, whatever stands in it, and the imprint read again."""

from __future__ import annotations

import time
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.documents.files import FORMS, form_of, read_imprint
from infra.documents.proposals import read_proposals
from ledger.errors import ConfigError, FieldError, FormatError
from projections.reports import annual, review
from projections.reports.document import Document, Lang, Notes
from tests.reports import annual_answers, rested, review_answers

HERE = Path("x")


def made(sort: str, lang: Lang = "ru", **changed: Any) -> Document:
    room, answers = (annual, annual_answers) if sort == "annual" else (review, review_answers)
    told: Any = answers(lang, **changed)
    draft = room.assemble(told)  # type: ignore[attr-defined]
    return room.complete(told, draft, rested(draft))  # type: ignore[attr-defined,no-any-return]


every_form = pytest.mark.parametrize("form", sorted(FORMS))
every_sort = pytest.mark.parametrize("sort", ["annual", "review"])


@every_form
@every_sort
def test_the_same_document_is_the_same_bytes_at_any_time_and_in_any_zone(
    form: str, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = FORMS[form](made(sort))
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setenv("TZ", "Asia/Omsk")
    time.tzset()
    try:
        assert FORMS[form](made(sort)) == first
    finally:
        monkeypatch.undo()
        time.tzset()
    assert FORMS[form](made(sort, proposals=("Another.",))) != first


@every_form
@every_sort
def test_a_file_says_which_document_it_is(form: str, sort: str) -> None:
    document = made(sort)
    assert read_imprint(FORMS[form](document), HERE) == document.imprint


@every_form
def test_what_looks_like_markup_is_text(form: str) -> None:
    document = made("annual", proposals=("</imprint><script>alert(1)</script>&amp; \"'",))
    raw = FORMS[form](document)
    assert b"<script" not in raw
    assert read_imprint(raw, HERE) == document.imprint


def test_a_page_brings_its_styles_and_asks_for_nothing() -> None:
    page = FORMS["html"](made("review")).decode()
    assert '<html lang="ru">' in page
    assert "default-src 'none'" in page
    for never in ("<script", "http://", "https://", "src=", "@import", "url("):
        assert never not in page.replace("http-equiv", ""), never


def test_every_figure_of_a_page_leads_to_its_note_and_every_note_is_there_once() -> None:
    document = made("review")
    page = FORMS["html"](document).decode()
    numbers = [note.number for block in document.blocks if isinstance(block, Notes) for note in block.notes]
    for number in numbers:
        assert page.count(f'<li id="c{number}">') == 1
        assert f'href="#c{number}"' in page
    assert f'href="#c{len(numbers) + 1}"' not in page


def test_a_docx_is_a_docx_with_all_its_tables_and_links_that_lead_somewhere() -> None:
    document = made("review")
    opened = docx.Document(BytesIO(FORMS["docx"](document)))
    captions = [block.caption for block in document.blocks if hasattr(block, "caption")]
    assert len(opened.tables) == len(captions) + 1  # the facts
    texts = [paragraph.text for paragraph in opened.paragraphs]
    assert set(captions) <= set(texts)
    xml = opened.element.xml
    anchors = {part.split('"')[0] for part in xml.split('w:anchor="')[1:]}
    names = {part.split('"')[0] for part in xml.split("<w:bookmarkStart ")[1:] for part in part.split('w:name="')[1:]}
    assert anchors == names != set()


def test_a_docx_has_no_moment_of_its_making_and_no_compression() -> None:
    with ZipFile(BytesIO(FORMS["docx"](made("annual")))) as file:
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert {info.compress_type for info in file.infolist()} == {ZIP_STORED}
        assert file.infolist()[0].filename == "[Content_Types].xml"


def test_a_word_processor_may_name_the_part_of_the_imprint_anew() -> None:
    document = made("annual")
    out = BytesIO()
    with ZipFile(BytesIO(FORMS["docx"](document))) as read, ZipFile(out, "w") as write:
        for info in read.infolist():
            write.writestr(info.filename.replace("customXml/rogatory.xml", "customXml/item7.xml"), read.read(info))
    assert read_imprint(out.getvalue(), HERE) == document.imprint


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"", "meta element"),
        (b"<html><meta name=rogatory content='{}'></html>", "imprint of a generated document"),
        (b"<html></html>", "meta element"),
        (b"\xff\xfe", "UTF-8"),
        (b"PK\x03\x04 but no more", "BadZipFile"),
    ],
)
def test_what_is_no_generated_document_is_refused_with_how_to_make_one(raw: bytes, found: str) -> None:
    with pytest.raises(FormatError, match=found) as refused:
        read_imprint(raw, HERE)
    assert "rogatory report annual" in str(refused.value)


def test_a_docx_of_somebody_else_is_refused() -> None:
    other = BytesIO()
    docx.Document().save(other)
    with pytest.raises(FormatError, match="without the part"):
        read_imprint(other.getvalue(), HERE)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_spoilt_file_gives_the_domain_error_alone(data: st.DataObject) -> None:
    raw = bytearray(_WHOLE[data.draw(st.sampled_from(sorted(_WHOLE)))])
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with suppress(FormatError):
        read_imprint(bytes(raw[: data.draw(st.integers(0, len(raw)))]), HERE)


_WHOLE = {form: FORMS[form](made("annual")) for form in FORMS}


@pytest.mark.parametrize("name", ["a.pdf", "a", "docx"])
def test_a_form_is_known_by_the_end_of_the_name(name: str) -> None:
    assert (form_of(Path("a.DOCX")), form_of(Path("b.htm"))) == ("docx", "html")
    with pytest.raises(ConfigError, match=r"ends in \.html or \.docx"):
        form_of(Path(name))


class TestProposals:
    def test_each_paragraph_is_one_without_its_dash_or_number(self) -> None:
        text = "- Первое\n  предложение.\n\n\n2) Second: 3. of three.\n \nThird."
        assert read_proposals(text.encode(), "p") == ("Первое предложение.", "Second: 3. of three.", "Third.")

    def test_line_ends_and_marks_of_other_systems_are_no_matter(self) -> None:
        assert read_proposals(b"\xef\xbb\xbfOne.\r\n\r\nTwo.\r\n", "p") == ("One.", "Two.")

    @pytest.mark.parametrize(
        ("raw", "found"),
        [(b"", "found none"), (b" \n\n", "found none"), (b"\xd0", "UTF-8"), (b"a\x00b", "control character"),
         (b"x" * ((1 << 20) + 1), "at most")],
    )  # fmt: skip
    def test_what_no_document_can_hold_is_refused(self, raw: bytes, found: str) -> None:
        with pytest.raises(FieldError, match=found):
            read_proposals(raw, "p")

    @given(st.text(max_size=200))
    @settings(max_examples=30, deadline=None)
    def test_what_is_taken_stands_in_every_form(self, text: str) -> None:
        try:
            proposals = read_proposals(text.encode("utf-8", "surrogatepass"), "p")
        except FieldError:
            return
        document = made("annual", proposals=proposals)
        for form in FORMS:
            assert read_imprint(FORMS[form](document), HERE).proposals == len(proposals)


def test_no_file_depends_on_the_folder_it_is_made_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = FORMS["docx"](made("annual"))
    monkeypatch.chdir(tmp_path)
    assert FORMS["docx"](made("annual")) == before
    assert list(tmp_path.iterdir()) == []
