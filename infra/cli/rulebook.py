"""``rogatory rulebook``: what the rules are, where they stand in the texts, and how they change."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra.cli.findings import LangOption, UpdateOption
from infra.cli.lazy import Entry, LazyGroup
from infra.cli.near import near
from infra.cli.options import Common, command
from infra.cli.render import note, plural, say, short, show_json, table
from infra.cli.rows import freshen
from infra.config import DEFAULT_FILE
from infra.rulebooks import read_folder
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from projections.compliance.rulebook import Profile, Rule, Rulebook, built_in
from projections.compliance.texts import Lang
from projections.compliance.verdict import WORST, Verdict

_HELP = """The rules: what they ask, where they stand, which rulebook is in use, and how that changes.

`rogatory rulebook` alone lists them, `rogatory rulebook A6.2b` shows one.
"""


class _Rulebook(LazyGroup):
    """``show`` is what is meant where no other command is named."""

    table = {  # noqa: RUF012 - declared as a class variable by the base
        "check": Entry(
            "infra.cli.rulebook_files:check", "Whether a folder of profiles is a rulebook; exit 1 and what is wrong."
        ),
        "export": Entry(
            "infra.cli.rulebook_files:export", "Write the profiles that this release brings into a folder."
        ),
        "diff": Entry(
            "infra.cli.rulebook_diff:diff",
            "Which verdicts a folder of profiles would change, before it is adopted; nothing is changed.",
        ),
        "adopt": Entry(
            "infra.cli.rulebook_files:adopt", "Record in the register that a folder of profiles is the rulebook in use."
        ),
        "keep": Entry(
            "infra.cli.rulebook_files:keep_", "Keep a copy of a rulebook here that was adopted from another machine."
        ),
    }

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        first = args[0] if args else ""
        if first not in ("--help", "-h") and first not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_Rulebook, help=_HELP)


@app.command()
@command(reads=True)
async def show(
    common: Common,
    rule: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="One rule, such as A6.2b, or one instrument; default: a list")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--folder", metavar="FOLDER", help="Of the profiles in this folder instead")
    ] = None,
    built: Annotated[
        bool, typer.Option("--built-in", help="Of the rulebook that this release brings (default without a ledger)")
    ] = False,
    lang: LangOption = "en",
    update: UpdateOption = None,
) -> None:
    """List instruments and rules, or show one rule whole. By default of the rulebook that the ledger has in use."""
    if folder is not None and built:
        raise ConfigError("expected --folder or --built-in, found both")
    if folder is not None:
        rulebook = read_folder(folder)
    elif built or not _has_ledger(common):
        rulebook = built_in()
    else:
        rulebook = await _in_use(common, update)
    if rule is None:
        _listed(common, rulebook, rulebook.profiles, lang)
    elif (profile := rulebook.profile(rule)) is not None:
        _listed(common, rulebook, (profile,), lang)
    elif (found := rulebook.find(rule)) is not None:
        _one(common, rulebook, *found)
    else:
        raise ConfigError(
            f"expected a rule of rulebook {rulebook.version}, found {rule[:40]!r}{nearest(rule, rulebook)}"
        )


def nearest(text: str, rulebook: Rulebook) -> str:
    """``; did you mean A6.2a, A6.2b?``: rules, or instruments, whose id is like a text."""
    names = [*(rule.id for rule in rulebook.rules()), *(p.instrument.id for p in rulebook.profiles)]
    return near(text.replace(" ", ""), names) or "; `rogatory rulebook` lists them"


def _has_ledger(common: Common) -> bool:
    named = common.ledger or common.config or os.environ.get("ROGATORY_LEDGER") or os.environ.get("ROGATORY_CONFIG")
    return bool(named) or DEFAULT_FILE.exists()


async def _in_use(common: Common, update: bool | None) -> Rulebook:
    from infra.compliance import rulebook_in_use  # noqa: PLC0415 - brings SQLAlchemy, which the built-in rules need not

    async with open_ledger(common.settings(), note) as ledger:
        with ledger.store() as store:
            await freshen(ledger, store, update)
            return rulebook_in_use(ledger, store)


def _listed(common: Common, rulebook: Rulebook, profiles: tuple[Profile, ...], lang: Lang) -> None:
    if common.json:
        show_json(
            {
                "version": rulebook.version, "sha256": rulebook.sha256,
                "instruments": [
                    {**msgspec.to_builtins(p.instrument), "sha256": p.sha256, "rules": [_json(p, r) for r in p.rule]}
                    for p in profiles
                ],
            }
        )  # fmt: skip
        return
    for profile in profiles:
        head = profile.instrument
        say(f"{head.id}: {getattr(head.title, lang)} ({', '.join(head.parties)})")
        rows = [
            [r.id, r.place.cites, r.kind, r.modality, r.binds, getattr(r.summary, lang), " ".join(r.gives)]
            for r in profile.rule
        ]
        if rows:
            table("", ["rule", "place", "kind", "modality", "binds", "asks", "gives"], rows)
    count = sum(len(profile.rule) for profile in profiles)
    say(
        f"{plural(count, 'rule')} of {plural(len(profiles), 'instrument')}; rulebook {rulebook.version}, digest "
        f"{short(rulebook.sha256)}."
    )


def _json(profile: Profile, rule: Rule) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(rule)
    return {
        **members,
        "title": msgspec.to_builtins(profile.instrument.title),
        "never": {each: _why_never(rule, each) for each in never(rule)},
    }


def never(rule: Rule) -> list[Verdict]:
    """Verdicts that the text, as the rule reads it, does not allow."""
    return [verdict for verdict in WORST if verdict not in rule.gives]


_NEVER: dict[Verdict, str] = {
    "breached": "the text has no measure by which it would be missed for certain",
    "undetermined": "what is recorded decides it in every case",
    "open": "nothing is waited for: it is decided by what is recorded when it is asked",
    "met": "the text names no act that fulfils it for good",
}
_NEVER_BREACHED = {
    "right": "a right: who does not use it breaks nothing",
    "scope": "it says what the instrument is about, and leaves other things to the Parties",
    "soft duty": "it asks for an effort, not for a result",
}


def _why_never(rule: Rule, verdict: Verdict) -> str:
    return (_NEVER_BREACHED.get(rule.modality) if verdict == "breached" else None) or _NEVER[verdict]


def _one(common: Common, rulebook: Rulebook, profile: Profile, rule: Rule) -> None:
    if common.json:
        show_json({"version": rulebook.version, "sha256": rulebook.sha256, **_json(profile, rule)})
        return
    head, place = profile.instrument, rule.place
    parts = [("article", place.article), ("paragraph", place.paragraph), ("sentence", place.sentence)]
    say(f"{rule.id}: {place.cites}")
    rows: list[tuple[str, object]] = [
        ("instrument", f"{head.id}: {head.title.en}\n{head.title.ru}"),
        ("place", ", ".join(f"{name} {value}" for name, value in parts if value)),
        ("asks", f"{rule.summary.en}\n{rule.summary.ru}"),
        ("line", f"{rule.line.en}\n{rule.line.ru}"),
        ("modality, binds", f"{rule.modality}, {rule.binds or '–'}"),
        ("asked of", f"{', '.join(rule.subjects)}{_kinds(rule)}"),
        ("check", f"{rule.kind}/{rule.check}"),
        ("can give", ", ".join(rule.gives)),
        *((f"never {verdict}", _why_never(rule, verdict)) for verdict in never(rule)),
        ("readings", "\n".join(rule.readings)),
        ("threshold", f"{rule.threshold} (configuration, not law)" if rule.threshold else ""),
        ("parameters", "\n".join(f"{name} = {_toml(value)}" for name, value in rule.params.items())),
        ("our choice", "" if rule.choice is None else f"{rule.choice.en}\n{rule.choice.ru}"),
        ("same check as", ", ".join(rule.same_as)),
    ]
    table("", ["", ""], [row for row in rows if row[1]])
    say(f"Rulebook {rulebook.version}, digest {short(rulebook.sha256)}; profile digest {short(profile.sha256)}.")


def _kinds(rule: Rule) -> str:
    found = f" of kinds {', '.join(rule.kinds)}" if rule.kinds else ""
    found += f", not of {', '.join(rule.not_kinds)}" if rule.not_kinds else ""
    return found + (", direct exchanges only" if rule.direct_only else "")


def _toml(value: Any) -> str:
    return msgspec.json.encode(value).decode()
