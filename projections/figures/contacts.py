"""Contacts (M24), of the register: who has one, changes, how soon they were told on.

Our choices: an office has a contact from the first record of one on, since no record takes one away.  A change begins
where rule O4 has it begin, with the day on which it took effect; what the other Party tells of its own contacts has no
such clock.
"""

from __future__ import annotations

from projections.compliance.case import CaseAct, items
from projections.compliance.contacts import Version, told, versions
from projections.compliance.register import LegalRegister
from projections.figures.posting import Posting
from projections.figures.sheet import elapsed, ended, first, in_time

OWN, PARTNER = "own", "partner"
"""Lines of M24: whose office it is."""


def count_contacts(register: LegalRegister) -> list[Posting]:
    """M24 of a register."""
    acts = register.acts("contact.designated", "contact.changed", "contact.received")
    names = items(acts)
    rows: list[Posting] = []
    known: set[str] = set()
    for act in in_time(acts):
        for code in _offices(act):
            item = f"{names[act]} {code}"
            if code not in known:
                rows.append(_of(register, act, code, "M24", item))
            if _changes(act, code in known):
                rows.append(_of(register, act, code, "M24.changes", item))
            known.add(code)
    for version in versions(register, register.own):
        rows += _told(version, register, names[version.act])
    return rows


def _offices(act: CaseAct) -> list[str]:
    if act.name != "contact.received":
        return [act.data.office]
    return list(dict.fromkeys(each.office for each in act.data.contacts))


def _of(register: LegalRegister, act: CaseAct, code: str, part: str, item: str) -> Posting:
    state = register.party(code)
    own = state == register.own
    office, counterpart = (code, "") if own else ("", code)
    tag, thing = (OWN if own else PARTNER, code) if part == "M24" else (code, "")
    partner = "" if own else state
    return Posting(part, item, act.time, partner, "", "", office, counterpart, tag, thing, 1, "", act.index)


def _changes(act: CaseAct, known: bool) -> bool:
    if act.name == "contact.received":
        return known
    return act.name == "contact.changed" or act.get("replaces") is not None


def _told(version: Version, register: LegalRegister, item: str) -> list[Posting]:
    office, since, index = version.office, version.since, version.act.index
    rows = [Posting("M24.told.open", item, since, "", "", "", office, "", "notified", item, 1, "", index)]
    act = told(version, register)
    if act is not None:
        days = elapsed(since, act.time)
        rows += [
            Posting("M24.told.open", ended(item), max(since, act.time), "", "", "", office, "", "notified", item, -1,
                    "", act.index),
            Posting("M24.told", f"{item} notified", act.time, "", "", "", office, "", "notified", "", days, "",
                    act.index, index),
        ]  # fmt: skip
    on = first(each for each in register.acts("contact.forwarded") if version.act.id in each.data.versions)
    if on is not None:
        to, days = on.data.to, elapsed(since, on.time)
        state = register.party(to)
        partner = "" if state == register.own else state
        rows.append(
            Posting("M24.told", f"{item} forwarded", on.time, partner, "", "", office, to, "forwarded", "", days, "",
                    on.index, index)
        )  # fmt: skip
    return rows
