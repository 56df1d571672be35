"""One subject of the simulated year: its acts in the order in which they are recorded, and what is planted in it.

An act happens at its claimed time; the office records it a little later (``recording.delay``), never before what it has
recorded of the same subject, and now and then days late (``breaches.backdated``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from producers.builder import format_time
from producers.simulator.chance import Chance, LogNormal
from producers.simulator.parameters import Parameters
from producers.simulator.truth import VERDICTS, Sort, Truth

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR

IMPORTED = ("A6.", "A7.", "A9.", "A10")
"""What Prot. 4 takes over: rules of the Agreement whose worst verdict is that of a direct exchange."""


class Act(msgspec.Struct, gc=False):
    """One act before it is sealed and signed; ``data`` as on the wire, but with plain text in sealed places."""

    recorded: int
    """When the office records it, ms."""
    claimed: int
    """When it happened, ms."""
    office: str
    """Who records it."""
    subject: str
    name: str
    id: str
    data: dict[str, Any]


class Story:
    """The acts of one subject as they are thought up."""

    def __init__(self, chance: Chance, subject: str, parameters: Parameters, *, judged: bool = True) -> None:
        """``judged``: there is a rulebook for it, so that what is planted can be found."""
        self.chance = chance
        self.subject = subject
        self.parameters = parameters
        self.judged = judged
        self.direct = False
        """Whether something of it went from office to office."""
        self.acts: list[Act] = []
        self.truths: list[Truth] = []
        self.spans: list[tuple[str, Sort, int, int]] = []
        """Duties among what is planted: rule, what is deserved, from when and until when they ran."""
        self.earliest = 0
        """Nothing of it is recorded before (ms)."""
        self._delay = LogNormal(parameters["recording.delay"], parameters["recording.delay.sigma"])
        self._late = parameters["breaches.backdated"]

    def tell(self, name: str, at: int, office: str, data: dict[str, Any]) -> str:
        """An act of an office, or reported by it (``act_of``); gives the event id."""
        chance = self.chance
        after = int(self._delay.draw(chance) * MINUTE)
        if self._late and chance.random() < self._late:
            after = chance.whole(2, 10) * DAY
        recorded = max(at + after, self.earliest)
        self.earliest = recorded + 1
        id_ = chance.event_id(recorded)
        if data.get("channel") == "direct":
            self.direct = True
        self.acts.append(Act(recorded, at, office, self.subject, name, id_, data))
        return id_

    def person(self) -> str:
        """A new person: an opaque reference."""
        return self.chance.token("p-")

    def text(self, words: int = 6) -> str:
        """A random text."""
        return self.chance.text(words)

    def plant(
        self,
        sort: Sort,
        knob: str,
        rules: str,
        *events: str,
        item: str = "",
        at: int = 0,
        span: tuple[int, int] | None = None,
    ) -> None:
        """Note what was planted, for each of the rules (divided by blanks).

        ``span``: from when a duty was owed until it was discharged, or no more could be (ms).
        """
        if not self.judged:
            return
        if span is not None:
            self.spans += [(rule, sort, *span) for rule in rules.split()]
        moment = format_time(at or (self.acts[-1].claimed if self.acts else 0))
        for rule in rules.split():
            self.truths.append(Truth(sort, knob, rule, self.subject, item, events, VERDICTS[sort], moment))

    def finish(self) -> None:
        """Add what follows from the rest: Prot. 4 takes the worst of the articles that it takes over."""
        if not (self.judged and self.direct):
            return
        parts = [truth for truth in self.truths if truth.rule.startswith(IMPORTED)]
        for sort in ("breach", "undetermined", "near_miss"):
            found = [truth for truth in parts if truth.sort == sort]
            if found:
                first = found[0]
                events = tuple(dict.fromkeys(event for truth in found for event in truth.events))
                self.truths.append(
                    Truth(first.sort, first.knob, "P6", self.subject, "", events, VERDICTS[first.sort], first.at)
                )
                return


@lru_cache(4096)
def start_of(day: date, tz: str) -> int:
    """The first moment (ms) of a day in a zone."""
    return round(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(tz)).timestamp() * 1000)


def day_of(ms: int, tz: str = "Europe/Moscow") -> date:
    """The day of a moment in a zone."""
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(tz)).date()


_EPOCH = date(1970, 1, 1)


@lru_cache(16384)
def _iso(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).isoformat()


def iso(ms: int) -> str:
    """The day of a moment in UTC, as ``2025-03-03``."""
    return _iso(ms // DAY)


def instant(ms: int) -> str:
    """A moment as RFC 3339 in UTC with milliseconds: what ``format_time`` gives, in a quarter of the time."""
    minutes, part = divmod(ms % DAY, MINUTE)
    return _iso(ms // DAY) + _MINUTES[minutes] + _SECONDS[part // 1000] + _PARTS[part % 1000]


_MINUTES = [f"T{n // 60:02d}:{n % 60:02d}:" for n in range(24 * 60)]
_SECONDS = [f"{n:02d}" for n in range(60)]
_PARTS = [f".{n:03d}Z" for n in range(1000)]


def moment(text: str) -> int:
    """``2025-03-03T10:00`` in UTC as ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def days(number: float) -> int:
    """Days as ms."""
    return int(number * DAY)


def merged(stories: Iterable[Story]) -> tuple[list[Act], list[Truth]]:
    """Acts and truths of some finished stories."""
    acts: list[Act] = []
    truths: list[Truth] = []
    for story in stories:
        story.finish()
        acts += story.acts
        truths += story.truths
    return acts, truths
