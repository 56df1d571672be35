"""What is different between two judgements of one subject: by another rulebook, or with one more act. Pure.

::

    for change in compare(before, after, as_of):
        change.rule, change.item, change.sort, change.before, change.after

==========  =========================================================================================
sort        what is different
==========  =========================================================================================
``verdict`` the verdict that holds at the moment, or whether the rule says anything at all
``later``   only what time alone will make of it: another verdict to come, or the same at another moment
``reason``  only why
``rests``   only the records it rests on, its marks, or what its line shows
==========  =========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from projections.compliance.verdict import Finding, Step, Verdict

Sort = Literal["verdict", "later", "reason", "rests"]


class Change(msgspec.Struct, frozen=True):
    """One finding before and after; None: the rule said, or says, nothing of the item."""

    rule: str
    item: str
    sort: Sort
    before: Finding | None
    after: Finding | None
    as_of: int
    """The moment at which both are compared (ms)."""

    @property
    def was(self) -> Verdict | None:
        """The verdict that held."""
        return None if self.before is None else self.before.at(self.as_of).verdict

    @property
    def becomes(self) -> Verdict | None:
        """The verdict that holds."""
        return None if self.after is None else self.after.at(self.as_of).verdict

    @property
    def shown(self) -> Finding:
        """The finding to show: as it is after, or was before it went."""
        found = self.after or self.before
        assert found is not None
        return found


def compare(before: Iterable[Finding], after: Iterable[Finding], as_of: int) -> list[Change]:
    """What differs between the findings of one subject, by rule and item; what is the same is left out.

    Args:
        before: findings of one judgement.
        after: of the other.
        as_of: the moment at which verdicts are compared, ms.
    """
    old = {(finding.rule, finding.item): finding for finding in before}
    new = {(finding.rule, finding.item): finding for finding in after}
    found: list[Change] = []
    for rule, item in sorted(old.keys() | new.keys()):
        one, other = old.get((rule, item)), new.get((rule, item))
        if one != other:
            found.append(Change(rule, item, _sort(one, other, as_of), one, other, as_of))
    return found


def _sort(before: Finding | None, after: Finding | None, as_of: int) -> Sort:
    if before is None or after is None or before.at(as_of).verdict != after.at(as_of).verdict:
        return "verdict"
    if _to_come(before, as_of) != _to_come(after, as_of) or before.expected_by != after.expected_by:
        return "later"
    if before.at(as_of).reason != after.at(as_of).reason or before.missing != after.missing:
        return "reason"
    return "rests"


def _to_come(finding: Finding, as_of: int) -> list[tuple[int, Verdict]]:
    """The changes of verdict that lie ahead; a step with the same verdict as the one before it is none."""
    held: Step = finding.at(as_of)
    found: list[tuple[int, Verdict]] = []
    last = held.verdict
    for step in finding.steps:
        if step.at > max(as_of, held.at) and step.verdict != last:
            found.append((step.at, step.verdict))
            last = step.verdict
    return found
