"""Blocks that several event types share: the content of a request, a contact, a material, and vocabularies.

A closed vocabulary is a ``Literal``; a word of one that treaties add to (a form, a topic, an area) is a
``Token``, since a form outside the list is a breach to be shown, not a reason to refuse the record.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from ledger.catalogue.base import (
    UNSET,
    Act,
    CaseId,
    Count,
    Data,
    Date,
    Digest,
    Lang,
    OfficeOrEmpty,
    OfficeText,
    Opaque,
    Purpose,
    SealedText,
    State,
    Token,
    UnsetType,
)

Kind = Literal[
    "extradition", "mla", "transfer_sentenced", "transfer_mental", "transfer_prosecution", "search_person",
    "asset", "law_enforcement", "admin_offence", "direct_exchange", "general_cooperation", "initiative",
]  # fmt: skip
Direction = Literal["in", "out"]
Channel = Literal["direct", "directorate", "interpol", "diplomatic"]
Role = Literal[
    "head", "deputy_head", "acting_head", "contact", "supervising_deputy", "coordinator", "custodian",
    "reviewer", "operator",
]  # fmt: skip
RoleOrOther = Literal[
    "head", "deputy_head", "acting_head", "contact", "supervising_deputy", "coordinator", "custodian",
    "reviewer", "operator", "other",
]  # fmt: skip
InstrumentKind = Literal["treaty", "agreement", "protocol", "memorandum", "programme", "principle"]
Group = Literal["a", "b", "c", "d", "e", "f"]  # of a request's content, Agr. 6(3)
ConditionSort = Literal[
    "purpose_only", "no_onward", "named_persons", "no_publication", "return_by", "destroy_by", "notify_use",
    "other",
]  # fmt: skip

AREAS = ("rights", "crime", "extradition_mla", "training", "research")
"""Directions of co-operation, Agr. 2; Agr. 4 leaves the list open."""
ORDER_FORMS = ("o1", "o2", "o3", "o4")
"""Order 2."""
PROTOCOL_FORMS = ("p1", "p2", "p3", "p4", "p5")
"""Prot. 2."""
AGREEMENT_FORMS = ("a1", "a2", "a3", "a4", "a5", "a6", "other")
"""Agr. 3, which Agr. 4 leaves open."""
TOPICS = (
    "organised_crime", "terrorism_extremism", "drugs", "digital_assets", "ict_crime", "minors", "environment",
    "none",
)  # fmt: skip
"""Order 3.2."""


class StatedPurpose(Data):
    """What something is asked or used for; another case is another purpose."""

    purpose: Purpose
    case: CaseId | UnsetType = UNSET


class Degree(Data):
    """A degree of confidentiality in the supplier's own scale; the profile maps it to ours."""

    scale: Token
    value: Token


class Forms(Data):
    """Forms of co-operation by the text that lists them; ``none`` says that no form of the list fits."""

    order: list[Token] | UnsetType = UNSET
    protocol: list[Token] | UnsetType = UNSET
    agreement: list[Token] | UnsetType = UNSET


class Link(Data):
    """How this request relates to another one."""

    request: CaseId
    relation: Literal["follows", "supplements", "duplicates", "rerouted"]


class CourtRuling(Data):
    """The ruling that a transfer for compulsory treatment rests on."""

    date: Date
    court: SealedText


class PublicSource(Data):
    """Evidence that a material is publicly available in its supplier's state."""

    evidence: SealedText
    checked: Date


class RequestContent(Act):
    """What a request says, groups a to f of Agr. 6(3); a to e may be empty, which is then a finding."""

    kind: Kind
    direction: Direction
    partner: State
    requesting: OfficeOrEmpty
    requested: OfficeOrEmpty
    substance: SealedText
    purpose_text: SealedText
    grounds: SealedText
    purposes: list[StatedPurpose]
    assistance: SealedText
    legal_basis: list[Token]
    other: SealedText | UnsetType = UNSET
    forms: Forms | UnsetType = UNSET
    area: Token | UnsetType = UNSET
    topics: list[Token] | UnsetType = UNSET
    degree: Degree | UnsetType = UNSET
    answer_by: Date | UnsetType = UNSET
    links: list[Link] | UnsetType = UNSET
    court_ruling: CourtRuling | UnsetType = UNSET


