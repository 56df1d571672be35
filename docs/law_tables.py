"""The tables of ``docs/law.md``, made from the built-in rulebook (``refresh.py`` writes them)."""  # noqa: INP001 - as refresh.py

from __future__ import annotations

from collections.abc import Iterable, Iterator

from projections.compliance.rulebook import Profile, Rule, built_in

CORE = ("ru-order-136", "ru-kz-2009-ap-2022", "ru-kz-2009")
_LETTERS = {"met": "M", "breached": "B", "open": "O", "undetermined": "U"}


def tables() -> dict[str, str]:
    """Each table by its marker."""
    return {
        "obligations": _table(
            ("id", "place", "binds", "kind", "gives", "same facts as"), (_obligation(r) for _, r in _rules())
        ),
        "summaries": _table(("place", "it asks", "что требуется"), (_summary(r) for _, r in _rules())),
        "terms": _table(
            ("id", "place", "readings", "threshold"),
            (_term(r) for _, r in _rules() if r.readings or r.threshold),
        ),
        "choices": "\n".join(f"- **{r.id}** ({r.place.cites}): {r.choice.en}" for _, r in _rules() if r.choice),
    }


def _rules() -> Iterator[tuple[Profile, Rule]]:
    for id_ in CORE:
        profile = built_in().profile(id_)
        assert profile is not None
        for rule in profile.rule:
            yield profile, rule


def _place(rule: Rule) -> str:
    place = rule.place
    told = f"({place.paragraph})" in place.cites, " s. " in place.cites
    parts = [
        f"para. {place.paragraph}" if place.paragraph and not told[0] else "",
        f"s. {place.sentence}" if place.sentence and not told[1] else "",
    ]
    more = ", ".join(part for part in parts if part)
    return f"{place.cites} ({more})" if more else place.cites


def _obligation(rule: Rule) -> tuple[str, ...]:
    gives = "".join(letter for verdict, letter in _LETTERS.items() if verdict in rule.gives)
    return rule.id, _place(rule), rule.binds, f"`{rule.kind}`", gives, ", ".join(rule.same_as) or "–"


def _summary(rule: Rule) -> tuple[str, ...]:
    return f"{rule.id}, {_place(rule)}", rule.summary.en, rule.summary.ru


def _term(rule: Rule) -> tuple[str, ...]:
    readings = ", ".join(f"`{reading}`" for reading in rule.readings)
    threshold = f"`{rule.threshold}`" if rule.threshold else ""
    return rule.id, rule.place.cites, readings or "–", threshold or "–"


def _table(heads: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    heads = tuple(heads)
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    lines += [f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in rows]
    return "\n".join(lines)
