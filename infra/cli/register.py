"""``rogatory register``: offices, roles, and what the register says."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any

import msgspec
import typer

from infra.cli.eventdata import find_type, make_data
from infra.cli.options import Common, command
from infra.cli.render import note, say, show_json, table
from infra.cli.submit import change_register
from infra.signing import choose
from infra.wiring import Ledger, open_ledger
from ledger.catalogue.base import Data
from ledger.errors import ConfigError
from producers.builder import Draft, row_of

app = typer.Typer(no_args_is_help=True, help="Offices and roles; every change is a signed event.")
role = typer.Typer(no_args_is_help=True, help="Who holds which role at an office.")
app.add_typer(role, name="role")

_TODAY = date.today().isoformat  # noqa: DTZ011 - the day where the person sits


class Sort(StrEnum):
    """What an office is."""

    party = "party"
    coordinator = "coordinator"
    territorial = "territorial"
    transport = "transport"
    nature = "nature"
    other = "other"


async def change(common: Common, ledger: Ledger, data: Data, *, by: list[str] | None = None) -> None:
    """Publish one register event, signed by whoever may."""
    name = row_of(data).name
    config = msgspec.structs.replace(ledger.config, key=tuple(by)) if by else ledger.config
    hand = choose(config, await ledger.register(), name, getattr(data, "office", None))
    async with ledger.publisher(hand.office, hand.signers) as publisher:
        await change_register(common, ledger, publisher, [publisher.create(Draft(subject="register", data=data))])


async def _change(common: Common, name: str, members: dict[str, Any]) -> None:
    data = make_data(find_type(name), {k: v for k, v in members.items() if v is not None})
    async with open_ledger(common.settings(), note) as ledger:
        await change(common, ledger, data)


@app.command()
@command(reads=True, signs=True, submits=True, registers=True)
async def office(
    common: Common,
    code: Annotated[str, typer.Argument(help="Its code, such as RU-OMS")],
    name: Annotated[str, typer.Option(metavar="TEXT", help="Its name in Russian")],
    tz: Annotated[str, typer.Option(metavar="ZONE", help="IANA time zone, such as Asia/Omsk")],
    party: Annotated[str, typer.Option(metavar="STATE", help="Its Party, ISO 3166-1")] = "RU",
    sort: Annotated[Sort, typer.Option(help="What it is")] = Sort.territorial,
    border: Annotated[bool, typer.Option("--border/--no-border", help="Allowed direct contact (Order 1)")] = False,
    name_en: Annotated[str | None, typer.Option(metavar="TEXT", help="Its name in English")] = None,
    direct_since: Annotated[str | None, typer.Option(metavar="DAY", help="Allowed direct contact since")] = None,
    valid_from: Annotated[
        str | None, typer.Option(metavar="DAY", help="Its data are these from; default: today")
    ] = None,
    basis: Annotated[str, typer.Option(metavar="WORD", help="What this rests on")] = "order-136",
) -> None:
    """Register an office, or new data of one that is registered."""
    _zone(tz)
    members = {
        "office": code, "party": party, "sort": sort.value, "name_ru": name, "name_en": name_en, "tz": tz,
        "border": border, "direct_since": direct_since, "valid_from": valid_from or _TODAY(), "basis": basis,
    }  # fmt: skip
    await _change(common, "office.registered", members)


@role.command()
@command(reads=True, signs=True, submits=True, registers=True)
async def assign(
    common: Common,
    of: Annotated[str, typer.Argument(metavar="OFFICE", help="The office")],
    person: Annotated[str, typer.Argument(help="A reference, never a name, such as p-7f3a")],
    role: Annotated[str, typer.Argument(help="head, deputy_head, acting_head, contact, …")],
    basis: Annotated[str, typer.Option(metavar="TEXT", help="What this rests on; sealed")],
    valid_from: Annotated[str | None, typer.Option(metavar="DAY", help="From this day; default: today")] = None,
    valid_to: Annotated[str | None, typer.Option(metavar="DAY", help="The first day on which it is over")] = None,
) -> None:
    """Let a person hold a role at an office."""
    members = {
        "office": of, "person": person, "role": role, "basis": basis,
        "valid_from": valid_from or _TODAY(), "valid_to": valid_to,
    }  # fmt: skip
    await _change(common, "role.assigned", members)


@role.command()
@command(reads=True, signs=True, submits=True, registers=True)
async def end(
    common: Common,
    of: Annotated[str, typer.Argument(metavar="OFFICE", help="The office")],
    person: Annotated[str, typer.Argument(help="The person's reference")],
    role: Annotated[str, typer.Argument(help="The role that ends")],
    effective: Annotated[
        str | None, typer.Option(metavar="DAY", help="The first day without it; default: today")
    ] = None,
) -> None:
    """End a role that a person holds."""
    await _change(
        common, "role.ended", {"office": of, "person": person, "role": role, "effective": effective or _TODAY()}
    )


@app.command()
@command(reads=True)
async def show(common: Common) -> None:
    """What the register says: offices and roles."""
    async with open_ledger(common.settings(), note) as ledger:
        register = await ledger.register()
    if register is None:
        raise ConfigError("expected a ledger whose opening is sealed, found it waiting: run `rogatory run all`")
    if common.json:
        show_json(
            {
                "ledger_id": register.ledger_id,
                "version": register.version,
                "seq": register.seq,
                "offices": list(register.offices.values()),
                "roles": register.roles,
            }
        )
        return
    say(f"The register of {register.ledger_id} after {register.seq} events (version {register.version})")
    offices = [[o.code, o.name, o.party, o.sort, o.tz, o.border] for o in register.offices.values()]
    table("Offices", ["code", "name", "Party", "sort", "time zone", "border"], offices)
    roles = [[r.office, r.person, r.role, r.valid_from, r.valid_to] for r in register.roles]
    if roles:
        table("Roles", ["office", "person", "role", "from", "until"], roles)


def _zone(name: str) -> None:
    """Check a time zone; the register takes any name, but a day in an unknown zone cannot be counted."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415 - slow to load, used here alone

    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"expected --tz as an IANA time zone such as Asia/Omsk, found {name[:60]!r}") from None
