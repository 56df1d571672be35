"""The stream of the demonstration: acts of many requests in the order of their times, from a seed.

``tell(seed, requests, now, keyed)`` gives the same acts for the same arguments, whatever the machine.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime

from infra.demo.plans import ORDINARY, SHOWN, Plan
from infra.demo.story import Act, Story
from ledger.event import time_ms

_PARTNERS = (("KZ", 7), ("BY", 2), ("UZ", 1))


def tell(seed: int, requests: int, now: int, keyed: frozenset[str]) -> list[Act]:
    """The acts of so many requests, oldest first.

    Args:
        seed: of everything that is drawn.
        requests: how many.
        now: ms; claimed times lie in the weeks before.
        keyed: offices that sign for themselves.
    """
    rng = random.Random(seed)  # noqa: S311 - invents stories, guards nothing
    year = datetime.fromtimestamp(now / 1000, UTC).year
    acts: list[Act] = []
    for n in range(requests):
        plan = SHOWN[n] if n < len(SHOWN) else rng.choices(ORDINARY, [p.weight for p in ORDINARY])[0]
        story = _begin(rng, plan, f"{year}-{100 + n:06d}", keyed)
        plan.path(story)
        if n >= len(SHOWN):
            story.cut()
        acts += story.acts(now)
    return sorted(acts, key=lambda act: time_ms(act.draft.time or ""))


def _begin(rng: random.Random, plan: Plan, number: str, keyed: frozenset[str]) -> Story:
    own = random.Random(rng.getrandbits(64))  # noqa: S311 - so that one story's length does not change the next
    partner = plan.partner or own.choices([p for p, _ in _PARTNERS], [w for _, w in _PARTNERS])[0]
    direction = plan.direction or ("out" if own.random() < 0.45 else "in")
    return Story(own, number, plan.kind, direction, partner, keyed)
