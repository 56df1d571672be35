"""Officials named for direct contact, version by version, and who was told of which.

A *version* is what one record says of a contact: the first designation, a replacement, or a change of its data.  Order
3.1 has the office tell the Main Directorate of it (``contact.notified``); Order 4.2 and Prot. 3 have that tell the
other Party (``contact.forwarded``).
"""

from __future__ import annotations

from datetime import date

import msgspec

from projections.compliance.case import CaseAct, items
from projections.compliance.readings import day_of, start_of
from projections.compliance.register import LegalRegister

FIELDS = ("surname", "name", "patronymic", "post", "phone", "email")
"""The six data of Order 3.1, first paragraph."""


class Version(msgspec.Struct, frozen=True):
    """One version of a contact."""

    act: CaseAct
    item: str
    """As the item of a finding."""
    since: int
    """When it took effect, ms: the record's moment if it was on that day, else the start of the day."""
    tz: str
    """Zone of its office."""

    @property
    def office(self) -> str:
        """Whose contact it is."""
        return str(self.act.data.office)

    @property
    def contact(self) -> str:
        """Who is named."""
        return str(self.act.data.contact)

    @property
    def changes(self) -> bool:
        """Whether it replaces an official or changes data, and is no first designation."""
        return self.act.name == "contact.changed" or self.act.get("replaces") is not None

    def empty(self) -> list[str]:
        """Which of the six data it leaves empty; of a name without patronymic that one is not asked (our choice)."""
        asked = FIELDS if self.act.get("no_patronymic") is not True else tuple(f for f in FIELDS if f != "patronymic")
        return [field for field in asked if not self.act.filled(field)]


def versions(register: LegalRegister, party: str) -> list[Version]:
    """All versions of the contacts of a state's offices, in the order of the ledger."""
    acts = [
        act
        for act in register.acts("contact.designated", "contact.changed")
        if register.party(act.data.office) == party
    ]
    named, found = items(acts), []
    for act in acts:
        tz = register.zone(act.data.office)
        effective = date.fromisoformat(act.data.effective)
        since = act.time if day_of(act.time, tz) == effective else start_of(effective, tz)
        found.append(Version(act, named[act], since, tz))
    return found


def following(version: Version, others: list[Version]) -> Version | None:
    """The version that came next for the same place: new data of the official, or another in their stead."""
    mine = {version.contact, version.act.get("replaces")} - {None}
    later = [
        other
        for other in others
        if other.office == version.office
        and (other.since, other.act.seq) > (version.since, version.act.seq)
        and (other.contact == version.contact or other.act.get("replaces") in mine)
    ]
    return min(later, key=lambda other: (other.since, other.act.seq), default=None)


def told(version: Version, register: LegalRegister) -> CaseAct | None:
    """The first record by which its office told the Main Directorate of a version."""
    found = [
        act
        for act in register.acts("contact.notified")
        if act.data.version == version.act.id and act.data.office == version.office
    ]
    return min(found, key=lambda act: act.order, default=None)


def forwarded(version: Version, register: LegalRegister, to: str) -> CaseAct | None:
    """The first record by which the other Party was told of a version."""
    found = [
        act
        for act in register.acts("contact.forwarded")
        if version.act.id in act.data.versions and register.party(act.data.to) == to
    ]
    return min(found, key=lambda act: act.order, default=None)


def notified(office: str, register: LegalRegister) -> list[CaseAct]:
    """All that an office told the Main Directorate of its contacts, from the earliest."""
    found = [act for act in register.acts("contact.notified") if act.data.office == office]
    return sorted(found, key=lambda act: act.order)
