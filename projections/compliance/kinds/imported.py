"""What an instrument takes over from another (kind ``information``): the worst of the checks that it refers to.

The profile lists them (``incorporates``: ids, ``*`` for any ending); those that it lists as ``apart`` are shown beside
and do not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache

from projections.compliance.composite import compose, spans
from projections.compliance.kinds.base import Asked, check
from projections.compliance.takes import Takes
from projections.compliance.verdict import Finding, Verdict

_VERDICTS: tuple[Verdict, ...] = ("breached", "undetermined", "open", "met")


@check("information", "imported", composite=True, takes=Takes(requests=("incorporates",)))
def imported(asked: Asked) -> Iterator[Finding]:
    """The worst of the findings whose rules the instrument takes over."""
    parts = _of(asked, asked.profile.requests["incorporates"])
    if not parts:
        return
    zone = asked.register.zone(parts[0].bound)
    found = compose(asked.rule.id, parts, zone)
    found.values["apart"] = _apart(_of(asked, asked.profile.requests.get("apart", [])), zone)
    yield found


def _of(asked: Asked, patterns: list[str]) -> list[Finding]:
    wanted = tuple(patterns)
    return [part for part in asked.before if _named(part.rule, wanted)]


@cache
def _named(rule: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(rule, pattern) for pattern in patterns)


def _apart(parts: list[Finding], zone: str) -> str:
    said = [f"{verdict}: {spans(parts, verdict, zone)}" for verdict in _VERDICTS if _any(parts, verdict)]
    return "; ".join(said) or "—"


def _any(parts: list[Finding], verdict: Verdict) -> bool:
    return any(step.verdict == verdict for part in parts for step in part.steps)
