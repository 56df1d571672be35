"""A request from signature to closure, with the steps about it: questions, conditions, refusal, costs.

``finding.disposed`` and ``record.corrected`` may stand in any subject: that of the thing they speak of.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import field

from ledger import ids
from ledger.catalogue.base import (
    UNSET,
    Act,
    Date,
    EventRef,
    Lang,
    Money,
    OfficeText,
    Opaque,
    OpaqueOrEmpty,
    Percent,
    SealedText,
    State,
    Token,
    UnsetType,
    event,
)
from ledger.catalogue.blocks import (
    Channel,
    ConditionSort,
    Group,
    RequestContent,
    RequestContentIfAny,
    RoleOrOther,
)

ANY_SUBJECT = " ".join(ids.SORTS)


@event("request.signed", sorts="request", cites="Agr. 6(2)-(4)")
class RequestSigned(RequestContent):
    """A written request or initiative is signed; an unknown signer is empty."""

    signer: OpaqueOrEmpty
    signer_role: RoleOrOther
    signature: Literal["ink", "electronic"]
    lang: Lang


@event("request.spoken", sorts="request", cites="Agr. 6(2)")
class RequestSpoken(RequestContent):
    """An urgent request or initiative is made by word of mouth."""

    channel: Channel
    means: Literal["phone", "video", "in_person"]
    urgency: SealedText


@event("request.confirmed", sorts="request", cites="Agr. 6(2), (4)")
class RequestConfirmed(RequestContent):
    """A spoken request is confirmed in writing; an unknown signer is empty."""

    confirms: EventRef
    signer: OpaqueOrEmpty
    signer_role: RoleOrOther
    means: Literal["post", "courier", "fax", "email", "system"]


@event("request.scoped", sorts="request", cites="Order 3.4")
class RequestScoped(Act):
    """Somebody decides whether a request is inside the Protocol and the Order's list of forms."""

    scope: Literal["inside", "outside", "part"]
    decided_by: OfficeText
    reason: SealedText


@event("request.sent", sorts="request", cites="Agr. 6(2), (5); Order 3.3, 3.4")
class RequestSent(Act):
    """A request leaves an office."""

    channel: Channel
    from_: OfficeText = field(name="from")
    to: OfficeText
    means: Token
    translations: list[Lang]
    no_translation_reason: Literal["accepted_language", "agreed", "not_necessary", "other"] | UnsetType = UNSET
    original: bool | UnsetType = UNSET


@event("request.received", sorts="request", cites="Agr. 6; Order 3.4")
class RequestReceived(RequestContentIfAny):
    """A request arrives; it carries the content when it is the first that the ledger hears of it."""

    channel: Channel
    from_: OfficeText = field(name="from")
    to: OfficeText
    signer: OpaqueOrEmpty | UnsetType = UNSET
    signer_role: RoleOrOther | UnsetType = UNSET
    translations: list[Lang]


@event("request.forwarded", sorts="request", cites="Order 3.4")
class RequestForwarded(Act):
    """A request is passed on inside a Party."""

    from_: OfficeText = field(name="from")
    to: OfficeText
    why: Literal["misrouted", "executing_office", "competence"]


@event("request.returned", sorts="request", cites="our choice")
class RequestReturned(Act):
    """A request is sent back unexecuted."""

    to: OfficeText
    why: Literal["incomplete", "misrouted", "no_basis", "language", "authenticity", "other"]


@event("information.requested", sorts="request", cites="Agr. 6(3)")
class InformationRequested(Act):
    """The requested side needs to know more."""

    from_: OfficeText = field(name="from")
    to: OfficeText
    what: SealedText
    groups: list[Group] | UnsetType = UNSET


@event("information.supplied", sorts="request", cites="Agr. 6(3), (5)")
class InformationSupplied(Act):
    """The requesting side tells it."""

    answers: EventRef
    what: SealedText
    groups: list[Group] | UnsetType = UNSET
    translations: list[Lang] | UnsetType = UNSET


@event("authenticity.doubted", sorts="request", cites="Agr. 6(2)")
class AuthenticityDoubted(Act):
    """The recipient asks whether a request, or what it contains, is genuine."""

    of: EventRef
    why: SealedText
    asked_of: OfficeText


@event("authenticity.answered", sorts="request", cites="Agr. 6(2)")
class AuthenticityAnswered(Act):
    """The requesting side says whether it is."""

    answers: EventRef
    authentic: bool
    means: Token


