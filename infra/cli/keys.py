"""``rogatory keys``: making private keys, enrolling and revoking them, and which ones there are."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra.adapters.keys import KeyFile, SeedSigner, find_key, list_keys, new_key, read_key, write_key
from infra.cli.options import Common, command
from infra.cli.register import change
from infra.cli.render import note, say, show_json, table, when
from infra.cli.threshold import DryRun
from infra.config import Config
from infra.signing import now_ms
from infra.wiring import Ledger, open_ledger
from ledger import ids
from ledger.catalogue.register import KeyGranted, KeyRevoked
from ledger.errors import ConfigError, FormatError, KeyFault
from ledger.event import time_ms
from ledger.ids import Kid
from ledger.register import Register
from ledger.signature import Signer, decode_base64, office_of
from producers.builder import format_time
from producers.enrolment import NewKey, grant

app = typer.Typer(
    no_args_is_help=True, help="Make, enrol, rotate, replace, revoke and list keys. Private keys are never printed."
)
EARLIER = 60_000  # ms: the log's clock may be behind ours, and a key must be good for what follows at once


class Use(StrEnum):
    """What a key is for."""

    sign = "sign"
    seal = "seal"
    witness = "witness"
    log = "log"
    authority = "authority"


class Reason(StrEnum):
    """Why a key is revoked."""

    lost = "lost"
    compromised = "compromised"
    superseded = "superseded"
    closed = "closed"


@app.command()
@command(reads=True)
def new(
    common: Common,
    office: Annotated[str, typer.Argument(help="Code of the office that it belongs to, such as RU-OMS")],
    use: Annotated[Use, typer.Option(help="What it is for")] = Use.sign,
) -> None:
    """Make a private key: a new file in the keys folder that only you can read."""
    if not re.fullmatch(ids.OFFICE_CODE, office) or len(office) > ids.OFFICE_CODE_MAX:
        raise ConfigError(f"expected an office code like RU-OMS, found {office[:40]!r}")
    config = common.settings()
    key = new_key(office, use.value)
    path = write_key(config.keys, key)
    if common.json:
        show_json({"kid": key.kid, "alg": key.alg, "use": key.use, "public_key": key.public_key, "file": str(path)})
        return
    say(key.kid)
    say(f"Its private half is in {path}: keep a copy where only you have access.")
    if use in (Use.sign, Use.seal, Use.witness):
        say(f"Enrol it with `rogatory keys enrol '{key.kid}'`; until then nothing that it signs is admitted.")


@app.command()
@command()
async def prove(
    common: Common,
    key: Annotated[str, typer.Argument(metavar="KID|FILE", help="A private key of this machine")],
) -> None:
    """Print what a coordinating unit needs to enrol a key whose private half stays here: no secret is in it."""
    async with open_ledger(common.settings(), note) as ledger:
        show_json(own_grant(ledger, key, await ledger.register(), now_ms() - EARLIER, None))


@app.command()
@command(reads=True, submits=True, registers=True)
async def enrol(
    common: Common,
    key: Annotated[
        str,
        typer.Argument(metavar="KID|FILE", help="A key of the keys folder, a key file, or what `keys prove` printed"),
    ],
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--as",
            metavar="REF",
            help="Key that signs the grant; default: an authority's or coordinating unit's of the keys folder",
        ),
    ] = None,
    valid_from: Annotated[
        str | None, typer.Option(metavar="TIME", help="RFC 3339 with offset; default: a minute ago")
    ] = None,
    valid_to: Annotated[
        str | None, typer.Option(metavar="TIME", help="The first moment at which it is no longer good")
    ] = None,
) -> None:
    """Enrol a key: publish key.granted, signed by an authority or a coordinating unit."""
    start = time_of("--valid-from", valid_from) or now_ms() - EARLIER
    end = time_of("--valid-to", valid_to)
    async with open_ledger(common.settings(), note) as ledger:
        register = await ledger.register()
        data = _foreign_grant(Path(key), start, end) or own_grant(ledger, key, register, start, end)
        if register is not None and data.office not in register.offices:
            raise ConfigError(
                f"expected a registered office, found {data.office}: `rogatory register office {data.office} …` first"
            )
        await change(common, ledger, data, by=by)


@app.command()
@command(reads=True, submits=True, registers=True)
async def revoke(
    common: Common,
    kid: Annotated[str, typer.Argument(help="The key's id")],
    reason: Annotated[Reason, typer.Option(help="Why; after lost and compromised what it signed is looked at anew")],
    effective: Annotated[str | None, typer.Option(metavar="TIME", help="Since when, RFC 3339; default: now")] = None,
    by: Annotated[list[str] | None, typer.Option("--as", metavar="REF", help="Key that signs the revocation")] = None,
    dry_run: DryRun = False,
) -> None:
    """Revoke a key: nothing that it signs is admitted any more. Needs no private half of it."""
    time_of("--effective", effective)
    async with open_ledger(common.settings(), note) as ledger:
        register = await ledger.register()
        if register is not None and Kid(kid) not in register.keys:
            raise ConfigError(
                f"expected the id of an enrolled key, found {kid[:70]!r}; `rogatory keys list` shows them"
            )
        data = KeyRevoked(kid=kid, reason=reason.value, effective=effective or format_time(now_ms()))
        if register is not None and reason in (Reason.compromised, Reason.lost):
            _warn(register, kid)
        if dry_run:
            show_json({"type": "key.revoked", "data": data})
            return
        await change(common, ledger, data, by=by)


@app.command("list")
@command(reads=True)
async def list_(
    common: Common,
    at: Annotated[int | None, typer.Option(metavar="INDEX", min=0, help="As of this record of partition 0")] = None,
) -> None:
    """The register's keys with their validity, and which private ones are here."""
    config = common.settings()
    async with open_ledger(config, note) as ledger:
        register = await ledger.register(at)
    here = {key.kid: key for key in list_keys(config.keys)}
    rows = _rows(register, here)
    if common.json:
        show_json({"at": at, "register_seq": register.seq if register else 0, "keys": rows})
        return
    columns = ["kid", "use", "standing", "valid from", "valid to", "private half"]
    times = [[r["kid"], r["use"], r["standing"], when(r["valid_from"]), when(r["valid_to"])] for r in rows]
    table("", columns, [[*t, "here" if r["here"] else "–"] for t, r in zip(times, rows, strict=True)])


