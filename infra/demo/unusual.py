"""Requests worth seeing: urgent ones, refused ones, open questions, acts out of their order; told to the end."""

from __future__ import annotations

from infra.demo import paths
from infra.demo.offices import signer_of
from infra.demo.paths import WHEN, accepted, arrives, ends, handles, supplies
from infra.demo.story import Story
from ledger.catalogue import materials, persons
from ledger.catalogue import requests as r
from ledger.catalogue.blocks import StatedPurpose


def urgent(s: Story) -> None:
    """Asked by word of mouth, worked on at once, confirmed in writing within three days (Agr. 6(2))."""
    asked = s.say(
        s.requesting, r.RequestSpoken(**s.content(), channel=s.channel, means="phone", urgency="why it cannot wait")
    )
    s.say(s.requested, r.RequestAccepted(executing=s.requested), days=0.1)
    s.say(s.requested, persons.MeasurePerformed(measure="records", count=1, date=WHEN, for_kind=s.kind), days=0.4)
    s.say(
        s.requesting,
        r.RequestConfirmed(
            **s.content(), confirms=asked, signer=signer_of(s.requesting, "head"), signer_role="head", means="courier"
        ),
        days=1.2,
    )
    s.say(s.requested, r.RequestExecuted(outcome="full"))
    ends(s)


def unconfirmed(s: Story) -> None:
    """Asked by word of mouth; the confirmation is still owed."""
    s.say(s.requesting, r.RequestSpoken(**s.content(), channel=s.channel, means="phone", urgency="why it cannot wait"))
    s.say(s.requested, r.RequestAccepted(executing=s.requested), days=0.2)


def partly_refused(s: Story) -> None:
    """A part is refused after consultations (Agr. 7), the rest is done."""
    accepted(s)
    both = [s.requesting, s.requested]
    s.say(s.requested, r.ConsultationHeld(about="refusal", with_=both, means="video", outcome="what was agreed"))
    decided = s.say(
        s.requested,
        r.RefusalDecided(scope="partial", ground="legislation", parts="the part refused", decided_by=s.requested),
    )
    reason = "reason for the refusal"
    s.say(s.requested, r.RefusalNotified(decision=decided, written=True, reason=reason, to=s.requesting))
    s.say(s.requested, persons.MeasurePerformed(measure="interview", count=2, date=WHEN, for_kind=s.kind))
    s.say(s.requested, r.RequestExecuted(outcome="partial"))
    ends(s, "partial")


def refused(s: Story) -> None:
    """Refused wholly, in writing and with a reason."""
    arrives(s)
    decided = s.say(
        s.requested,
        r.RefusalDecided(
            scope="full", ground="essential_interest", no_consultation_reason="why not", decided_by=s.requested
        ),
    )
    reason = "reason for the refusal"
    s.say(s.requested, r.RefusalNotified(decision=decided, written=True, reason=reason, to=s.requesting))
    s.say(s.requesting, r.RequestClosed(outcome="refused"))


def refusal_untold(s: Story) -> None:
    """A part was refused, and the other side has not been told."""
    accepted(s)
    s.say(
        s.requested,
        r.RefusalDecided(scope="partial", ground="security", parts="the part refused", decided_by=s.requested),
    )


def doubted(s: Story) -> None:
    """Is it genuine? Nobody has answered yet (Agr. 6(2))."""
    arrives(s)
    first = s.first_id
    s.say(s.requested, r.AuthenticityDoubted(of=first, why="why there is doubt", asked_of=s.requesting))


def asked_back(s: Story) -> None:
    """More is needed; asked, and asked again (Agr. 6(3))."""
    arrives(s)
    asking = {"from_": s.requested, "to": s.requesting, "what": "what is missing"}
    asked = s.say(s.requested, r.InformationRequested(**asking, groups=["c"]))
    s.say(s.requesting, r.InformationSupplied(answers=asked, what="what was missing", groups=["c"]))
    s.say(s.requested, r.InformationRequested(**asking, groups=["d"]))


def conditional(s: Story) -> None:
    """Assistance under a condition that has not been answered (Agr. 7(2))."""
    accepted(s)
    s.say(s.requested, r.ConditionProposed(condition=s.ref("c"), sort="no_onward", detail="the condition"))


def consent_owed(s: Story) -> None:
    """Answered and closed; then consent to another use is asked, and owed (Agr. 9(3))."""
    arrives(s)
    given = supplies(s, degree="confidential")
    handles(s, given, "confidential")
    ends(s, given=[given])
    other = StatedPurpose(purpose="training")
    s.say(s.requesting, materials.ConsentRequested(materials=[given], purposes=[other], of=s.requested))


def out_of_order(s: Story) -> None:
    """Handed over before anybody had decided so: recorded as it happened, with a remark."""
    accepted(s)
    states = {"from_": s.states[1], "to": s.states[0]}
    s.say(s.requested, persons.PersonHandedOver(person=s.person, date=WHEN, what="extradition", **states))
    s.say(s.requested, persons.DecisionGranted(what="extradition", person=s.person, date=WHEN, authority="who decided"))


def misrouted(s: Story) -> None:
    """Legal assistance asked of a border office directly: taken, passed on to the Directorate (Order 3.4)."""
    s.channel = "direct"
    arrives(s)
    s.say(s.requested, r.RequestForwarded(from_=s.requested, to=s.centre, why="misrouted"))


def withdrawn(s: Story) -> None:
    """No longer needed."""
    accepted(s)
    s.say(s.requesting, r.RequestWithdrawn(why="why it is not needed any more"))
    s.say(s.requesting, r.RequestClosed(outcome="withdrawn"))


def late_news(s: Story) -> None:
    """Closed, and then another measure comes to be recorded."""
    paths.assistance(s)
    s.say(s.requested, persons.MeasurePerformed(measure="interview", count=1, date=WHEN, for_kind=s.kind))
