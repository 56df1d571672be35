"""``rogatory ledger``: opening a ledger, and what it is."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra import config as settings
from infra.adapters.keys import KeyFile, SeedSigner, list_keys, load_signer, new_key, write_key
from infra.cli.options import Common, command
from infra.cli.render import note, plural, say, short, show_json, table
from infra.cli.submit import work_off
from infra.config import Config, FileLedger
from infra.wiring import find_genesis, make_log, open_ledger
from ledger import ids
from ledger.errors import ConfigError, KeyFault, LogSettings
from ledger.log import LEDGER, SUBMISSIONS, Log
from ledger.signature import Signer
from producers.enrolment import Genesis, make_genesis, named

app = typer.Typer(no_args_is_help=True, help="Open a ledger, and show what it is.")


class Plan(msgspec.Struct, frozen=True):
    """What shall be opened, with the keys at hand; ``new`` are not on disk yet."""

    name: str
    partitions: int
    party: str
    threshold: int
    authorities: list[Signer]
    log_keys: list[Signer]
    new: list[KeyFile]

    def genesis(self) -> Genesis:
        """The signed opening. Raises FieldError if a value is of the wrong form."""
        return make_genesis(
            self.name,
            partitions=self.partitions,
            party=self.party,
            authorities=self.authorities,
            threshold=self.threshold,
            log_keys=[named(key) for key in self.log_keys],
            now=time.time_ns() // 1_000_000,
        )


@app.command("open")
@command(reads=True)
async def open_(
    common: Common,
    name: Annotated[str, typer.Argument(help="Its name: small letters, digits and -")],
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="Fixed for ever; case subjects are spread over them")
    ] = 4,
    party: Annotated[str, typer.Option(metavar="STATE", help="The own Party, ISO 3166-1")] = "RU",
    by: Annotated[str, typer.Option("--office", metavar="CODE", help="Office that the new keys belong to")] = "RU-PGO",
    authorities: Annotated[int, typer.Option(min=1, max=64, help="How many authority keys to make")] = 3,
    threshold: Annotated[int, typer.Option(min=1, max=4, help="How many of them decide on the ledger itself")] = 2,
    authority: Annotated[
        list[str] | None, typer.Option(metavar="REF", help="Authority key that exists, instead; repeat")
    ] = None,
    log_key: Annotated[
        str | None, typer.Option(metavar="REF", help="Log key that exists, instead of a new one")
    ] = None,
    write: Annotated[Path, typer.Option(metavar="FILE", help="Where the settings are written")] = settings.DEFAULT_FILE,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an opening that was interrupted")] = False,
) -> None:
    """Open a new ledger: topics, keys, the signed opening, and a settings file.

    The ledger goes where --ledger says, or to the folder ./NAME. Its id follows from the opening's bytes; give it to
    everybody who shall read the ledger, by a way that you trust.
    """
    config = _config(common, name, by, party)
    if write.exists():
        raise ConfigError(
            f"expected no file {write}, found one: it may be another ledger's; name a new one with --write"
        )
    plan = _plan(config, name, partitions, party, threshold, _keys(config, by, authority, log_key, authorities, resume))
    genesis = plan.genesis()  # everything is known to be right before anything is made
    log = make_log(config)
    try:
        found = await _claim(log, config, plan, resume=resume)
        if found is None:
            for key in plan.new:
                write_key(config.keys, key)
            # From here --resume finds topics and keys; it signs an opening again, since none is there.
            await log.append(SUBMISSIONS, 0, [genesis.signed.message()])
        ledger_id = found or genesis.ledger_id
    finally:
        await log.close()
    # From here --resume finds the opening, and only the settings are missing.
    config = msgspec.structs.replace(config, ledger_id=ledger_id)
    _write(config, write)
    if isinstance(config.address(), FileLedger):
        async with open_ledger(config, note) as ledger:
            await work_off(ledger)
    _told(common, config, plan, write)


def _config(common: Common, name: str, office: str, party: str) -> Config:
    """The settings of the new ledger; a settings file is another ledger's and plays no part."""
    if not re.fullmatch(ids.LEDGER_NAME, name):
        raise ConfigError(f"expected a name of small letters, digits and -, at most 32 long, found {name[:60]!r}")
    if not re.fullmatch(ids.OFFICE_CODE, office):
        raise ConfigError(f"expected --office as a code like RU-PGO, found {office[:40]!r}")
    if not re.fullmatch("[A-Z]{2}", party):
        raise ConfigError(f"expected --party as two capitals like RU, found {party[:40]!r}")
    address = common.ledger or os.environ.get("ROGATORY_LEDGER") or f"file:./{name}"
    environ = {k: v for k, v in os.environ.items() if k not in ("ROGATORY_CONFIG", "ROGATORY_LEDGER_ID")}
    found = settings.load(
        {"ledger": address, "data": str(common.data) if common.data else None, "timeout": common.timeout},
        file=common.config or Path(os.devnull),
        environ=environ,
    )
    where = found.address()
    if not isinstance(where, FileLedger) and where.name != name:
        raise ConfigError(f"expected the ledger's name at the end of --ledger, {name!r}, found {where.name!r}")
    return found


