"""Persons sought and handed over, prosecutions taken over, measures performed, documents served.

A person is a random reference, a new one for each request.
"""

from __future__ import annotations

from typing import Literal

from msgspec import field

from ledger.catalogue.base import UNSET, Act, CaseId, Count, Date, Opaque, SealedText, State, UnsetType, event
from ledger.catalogue.blocks import Kind


@event("person.located", sorts="request", cites="D001")
class PersonLocated(Act):
    """A person who was sought is found."""

    person: Opaque
    state: State
    date: Date
    via: Literal["interpol", "directorate", "other"]


@event("person.detained", sorts="request", cites="D001 (our choice of fields)")
class PersonDetained(Act):
    """A person is taken into custody."""

    person: Opaque
    date: Date
    state: State
    basis: Literal["request", "wanted", "provisional", "other"]


@event("person.released", sorts="request", cites="our choice")
class PersonReleased(Act):
    """A person is set free."""

    person: Opaque
    date: Date
    why: Literal["refused", "withdrawn", "term_expired", "other"]


@event("decision.granted", sorts="request", cites="D001; D004")
class DecisionGranted(Act):
    """The competent authority grants what was asked for."""

    what: Literal["extradition", "transfer_sentenced", "transfer_mental", "transfer_prosecution", "confiscation"]
    person: Opaque | UnsetType = UNSET
    asset: Opaque | UnsetType = UNSET
    date: Date
    authority: SealedText


@event("person.handedover", sorts="request", cites="D000; D001; D004")
class PersonHandedOver(Act):
    """A person passes from the custody of one state into that of another."""

    person: Opaque
    date: Date
    from_: State = field(name="from")
    to: State
    what: Literal["extradition", "transfer_sentenced", "transfer_mental", "temporary"]


@event("prosecution.takenover", sorts="request", cites="D001")
class ProsecutionTakenOver(Act):
    """A state takes a prosecution over."""

    case: CaseId
    date: Date
    state: State


@event("prosecution.concluded", sorts="request", cites="D001")
class ProsecutionConcluded(Act):
    """A prosecution that was taken over has its result."""

    case: CaseId
    date: Date
    outcome: Literal["convicted", "acquitted", "discontinued", "other"]


@event("measure.performed", sorts="request", cites="Agr. 8 (list: our choice)")
class MeasurePerformed(Act):
    """One step of execution, done ``count`` times."""

    measure: Literal["interview", "search_seizure", "expert", "video_hearing", "records", "inspection", "other"]
    count: Count
    date: Date
    for_kind: Kind


@event("document.served", sorts="request", cites="our choice")
class DocumentServed(Act):
    """Documents are served on a person, or could not be."""

    documents: Count
    person: Opaque | UnsetType = UNSET
    date: Date
    result: Literal["served", "refused", "not_found"]