class RequestContentIfAny(Act):
    """The same members, but all of the required ones or none at all: for an event that may open a stream."""

    kind: Kind | UnsetType = UNSET
    direction: Direction | UnsetType = UNSET
    partner: State | UnsetType = UNSET
    requesting: OfficeOrEmpty | UnsetType = UNSET
    requested: OfficeOrEmpty | UnsetType = UNSET
    substance: SealedText | UnsetType = UNSET
    purpose_text: SealedText | UnsetType = UNSET
    grounds: SealedText | UnsetType = UNSET
    purposes: list[StatedPurpose] | UnsetType = UNSET
    assistance: SealedText | UnsetType = UNSET
    legal_basis: list[Token] | UnsetType = UNSET
    other: SealedText | UnsetType = UNSET
    forms: Forms | UnsetType = UNSET
    area: Token | UnsetType = UNSET
    topics: list[Token] | UnsetType = UNSET
    degree: Degree | UnsetType = UNSET
    answer_by: Date | UnsetType = UNSET
    links: list[Link] | UnsetType = UNSET
    court_ruling: CourtRuling | UnsetType = UNSET

    def __post_init__(self) -> None:
        """Refuse half a content: it could be taken neither for a request nor for a mere arrival."""
        missing = [name for name in CONTENT_REQUIRED if getattr(self, name) is UNSET]
        if missing and any(getattr(self, name) is not UNSET for name in CONTENT):
            raise ValueError(f"expected all of a request's content or none, found it without `{missing[0]}`")

    @property
    def has_content(self) -> bool:
        """Whether the content of the request is given."""
        return self.kind is not UNSET


# The members that come all together, and those of them that must be there.
CONTENT = tuple(name for name in RequestContent.__struct_fields__ if name not in Act.__struct_fields__)
CONTENT_REQUIRED = tuple(f.name for f in msgspec.structs.fields(RequestContent) if f.required)


def _check_patronymic(contact: Contact | ContactAct) -> None:
    if (contact.patronymic is UNSET) is not (contact.no_patronymic is True):
        raise ValueError("expected either `patronymic` or `no_patronymic` true, found both or neither")


class Contact(Data):
    """An official named for direct contact, Order 3.1; a name without patronymic says so."""

    contact: Opaque
    office: OfficeText
    surname: SealedText
    name: SealedText
    patronymic: SealedText | UnsetType = UNSET
    no_patronymic: bool | UnsetType = UNSET
    post: SealedText
    phone: SealedText
    email: SealedText

    def __post_init__(self) -> None:
        """Require the patronymic or the statement that there is none."""
        _check_patronymic(self)


class ContactAct(Act):
    """The same members for an act about one contact (a Struct has one base with fields, hence twice)."""

    contact: Opaque
    office: OfficeText
    surname: SealedText
    name: SealedText
    patronymic: SealedText | UnsetType = UNSET
    no_patronymic: bool | UnsetType = UNSET
    post: SealedText
    phone: SealedText
    email: SealedText

    def __post_init__(self) -> None:
        """Require the patronymic or the statement that there is none."""
        _check_patronymic(self)


class MaterialAct(Act):
    """What is recorded of a material when it is supplied; the document itself stays where it is kept."""

    material: Opaque
    sort: Literal["document", "information", "object"]
    supplier: OfficeText
    supplied_as: Literal["request", "answer", "initiative", "exchange"]
    under_confidentiality: bool
    purposes: list[StatedPurpose]
    title: SealedText
    ciphertext_sha256: Digest
    lang: Lang
    degree: Degree | UnsetType = UNSET
    conditions: list[ConditionSort] | UnsetType = UNSET
    pages: Count | UnsetType = UNSET
    bytes: Count | UnsetType = UNSET


class MeetingPlan(Act):
    """What is known of a meeting beforehand, Order 3.5."""

    sort: Literal["working", "consultation", "conference", "seminar", "training", "visit", "other"]
    place: State
    partners: list[State]
    offices: list[OfficeText]
    planned: Date
    programme: Token | UnsetType = UNSET
    topics: list[Token] | UnsetType = UNSET
    agenda: SealedText | UnsetType = UNSET
