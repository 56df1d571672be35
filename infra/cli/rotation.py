"""``rogatory keys``, the second half: rotation, replacement, and what a key was used for."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from consumers.usage import find_uses
from infra.adapters.keys import KeyFile, SeedSigner, find_key, new_key, read_key, write_key
from infra.cli import keys, threshold
from infra.cli.options import Common, command
from infra.cli.register import change
from infra.cli.render import note, say, show_json, table, when
from infra.cli.threshold import DryRun, Out, known_register
from infra.config import Config
from infra.signing import now_ms
from infra.wiring import open_ledger
from ledger.catalogue.own import AuthorityReplaced, LogKeyReplaced
from ledger.catalogue.register import KeyRevoked
from ledger.errors import ConfigError, KeyFault
from ledger.ids import Kid
from ledger.signature import office_of, parse_kid
from producers.builder import Draft, format_time

_SHOWN = 50


class Why(StrEnum):
    """Why an authority's or log key is replaced."""

    lost = "lost"
    compromised = "compromised"
    superseded = "superseded"


class PublicHalf(msgspec.Struct, frozen=True):
    """What ``keys new --json`` prints of a key whose private half stays where it was made."""

    kid: str
    use: str
    public_key: str


@keys.app.command()
@command(reads=True, submits=True, registers=True)
async def rotate(
    common: Common,
    kid: Annotated[str, typer.Argument(help="The key of an office that shall be followed by a new one")],
    at_once: Annotated[
        bool, typer.Option("--at-once", help="Revoke the old one as soon as the new one is sealed: no overlap")
    ] = False,
    by: Annotated[
        list[str] | None, typer.Option("--as", metavar="REF", help="Key that signs grant and revocation")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Make a key that follows one in force, and enrol it. Both are good until the old one is revoked."""
    async with open_ledger(common.settings(), note) as ledger:
        register = await known_register(ledger)
        old = register.keys.get(Kid(kid))
        if old is None or not old.valid_at(now_ms()):
            found = "an unknown one" if old is None else "one that is not (`rogatory keys list`)"
            raise ConfigError(f"expected the id of an office's key in force, found {found}: {kid[:70]}")
        if dry_run:
            say(f"Would make a new {old.use} key of {old.office}, enrol it{' and revoke ' + kid if at_once else ''}.")
            return
        made = new_key(old.office, old.use)
        path = write_key(ledger.config.keys, made)
        data = keys.own_grant(ledger, made.kid, register, now_ms() - keys.EARLIER, None)
        if not common.json:
            say(f"{made.kid}, in {path}, follows {kid}.")
        await change(common, ledger, data, by=by)
        if at_once:
            await change(common, ledger, _superseded(kid), by=by)
        elif not common.json:
            say("Both are good now. Give the new one to everything that signs for the office; then")
            say(
                f"`rogatory keys used {kid} --since {format_time(now_ms())}` shows whether anything still uses the old "
                "one, and"
            )
            say(f"`rogatory keys revoke {kid} --reason superseded --wait-all` ends it.")


def _superseded(kid: str) -> KeyRevoked:
    return KeyRevoked(kid=kid, reason="superseded", effective=format_time(now_ms()))


@keys.app.command("replace-log")
@command(reads=True, signs=True, submits=True, registers=True)
async def replace_log(
    common: Common,
    old: Annotated[str | None, typer.Argument(help="The log key to replace; default: the only one")] = None,
    new: Annotated[
        str | None, typer.Option(metavar="FILE|KID", help="The new one; default: made here, into the keys folder")
    ] = None,
    why: Annotated[Why, typer.Option(help="Why")] = Why.superseded,
    dry_run: DryRun = False,
    out: Out = None,
) -> None:
    """Replace a log key: needs the authorities. Partition 0's registrar must have the new one before this is sealed."""
    async with open_ledger(common.settings(), note) as ledger:
        register = await known_register(ledger)
        gone = _one_of(old, register.log_keys, "log key")
        half = _new_half(ledger.config, new, "log", office_of(gone), dry_run=dry_run)
        data = LogKeyReplaced(old=gone, kid=half.kid, public_key=half.public_key, why=why.value)
        await threshold.decide(common, ledger, [Draft(subject="register", data=data)], out=out, dry_run=dry_run)
    if not common.json:
        say("Partition 0's registrar attests with the new key from this record on; it reads its keys when it starts.")
        if why is Why.compromised:
            _warn_log(gone)


@keys.app.command("replace-authority")
@command(reads=True, signs=True, submits=True, registers=True)
async def replace_authority(
    common: Common,
    old: Annotated[str, typer.Argument(help="The authority key to replace")],
    new: Annotated[
        str | None,
        typer.Option(metavar="FILE|KID", help="What `keys new --use authority --json` printed; default: made here"),
    ] = None,
    why: Annotated[Why, typer.Option(help="Why")] = Why.superseded,
    dry_run: DryRun = False,
    out: Out = None,
) -> None:
    """Replace an authority's key: needs as many of the present ones as the threshold says (the old one counts)."""
    async with open_ledger(common.settings(), note) as ledger:
        register = await known_register(ledger)
        gone = _one_of(old, register.authorities, "authority key")
        half = _new_half(ledger.config, new, "authority", office_of(gone), dry_run=dry_run)
        data = AuthorityReplaced(old=gone, kid=half.kid, public_key=half.public_key, why=why.value)
        await threshold.decide(common, ledger, [Draft(subject="register", data=data)], out=out, dry_run=dry_run)
    if why is Why.compromised and not common.json:
        say(
            f"Until this is sealed everywhere, whoever has {gone} counts as an authority, and "
            "alone can grant and revoke office keys and register offices. `rogatory keys used` shows what it signed."
        )


@keys.app.command()
@command(reads=True)
async def used(
    common: Common,
    kid: Annotated[str, typer.Argument(help="Any key's id, in force or not")],
    since: Annotated[str | None, typer.Option(metavar="TIME", help="Only from then on, RFC 3339 with offset")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last ones")] = _SHOWN,
) -> None:
    """What a key has signed: records, attestations, and what was refused. After a compromise, look at each of them."""
    start = keys.time_of("--since", since) or 0
    async with open_ledger(common.settings(), note) as ledger:
        uses = await find_uses(ledger.log, range(ledger.partitions), parse_kid(kid), start)
    uses.sort(key=lambda use: (use.at, use.partition))
    last = uses[-limit:]
    counts = Counter(use.what for use in uses)
    if common.json:
        show_json({"kid": kid, "since": start, "counts": counts, "uses": last})
        return
    if not uses:
        say("It has signed nothing" + (" since then." if since else "."))
        return
    rows = [
        [u.what, f"{u.partition}/{'–' if u.index is None else u.index}", when(u.at), u.subject, u.type, u.id]
        for u in last
    ]
    table("", ["what", "index", "when", "subject", "type", "event"], rows)
    said = ", ".join(f"{number} {what}" for what, number in counts.items())
    say(f"{said}{f'; the last {limit} of them, --limit shows more' if len(last) < len(uses) else ''}.")


def _warn_log(kid: str) -> None:
    say(
        f"Until every partition has followed, whoever has {kid} and may write to the topics can make register records "
        "that partitions other than 0 take for attested. `rogatory check` compares; `rogatory fork list` shows what "
        "differs."
    )


def _one_of(kid: str | None, known: dict[Kid, bytes], what: str) -> Kid:
    if kid is None and len(known) == 1:
        return next(iter(known))
    if kid is None or Kid(kid) not in known:
        raise ConfigError(f"expected the {what} to replace, one of {', '.join(known)}, found {kid or 'none named'}")
    return Kid(kid)


def _new_half(config: Config, given: str | None, use: str, office: str, *, dry_run: bool) -> PublicHalf:
    """The public half of the new key; makes one if none is named (on paper only, for a dry run)."""
    if given is None:
        made = new_key(office, use)
        if not dry_run:
            path = write_key(config.keys, made)
            note(f"Made {made.kid}, in {path}: bring it to whoever shall hold it.")
        return _half(made)
    found = _read_half(config, given)
    if found.use != use:
        raise KeyFault(f"expected a key for {use}, found one for {found.use}: `rogatory keys new {office} --use {use}`")
    return found


def _read_half(config: Config, given: str) -> PublicHalf:
    path = Path(given)
    if not path.is_file():
        kept = find_key(config.keys, kid=parse_kid(given))
        if kept is None:
            raise KeyFault(f"expected a file, or the id of a key in {config.keys}, found {given[:70]!r}")
        return _half(kept)
    try:
        return msgspec.json.decode(path.read_bytes(), type=PublicHalf)
    except (OSError, msgspec.MsgspecError):
        return _half(read_key(path))


def _half(key: KeyFile) -> PublicHalf:
    SeedSigner(key)  # its halves belong together
    return PublicHalf(key.kid, key.use, key.public_key)
