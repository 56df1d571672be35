"""Figures as JSON, and what tables share with it: amounts put together out of their units."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from infra.cli.findings import stamp
from projections.compliance.answers import Basis
from projections.figures.answers import Cited, FiguresPage, PartAnswer, Scope
from projections.figures.catalogue import Figure, Part
from projections.figures.money import exponent, together
from projections.figures.months import format_period
from projections.figures.shares import confirmed, per_materials
from projections.figures.words import figure_title, part_title, said


def amounts(answer: PartAnswer) -> list[tuple[str, str, Decimal]]:
    """Tag, currency and amount of each line of a part that is money."""
    by_tag: dict[str, list[tuple[str, int]]] = {}
    for line in answer.lines:
        by_tag.setdefault(line.tag, []).append((line.currency, line.number))
    return [(tag, currency, amount) for tag, of in by_tag.items() for currency, amount in sorted(together(of).items())]


def said_amount(amount: Decimal, currency: str) -> str:
    """An amount with the decimals of its currency, or more where it has them: ``2,500,000.00``."""
    places = exponent(currency)
    exact = amount.as_tuple().exponent
    decimals = -exact if isinstance(exact, int) else places
    text = f"{amount:,.{max(places, decimals)}f}"
    return text if decimals <= places else text.rstrip("0")


def record_json(row: Cited) -> dict[str, Any]:
    """A record behind a figure; ``since``: the record that its days are counted from."""
    return {
        "part": row.part, "partition": row.partition, "index": row.index, "subject": row.subject,
        "time": stamp(row.time), "partner": row.partner, "tag": row.tag, "item": row.item, "thing": row.thing,
        "value": row.value, "currency": row.currency, "since": None if row.since < 0 else row.since,
    }  # fmt: skip


def figure_json(figure: Figure, page: FiguresPage, parts: Sequence[Part]) -> dict[str, Any]:
    """A figure with its parts; ``parts``: only these of them, if any are named."""
    answer = page.figure(figure.id)
    chosen = [part for part in figure.parts if not parts or part in parts]
    found: dict[str, Any] = {
        "id": figure.id, "title": figure_title(figure.id), "ground": figure.ground,
        "parts": [part_json(part, answer.part(part.code)) for part in chosen if part.how != "verdicts"],
    }  # fmt: skip
    if figure.parts[0].how == "verdicts":
        found |= {"verdicts": answer.verdicts, "overdue": answer.overdue}
    if figure.id == "M33":
        met, all_ = confirmed(page)
        found["confirmed"] = {"of": met, "all": all_}
    if figure.id == "M30":
        findings, materials = per_materials(page)
        found["per_materials"] = {"findings": findings, "materials": materials}
    return found


def part_json(part: Part, answer: PartAnswer) -> dict[str, Any]:
    """A part: as a whole, and its lines. Amounts are decimal text; shares say how many of how many."""
    whole = sum(line.number for line in answer.lines)
    lines: list[dict[str, Any]] = []
    if part.how in ("money", "balance"):
        for tag, currency, amount in amounts(answer):
            exact = said_amount(amount, currency).replace(",", "")
            lines.append({"tag": tag, "title": said(part.code, tag), "currency": currency, "amount": exact})
        return _whole_json(part, answer, lines)
    for line in answer.lines:
        row: dict[str, Any] = {"tag": line.tag, "title": said(part.code, line.tag), "number": line.number}
        if part.how == "days":
            row |= {"p50": line.p50, "p90": line.p90, "p99": line.p99}
        if part.shares:
            row["share"] = {"of": line.number, "all": whole}
        lines.append(row)
    return _whole_json(part, answer, lines)


def _whole_json(part: Part, answer: PartAnswer, lines: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "code": part.code, "title": part_title(part.code), "how": part.how, "unit": part.unit, "number": answer.number,
        "lines": lines,
    }  # fmt: skip
    if part.rate:
        of, all_ = answer.share(part.rate)
        found["rate"] = {"of": of, "all": all_}
    return found


def scope_json(scope: Scope) -> dict[str, Any]:
    """What was asked for."""
    return {
        "partner": scope.partner, "period": format_period(scope.first, scope.last), "first": scope.first,
        "last": scope.last, "office": scope.office, "counterpart": scope.counterpart,
        "kind": scope.kind, "direction": scope.direction,
    }  # fmt: skip


def head_json(basis: Basis, scope: Scope, as_of: int, zone: str, behind: int) -> dict[str, Any]:
    """What was asked for, and what the answer rests on."""
    return {
        **scope_json(scope), "zone": zone, "as_of": as_of, "generation": basis.generation, "sizes": basis.sizes,
        "behind": behind, "register_seq": basis.register_seq, "rulebook_sha256": basis.rulebook_sha256,
        "waiting": basis.waiting,
    }  # fmt: skip