def _warn(register: Register, kid: str) -> None:
    """Say what somebody could do with an office's key until its revocation is sealed everywhere."""
    key = register.keys[Kid(kid)]
    could = "submit events in its office's name, which stand as records"
    if register.is_coordinator(key.office):
        could += ", and register offices, grant keys to them and revoke others"
    note(
        f"Until every partition has followed, whoever has the private half can {could}. A record is not undone by the "
        f"revocation: look at each with `rogatory keys used '{kid}' --since …`, and say in the ledger what was wrong."
    )


def _rows(register: Register | None, here: dict[str, KeyFile]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []

    def add(kid: str, use: str, standing: str, valid: tuple[int | None, int | None] = (None, None)) -> None:
        rows.append(
            {"kid": kid, "office": office_of(kid), "use": use, "standing": standing, "valid_from": valid[0],
             "valid_to": valid[1], "here": kid in here}
        )  # fmt: skip

    if register is not None:
        for kid in register.authorities:
            add(kid, "authority", "in force")
        for kid in register.log_keys:
            add(kid, "log", "in force")
        for kid in register.former:
            add(kid, "former", "replaced")
        for key in register.keys.values():
            good = "in force" if key.valid_at(now_ms()) else "not valid now"
            standing = f"revoked ({key.reason})" if key.revoked is not None else good
            add(key.kid, key.use, standing, (key.valid_from, key.revoked if key.revoked is not None else key.valid_to))
    known = {row["kid"] for row in rows}
    for own, file in here.items():
        if own not in known:
            add(own, file.use, "not enrolled")
    return rows


def _foreign_grant(path: Path, start: int, end: int | None) -> KeyGranted | None:
    """What another machine's ``keys prove`` printed, if the file holds that."""
    try:
        raw = path.read_bytes() if path.is_file() else b""
        data = msgspec.json.decode(raw, type=KeyGranted)
    except (OSError, msgspec.MsgspecError):
        return None
    more: dict[str, Any] = {} if end is None else {"valid_to": format_time(end)}
    return msgspec.structs.replace(data, valid_from=format_time(start), **more)


def own_grant(ledger: Ledger, key: str, register: Register | None, start: int, end: int | None) -> KeyGranted:
    """The grant of a key whose private half is here, good from ``start`` to ``end`` (ms)."""
    found = _private(ledger.config, key)
    if found.use not in ("sign", "seal", "witness"):
        raise KeyFault(
            f"expected a key for sign, seal or witness, found one for {found.use}: those come from the opening"
        )
    alg = found.alg
    public = NewKey(Kid(found.kid), alg, found.use, decode_base64(found.public_key, 32))
    return grant(ledger.ledger_id, public, _possessor(ledger.config, found, register), valid_from=start, valid_to=end)


def _private(config: Config, key: str) -> KeyFile:
    if re.fullmatch(ids.KID, key):
        found = find_key(config.keys, kid=Kid(key))
        if found is None:
            raise KeyFault(f"expected the private half of {key} in {config.keys}, found none; `rogatory keys list`")
        return found
    if not Path(key).exists():
        raise KeyFault(f"expected a key id OFFICE#… or a key file, found {key[:70]!r}; `rogatory keys list`")
    return read_key(Path(key))


def _possessor(config: Config, key: KeyFile, register: Register | None) -> Signer:
    """Who signs for it: itself, or for a key that cannot sign one of its office's sign keys."""
    if key.alg == "ed25519":
        return SeedSigner(key)
    for own in list_keys(config.keys):
        granted = register.keys.get(Kid(own.kid)) if register else None
        same = office_of(own.kid) == office_of(key.kid)
        if same and granted is not None and granted.use == "sign" and granted.valid_at(now_ms()):
            return SeedSigner(own)
    raise KeyFault(
        f"expected an enrolled sign key of {office_of(key.kid)} here to vouch for {key.kid}, found none: "
        "enrol one first"
    )


def time_of(option: str, text: str | None) -> int | None:
    """The time (ms) that an option says. Raises ConfigError."""
    try:
        return None if text is None else time_ms(text)
    except FormatError as error:
        raise ConfigError(f"{option}: {error}") from None
