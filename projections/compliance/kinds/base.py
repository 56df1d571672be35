"""What every check is given and what it gives back.

A check is a generator of findings::

    @check("closed_list", "area")
    def area(asked: Asked) -> Iterator[Finding]:
        said = asked.case.said("area")
        if said is None:
            yield asked.finding("undetermined", "not_said", rests_on=asked.case.content)
        …

``Asked.finding`` collects evidence and marks; ``Asked.timeline`` the steps of a running term.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from projections.compliance.case import Case, CaseAct, evidence
from projections.compliance.readings import ends
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Profile, Rule
from projections.compliance.takes import NOTHING, Takes
from projections.compliance.verdict import Finding, Mark, Read, Step, Verdict

Rests = CaseAct | Iterable[CaseAct] | None


class Asked(msgspec.Struct, frozen=True):
    """One rule, asked about one case."""

    case: Case
    register: LegalRegister
    rule: Rule
    profile: Profile
    before: Sequence[Finding] = ()
    """Findings of the same case that are made already: what a composite rule is made of."""

    def param(self, name: str, default: Any = None) -> Any:
        """A parameter of the rule."""
        return self.rule.params.get(name, default)

    def finding(
        self,
        verdict: Verdict,
        reason: str,
        *,
        rests_on: Rests = None,
        item: str = "",
        bound: str = "",
        values: dict[str, str] | None = None,
        readings: tuple[Read, ...] = (),
        marks: Iterable[Mark] = (),
        expected_by: int = 0,
        missing: str = "",
        steps: tuple[Step, ...] = (),
        at: int | None = None,
    ) -> Finding:
        """A finding; without ``steps`` one whose verdict time alone does not change.

        Args:
            verdict: of the only step.
            reason: a code of ``texts/``.
            rests_on: the acts that it rests on; their own marks are added.
            item: what of the subject it is about.
            bound: who owes it; by default the office of the first act.
            values: for the rule's line and the reason.
            readings: of a term.
            marks: beside those of the acts.
            expected_by: threshold of the configuration, ms.
            missing: the fact that is not known.
            steps: of a verdict that changes with time, instead of ``verdict`` and ``reason``.
            at: since when (ms); by default the latest of the acts.
        """
        acts = evidence(rests_on)
        own = dict.fromkeys(marks)
        refs = dict.fromkeys([act.ref for act in acts])
        for act in acts:
            own.update(dict.fromkeys(act.marks()))
        for act in acts:
            refs.update(dict.fromkeys([correction.ref for correction in act.corrections]))
        since = max([act.time for act in acts], default=0) if at is None else at
        return Finding(
            rule=self.rule.id,
            steps=steps or (Step(since, verdict, reason),),
            item=item,
            bound=bound or (acts[0].office if acts else ""),
            values=values or {},
            evidence=tuple(refs),
            readings=readings,
            marks=tuple(own),
            expected_by=expected_by,
            missing=missing,
        )

    def no_content(self, *shown: str, rests_on: Rests = None) -> Finding:
        """That no record says what is requested, by the first act if by no other; ``shown``: values of the line."""
        return self.finding(
            "undetermined", "no_content", rests_on=self.case.acts[:1] if rests_on is None else rests_on,
            values=dict.fromkeys(shown, "—"), missing="content of the request",
        )  # fmt: skip

    def ends(self, start: int, tz: str, *, year: int = 0) -> tuple[Read, ...]:
        """The rule's readings of a term from a moment on (ms), in the order of the profile."""
        found = []
        for reading in self.rule.readings:
            end = ends(reading, start, tz, calendar_id=self.profile.calendar, year=year)
            if end is not None:
                found.append(Read(reading, end))
        return tuple(found)

    def done(self, reads: tuple[Read, ...], act: CaseAct) -> tuple[Verdict, tuple[Read, ...], tuple[Mark, ...]]:
        """A term that was met or missed by an act: verdict, readings with their results, marks.

        By claimed time; where a reading ends between claimed and admitted, that is marked, or by the rule's
        ``late_claim = "undetermined"`` it decides.
        """
        kept = tuple(Read(r.reading, r.ends, act.time < r.ends) for r in reads)
        results = {r.kept for r in kept}
        verdict: Verdict = "undetermined" if len(results) != 1 else "met" if True in results else "breached"
        marks: tuple[Mark, ...] = ()
        if any(act.time < r.ends <= act.admitted for r in reads):
            marks = ("claimed",)
            if self.param("late_claim", "mark") == "undetermined":
                verdict = "undetermined"
        return verdict, kept, marks

    def timeline(self, start: int, reads: tuple[Read, ...], *, ran_out: str = "ran_out") -> tuple[Step, ...]:
        """Steps of a term in which nothing was done yet: open while any reading runs, then breached."""
        last = max(r.ends for r in reads)
        return Step(start, "open", "running"), Step(last, "breached", ran_out)


Check = Callable[[Asked], Iterator[Finding]]

CHECKS: dict[tuple[str, str], Check] = {}
"""Every check, by kind and name."""
COMPOSITE: set[tuple[str, str]] = set()
"""Those that read ``Asked.before``, and so are asked last."""
TIMED: set[tuple[str, str]] = set()
"""Those that ask themselves whether the instrument applied by then; of what came before it others are not asked."""
TAKES: dict[tuple[str, str], Takes] = {}
"""What each takes of a profile."""


def check(
    kind: str, name: str, *, composite: bool = False, timed: bool = False, takes: Takes = NOTHING
) -> Callable[[Check], Check]:
    """Declare a check of a kind: whether it is ``COMPOSITE`` or ``TIMED``, and what it takes of a profile."""

    def declare(function: Check) -> Check:
        if (kind, name) in CHECKS:
            raise AssertionError(f"{kind}/{name} is declared twice")
        CHECKS[kind, name] = function
        TAKES[kind, name] = takes
        if composite:
            COMPOSITE.add((kind, name))
        if timed:
            TIMED.add((kind, name))
        return function

    return declare
