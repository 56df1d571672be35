"""Materials and consent (M31, M32).

Our choices: each holder of a material keeps a grade of its own, until it sets another, disposes of the material, or the
content is erased.  An answer that names no question is counted, but is the answer to none.
"""

from __future__ import annotations

from projections.compliance.case import CaseAct
from projections.figures.sheet import Sheet, ended, first, in_time

MATERIALS = frozenset({"material.sent", "material.received", "handling.set", "material.disposed", "content.erased"})
CONSENT = frozenset({"consent.requested", "consent.answered"})


def count_materials(sheet: Sheet) -> None:
    """M31."""
    case = sheet.case
    for act in case.named("material.sent", "material.received"):
        sheet.post("M31", act, act.name.partition(".")[2], thing=act.data.material)
    for act in case.named("material.disposed"):
        sheet.post("M31.disposed", act, act.data.how, thing=act.data.material)
    for act in _erasures(sheet):
        for material in dict.fromkeys(act.data.ids):
            sheet.post("M31.erased", act, item=f"{sheet.name(act)} {material}", thing=material)
    if case.named("handling.set"):
        _count_grades(sheet)


def _erasures(sheet: Sheet) -> list[CaseAct]:
    return [act for act in sheet.case.named("content.erased") if act.data.scope == "materials"]


def _count_grades(sheet: Sheet) -> None:
    held: dict[tuple[str, str], str] = {}
    """Grade by material and holder."""
    acts = sheet.case.named("handling.set", "material.disposed") + _erasures(sheet)
    for act in in_time(acts):
        if act.name == "content.erased":
            gone = [key for key in held if key[0] in act.data.ids]
        else:
            gone = [(act.data.material, act.data.holder)]
        grade = act.data.grade if act.name == "handling.set" else ""
        for key in gone:
            before = held.pop(key, "")
            if grade:
                held[key] = grade
            if before == grade:
                continue
            if before:
                item = ended(f"{sheet.name(act)} {key[0]} {key[1]}")
                sheet.post("M31.grade", act, before, item=item, value=-1, thing=key[0])
            if grade:
                sheet.post("M31.grade", act, grade, thing=key[0])


def count_consent(sheet: Sheet) -> None:
    """M32."""
    answers = sheet.case.named("consent.answered")
    for act in sheet.case.named("consent.requested"):
        sheet.post("M32", act, "asked")
        answer = first(each for each in answers if each.get("answers") == act.id)
        sheet.stands("M32.open", act, answer)
        if answer is not None:
            sheet.days("M32.days", act, answer, item=sheet.name(act))
    for act in answers:
        sheet.post("M32", act, "granted" if act.data.granted else "refused")
