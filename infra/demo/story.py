"""One request as it is told by the offices that act on it: a list of acts, each with whose it is and when.

``Story.say`` takes down the next act and gives its event's id, so that a later one can name it::

    asked = story.say(story.requested, InformationRequested(...))
    story.say(story.requesting, InformationSupplied(answers=asked, ...))

Everything is drawn from the story's own ``random.Random``: the same seed tells the same stories.  Texts are generic
phrases, persons are random references.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from infra.demo.offices import FOREIGN_BORDER, RUSSIAN_BORDER
from ledger.catalogue.base import Data
from ledger.catalogue.blocks import Channel, Direction, Forms, Kind, StatedPurpose
from producers.builder import Draft, format_time

HOUR = 3_600_000
DAY = 24 * HOUR
DIRECTORATE = "RU-GUMPS"

_BASIS = {"KZ": "cis-mla-1993", "BY": "cis-mla-1993", "UZ": "cis-mla-1993", "RS": "coe-mla-1959"}
_PURPOSES = {
    "extradition": "extradition",
    "transfer_sentenced": "sentence_execution",
    "asset": "asset_recovery",
    "direct_exchange": "crime_analysis",
    "initiative": "supervision",
}
_TOPICS = ("organised_crime", "terrorism_extremism", "drugs", "digital_assets", "ict_crime", "environment")
_DIRECT = ("direct_exchange", "law_enforcement", "initiative")
_AT_PGO = ("extradition", "transfer_sentenced")


class Act(NamedTuple):
    """An act to publish: whose key signs, and what."""

    office: str
    draft: Draft


class _Said(NamedTuple):
    office: str
    data: Data
    id: str
    days: float
    """Since the act before."""


class Story:
    """One request. ``keyed`` are the offices that sign for themselves; of others the Directorate tells."""

    def __init__(
        self, rng: random.Random, number: str, kind: Kind, direction: Direction, partner: str, keyed: frozenset[str]
    ) -> None:
        self.rng = rng
        self.number = number
        self.kind = kind
        self.direction = direction
        self.partner = partner
        self._keyed = keyed
        self._said: list[_Said] = []
        ours, theirs = rng.choice(RUSSIAN_BORDER), rng.choice(FOREIGN_BORDER)
        if kind in _AT_PGO:
            ours, theirs = "RU-PGO", "KZ-PGO"
        if partner != "KZ":
            theirs = f"{partner}-PGO"
        centre = "KZ-DIC" if partner == "KZ" else theirs
        self.requesting, self.requested = (ours, theirs) if direction == "out" else (theirs, ours)
        self.centre = centre if direction == "out" else DIRECTORATE
        """The coordinating unit of the requested side."""
        self.states = ("RU", partner) if direction == "out" else (partner, "RU")
        """Requesting state, requested state."""
        self.person = self.ref("p")
        self.topic = rng.choice(_TOPICS)
        self.channel: Channel = "direct" if kind in _DIRECT else "directorate"

    @property
    def subject(self) -> str:
        """The stream it stands in."""
        return f"request/{self.number}"

    def ref(self, sort: str) -> str:
        """A random reference: of a person (p), a material (m), an asset (a), a condition (c), a cost (k)."""
        return f"{sort}-{self.rng.getrandbits(64):016x}"

    def purpose(self) -> Any:
        """What it is asked for."""
        return _PURPOSES.get(self.kind, "criminal_case")

    def content(self) -> dict[str, Any]:
        """What the request says, groups a to f of Agr. 6(3)."""
        said: dict[str, Any] = {
            "kind": self.kind,
            "direction": self.direction,
            "partner": self.partner,
            "requesting": self.requesting,
            "requested": self.requested,
            "substance": "substance of the request",
            "purpose_text": "what the assistance is needed for",
            "grounds": "grounds of the request",
            "purposes": [StatedPurpose(purpose=self.purpose(), case=f"case-{self.number}")],
            "assistance": "assistance that is asked for",
            "legal_basis": ["ru-kz-2009-ap-2022"] if self.kind in _DIRECT else [_BASIS[self.partner]],
        }
        if self.kind in _DIRECT:
            said |= {"forms": Forms(order=["o1"], protocol=["p1"]), "topics": [self.topic]}
        return said

    def say(self, office: str, data: Data, *, days: float | None = None) -> str:
        """Take down the next act of an office; the event's id. ``days`` since the act before; None: by chance."""
        id_ = str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
        gap = self.rng.lognormvariate(0.6, 0.8) if days is None else days
        self._said.append(_Said(office, data, id_, gap))
        return id_

    @property
    def first_id(self) -> str:
        """The id of the first act."""
        return self._said[0].id

    def cut(self) -> None:
        """Let it end somewhere on the way: most requests are not over."""
        keep = self.rng.randint(min(2, len(self._said)), len(self._said))
        del self._said[keep:]

    def acts(self, now: int) -> list[Act]:
        """The acts with their times, the last of them a while before ``now`` (ms)."""
        idle = int(self.rng.expovariate(1 / 5) * DAY) + HOUR
        gaps = [int(said.days * DAY) for said in self._said]
        time = now - idle - sum(gaps[1:])
        told: list[Act] = []
        for gap, said in zip([0, *gaps[1:]], self._said, strict=True):
            time += gap
            data = said.data
            if "date" in data.__struct_fields__:
                data = msgspec.structs.replace(data, date=iso_day(time))
            by = said.office
            if by not in self._keyed:  # it holds no key here: the Directorate records what it was told
                by, data = DIRECTORATE, msgspec.structs.replace(data, act_of=said.office)
            told.append(Act(by, Draft(subject=self.subject, data=data, time=format_time(time), id=said.id)))
        return told


def iso_day(ms: int) -> str:
    """The day (UTC) of a time in ms."""
    return datetime.fromtimestamp(ms / 1000, UTC).date().isoformat()
