"""Records without a registrar: a story of one request, for tests of folds.

``Story`` numbers what it is told and keeps it; each event has data that will do, of which a test states
only what it is about::

    story = Story()
    story("request.signed", kind="mla")
    story("request.sent", to="KZ-PGO", at=DAY)
    story.records  # two of them, seq 1 and 2

Signatures are missing and the chain's ``past`` is zeros, so a ``Follower`` would take none of this.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ledger import catalogue
from ledger.chain import Record
from ledger.event import Event, time_ms
from ledger.ids import Subject
from ledger.seal import Seal, entry, format_seal, leaf_hash

LEDGER = "assistance.0123456789abcdef0123456789abcdef"
SUBJECT = "request/2025-000123"
START = time_ms("2025-03-03T10:00:00+06:00")
HOUR = 3_600_000
DAY = 24 * HOUR


def box(filled: bool = True) -> dict[str, Any]:
    """A sealed field that nobody can open."""
    opaque = base64.b64encode(bytes(104)).decode()
    commit = base64.b64encode(bytes(32)).decode()
    return {"s": 1, "key": "ab" * 16, "filled": filled, "box": opaque, "commit": commit}


def instant(ms: int) -> str:
    """An event's ``time`` for ms since 1970-01-01T00:00Z."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def content(**stated: Any) -> dict[str, Any]:
    """What a request says (Agr. 6(3)), with nothing missing."""
    return {
        "kind": "mla",
        "direction": "out",
        "partner": "KZ",
        "requesting": "RU-OMS",
        "requested": "KZ-PGO",
        "substance": box(),
        "purpose_text": box(),
        "grounds": box(),
        "purposes": [{"purpose": "criminal_case", "case": "c-1"}],
        "assistance": box(),
        "legal_basis": ["cis-mla-1993"],
        **stated,
    }


_DATE = "2025-03-03"
_SIGNED = {"signer": "p-1", "signer_role": "head"}
_EUR = {"amount": "100", "currency": "EUR"}
_MATERIAL = {
    "material": "m-1", "sort": "document", "supplier": "KZ-PGO", "supplied_as": "answer",
    "under_confidentiality": True, "purposes": [], "title": box(), "ciphertext_sha256": "00" * 32,
    "lang": "ru",
}  # fmt: skip
_HELD = {"material": "m-1", "holder": "RU-OMS"}

# What stands in an event unless a test says otherwise.
_USUAL: dict[str, dict[str, Any]] = {
    "request.signed": {**content(), **_SIGNED, "signature": "ink", "lang": "ru"},
    "request.spoken": {**content(), "channel": "directorate", "means": "phone", "urgency": box()},
    "request.confirmed": {**content(), **_SIGNED, "confirms": "e-1", "means": "post"},
    "request.scoped": {"scope": "inside", "decided_by": "RU-GUMPS", "reason": box()},
    "request.sent": {
        "channel": "directorate", "from": "RU-OMS", "to": "KZ-PGO", "means": "post", "translations": ["ru"],
    },
    "request.received": {"channel": "directorate", "from": "RU-OMS", "to": "KZ-PGO", "translations": ["ru"]},
    "request.forwarded": {"from": "KZ-PGO", "to": "KZ-B-01", "why": "executing_office"},
    "request.returned": {"to": "RU-OMS", "why": "incomplete"},
    "information.requested": {"from": "KZ-PGO", "to": "RU-OMS", "what": box()},
    "information.supplied": {"answers": "e-1", "what": box()},
    "authenticity.doubted": {"of": "e-1", "why": box(), "asked_of": "RU-OMS"},
    "authenticity.answered": {"answers": "e-1", "authentic": True, "means": "email"},
    "request.accepted": {"executing": "KZ-B-01"},
    "consultation.held": {"about": "refusal", "with": ["RU-PGO"], "means": "video"},
    "condition.proposed": {"condition": "c-1", "sort": "no_onward"},
    "condition.answered": {"condition": "c-1", "accepted": True},
    "condition.lifted": {"condition": "c-1"},
    "refusal.decided": {"scope": "full", "ground": "security", "decided_by": "KZ-PGO"},
    "refusal.notified": {"decision": "e-1", "written": True, "reason": box(), "to": "RU-OMS"},
    "request.executed": {"outcome": "full"},
    "request.answered": {
        "outcome": "granted", "channel": "directorate", "written": True, "to": "RU-OMS", "final": True,
    },
    "request.withdrawn": {},
    "request.closed": {"outcome": "done"},
    "request.reopened": {"why": box()},
    "cost.incurred": {
        "cost": "k-1", "money": _EUR, "what": "expert", "incurred_by": "KZ", "borne_by": "RU",
    },
    "cost.agreed": {"scope": "all", "borne_by": "RU", "share": "100", "written": True},
    "finding.disposed": {"rule": "A6.3", "evidence": ["e-1"], "disposition": "explained", "why": box()},
    "record.corrected": {"target": "e-1", "how": "disown", "why": box()},
    "step.taken": {"step": "draft created"},
    "person.located": {"person": "p-7", "state": "KZ", "date": _DATE, "via": "interpol"},
    "person.detained": {"person": "p-7", "state": "KZ", "date": _DATE, "basis": "request"},
    "person.released": {"person": "p-7", "date": _DATE, "why": "term_expired"},
    "decision.granted": {"what": "extradition", "person": "p-7", "date": _DATE, "authority": box()},
    "person.handedover": {"person": "p-7", "date": _DATE, "from": "KZ", "to": "RU", "what": "extradition"},
    "prosecution.takenover": {"case": "c-1", "date": _DATE, "state": "KZ"},
    "prosecution.concluded": {"case": "c-1", "date": _DATE, "outcome": "convicted"},
    "measure.performed": {"measure": "interview", "count": 1, "date": _DATE, "for_kind": "mla"},
    "document.served": {"documents": 1, "date": _DATE, "result": "served"},
    "asset.traced": {"asset": "a-1", "sort": "funds", "state": "CH"},
    "asset.restrained": {"asset": "a-1", "money": _EUR, "measure": "arrest", "date": _DATE},
    "asset.released": {"asset": "a-1", "money": _EUR, "date": _DATE, "why": "court"},
    "asset.confiscated": {"asset": "a-1", "money": _EUR, "date": _DATE},
    "asset.returned": {"asset": "a-1", "money": _EUR, "date": _DATE, "to": "state"},
    "material.sent": {**_MATERIAL, "to": "RU-OMS", "channel": "directorate"},
    "material.received": {**_MATERIAL, "from": "KZ-PGO", "channel": "directorate"},
    "degree.requested": {
        "materials": ["m-1"], "degree": {"scale": "kz", "value": "dsp"}, "by": "KZ-PGO",
    },
    "handling.set": {
        **_HELD, "grade": "restricted", "custodian": "p-2", "access": ["p-2"], "measures": ["locked"],
    },
    "downgrade.allowed": {"materials": ["m-1"], "to": "open", "by": "KZ-PGO"},
    "access.granted": {**_HELD, "persons": ["p-3"], "basis": "order"},
    "access.withdrawn": {**_HELD, "persons": ["p-3"]},
    "material.accessed": {**_HELD, "person": "p-2", "how": "viewed", "purpose": "criminal_case"},
    "material.used": {"material": "m-1", "by": "RU-OMS", "purpose": "criminal_case"},
    "material.disclosed": {"material": "m-1", "to": "office", "purpose": "criminal_case"},
    "consent.requested": {"materials": ["m-1"], "purposes": [], "of": "KZ-PGO"},
    "consent.answered": {
        "granted": True, "materials": ["m-1"], "purposes": [], "by": "KZ-PGO", "written": True,
    },
    "material.disposed": {**_HELD, "how": "destroyed", "date": _DATE},
    "content.erased": {"scope": "materials", "ids": ["m-1"], "kids": ["ab" * 16], "why": "term"},
    "incident.reported": {**_HELD, "sort": "loss", "discovered": "2025-03-03T10:00:00Z", "what": box()},
}  # fmt: skip

