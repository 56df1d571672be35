"""``rogatory materials``: how the materials of a request are kept, who opened them, and whether they might."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from infra.cli.findings import LangOption, UpdateOption, ref_json, said_ref, subject_of
from infra.cli.options import NO, Common, command, fail
from infra.cli.render import note, plural, say, short, show_json, table, when
from infra.cli.rows import freshen
from infra.compliance import open_compliance
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from projections.compliance.answers import Filed
from projections.compliance.case import Case
from projections.compliance.materials import Access, Holding, Material, accesses, summaries
from projections.compliance.readings import local_minute
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import Lang, reasons

_KIND = "ordering"
"""The kind whose texts have the reasons of accesses."""


@command(reads=True)
async def materials(
    common: Common,
    request: Annotated[str, typer.Argument(help="A request, with or without request/")],
    material: Annotated[
        str | None, typer.Argument(help="One material: every access to it, and whether each was allowed")
    ] = None,
    lang: LangOption = "en",
    update: UpdateOption = None,
) -> None:
    """How the materials of a request are kept: degree asked and held, custody, access list, consents, uses, conditions.

    With a material, every access to it, and whether each was allowed and why.
    """
    subject = subject_of(request)
    if not subject.startswith("request/"):
        raise ConfigError(f"expected a request, found {subject[:80]!r}: materials are those of requests")
    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            behind = await freshen(ledger, store, update)
            asked, rulebook = open_compliance(ledger, store)
            filed, register = asked.file_of(subject), asked.register()
    if filed is None or not filed.file.acts:
        fail(f"no record speaks of {subject[:128]}, among those that the projections have", NO)
        return
    case = Case(subject, filed.file)
    found = summaries(case, register, rulebook, material)
    if material is not None and not found:
        names = [each.material for each in summaries(case, register, rulebook)]
        raise ConfigError(
            f"expected a material of {subject}: {', '.join(names) or 'it has none'}; found {material[:60]!r}"
        )
    opened = [] if material is None else accesses(case, material)
    if common.json:
        members = _basis(filed, register, rulebook, behind)
        members["materials"] = [msgspec.to_builtins(each) for each in found]
        if material is not None:
            members["accesses"] = [_json(access, register, lang) for access in opened]
        show_json(members)
        return
    if material is None:
        _list(found, subject)
    else:
        _one(found[0], opened, register, lang)
    say(
        f"From {plural(len(case.every), 'record')} up to index {filed.file.acts[-1].index} of partition "
        f"{filed.partition} and register record {register.seq}, by rulebook {rulebook.version} "
        f"({short(rulebook.sha256)})."
    )


def _basis(filed: Filed, register: LegalRegister, rulebook: Rulebook, behind: int) -> dict[str, Any]:
    return {
        "request": filed.subject, "partition": filed.partition, "records": len(filed.file.acts),
        "index": filed.file.acts[-1].index, "register_seq": register.seq,
        "rulebook": {"version": rulebook.version, "sha256": rulebook.sha256}, "behind": behind,
    }  # fmt: skip


def _list(found: list[Material], subject: str) -> None:
    if not found:
        say(f"{subject} has no materials.")
        return
    rows = []
    for each in found:
        for number, holding in enumerate(each.holders):
            first = number == 0
            rows.append(
                [
                    each.material if first else "", each.sort if first else "", each.supplier if first else "",
                    holding.holder, holding.state, holding.degree_asked or "–", holding.degree_held or "–",
                    holding.custodian or "–", ", ".join(holding.access_list) or "–", _accesses(holding),
                    holding.uses + holding.disclosures or "", "\n".join(each.conditions) if first else "",
                    " ".join(each.survives) if first else "",
                ]
            )  # fmt: skip
    columns = ["material", "sort", "supplier", "holder", "state", "asked", "held", "custodian", "access list",
               "accesses", "uses", "conditions", "duties that go on"]  # fmt: skip
    table("", columns, rows, right=["uses"])
    wrong = sum(each.not_allowed for each in found)
    say(
        f"{plural(len(found), 'material')}; {plural(sum(each.accesses for each in found), 'access', 'accesses')}, "
        f"{wrong} not allowed: `rogatory materials {subject.removeprefix('request/')} MATERIAL` shows them."
    )


def _accesses(holding: Holding) -> str:
    parts = [f"{holding.accesses - holding.not_allowed - holding.undetermined} allowed"]
    if holding.not_allowed:
        parts.append(f"{holding.not_allowed} not allowed")
    if holding.undetermined:
        parts.append(f"{holding.undetermined} undetermined")
    return "\n".join(parts) if holding.accesses else "none"


def _one(material: Material, opened: list[Access], register: LegalRegister, lang: Lang) -> None:
    secret = ", under confidentiality" if material.under_confidentiality else ""
    say(
        f"{material.material}: {material.sort or 'sort unknown'} of {material.supplier or 'an office unknown'}, "
        f"supplied as {material.supplied_as or '–'}{secret}"
    )
    facts = [
        ("purposes", ", ".join(material.purposes)),
        ("conditions", "\n".join(material.conditions)),
        ("consents", f"{material.consents} granted, {material.consents_open} not answered"),
        ("uses", ", ".join(material.uses)),
        ("duties that go on", ", ".join(material.survives)),
    ]
    table("", ["", ""], [fact for fact in facts if fact[1]])
    columns = ["holder", "state", "since", "asked", "held", "custodian", "access list", "measures", "incidents"]
    table(
        "Holders",
        columns,
        [
            [
                h.holder, h.state, when(h.since), h.degree_asked or "–", h.degree_held or "–", h.custodian or "–",
                ", ".join(h.access_list) or "–", ", ".join(h.measures) or "–", ", ".join(h.incidents),
            ]
            for h in material.holders
        ],
    )  # fmt: skip
    if not opened:
        say("No access to it is recorded.")
        return
    rows = [
        [
            when(a.at), a.holder, a.person, a.how, a.purpose, a.verdict.replace("_", " "), _why(a, register, lang),
            "\n".join(said_ref(ref) for ref in a.evidence),
        ]
        for a in opened
    ]  # fmt: skip
    table("Accesses", ["when", "holder", "person", "how", "purpose", "allowed", "why", "rests on"], rows)


def why_allowed(access: Access, register: LegalRegister, lang: Lang) -> str:
    """Why an access was allowed or not, in words; times are those of the holder's zone."""
    text = reasons(_KIND).get(access.reason) or reasons("common").get(access.reason)
    said = access.reason
    if text is not None:
        opened = local_minute(access.at, register.zone(access.holder))
        said = getattr(text, lang).format_map(_Values(person=access.person, opened=opened))
    return said


class _Values(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "—"


def _why(access: Access, register: LegalRegister, lang: Lang) -> str:
    return why_allowed(access, register, lang) + (f"\nmarks: {', '.join(access.marks)}" if access.marks else "")


def _json(access: Access, register: LegalRegister, lang: Lang) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(access)
    return {
        **members, "why": why_allowed(access, register, lang),
        "evidence": [ref_json(ref) for ref in access.evidence],
    }  # fmt: skip
