"""Making the documents of ``projections/reports`` from an open ledger: what they ask is asked here.

Many questions make one document.  They are asked one after the other, so what is found is of one position only if the
rows did not grow meanwhile; where they did, all is asked again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import msgspec

from infra.compliance import open_compliance
from ledger.errors import ConfigError, Overtaken
from ledger.ids import LedgerId
from projections.compliance.answers import Basis, BoardFilters, BoardRow
from projections.compliance.case import Case, CaseAct
from projections.compliance.queries import Compliance
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Profile, Rule, Rulebook
from projections.compliance.texts import said_line, why
from projections.compliance.verdict import Finding
from projections.compliance.years import bound_in
from projections.figures.answers import Cited, FiguresPage, Scope
from projections.figures.months import month_of
from projections.figures.queries import Figures
from projections.reports import annual, review
from projections.reports.annual import EXCHANGE, AnnualInformation
from projections.reports.document import Document, Event, Lang, Postings, Source
from projections.reports.heading import Head
from projections.reports.notes import Rests, rests_on, sources
from projections.reports.observance import Observance, Period, observe
from projections.reports.review import AT_LARGE, Compared, Control, PracticeReview, Reported
from projections.reports.words import Words

if TYPE_CHECKING:
    from infra.wiring import Ledger
    from projections.store import Store

_ROWS = 5000  # findings that are read at a time
_TRIES = 5
T = TypeVar("T")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which document; ``as_of`` is the moment (ms) at which verdicts are read."""

    year: int
    lang: Lang
    as_of: int
    proposals: tuple[str, ...] = ()


class Reports:
    """Makes documents from the rows of one store. Owned by one thread at a time.

    Every method raises ``ConfigError`` where the rulebook in use has none of the duties that a document is about,
    ``Overtaken`` where the rows grew each time they were asked, and as ``Figures`` and ``Compliance`` do.
    """

    def __init__(self, ledger_id: LedgerId, compliance: Compliance, rulebook: Rulebook) -> None:
        self.ledger_id = ledger_id
        self.compliance = compliance
        self.figures = Figures(compliance)
        self.rulebook = rulebook

    def annual(self, office: str, wanted: Wanted, tell: Callable[[int], None] = lambda _: None) -> Document:
        """The annual information of an office; ``tell`` is told how many questions were asked.

        Raises:
            ConfigError: the register has no such office, or it is another Party's.
        """
        register = self.compliance.register()
        own = [each for each in register.offices() if register.party(each) == register.own]
        if office not in own:
            raise ConfigError(
                f"expected an office of the register that is {register.own}'s own ({', '.join(own)}), "
                f"found {office[:40]!r}"
            )
        return self._steadily(lambda asking: asking.annual(office, wanted), tell)

    def review(self, wanted: Wanted, tell: Callable[[int], None] = lambda _: None) -> Document:
        """The practice review of a year."""
        return self._steadily(lambda asking: asking.review(wanted), tell)

    def reviewer(self) -> str:
        """The unit whose duty the review is."""
        return str(self.duty("practice_review")[0].requests["coordinator"])

    def bound(self, year: int) -> tuple[str, ...]:
        """The offices that owe annual information for a year."""
        _, rule = self.duty("annual_report")
        return bound_in(self.compliance.register(), str(rule.params["act"]), year).offices

    def filed(self, year: int, name: str, office: str | None = None) -> list[CaseAct]:
        """Acts of a name in the stream of a year; of one office."""
        found = self.compliance.file_of(f"year/{year}")
        if found is None:
            return []
        acts = Case(found.subject, found.file).named(name)
        return [act for act in acts if office is None or act.get("office") == office]

    def _steadily(self, make: Callable[[_Asking], Document], tell: Callable[[int], None]) -> Document:
        for _ in range(_TRIES):
            before = self._position()
            asking = _Asking(self, tell)
            document = make(asking)
            if self._position() == before:
                return document
        raise Overtaken("the projections grew while the document was made: try again when less is being recorded")

    def _position(self) -> Basis:
        with self.compliance.reading() as (connection, generation):
            return self.compliance.basis_in(connection, generation)

    def duty(self, check: str) -> tuple[Profile, Rule]:
        """The rule that a check stands for, and its profile."""
        for profile in self.rulebook.profiles:
            for rule in profile.rule:
                if rule.check == check:
                    return profile, rule
        raise ConfigError(
            f"expected a rule with the check {check} in rulebook {self.rulebook.version}, found none: nobody owes "
            "this document"
        )