EVENTS = tuple(_USUAL)
"""Names of all events that may stand in a request's stream."""


def usual(name: str) -> dict[str, Any]:
    """Data that will do for an event of a request."""
    return dict(_USUAL[name])


def record(
    name: str,
    data: dict[str, Any],
    *,
    seq: int = 1,
    index: int = 0,
    claimed: int = START,
    admitted: int | None = None,
    office: str = "RU-OMS",
    subject: str = SUBJECT,
    event_id: str | None = None,
    time: str | None = None,
    partition: int = 0,
) -> Record:
    """One record with data as given; admitted when it is claimed, unless said otherwise."""
    event = Event(
        specversion="1.0",
        id=event_id or f"e-{seq}",
        source=f"office/{office}",
        type=f"rogatory.{name}.v1",
        subject=Subject(subject),
        time=time or instant(claimed),
        datacontenttype="application/json",
        ledger=LEDGER,
        data=msgspec.Raw(msgspec.json.encode(data)),
    )
    seal = Seal(
        v=1,
        index=index,
        seq=seq,
        prev="00" * 32 if seq > 1 else "",
        sigs=[],
        admitted=claimed if admitted is None else admitted,
        epoch=0,
        offset=index,
        past="00" * 32,
    )
    value, text = msgspec.json.encode(event), format_seal(seal)
    leaf = leaf_hash(entry(text, value))
    return Record(partition, index, seal, text, value, leaf, msgspec.json.decode(value, type=Event))


class Story:
    """Tells one request's events in the order in which the ledger admits them; the n-th has the id ``e-n``.

    Its leaf indices are 10, 20, …
    """

    def __init__(self, subject: str = SUBJECT) -> None:
        self.subject = subject
        self.records: list[Record] = []

    def __call__(
        self, name: str, *, at: int = 0, admitted: int | None = None, office: str = "RU-OMS", **stated: Any
    ) -> Record:
        """The next record.

        Args:
            name: of the event, without prefix and version.
            at: claimed, ms after ``START``.
            admitted: ms after ``START``; by default as claimed.
            office: the source.
            stated: members of ``data`` in place of the usual ones; ``from_`` is ``from``, ``with_`` is ``with``.
        """
        data = usual(name) | {key.rstrip("_"): value for key, value in stated.items()}
        # A test cannot tell the impossible.
        catalogue.convert_data(catalogue.known(f"rogatory.{name}.v1"), data)
        seq = len(self.records) + 1
        made = record(
            name,
            data,
            seq=seq,
            index=10 * seq,
            claimed=START + at,
            admitted=START + (at if admitted is None else admitted),
            office=office,
            subject=self.subject,
        )
        self.records.append(made)
        return made