def _keys(
    config: Config, office: str, authority: list[str] | None, log_key: str | None, count: int, resume: bool
) -> tuple[list[Signer], list[Signer], list[KeyFile]]:
    """Authority and log signers, and those of them that are new."""
    new: list[KeyFile] = []
    kept = list_keys(config.keys) if resume else []

    def signer(use: str, used: list[Signer]) -> Signer:
        taken = {one.kid for one in used}
        key = next((k for k in kept if k.use == use and k.kid not in taken and k.kid.startswith(f"{office}#")), None)
        if key is None:
            key = new_key(office, use)
            new.append(key)
        return SeedSigner(key)

    authorities: list[Signer] = [load_signer(reference) for reference in authority or []]
    while not authority and len(authorities) < count:
        authorities.append(signer("authority", authorities))
    return authorities, [load_signer(log_key) if log_key else signer("log", [])], new


def _plan(
    config: Config,
    name: str,
    partitions: int,
    party: str,
    threshold: int,
    keys: tuple[list[Signer], list[Signer], list[KeyFile]],
) -> Plan:
    authorities, log_keys, new = keys
    if threshold > len(authorities):
        raise ConfigError(
            f"expected --threshold of at most {len(authorities)}, the number of authority keys, found {threshold}"
        )
    if {a.public_key for a in authorities} & {k.public_key for k in log_keys}:
        raise ConfigError(f"expected a log key that is no authority key, found one for both in {config.keys}")
    return Plan(name, partitions, party, threshold, authorities, log_keys, new)


async def _claim(log: Log, config: Config, plan: Plan, *, resume: bool) -> ids.LedgerId | None:
    """Make the topics, or with ``resume`` take over those that are there; the id, if the opening stands already."""
    try:
        await log.create(plan.partitions)
    except LogSettings as error:
        found = await log.partitions()  # not a log at all: its error says so
        genesis = await find_genesis(log)
        if genesis is not None and not (resume and _is_ours(genesis.opened.authorities, plan)):
            raise ConfigError(
                f"expected room for a new ledger at {config.ledger}, found {genesis.ledger_id}, opened before: use it "
                f"with --ledger {config.ledger} --ledger-id {genesis.ledger_id}, or open the new one elsewhere"
            ) from None
        if genesis is None and not resume:
            raise ConfigError(
                f"expected room for a new ledger at {config.ledger}, found topics without an opening ({error}): if an "
                "opening was interrupted here, go on with --resume"
            ) from None
        if found != plan.partitions:
            raise ConfigError(
                f"expected {plan.partitions} partitions, found {found}: pass --partitions {found}"
            ) from None
        for partition in range(found) if genesis is None else ():
            for topic in (SUBMISSIONS, LEDGER):
                if await log.end(topic, partition):
                    raise ConfigError(f"expected empty topics to open a ledger in, found messages in {topic}") from None
        return genesis.ledger_id if genesis else None
    return None