class _Asking:
    """What is asked for one document, counted."""

    def __init__(self, reports: Reports, tell: Callable[[int], None]) -> None:
        self._reports = reports
        self._figures = reports.figures
        self._compliance = reports.compliance
        self._rulebook = reports.rulebook
        self._register = self._compliance.register()
        self._zone = self._register.ledger_zone()
        self._tell = tell
        self._asked = 0

    def _ask(self, answer: T) -> T:
        self._asked += 1
        self._tell(self._asked)
        return answer

    # Annual information

    def annual(self, office: str, wanted: Wanted) -> Document:
        partner = self._partner()
        first, last = wanted.year * 100 + 1, wanted.year * 100 + 12
        until = month_of(wanted.as_of, self._zone)
        scope = Scope(partner=partner, office=office, first=first, last=last, until=until)
        own = Scope(office=office, first=first, last=last, until=until)
        exchanges = msgspec.structs.replace(scope, kind=EXCHANGE)
        page = self._page(scope, wanted)
        made = AnnualInformation(
            head=self._head(office, wanted, page),
            partner=partner,
            page=page,
            own=self._page(own, wanted),
            exchanges=self._ask(self._figures.by("M1", exchanges, "counterpart")),
            forms=self._ask(self._figures.by("M22", scope, "counterpart")),
            observance=self._observance(wanted, office),
            changes=tuple(self._all("M24.changes", own)),
            proposals=wanted.proposals,
        )
        draft = annual.assemble(made)
        return annual.complete(made, draft, self._rests(draft, wanted))

    # Practice review

    def review(self, wanted: Wanted) -> Document:
        profile, rule = self._reports.duty("practice_review")
        partner, unit = self._partner(), str(profile.requests["coordinator"])
        year = wanted.year
        until = month_of(wanted.as_of, self._zone)
        now, before = (
            Scope(partner=partner, first=y * 100 + 1, last=y * 100 + 12, until=until) for y in (year, year - 1)
        )
        everywhere = Scope(first=now.first, last=now.last, until=until)
        page = self._page(now, wanted)
        reports, controls, control = self._coverage(wanted)
        made = PracticeReview(
            head=self._head(unit, wanted, page),
            partner=partner,
            role=str(rule.params["role"]),
            reports=reports,
            controls=controls,
            control=control,
            now=page,
            before=self._page(before, wanted),
            all=self._page(everywhere, wanted),
            compared=tuple(self._compared(now, before)),
            observance=self._observance(wanted),
            large={part: self._ask(self._figures.by(part, everywhere, "partner")) for part in AT_LARGE},
            proposals=wanted.proposals,
        )
        draft = review.assemble(made)
        return review.complete(made, draft, self._rests(draft, wanted))

    def _compared(self, now: Scope, before: Scope) -> Iterator[Compared]:
        everyone, every_before = (msgspec.structs.replace(scope, partner=None) for scope in (now, before))
        exchanges, earlier = (msgspec.structs.replace(scope, kind=EXCHANGE) for scope in (now, before))
        for title, part, dimension, scope, other in (
            ("M22", "M1", "office", exchanges, earlier),
            ("M22", "M1", "counterpart", exchanges, earlier),
            ("M23", "M23", "office", now, before),
            ("M24", "M24", "office", everyone, every_before),
            ("M24", "M24", "counterpart", now, before),
            ("M24.changes", "M24.changes", "office", everyone, every_before),
        ):
            news = self._ask(self._figures.by(part, scope, dimension))
            olds = self._ask(self._figures.by(part, other, dimension))
            yield Compared(title, part, dimension, news, olds, scope, other)

    def _coverage(self, wanted: Wanted) -> tuple[tuple[Reported, ...], tuple[Control, ...], str]:
        subject = f"year/{wanted.year}"
        findings = self._ask(self._compliance.of(subject)).findings
        _, report = self._reports.duty("annual_report")
        _, control = self._reports.duty("control")
        # By leaf index: two offices may have given their records one id.
        sent = {act.index: act for act in self._reports.filed(wanted.year, "annualreport.submitted")}
        reports = tuple(self._reported(one, sent, wanted) for one in findings if one.rule == report.id)
        checks = tuple(
            Control(_event(act, subject), act.data.from_, act.data.to, act.data.how, len(act.data.offices),
                    act.data.findings)
            for act in self._reports.filed(wanted.year, "control.performed")
        )  # fmt: skip
        said = [
            f"{said_line(one, self._rulebook, wanted.lang)}: {why(one, self._rulebook, wanted.as_of, wanted.lang)}."
            for one in findings
            if one.rule == control.id
        ]
        return reports, checks, " ".join(said)

    def _reported(self, finding: Finding, sent: dict[int, CaseAct], wanted: Wanted) -> Reported:
        held = finding.at(wanted.as_of)
        subject = f"year/{wanted.year}"
        act = next((sent[ref.index] for ref in finding.evidence if ref.subject == subject and ref.index in sent), None)
        state = {"met": "sent", "undetermined": "undetermined"}.get(held.verdict, "")
        if held.verdict == "breached":
            state = "missing" if act is None else "late"
        elif held.verdict == "open":
            state = "due" if act is None else "sent"
        return Reported(
            office=finding.item,
            name=_name(self._register, finding.item, wanted.lang),
            state=state,
            sent=finding.values.get("sent", ""),
            received=finding.values.get("received", ""),
            why=why(finding, self._rulebook, wanted.as_of, wanted.lang),
            event=None if act is None else _event(act, subject),
            contacts=None if act is None else act.data.contacts,
            proposals=None if act is None else act.data.proposals,
        )

    # Both

    def _partner(self) -> str:
        """The state with which the act that asks for the documents has them deal."""
        profile, _ = self._reports.duty("annual_report")
        carried = self._rulebook.profile(profile.instrument.carries_out)
        others = [] if carried is None else [p for p in carried.instrument.parties if p != self._register.own]
        if len(others) != 1:
            raise ConfigError(
                f"expected {profile.instrument.id} to carry out an instrument with one other Party, found "
                f"{', '.join(others) or 'none'}"
            )
        return others[0]

    def _head(self, office: str, wanted: Wanted, page: FiguresPage) -> Head:
        return Head(
            ledger=self._reports.ledger_id,
            office=office,
            name=_name(self._register, office, wanted.lang),
            year=wanted.year,
            lang=wanted.lang,
            as_of=wanted.as_of,
            zone=self._zone,
            basis=page.basis,
            rulebook=self._rulebook.version,
        )

    def _page(self, scope: Scope, wanted: Wanted) -> FiguresPage:
        return self._ask(self._figures.page(scope, wanted.as_of))

    def _observance(self, wanted: Wanted, office: str = "") -> Observance:
        period = Period(wanted.year, self._zone)
        whose = BoardFilters(office=office or None)
        months = {"first": wanted.year * 100 + 1, "last": wanted.year * 100 + 12}
        rows = [
            *self._rows(msgspec.structs.replace(whose, **months), wanted.as_of),
            *self._rows(msgspec.structs.replace(whose, subject=period.subject), wanted.as_of),
        ]
        once = {(row.subject, row.rule, row.item): row for row in rows}
        return observe(
            once.values(), self._rulebook, wanted.as_of, Words(wanted.lang), period, self._register.own, office
        )

    def _rows(self, filters: BoardFilters, as_of: int) -> Iterator[BoardRow]:
        after: str | None = None
        while True:
            page = self._ask(self._compliance.board(filters, as_of, _ROWS, after))
            yield from page.rows
            after = page.after
            if after is None:
                return

    def _all(self, part: str, scope: Scope) -> Iterator[Cited]:
        after: str | None = None
        while True:
            page = self._ask(self._figures.records(part, scope, limit=_ROWS, after=after))
            yield from page.rows
            after = page.after
            if after is None:
                return

    def _rests(self, draft: Document, wanted: Wanted) -> dict[Source, Rests]:
        words = Words(wanted.lang)
        return {
            source: rests_on(
                self._ask(self._figures.cite(source.part, source.scope, source.tag)), words, self._zone
            )
            for source in sources(draft)
            if isinstance(source, Postings)
        }  # fmt: skip


def _event(act: CaseAct, subject: str) -> Event:
    return Event(subject, act.index, act.id, act.name)


def _name(register: LegalRegister, office: str, lang: Lang) -> str:
    """An office's name as registered; the Russian one where there is no other."""
    entry = register.office(office)
    if entry is None:
        return ""
    english = entry.act.get("name_en") if lang == "en" else None
    return str(english or entry.act.data.name_ru)


def open_reports(ledger: Ledger, store: Store) -> Reports:
    """Documents of an open ledger, by the rulebook in use. Raises as ``open_compliance``."""
    compliance, rulebook = open_compliance(ledger, store)
    return Reports(ledger.ledger_id, compliance, rulebook)