@event("request.accepted", sorts="request", cites="Agr. 8(1)")
class RequestAccepted(Act):
    """An office takes a request for execution."""

    executing: OfficeText


@event("consultation.held", sorts="request", cites="Agr. 3, 7(2), 11")
class ConsultationHeld(Act):
    """The two sides consult on a concrete request."""

    about: Literal["refusal", "conditions", "execution", "authenticity"]
    with_: list[OfficeText] = field(name="with")
    means: Token
    outcome: SealedText | UnsetType = UNSET


@event("condition.proposed", sorts="request", cites="Agr. 7(2)")
class ConditionProposed(Act):
    """The requested side would assist under a condition."""

    condition: Opaque
    sort: ConditionSort
    detail: SealedText | UnsetType = UNSET
    until: Date | UnsetType = UNSET
    materials: list[Opaque] | UnsetType = UNSET


@event("condition.answered", sorts="request", cites="Agr. 7(2)")
class ConditionAnswered(Act):
    """The requesting side accepts a condition, or does not."""

    condition: Opaque
    accepted: bool


@event("condition.lifted", sorts="request", cites="our choice")
class ConditionLifted(Act):
    """Its author releases the other side from a condition."""

    condition: Opaque


@event("refusal.decided", sorts="request", cites="Agr. 7(1), (2)")
class RefusalDecided(Act):
    """Assistance is refused, wholly or in part."""

    scope: Literal["full", "partial"]
    ground: Literal["sovereignty", "security", "essential_interest", "legislation", "international_obligation", "other"]
    parts: SealedText | UnsetType = UNSET
    no_consultation_reason: SealedText | UnsetType = UNSET
    decided_by: OfficeText


@event("refusal.notified", sorts="request", cites="Agr. 7(3)")
class RefusalNotified(Act):
    """The requesting side is told of a refusal and why."""

    decision: EventRef
    written: bool
    reason: SealedText
    to: OfficeText


@event("request.executed", sorts="request", cites="Agr. 8")
class RequestExecuted(Act):
    """The execution of a request is over."""

    outcome: Literal["full", "partial", "impossible"]
    materials: list[Opaque] | UnsetType = UNSET


@event("request.answered", sorts="request", cites="Agr. 8(2)")
class RequestAnswered(Act):
    """The requesting side is told what came of its request."""

    outcome: Literal["granted", "partial", "not_executed", "refused", "initiative_accepted", "initiative_declined"]
    channel: Channel
    written: bool
    to: OfficeText
    materials: list[Opaque] | UnsetType = UNSET
    final: bool


@event("request.withdrawn", sorts="request", cites="our choice")
class RequestWithdrawn(Act):
    """The requesting side takes its request back."""

    why: SealedText | UnsetType = UNSET


@event("request.closed", sorts="request", cites="our choice")
class RequestClosed(Act):
    """The file of a request is closed."""

    outcome: Literal["done", "refused", "withdrawn", "returned", "lapsed"]


@event("request.reopened", sorts="request", cites="our choice")
class RequestReopened(Act):
    """The file of a request is opened again."""

    why: SealedText


@event("cost.incurred", sorts="request", cites="Agr. 10")
class CostIncurred(Act):
    """A cost arises, at one state's side, and a state bears it."""

    cost: Opaque
    money: Money
    what: Literal["translation", "expert", "transport", "other"]
    incurred_by: State
    borne_by: State


@event("cost.agreed", sorts="request", cites="Agr. 10")
class CostAgreed(Act):
    """The sides agree to share the costs of this request in another way."""

    costs: list[Opaque] | UnsetType = UNSET
    scope: Literal["all", "listed"]
    borne_by: State
    share: Percent
    written: bool


@event("finding.disposed", sorts=ANY_SUBJECT, cites="our choice")
class FindingDisposed(Act):
    """A reviewer's note on a finding, which it never changes."""

    rule: Token
    evidence: list[EventRef]
    disposition: Literal["confirmed", "explained", "disputed"]
    why: SealedText


@event("record.corrected", sorts=ANY_SUBJECT, cites="our choice")
class RecordCorrected(Act):
    """An earlier record of the same author was wrong; it stays visible.

    ``fields`` is free JSON here: clear members of the target's data with their right values.  Whether it is
    strict I-JSON is checked at admission; whether the members are the target's, where the correction is used.
    """

    target: EventRef
    how: Literal["replace", "disown"]
    fields: dict[str, Any] | UnsetType = UNSET
    why: SealedText
