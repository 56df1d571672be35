"""``rogatory check-draft``: what an event would do to the obligations of its subject, before it is signed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra.cli.eventdata import convert_members, find_type, make_data, parse_object
from infra.cli.findings import LangOption, UpdateOption, moment
from infra.cli.options import NO, Common, command
from infra.cli.render import note, plural, say, short, show_json, table, when
from infra.cli.rows import freshen
from infra.drafting import DraftAnswer, Effect, Said, check
from infra.signing import choose, now_ms
from infra.wiring import Ledger, open_ledger
from ledger.errors import ConfigError, FieldError, KeyFault
from producers.builder import Draft


@command(reads=True, signs=True)
async def check_draft(
    common: Common,
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE|-", help="One JSON object: subject, type, data, and where wanted source, time, id, actor"
        ),
    ],
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="TIME", help="When it would be recorded: a day, or RFC 3339; default: now"),
    ] = None,
    lang: LangOption = "en",
    every: Annotated[bool, typer.Option("--all", help="Also what keeps its verdict, and rests on the draft")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 if it would breach something, or would be refused")
    ] = False,
    update: UpdateOption = None,
) -> None:
    """What an event would do to the obligations of its subject, before it is signed. Nothing of it is stored or sent.

    Sealed fields stand in plain text, as for `rogatory publish`. Exit 0 whatever it would do, unless --strict.
    """
    written = _read_written(parse_object(_read(file), file), file)
    async with open_ledger(common.settings(), note) as ledger:
        office = await _office(common, ledger, written)
        try:
            row = find_type(written.type or written.name or "")
            draft = _draft(written, make_data(row, written.data))
            with ledger.store() as store:
                await freshen(ledger, store, update)
                answer = await check(ledger, store, draft, office, as_of=moment(as_of), lang=lang)
        except FieldError as error:
            answer = _refused(written.subject, written.type or written.name or "", office, error)
    if common.json:
        show_json(_json(answer))
    else:
        _show(answer, every=every)
    if strict and (answer.refusals or answer.would("breached")):
        raise typer.Exit(NO)


def _read(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(f"expected a draft at {file[:200]}, found {error.strerror}") from None


def _draft(written: Written, data: Any) -> Draft:
    return Draft(
        subject=written.subject, data=data, time=written.time, id=written.id, actor=written.actor,
        expectedseq=written.expectedseq,
    )  # fmt: skip


async def _office(common: Common, ledger: Ledger, written: Written) -> str:
    """Whose event it would be: as the draft says, else as ``--office`` says, else by the key that would sign."""
    named = written.source or common.office or ledger.config.office
    if named is not None:
        return named.removeprefix("office/")
    name = (written.type or written.name or "").removeprefix("rogatory.").partition(".v")[0]
    try:
        return choose(ledger.config, await ledger.register(), name, written.data.get("office")).office
    except KeyFault as error:
        raise ConfigError(f"expected source in the draft or --office, whose act it would be; {error}") from None


def _json(answer: DraftAnswer) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(answer)
    members["effects"] = [
        {**effect, **{side: _named(effect[side]) for side in ("before", "after")}} for effect in members["effects"]
    ]
    return members


def _named(side: dict[str, Any] | None) -> dict[str, Any] | None:
    """One side with its evidence by name: in files it stands as an array."""
    if side is None:
        return None
    names = ("subject", "index", "event", "name")
    return {**side, "evidence": [dict(zip(names, ref, strict=True)) for ref in side["evidence"]]}


def _show(answer: DraftAnswer, *, every: bool) -> None:
    for refusal in answer.refusals:
        say(f"It would be refused: {refusal}")
    if not answer.rulebook_sha256:
        return
    shown = [effect for effect in answer.effects if every or effect.sort in ("verdict", "later")]
    who = f"{answer.type} of {answer.office} in {answer.subject}"
    if shown:
        rows = [
            [
                effect.rule, effect.cites, effect.item, _verdict(effect.before), _verdict(effect.after), _why(effect),
                effect.bound,
            ]
            for effect in sorted(shown, key=_rank)
        ]  # fmt: skip
        table("", ["rule", "place", "item", "before", "with it", "why", "owed by"], rows)
    else:
        say(f"{who} would change no verdict.")
    kept = len(answer.effects) - len(shown)
    counted = [
        f"{verb} {plural(len(effects), 'obligation')}"
        for verb, effects in (
            ("breach", answer.would("breached")),
            ("leave undetermined", answer.would("undetermined")),
            ("set going", answer.would("open")),
            ("meet", answer.would("met")),
        )
        if effects
    ]
    if counted:
        say(f"{who} would {', '.join(counted)}.")
    if kept:
        say(f"{plural(kept, 'finding')} more would rest on it and keep the verdict: --all shows them.")
    if answer.touches:
        say(f"Subjects that rest on {', '.join(answer.touches)} would be judged again.")
    say(
        f"Judged at {when(answer.as_of)} on {plural(answer.records, 'record')} and register record "
        f"{answer.register_seq}, by rulebook {answer.rulebook} ({short(answer.rulebook_sha256)}); nothing was stored "
        "or sent."
    )


_ORDER = ("breached", "undetermined", "open", "met", "–")


def _rank(effect: Effect) -> tuple[int, str, str]:
    after = "–" if effect.after is None else effect.after.verdict
    return _ORDER.index(after), effect.rule, effect.item


def _verdict(said: Said | None) -> str:
    if said is None:
        return "–"
    return said.verdict + (f"\nuntil {when(said.until)}" if said.until is not None else "")


def _why(effect: Effect) -> str:
    said = effect.after
    if said is None:
        return "the rule says nothing any more"
    parts = [said.line, said.why]
    if said.missing:
        parts.append(f"missing: {said.missing}")
    if said.marks:
        parts.append(f"marks: {', '.join(said.marks)}")
    return "\n".join(part for part in parts if part)


def _refused(subject: str, name: str, office: str, error: FieldError) -> DraftAnswer:
    """The answer where the schema refuses a draft, so that nothing can be judged."""
    return DraftAnswer(subject, name, office, now_ms(), 0, 0, "", "", (str(error),), ())


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as a person or a program writes it in JSON."""

    subject: str
    data: dict[str, Any]
    type: str | None = None
    name: str | None = None
    source: str | None = None
    time: str | None = None
    id: str | None = None
    actor: str | None = None
    expectedseq: int | None = None


def _read_written(members: dict[str, Any], where: str) -> Written:
    """A draft's members. Raises FieldError: one is missing, unknown or of the wrong form."""
    written = convert_members(members, Written, where)
    if (written.type is None) == (written.name is None):
        raise FieldError(f"{where}: expected type or name, one of them, such as request.answered")
    return written
