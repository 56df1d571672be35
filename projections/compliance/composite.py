"""Several findings as one: of a composite rule the worst part counts, at every moment.

Two parts, one met and one that runs out on 6 March::

    A6.3   met      from 3 March
    A6.2b  open     from 3 March, breached from 6 March
    ------
    P6     open     from 3 March, breached from 6 March

Which part decides may change with time alone.  So what a reader is shown are spans of days: ``A6.2b (→2025-03-06)``
among the open ones, ``A6.2b (2025-03-06→)`` among the broken ones; a part that decides at all times has no span.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from projections.compliance.readings import day_of
from projections.compliance.verdict import Finding, Ref, Step, Verdict, worst

PARTS = "parts_"
"""What the reasons of a composite begin with; the verdict follows (``texts/common.toml``)."""
NOTHING = "—"


def merge_steps(parts: Sequence[Finding]) -> tuple[Step, ...]:
    """The worst of some timelines, at every moment; two steps that follow each other differ in verdict.

    Raises:
        ValueError: there are no parts (no part, no finding).
    """
    if not parts:
        raise ValueError("expected at least one part of a composite finding, found none")
    merged: list[Step] = []
    for at in _moments(parts):
        verdict = worst(part.at(at).verdict for part in parts)
        if not merged or merged[-1].verdict != verdict:
            merged.append(Step(at, verdict, PARTS + verdict))
    return tuple(merged)


def deciding(parts: Sequence[Finding], as_of: int) -> tuple[Finding, ...]:
    """The parts that have the worst verdict at a moment (ms)."""
    verdict = worst(part.at(as_of).verdict for part in parts)
    return tuple(part for part in parts if part.at(as_of).verdict == verdict)


def spans(parts: Sequence[Finding], verdict: Verdict, tz: str) -> str:
    """Names of the parts that ever have a verdict, each with the days from and to which; ``—``: there are none.

    Args:
        parts: findings of one subject.
        verdict: the one that is asked about.
        tz: whose days are shown.
    """
    found = []
    for part in parts:
        for place, step in enumerate(part.steps):
            if step.verdict != verdict:
                continue
            begins = "" if place == 0 else day_of(step.at, tz).isoformat()
            ends = "" if part.steps[-1] is step else day_of(part.steps[place + 1].at, tz).isoformat()
            found.append(named(part) + (f" ({begins}→{ends})" if begins or ends else ""))
    return ", ".join(found) or NOTHING


def named(part: Finding) -> str:
    """Rule and item of a part: ``A10 k-1``."""
    return f"{part.rule} {part.item}".rstrip()


def compose(rule: str, parts: Sequence[Finding], tz: str, *, item: str = "", also: Iterable[Ref] = ()) -> Finding:
    """One finding made of several of the same subject.

    It rests on all that its parts rest on, and carries their marks.  ``values`` has ``n``, the number of parts, and for
    each verdict the spans of the parts that have it.  Who is bound is who is bound by the part that decides in the end.

    Args:
        rule: id of the composite rule.
        parts: at least one.
        tz: whose days the spans are in.
        item: what of the subject it is about.
        also: further evidence.

    Raises:
        ValueError: there are no parts.
    """
    steps = merge_steps(parts)
    last = deciding(parts, _moments(parts)[-1])
    verdicts: tuple[Verdict, ...] = ("breached", "undetermined", "open", "met")
    thresholds = [part.expected_by for part in parts if part.expected_by and part.steps[-1].verdict == "open"]
    return Finding(
        rule=rule,
        steps=steps,
        item=item,
        bound=last[0].bound,
        values={"n": str(len(parts)), **{verdict: spans(parts, verdict, tz) for verdict in verdicts}},
        evidence=tuple(dict.fromkeys([*(ref for part in parts for ref in part.evidence), *also])),
        marks=tuple(dict.fromkeys(mark for part in parts for mark in part.marks)),
        expected_by=min(thresholds, default=0),
        missing="; ".join(dict.fromkeys(part.missing for part in last if part.missing)),
    )


def _moments(parts: Sequence[Finding]) -> list[int]:
    return sorted({step.at for part in parts for step in part.steps})
