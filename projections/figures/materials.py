"""Materials and consent (M31, M32).

A material is of one subject, so it is counted there, once for each line of a part, whatever the number of records.

Our choices: each holder of a material keeps a grade of its own, until it sets another, disposes of the material, or the
content is erased; the material is held at a grade as long as one of its holders does so.  An answer that names no
question is counted, but is the answer to none.
"""

from __future__ import annotations

from collections.abc import Sequence

from projections.compliance.case import CaseAct
from projections.figures.sheet import Sheet, ended, first, in_time

MATERIALS = frozenset({"material.sent", "material.received", "handling.set", "material.disposed", "content.erased"})
_SUPPLIED = ("material.sent", "material.received")
CONSENT = frozenset({"consent.requested", "consent.answered"})


def count_materials(sheet: Sheet) -> None:
    """M31."""
    case = sheet.case
    _once(sheet, "M31", [(act.data.material, act.name.partition(".")[2], act) for act in case.named(*_SUPPLIED)])
    _once(sheet, "M31.disposed", [(act.data.material, act.data.how, act) for act in case.named("material.disposed")])
    erasures = [act for act in case.named("content.erased") if act.data.scope == "materials"]
    _once(sheet, "M31.erased", [(material, "", act) for act in erasures for material in act.data.ids])
    set_ = case.named("handling.set")
    if set_:
        _count_grades(sheet, in_time([*set_, *case.named("material.disposed"), *erasures]))


def _once(sheet: Sheet, part: str, found: list[tuple[str, str, CaseAct]]) -> None:
    """Post the first act, by effective time, of each material and line."""
    firsts: dict[tuple[str, str], CaseAct] = {}
    for material, tag, act in found:
        known = firsts.setdefault((material, tag), act)
        if act.order < known.order:
            firsts[material, tag] = act
    for (material, tag), act in firsts.items():
        sheet.post(part, act, tag, item=f"{material} {tag}".rstrip())


def _count_grades(sheet: Sheet, acts: Sequence[CaseAct]) -> None:
    held: dict[str, dict[str, str]] = {}
    """Grade by material and holder."""
    for act in acts:
        erased = act.name == "content.erased"
        for material in dict.fromkeys(act.data.ids if erased else [act.data.material]):
            grades = held.setdefault(material, {})
            before = set(grades.values())
            if erased:
                grades.clear()
            elif act.name == "handling.set":
                grades[act.data.holder] = act.data.grade
            else:
                grades.pop(act.data.holder, None)
            after, item = set(grades.values()), f"{material} {sheet.name(act)}"
            for grade in after - before:  # at most one, since one act is about one holder
                sheet.post("M31.grade", act, grade, item=item, thing=material)
            for grade in sorted(before - after):  # by an erasure, perhaps several
                sheet.post("M31.grade", act, grade, item=ended(f"{item} {grade}"), value=-1, thing=material)


def count_consent(sheet: Sheet) -> None:
    """M32."""
    answers = sheet.case.named("consent.answered")
    for act in sheet.case.named("consent.requested"):
        sheet.post("M32", act, "asked")
        answer = first(each for each in answers if each.get("answers") == act.id)
        sheet.stands("M32.open", act, answer, thing=sheet.name(act))
        if answer is not None:
            sheet.days("M32.days", act, answer, item=sheet.name(act))
    for act in answers:
        sheet.post("M32", act, "granted" if act.data.granted else "refused")
