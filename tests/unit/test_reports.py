"""Documents out of plain answers: what they say, what each figure is cited by, what is not known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from ledger.errors import FormatError
from projections.compliance.rulebook import built_in
from projections.figures.answers import (
    Citation,
    Cited,
    FigureAnswer,
    FiguresPage,
    Line,
    PartAnswer,
    Scope,
    VerdictLine,
)
from projections.reports import annual, review
from projections.reports.document import (
    Cell,
    Document,
    Event,
    Findings,
    Heading,
    Items,
    Lang,
    Notes,
    Paragraph,
    Postings,
    Table,
)
from projections.reports.imprint import format_imprint, parse_imprint
from projections.reports.notes import query, rests_on
from projections.reports.tables import amounts, counts, days, figure
from projections.reports.words import Words, codes, sentences
from tests.reports import (
    AS_OF,
    BASIS,
    BEFORE,
    JUNE,
    ROWS,
    SCOPE,
    ZONE,
    annual_answers,
    board_row,
    count,
    head,
    page,
    rested,
    review_answers,
    seen,
)

EN, RU = Words("en"), Words("ru")
OWN = Scope(office="RU-OMS", first=202501, last=202512)
both = pytest.mark.parametrize("lang", ["en", "ru"])


def table(document: Document, caption: str) -> Table:
    return next(b for b in document.blocks if isinstance(b, Table) and b.caption.startswith(caption))


def said(row: tuple[Cell, ...]) -> list[str]:
    return [cell.text for cell in row]


def whole(answers: Any) -> Document:
    room = annual if isinstance(answers, annual.AnnualInformation) else review
    draft = room.assemble(answers)
    return room.complete(answers, draft, rested(draft))


def paragraphs(document: Document) -> list[Paragraph]:
    return [block for block in document.blocks if isinstance(block, Paragraph)]


def paragraph(document: Document, begins: str) -> tuple[Cell, ...]:
    (found,) = (block.cells for block in paragraphs(document) if block.cells[0].text.startswith(begins))
    return found


def of_findings(*parts: PartAnswer) -> FiguresPage:
    """A page of parts, and of findings of two rules."""
    secret = tuple(
        VerdictLine("A9.1", *each) for each in (("breached", "own", 2), ("met", "own", 5), ("undetermined", "own", 1))
    )
    oral = tuple(
        VerdictLine("A6.2b", verdict, "own", n) for verdict, n in (("breached", 1), ("met", 2), ("undetermined", 1))
    )
    made = page(SCOPE if parts and parts[0].code == "M33" else OWN, *parts)
    found = FigureAnswer("M28", verdicts=(*oral, *secret)), FigureAnswer("M30", verdicts=secret)
    return msgspec.structs.replace(made, figures=(*made.figures, *found))


def notes(document: Document) -> dict[int, Any]:
    return {note.number: note for block in document.blocks if isinstance(block, Notes) for note in block.notes}


class TestWords:
    def test_numbers_days_and_shares_are_written_as_the_language_has_them(self) -> None:
        assert (EN.number(1234567), RU.number(1234567)) == ("1,234,567", "1\u202f234\u202f567")
        assert (EN.number(-5), EN.number(None)) == ("−5", "—")
        assert (EN.percent(1, 8), RU.percent(1, 8)) == ("12.5\u202f%", "12,5\u202f%")
        assert (EN.day(JUNE, ZONE), RU.day(JUNE, ZONE)) == ("2025-06-01", "01.06.2025")
        assert [EN.change(3, 1), EN.change(1, 3), EN.change(2, 2)] == ["+2", "−2", "0"]

    def test_a_share_is_rounded_half_up_and_one_of_nothing_is_none(self) -> None:
        assert EN.percent(1, 3) == "33.3\u202f%"
        assert EN.percent(2, 3) == "66.7\u202f%"
        assert EN.percent(1, 2000) == "0.1\u202f%"
        assert EN.percent(0, 0) == "—"

    def test_amounts_have_the_decimals_of_their_currency_and_more_where_there_are_more(self) -> None:
        assert EN.amount(Decimal("1234.5"), "EUR") == "1,234.50\u00a0EUR"
        assert RU.amount(Decimal(1234), "JPY") == "1\u202f234\u00a0JPY"
        assert EN.amount(Decimal("0.125"), "EUR") == "0.125\u00a0EUR"
        assert EN.amount(Decimal("-0.01"), "EUR") == "−0.01\u00a0EUR"

    def test_too_few_cases_are_said_in_words_and_none_are_not_known(self) -> None:
        assert EN.percentile(None, cases=3) == "too\u00a0few"
        assert RU.percentile(None, cases=3) == "мало\u00a0данных"
        assert EN.percentile(None, cases=0) == "—"
        assert EN.percentile(41, cases=10) == "41"

    def test_every_text_has_the_same_places_in_both_languages(self) -> None:
        told = [*sentences().items(), *(pair for of in codes().values() for pair in of.items())]
        for key, text in told:
            places = [sorted(part.split("}")[0] for part in each.split("{")[1:]) for each in (text.en, text.ru)]
            assert places[0] == places[1], key
            assert text.en, key
            assert text.ru, key

    def test_a_line_is_told_as_its_figure_has_it_and_a_code_as_what_it_is_a_code_of(self) -> None:
        assert (EN.line("M31", "sent"), EN.code("state", "sent")) == ("sent", "sent in time")
        assert (RU.line("M25.force", "treaty"), RU.line("M13", "out treaty")) == (
            "договор", "по исходящим запросам, по договору",
        )  # fmt: skip
        assert (EN.line("M23", "held visit"), EN.code("check", "visit")) == ("held, visit", "visit")
        assert (RU.line("M10", ""), RU.code("role", "coordinator")) == ("все", "coordinator")

    def test_a_place_is_cited_in_the_language(self) -> None:
        assert EN.place("Agr. 6(2) s. 1") == "Agr. 6(2) s. 1"
        assert RU.place("Agr. 6(2) s. 1") == "Соглашение 6(2) предл. 1"
        assert all("Order" not in RU.place(rule.place.cites) for rule in built_in().rules())


class TestTables:
    def test_counts_have_shares_and_a_total_where_the_figure_has_them(self) -> None:
        made = counts(count("M6", granted=3, refused=1), SCOPE, EN)
        assert [said(row) for row in made.rows] == [
            ["granted", "3", "75.0\u202f%"], ["refused", "1", "25.0\u202f%"], ["Together", "4", "100.0\u202f%"],
        ]  # fmt: skip
        assert made.rows[0][1].source == Postings("M6", SCOPE, "granted")
        assert made.total

    def test_a_total_is_what_the_answer_says_and_not_the_sum_of_the_lines(self) -> None:
        made = counts(PartAnswer("M13", (Line("in treaty", 2), Line("out treaty", 2)), 3), SCOPE, EN)
        assert said(made.rows[-1]) == ["Together", "3"]

    def test_open_cases_stand_beside_the_finished_ones_and_alone_where_there_are_no_others(self) -> None:
        finished = PartAnswer("M24.told", (Line("forwarded", 12, p50=3, p90=9),))
        made = days(finished, count("M24.told.open", notified=2), SCOPE, EN)
        assert said(made.rows[0]) == ["told to the other Party", "12", "3", "9", "too\u00a0few", "0"]
        assert said(made.rows[1]) == ["told to the own coordinating unit", "0", "—", "—", "—", "2"]
        assert made.rows[1][1].source is None
        assert made.rows[1][5].source == Postings("M24.told.open", SCOPE, "notified")

    def test_amounts_of_two_currencies_are_two_rows_and_small_units_of_one_are_one(self) -> None:
        lines = (Line("funds", 12345, "EUR"), Line("funds", 7000, "eur"), Line("funds", 500, "JPY"))
        assert [said(row) for row in amounts(PartAnswer("M18", lines), SCOPE, EN).rows] == [
            ["funds", "123.457\u00a0EUR"], ["funds", "500\u00a0JPY"],
        ]  # fmt: skip

    def test_what_was_not_posted_is_said_to_be_unrecorded(self) -> None:
        (remark,) = figure(page(SCOPE), "M33", EN)
        assert remark.cells[0].text == "M33. Oral requests: nothing recorded"  # type: ignore[union-attr]
        assert figure(page(SCOPE), "M33", EN, empty=False) == []


class TestNotes:
    def test_every_source_is_one_note_however_often_it_is_cited(self) -> None:
        document = whole(annual_answers())
        numbers = [cell.note for cell in document.cells() if cell.note]
        assert sorted(set(numbers)) == list(range(1, len(notes(document)) + 1))
        assert all(cell.source is None for cell in document.cells())

    def test_a_note_says_how_many_records_the_first_the_last_and_how_to_list_them(self) -> None:
        document = whole(annual_answers())
        note = notes(document)[table(document, "M22").rows[0][1].note]
        told = f"Records: {note.number}, first first of {note.number}, last last of {note.number}."
        assert note.text == f"M1, KZ, RU-OMS, KZ-B-01, direct exchange, 2025. {told}"
        assert note.query == (
            "rogatory partners KZ --figure M1 --records --office RU-OMS --counterpart KZ-B-01 --kind direct_exchange "
            "--period 2025"
        )

    def test_what_rests_on_nothing_says_so(self) -> None:
        answers = annual_answers()
        document = annual.complete(answers, annual.assemble(answers), {})
        assert any(note.text.endswith(": no records.") for note in notes(document).values())

    def test_records_are_named_by_day_subject_partition_and_index(self) -> None:
        cited = Cited(3, "request/2025-7", 88, "M1", "e", JUNE, "KZ", "out mla", "", 1, "")
        found = rests_on(Citation("M1", 4, cited, cited), RU, ZONE)
        assert (found.number, found.first) == (4, "01.06.2025 request/2025-7 (3:88)")

    @pytest.mark.parametrize(
        ("source", "asked"),
        [
            (Postings("M25.force", Scope()), "partners all --figure M25.force --records"),
            (Postings("M24", Scope(partner="", first=202503, last=202503), "own"),
             "partners none --figure M24 --records --tag own --period 2025-03"),
            (Postings("M23", Scope(partner="KZ", direction="in"), "held working"),
             "partners KZ --figure M23 --records --tag 'held working' --direction in"),
            (Findings("A6.3", "breached", 2025, "RU-OMS"),
             "compliance --period 2025 --rule A6.3 --verdict breached --office RU-OMS --as-of 2026-02-13T16:26:40Z"),
            (Findings("O11", "met", 2025, of_year=True),
             "compliance --subject year/2025 --rule O11 --verdict met --as-of 2026-02-13T16:26:40Z"),
            (Event("year/2025", 1, "e", "control.performed"), "compliance year/2025"),
        ],
    )  # fmt: skip
    def test_the_query_is_the_command_that_asks_for_the_source(self, source: Any, asked: str) -> None:
        assert query(source, AS_OF, EN) == f"rogatory {asked}"


class TestObservance:
    def test_a_finding_belongs_to_the_year_in_which_it_arose(self) -> None:
        rows = [board_row("A6.3", "met"), board_row("A6.3", "breached", "request/2024-1", at=JUNE - 365 * 86_400_000)]
        (only,) = seen(rows).rules
        assert only.counts == {"met": 1}

    def test_what_a_year_asks_for_belongs_to_that_year_whenever_it_falls_due(self) -> None:
        later = JUNE + 300 * 86_400_000
        rows = [board_row("O11", "met", "year/2025", at=later), board_row("O11", "met", "year/2024")]
        (only,) = seen(rows).rules
        assert only.counts == {"met": 1}
        assert only.of_year

    def test_verdicts_lags_reasons_and_the_other_partys_duties_are_summed_by_rule(self) -> None:
        found = {one.rule: one for one in seen(ROWS).rules}
        assert found["A8.2"].counts == {"met": 1, "undetermined": 1}
        assert (found["A8.2"].lag, found["A8.2"].lag_of) == ("193.5", "request/2025-2")
        assert [(r.code, r.number) for r in found["A8.2"].reasons] == [("x", 1)]
        assert found["A6.3"].partners["breached"] == 1
        assert found["A7.3"].overdue == 1
        assert found["A7.3"].lag == ""

    def test_rules_stand_in_the_order_of_the_rulebook_and_findings_the_worst_first(self) -> None:
        found = seen(ROWS)
        order = [rule.id for rule in built_in().rules()]
        assert [one.rule for one in found.rules] == sorted((one.rule for one in found.rules), key=order.index)
        assert [one.verdict for one in found.found] == ["breached", "undetermined", "open"]


class TestAnnualInformation:
    @both
    def test_its_sections_are_those_of_the_order_with_the_notes_last(self, lang: Lang) -> None:
        document = whole(annual_answers(lang))
        headings = [document.general, *(b.text for b in document.blocks if isinstance(b, Heading) and b.level == 1)]
        assert [text.partition(".")[0] for text in headings] == [str(number) for number in range(1, 9)]
        assert isinstance(document.blocks[-1], Notes)

    def test_contacts_are_exchanges_once_each_and_meetings_that_were_held(self) -> None:
        answers = annual_answers()
        assert annual.exchanges(answers.page) == 12_347
        assert annual.meetings_held(answers.page) == 1
        assert whole(answers).imprint.contacts == 12_348

    def test_each_counterpart_has_a_row_with_its_requests_and_its_forms(self) -> None:
        made = table(whole(annual_answers()), "M22. Direct exchanges: by form")
        assert made.columns == ("Counterpart", "requests", "o1 information on crime", "o3 working meetings")
        assert [said(row) for row in made.rows] == [["KZ-B-01", "12,345", "12,340", "7"], ["KZ-B-02", "2", "0", "2"]]
        assert made.rows[1][2].note == 0

    def test_a_figure_without_enough_cases_says_so(self) -> None:
        assert said(table(whole(annual_answers()), "M10").rows[0]) == ["all", "12", "14", "41", "too\u00a0few", "2"]

    def test_findings_are_counted_by_rule_and_listed_with_their_article(self) -> None:
        document = whole(annual_answers())
        made = table(document, "M28")
        assert said(made.rows[0]) == ["A6.3", "Agr. 6(3)", "0", "1 (1)", "0", "0", "0"]
        listed = table(document, "What was breached")
        assert [row[0].text for row in listed.rows] == ["A6.3 (Agr. 6(3))", "A8.2 (Agr. 8(2))", "A7.3 (Agr. 7(3))"]
        assert listed.rows[2][1].text == "open, overdue"
        assert listed.rows[0][3].text == "request/2025-1, request.sent 0:7"

    def test_findings_about_confidentiality_are_told_by_a_thousand_materials(self) -> None:
        document = whole(annual_answers(own=of_findings(count("M31", received=30, sent=10))))
        told = paragraph(document, "M30. ")
        assert "".join(cell.text for cell in told) == (
            "M30. Confidentiality findings, whoever the partner: 75.0 per 1,000 materials. "
            "Materials sent and received: 40. "
            "Findings breached or undetermined: 3 (A9.1 breached 2, A9.1 undetermined 1)."
        )  # fmt: skip
        queries = [notes(document)[cell.note].query for cell in told if cell.note]
        assert queries[0] == "rogatory partners all --figure M31 --records --office RU-OMS --period 2025"
        assert queries[1].startswith("rogatory compliance --period 2025 --rule A9.1 --verdict breached --office RU-OMS")
        assert len(queries) == 3

    def test_findings_without_materials_have_no_rate_and_materials_without_findings_have_none(self) -> None:
        def said_of(own: FiguresPage) -> str:
            return "".join(cell.text for cell in paragraph(whole(annual_answers("ru", own=own)), "M30. "))

        assert "партнёрам: — на 1000 материалов. Направлено и получено материалов: 0. Нарушено" in said_of(
            of_findings()
        )
        none = said_of(page(SCOPE, count("M31", sent=3)))
        assert "0,0 на 1000" in none
        assert none.endswith("материалов: 3. Нарушено или не определено: 0.")

    def test_oral_requests_that_were_confirmed_are_a_share_of_those_that_had_to_be(self) -> None:
        document = whole(annual_answers(page=of_findings(count("M33", **{"": 4}))))
        told = paragraph(document, "M33, A6.2b. ")
        assert "50.0\u202f% of the oral requests" in told[0].text
        assert [cell.text for cell in told if cell.note] == ["breached 1", "met 2", "undetermined 1"]
        note = notes(document)[next(cell.note for cell in told if cell.text == "met 2")]
        assert note.query == (
            "rogatory compliance --period 2025 --rule A6.2b --verdict met --office RU-OMS --partner KZ "
            "--as-of 2026-02-13T16:26:40Z"
        )
        assert note.text.startswith("A6.2b, KZ, RU-OMS, met")
        assert not any(b.cells[0].text.startswith("M33, A6.2b") for b in paragraphs(whole(annual_answers())))

    def test_its_proposals_are_what_was_given_and_none_are_said_to_be_none(self) -> None:
        document = whole(annual_answers())
        assert Items(("Join <the> two & one.", "Второе предложение.")) in document.blocks
        assert document.imprint.proposals == 2
        none = whole(annual_answers(proposals=()))
        assert not any(isinstance(block, Items) for block in none.blocks)
        assert none.imprint.proposals == 0

    def test_a_year_without_anything_is_a_document_without_contacts(self) -> None:
        empty: FiguresPage = page(SCOPE)
        document = whole(
            annual_answers(page=empty, own=empty, exchanges={}, forms={}, observance=seen([]), changes=(), proposals=())
        )
        assert document.imprint.contacts == 0
        assert notes(document) == {}

    def test_it_names_what_it_rests_on_and_what_still_waits(self) -> None:
        waiting = msgspec.structs.replace(BASIS, waiting=3)
        facts = dict(whole(annual_answers(head=head(basis=waiting))).facts)
        assert facts["Position (partition:records)"] == "0:120 1:97"
        assert facts["Verdicts as of"] == "2026-02-13T16:26:40Z"
        assert facts["Subjects still to be judged"] == "3"
        assert "Subjects still to be judged" not in dict(whole(annual_answers()).facts)


class TestPracticeReview:
    @both
    def test_its_sections_are_those_of_the_order_with_the_notes_last(self, lang: Lang) -> None:
        document = whole(review_answers(lang))
        headings = [b.text for b in document.blocks if isinstance(b, Heading) and b.level == 1]
        assert [text.partition(".")[0] for text in headings] == [str(number) for number in range(1, 7)]
        assert document.general == ""

    def test_it_says_which_offices_sent_their_information_and_cites_it(self) -> None:
        document = whole(review_answers())
        rows = table(document, "O11").rows
        assert said(rows[0]) == ["RU-ALT", "missing: no report", "—", "—"]
        assert said(rows[1]) == ["RU-OMS", "sent in time", "2026-01-29", "2026-01-30"]
        assert notes(document)[rows[1][1].note].text == (
            "Record annualreport.submitted e-90, year/2025, index 90."
        )  # fmt: skip
        assert document.imprint.cites == ("e-90",)
        assert document.imprint.role == "supervising_deputy"

    def test_the_change_on_last_year_is_a_difference_of_two_cited_numbers(self) -> None:
        document = whole(review_answers())
        made = table(document, "M22. Direct exchanges: by form, by office")
        assert said(made.rows[0]) == ["RU-OMS", "7", "9", "−2"]
        assert "--period 2025" in notes(document)[made.rows[0][1].note].query
        assert "--period 2024" in notes(document)[made.rows[0][2].note].query
        forms = next(
            b for b in document.blocks if isinstance(b, Table) and b.caption == "M22. Direct exchanges: by form"
        )  # fmt: skip
        assert [said(row)[1:] for row in forms.rows] == [["7", "8", "−1"], ["0", "1", "−1"]]
        assert BEFORE.first == 202401

    def test_observance_has_the_verdicts_the_lags_and_the_reasons(self) -> None:
        document = whole(review_answers("ru"))
        assert said(table(document, "Наибольшие").rows[0]) == ["A8.2", "Соглашение 8(2)", "193,5", "request/2025-2"]
        assert said(table(document, "Что не удалось").rows[0])[:3] == ["A8.2", "Соглашение 8(2)", "1"]

    def test_co_operation_at_large_has_a_row_for_each_partner_and_what_is_not_known_is_a_dash(self) -> None:
        rows = [said(row) for row in table(whole(review_answers()), "Co-operation by partner").rows]
        assert rows[0] == ["CH", "1", "0", "—", "0", "0", "500\u00a0JPY; 11,000,000.00\u00a0USD", "0"]
        assert rows[1] == ["KZ", "5", "0", "20 / too\u00a0few", "0", "0", "0", "0"]

    def test_the_offices_proposals_are_cited_by_their_number(self) -> None:
        assert said(table(whole(review_answers()), "Proposals in the annual").rows[0]) == ["RU-OMS", "2"]


def test_an_imprint_reads_as_it_was_written_and_nothing_else_is_one() -> None:
    imprint = whole(review_answers()).imprint
    assert parse_imprint(format_imprint(imprint)) == imprint
    for wrong in ("", "{}", '{"rogatory":"letter"}', format_imprint(imprint).replace('"year":2025', '"year":"2025"')):
        with pytest.raises(FormatError, match="imprint of a generated document"):
            parse_imprint(wrong)
