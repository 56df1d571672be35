"""A small year of RU-OMS in plain answers, for tests of documents: what figures and board would say of it."""

from __future__ import annotations

from typing import Any

from projections.compliance.answers import Basis, BoardRow
from projections.compliance.rulebook import built_in
from projections.compliance.verdict import Finding, Ref, Step, Verdict
from projections.figures.answers import Cited, FigureAnswer, FiguresPage, Line, PartAnswer, Scope
from projections.reports.annual import AnnualInformation
from projections.reports.document import Document, Event, Lang, Postings
from projections.reports.heading import Head
from projections.reports.notes import Rests, sources
from projections.reports.observance import Observance, Period, observe
from projections.reports.review import AT_LARGE, Compared, Control, PracticeReview, Reported
from projections.reports.words import Words

ZONE = "Europe/Moscow"
JUNE = 1_748_768_400_000
"""1 June 2025, 12:00 in Moscow."""
AS_OF = 1_771_000_000_000
BASIS = Basis(1, {0: 120, 1: 97}, 41, "9c" * 32, 0)
SCOPE = Scope(partner="KZ", office="RU-OMS", first=202501, last=202512)
BEFORE = Scope(partner="KZ", first=202401, last=202412)


def count(code: str, **numbers: int) -> PartAnswer:
    """A part by its tags, ``__`` for a blank."""
    lines = tuple(Line(tag.replace("__", " "), number) for tag, number in sorted(numbers.items()))
    return PartAnswer(code, lines, sum(numbers.values()))


def page(scope: Scope, *parts: PartAnswer) -> FiguresPage:
    """A page of some parts."""
    of: dict[str, list[PartAnswer]] = {}
    for part in parts:
        of.setdefault(part.code.partition(".")[0], []).append(part)
    return FiguresPage(BASIS, scope, AS_OF, tuple(FigureAnswer(id_, tuple(found)) for id_, found in of.items()))


def board_row(
    rule: str, verdict: Verdict, subject: str = "request/2025-1", bound: str = "RU-OMS", at: int = JUNE,
    reason: str = "x", **more: Any,
) -> BoardRow:  # fmt: skip
    """A row of the board with one step, resting on one record."""
    evidence = (Ref(subject, 7, "e-7", "request.sent"),)
    finding = Finding(rule, (Step(at, verdict, reason),), bound=bound, evidence=evidence, **more)
    return BoardRow(
        subject, 0, rule, finding.item, "ru-kz-2009", verdict, reason, at, None, bound, "KZ", (),
        finding.expected_by, finding.overdue(AS_OF), finding,
    )  # fmt: skip


ROWS = [
    board_row("A8.2", "met", values={"lag": "14", "since": "2025-06-01"}),
    board_row("A8.2", "undetermined", "request/2025-2", values={"lag": "193.5", "threshold": "30"}),
    board_row("A6.3", "breached", bound="KZ-PGO"),
    board_row("A7.3", "open", "request/2025-3", expected_by=JUNE + 1),
]


def seen(rows: list[BoardRow], lang: Lang = "en", office: str = "") -> Observance:
    """Rows summed up."""
    return observe(rows, built_in(), AS_OF, Words(lang), Period(2025, ZONE), "RU", office)


def head(lang: Lang = "en", office: str = "RU-OMS", basis: Basis = BASIS) -> Head:
    """Of a document."""
    return Head(
        ledger="assistance.5f", office=office, name="Прокуратура Омской области", year=2025, lang=lang, as_of=AS_OF,
        zone=ZONE, basis=basis, rulebook="built-in",
    )  # fmt: skip


def annual_answers(lang: Lang = "en", **changed: Any) -> AnnualInformation:
    """What is known of the office's year: 12,345 exchanges with KZ-B-01, 2 with KZ-B-02, and a meeting."""
    days = PartAnswer("M10", (Line("", 12, p50=14, p90=41),))
    mine = page(
        SCOPE,
        count("M1", in__direct_exchange=12_345, out__direct_exchange=2, out__mla=3),
        count("M6", granted=3, refused=1),
        days,
        count("M10.open", **{"": 2}),
        count("M22", o1=12_340, o3=9),
        count("M22.topic", drugs=2, minors=1),
        count("M23", held__working=1, cancelled__visit=1),
        count("M35", direct=12_347, directorate=3),
    )
    told: dict[str, Any] = {
        "head": head(lang),
        "partner": "KZ",
        "page": mine,
        "own": page(Scope(office="RU-OMS", first=202501, last=202512), count("M24", own=1)),
        "exchanges": {
            "KZ-B-01": count("M1", in__direct_exchange=12_345),
            "KZ-B-02": count("M1", out__direct_exchange=2),
        },
        "forms": {"KZ-B-01": count("M22", o1=12_340, o3=7), "KZ-B-02": count("M22", o3=2)},
        "observance": seen(ROWS, lang, "RU-OMS"),
        "changes": (Cited(0, "register", 33, "M24.changes", "e-33 RU-OMS", JUNE, "", "RU-OMS", "", 1, ""),),
        "proposals": ("Join <the> two & one.", "Второе предложение."),
    }
    return AnnualInformation(**{**told, **changed})


def review_answers(lang: Lang = "en", **changed: Any) -> PracticeReview:
    """What is known of the practice: two offices, one of which sent its information; two partners."""
    now = Scope(partner="KZ", first=202501, last=202512)
    large: dict[str, dict[str, PartAnswer]] = {part: {} for part in AT_LARGE}
    large["M1"] = {"KZ": count("M1", out__mla=5), "CH": count("M1", out__asset=1)}
    large["M10"] = {"KZ": PartAnswer("M10", (Line("", 3, p50=20),))}
    large["M19"] = {"CH": PartAnswer("M19", (Line("company", 1_100_000_000, "USD"), Line("state", 500, "JPY")))}
    told: dict[str, Any] = {
        "head": head(lang, "RU-GUMPS"),
        "partner": "KZ",
        "role": "supervising_deputy",
        "reports": (
            Reported(office="RU-ALT", name="", state="missing", why="no report"),
            Reported(
                office="RU-OMS", name="", state="sent", sent="2026-01-29", received="2026-01-30", proposals=2,
                contacts=5, event=Event("year/2025", 90, "e-90", "annualreport.submitted"),
            ),
        ),
        "controls": (
            Control(Event("year/2025", 80, "e-80", "control.performed"), "2025-01-01", "2025-11-30", "data", 17, 0),
        ),
        "control": "17 of 17 offices checked in 2025: all.",
        "now": page(now, count("M1", in__direct_exchange=7), count("M22", o1=7), count("M23", held__visit=1)),
        "before": page(BEFORE, count("M1", in__direct_exchange=9), count("M22", o1=8, o2=1)),
        "all": page(Scope(first=202501, last=202512)),
        "compared": (
            Compared("M22", "M1", "office", {"RU-OMS": count("M1", in__direct_exchange=7)},
                     {"RU-OMS": count("M1", in__direct_exchange=9)}, now, BEFORE),
        ),
        "observance": seen(ROWS, lang),
        "large": large,
        "proposals": ("One.",),
    }  # fmt: skip
    return PracticeReview(**{**told, **changed})


def rested(draft: Document) -> dict[Any, Rests]:
    """What every source of a draft came to, told apart by its place."""
    found = [source for source in sources(draft) if isinstance(source, Postings)]
    return {source: Rests(number, f"first of {number}", f"last of {number}") for number, source in enumerate(found, 1)}
