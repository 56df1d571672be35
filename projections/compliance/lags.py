"""Terms without a number: "immediately", "timely", "in the shortest possible time".

What the text leaves open a threshold of the configuration measures, and the verdict says so:

=====================================  ===============================================================
done within the threshold              met, mark ``by_configuration``
done later                             undetermined, since the text gives no number (``over``: breached)
not done                               open, and overdue beyond the threshold
can no longer be done                  breached
=====================================  ===============================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from projections.compliance.case import CaseAct, evidence
from projections.compliance.readings import DAY_MS, day_of, span
from projections.compliance.verdict import Finding, Mark, Read, Step

if TYPE_CHECKING:  # the checks import this module
    from projections.compliance.kinds.base import Asked, Rests


def days(ms: int) -> str:
    """A span as days, ``19`` or ``0.5``: a figure that reads the same in every language."""
    return f"{ms / DAY_MS:.1f}".removesuffix(".0")


def iso_day(ms: int, tz: str) -> str:
    """The day of a moment in a zone, as ``2025-06-01``."""
    return day_of(ms, tz).isoformat()


def lagged(
    asked: Asked,
    start: int,
    trigger: Rests,
    tz: str,
    *,
    done: CaseAct | None = None,
    at: int | None = None,
    gone: tuple[int, CaseAct] | None = None,
    item: str = "",
    bound: str = "",
    values: dict[str, str] | None = None,
) -> Finding:
    """How long something took, or takes, that the text wants done without giving a number.

    Args:
        asked: the rule with its threshold; param ``over`` says what "later" is (default ``undetermined``).
        start: when the duty arose, ms.
        trigger: the acts that show it.
        tz: the zone in which days are shown.
        done: the act that fulfils it.
        at: when it was fulfilled, ms, where that is another moment than that of the act.
        gone: since when it can no longer be fulfilled (ms), and by which act; of no matter once it is done.
        item: what of the subject it is about.
        bound: who owes it.
        values: for the line; ``since``, ``told``, ``lag`` and ``threshold`` are added.
    """
    threshold = asked.rule.threshold
    limit = start + span(threshold)
    shown = {"since": iso_day(start, tz), "threshold": days(span(threshold)), **(values or {})}
    if done is None:
        steps = [Step(start, "open", "awaited")]
        if gone is not None:
            steps.append(Step(max(gone[0], start), "breached", "superseded"))
        return asked.finding(
            "open", "awaited", rests_on=evidence(trigger, gone and gone[1]), steps=tuple(steps), item=item, bound=bound,
            values=shown, readings=(Read(threshold, limit),), expected_by=limit,
        )  # fmt: skip
    moment = done.time if at is None else at
    shown |= {"told": iso_day(moment, tz), "lag": days(max(0, moment - start))}
    marks: tuple[Mark, ...] = ()
    if at is None:
        verdict, reads, marks = asked.done((Read(threshold, limit),), done)
    else:
        verdict, reads = ("met" if at < limit else "breached"), (Read(threshold, limit, at < limit),)
    reason = {"met": "within", "undetermined": "late_claim"}.get(verdict, "beyond")
    if verdict == "breached":
        verdict = "breached" if asked.param("over") == "breached" else "undetermined"
    if verdict != "undetermined":
        marks = ("by_configuration", *marks)
    return asked.finding(
        verdict, reason, rests_on=evidence(trigger, done), item=item, bound=bound, values=shown, readings=reads,
        marks=marks, at=moment,
    )  # fmt: skip
