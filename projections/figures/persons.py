"""Persons, prosecutions, and the steps of execution (M13-M17, M21).

Persons and cases are counted once whatever the number of subjects that speak of them.

Our choices: a handover rests on reciprocity where the request names nothing else as legal basis, and on ``unnamed``
where it names nothing.  M15 takes a person's first detention and the first handover after it; M15.open follows a
person who is detained anew.  A temporary handover is none of these.
"""

from __future__ import annotations

from projections.compliance.case import CaseAct
from projections.figures.sheet import UNKNOWN, Sheet, ended, in_time

PERSONS = frozenset({"person.handedover", "person.detained", "person.located"})
PROSECUTIONS = frozenset({"prosecution.takenover", "prosecution.concluded"})
EXECUTION = frozenset({"measure.performed", "document.served"})


def count_persons(sheet: Sheet) -> None:
    """M13-M16."""
    case, direction = sheet.case, sheet.direction or UNKNOWN
    for act in case.named("person.handedover"):
        person, what = act.data.person, act.data.what
        if what == "extradition":
            sheet.post("M13", act, f"{direction} {_basis(sheet)}", thing=person)
        elif what != "temporary":
            sheet.post("M14", act, f"{direction} {what}", thing=person)
    for act in case.named("person.located"):
        sheet.post("M16", act, act.data.via, thing=act.data.person)
    if case.named("person.detained"):
        _count_custody(sheet)


def _basis(sheet: Sheet) -> str:
    named = set(sheet.case.said("legal_basis") or ())
    if not named:
        return "unnamed"
    return "reciprocity" if named == {"reciprocity"} else "treaty"


def _count_custody(sheet: Sheet) -> None:
    since: dict[str, CaseAct] = {}
    """Who is in custody, since which act."""
    begun: dict[str, CaseAct] = {}
    """Each person's first detention."""
    handed: set[str] = set()
    for act in in_time(sheet.case.named("person.detained", "person.released", "person.handedover")):
        person = act.data.person
        if act.name == "person.detained":
            begun.setdefault(person, act)
            if person not in since:
                since[person] = act
                sheet.post("M15.open", act, thing=person)
        elif act.name == "person.released" or act.data.what != "temporary":
            if since.pop(person, None) is not None:
                sheet.post("M15.open", act, item=ended(sheet.name(act)), value=-1, thing=person)
            detained = begun.get(person)
            if act.name == "person.handedover" and detained is not None and person not in handed:
                handed.add(person)
                sheet.days("M15", detained, act, item=person, thing=person)


def count_prosecutions(sheet: Sheet) -> None:
    """M17."""
    direction = sheet.direction or UNKNOWN
    for act in sheet.case.named("prosecution.takenover"):
        sheet.post("M17", act, f"{direction} taken_over", thing=act.data.case)
    for act in sheet.case.named("prosecution.concluded"):
        sheet.post("M17", act, f"{direction} concluded {act.data.outcome}", thing=act.data.case)


def count_execution(sheet: Sheet) -> None:
    """M21."""
    for act in sheet.case.named("measure.performed"):
        sheet.post("M21", act, f"measure {act.data.measure}", value=act.data.count)
    for act in sheet.case.named("document.served"):
        sheet.post("M21", act, f"served {act.data.result}", value=act.data.documents)
