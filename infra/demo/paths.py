"""How requests go: the ordinary path of each kind, told to the end.

Order of acts and who does them follow Agr. 6 to 10, Prot. 4 and Order 3.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal

from infra.demo.offices import signer_of
from infra.demo.story import Story
from ledger.catalogue import assets, materials, persons
from ledger.catalogue import requests as r
from ledger.catalogue.base import Money
from ledger.catalogue.blocks import Degree, Role, StatedPurpose

WHEN = "2000-01-01"
"""Stands for the day of the act, which ``Story.acts`` fills in."""
_Measure = Literal["interview", "records", "expert", "search_seizure", "video_hearing"]
_MEASURES: tuple[_Measure, ...] = ("interview", "records", "expert", "search_seizure", "video_hearing")


def arrives(s: Story) -> None:
    """Signed, sent, received; by way of the Directorate it is passed on to the office that executes."""
    role: Role = "head" if s.rng.random() < 0.6 else "deputy_head"
    s.say(
        s.requesting,
        r.RequestSigned(
            **s.content(), signer=signer_of(s.requesting, role), signer_role=role, signature="ink", lang="ru"
        ),
    )
    to = s.requested if s.channel == "direct" or s.kind in ("extradition", "transfer_sentenced") else s.centre
    s.say(
        s.requesting,
        r.RequestSent(
            channel=s.channel, from_=s.requesting, to=to, means="courier" if s.channel == "direct" else "post",
            translations=[], no_translation_reason="accepted_language",
        ),
    )  # fmt: skip
    s.say(to, r.RequestReceived(channel=s.channel, from_=s.requesting, to=to, translations=[]))
    if to != s.requested:
        s.say(to, r.RequestForwarded(from_=to, to=s.requested, why="executing_office"))


def accepted(s: Story) -> None:
    """It arrives and is taken for execution."""
    arrives(s)
    s.say(s.requested, r.RequestAccepted(executing=s.requested))


def ends(s: Story, outcome: Any = "granted", *, given: list[str] | None = None, close: bool = True) -> None:
    """The requesting side is told what came of it, and closes the file."""
    more: dict[str, Any] = {"materials": given} if given else {}
    s.say(
        s.requested,
        r.RequestAnswered(outcome=outcome, channel=s.channel, written=True, to=s.requesting, final=True, **more),
    )
    if close:
        s.say(s.requesting, r.RequestClosed(outcome="refused" if outcome == "refused" else "done"))


def supplies(s: Story, *, degree: str | None = None) -> str:
    """The requested side supplies a material; its id."""
    material = s.ref("m")
    more: dict[str, Any] = {"degree": Degree(scale="ru", value=degree)} if degree else {}
    s.say(
        s.requested,
        materials.MaterialSent(
            material=material, sort="document", supplier=s.requested, supplied_as="answer",
            under_confidentiality=degree is not None, purposes=[StatedPurpose(purpose=s.purpose())],
            title="title of the document", ciphertext_sha256=sha256(material.encode()).hexdigest(), lang="ru",
            pages=s.rng.randint(1, 40), to=s.requesting, channel=s.channel, **more,
        ),
    )  # fmt: skip
    return material


def handles(s: Story, material: str, grade: Any = "restricted") -> str:
    """The receiver fixes how a material is kept, and somebody on the list opens it; that person."""
    reader = s.ref("p")
    s.say(
        s.requesting,
        materials.HandlingSet(
            material=material, holder=s.requesting, grade=grade, custodian=s.ref("p"), access=[reader],
            measures=["encrypted", "logged"],
        ),
    )  # fmt: skip
    s.say(
        s.requesting,
        materials.MaterialAccessed(
            material=material, holder=s.requesting, person=reader, how="viewed", purpose=s.purpose()
        ),
    )
    return reader


# Ordinary paths


def extradition(s: Story) -> None:
    """Somebody is wanted, taken into custody, granted and handed over."""
    arrives(s)
    state = s.states[1]
    s.say(s.requested, persons.PersonDetained(person=s.person, date=WHEN, state=state, basis="request"))
    s.say(s.requested, r.RequestAccepted(executing=s.requested))
    s.say(
        s.requested,
        persons.DecisionGranted(what="extradition", person=s.person, date=WHEN, authority="authority that decided"),
    )
    s.say(
        s.requested,
        persons.PersonHandedOver(person=s.person, date=WHEN, from_=state, to=s.states[0], what="extradition"),
    )
    ends(s)


def sentenced(s: Story) -> None:
    """A sentenced person goes home to serve the rest."""
    accepted(s)
    what: Literal["transfer_sentenced"] = "transfer_sentenced"
    s.say(s.requested, persons.DecisionGranted(what=what, person=s.person, date=WHEN, authority="court that decided"))
    s.say(
        s.requested,
        persons.PersonHandedOver(person=s.person, date=WHEN, from_=s.states[1], to=s.states[0], what=what),
    )
    ends(s)


def assistance(s: Story) -> None:
    """Legal assistance in a criminal case: measures, a material, costs borne by the other side."""
    accepted(s)
    for measure in s.rng.sample(_MEASURES, 2):
        count = s.rng.randint(1, 5)
        s.say(s.requested, persons.MeasurePerformed(measure=measure, count=count, date=WHEN, for_kind=s.kind))
    money = Money(amount=f"{s.rng.randint(40, 900)}.00", currency="RUB")
    s.say(
        s.requested,
        r.CostIncurred(cost=s.ref("k"), money=money, what="translation", incurred_by=s.states[1], borne_by=s.states[1]),
    )
    given = supplies(s)
    s.say(s.requested, r.RequestExecuted(outcome="full", materials=[given]))
    ends(s, given=[given])


def exchange(s: Story) -> None:
    """Border offices exchange information directly, under the Protocol."""
    arrives(s)
    given = supplies(s, degree="restricted")
    handles(s, given)
    ends(s, given=[given])


def recovery(s: Story) -> None:
    """Property is found, restrained, confiscated and given back."""
    accepted(s)
    asset, much = s.ref("a"), s.rng.randint(20, 400) * 10_000
    whole, half = (Money(amount=str(n), currency="EUR") for n in (much, much // 2))
    state = s.states[1]
    s.say(s.requested, assets.AssetTraced(asset=asset, sort="funds", state=state, money=whole, holder="who holds it"))
    s.say(s.requested, assets.AssetRestrained(asset=asset, money=whole, measure="arrest", date=WHEN))
    s.say(s.requested, assets.AssetConfiscated(asset=asset, money=whole, date=WHEN, court="court that decided"))
    s.say(s.requested, assets.AssetReturned(asset=asset, money=half, date=WHEN, to="state"))
    s.say(s.requested, assets.AssetReturned(asset=asset, money=half, date=WHEN, to="company", recipient="the injured"))
    s.say(s.requested, r.RequestExecuted(outcome="full"))
    ends(s)


def search(s: Story) -> None:
    """A person is sought and found, or not."""
    accepted(s)
    if s.rng.random() < 0.6:
        s.say(s.requested, persons.PersonLocated(person=s.person, state=s.states[1], date=WHEN, via="directorate"))
        s.say(s.requested, r.RequestExecuted(outcome="full"))
        ends(s)
    else:
        s.say(s.requested, r.RequestExecuted(outcome="impossible"))
        ends(s, "not_executed")


def prosecution(s: Story) -> None:
    """A prosecution is taken over and brought to its end."""
    accepted(s)
    case = f"case-{s.number}"
    s.say(s.requested, persons.ProsecutionTakenOver(case=case, date=WHEN, state=s.states[1]))
    s.say(
        s.requested,
        r.RequestAnswered(outcome="granted", channel=s.channel, written=True, to=s.requesting, final=False),
    )
    s.say(s.requested, persons.ProsecutionConcluded(case=case, date=WHEN, outcome="convicted"))
    ends(s)


def offer(s: Story) -> None:
    """Something is offered unasked."""
    arrives(s)
    ends(s, "initiative_accepted" if s.rng.random() < 0.7 else "initiative_declined")