def _is_ours(authorities: list[Any], plan: Plan) -> bool:
    return bool({a.kid for a in authorities} & {str(a.kid) for a in plan.authorities})


def _write(config: Config, path: Path) -> None:
    address = config.address()
    ledger, data = config.ledger, config.data
    if path.resolve().parent != Path.cwd():
        # Paths in the file are relative to it.
        ledger = f"file:{address.folder.resolve()}" if isinstance(address, FileLedger) else ledger
        data = data.resolve()
    lines = {"ledger": ledger, "ledger_id": config.ledger_id, "data": str(data)}
    text = "# Written by `rogatory ledger open`. The ledger id is what every reader trusts.\n"
    text += "".join(f"{key} = {json.dumps(value, ensure_ascii=False)}\n" for key, value in lines.items())
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigError(
            f"expected to write the settings to {path}, found {error.strerror}; the ledger is open: set ledger and "
            f"ledger_id = {config.ledger_id} elsewhere"
        ) from None


def _told(common: Common, config: Config, plan: Plan, write: Path) -> None:
    kids = {"authorities": [a.kid for a in plan.authorities], "log_keys": [k.kid for k in plan.log_keys]}
    if common.json:
        show_json({"ledger_id": config.ledger_id, "ledger": config.ledger, "settings": str(write), **kids})
        return
    say(f"Opened {config.ledger_id}")
    say(f"  at {config.ledger}, {plural(plan.partitions, 'partition')}; settings in {write}")
    for use, signers in (("authority", plan.authorities), ("log key", plan.log_keys)):
        for signer in signers:
            say(f"  {use} {signer.kid}")
    if plan.new:
        say(f"  The new private keys are in {config.keys}: give the authorities' to the people who shall hold them.")
    say("Next: `rogatory register office`, `rogatory keys new OFFICE`, `rogatory keys enrol KID`, `rogatory publish`")
    if not isinstance(config.address(), FileLedger):
        say("and `rogatory run all`, which admits what is submitted.")


@app.command()
@command(reads=True)
async def show(common: Common) -> None:
    """What the ledger is: id, partitions, Party, authorities, and how far each partition has come."""
    async with open_ledger(common.settings(), note) as ledger:
        genesis, register = ledger.genesis, await ledger.register()
        submitted = [await ledger.log.end(SUBMISSIONS, p) for p in range(ledger.partitions)]
        messages = [await ledger.log.end(LEDGER, p) for p in range(ledger.partitions)]
    if register is None:
        raise KeyFault("expected a sealed opening, found it waiting: run `rogatory run all`")
    if common.json:
        parts = [
            {"partition": p, "submissions": s, "ledger": r}
            for p, (s, r) in enumerate(zip(submitted, messages, strict=True))
        ]
        show_json(
            {
                "ledger_id": ledger.ledger_id,
                "party": genesis.party,
                "version": register.version,
                "register_seq": register.seq,
                "threshold": register.threshold,
                "authorities": list(register.authorities),
                "log_keys": list(register.log_keys),
                "partitions": parts,
            }
        )
        return
    say(f"{ledger.ledger_id}  (Party {genesis.party}, version {register.version}, register at {register.seq})")
    authorities = plural(len(register.authorities), "authority", "authorities")
    say(f"{register.threshold} of {authorities} decide on the ledger itself:")
    for kid in register.authorities:
        say(f"  {kid.partition('#')[0]}#{short(kid.partition('#')[2])}…")
    rows = list(zip(range(ledger.partitions), submitted, messages, strict=True))
    table("", ["partition", "submitted", "in the ledger"], rows, right=["partition", "submitted", "in the ledger"])
