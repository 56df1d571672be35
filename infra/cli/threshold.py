"""What commands share that publish decisions of the authorities: show, sign here, or write a file to be signed.

Every such command takes ``--dry-run`` (show the events, change nothing) and ``--out FILE`` (write them to a file that
``rogatory authority sign`` and ``rogatory authority publish`` take up); without either, the keys at hand must do.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra.cli.options import Common
from infra.cli.render import plural, say, show_json, table
from infra.cli.submit import change_register, deliver, raise_refusal, report
from infra.signing import choose, now_ms
from infra.statements import write_envelopes
from infra.wiring import Ledger
from ledger.envelope import Envelope
from ledger.errors import ConfigError, FormatError
from ledger.ids import Subject
from ledger.register import Register
from ledger.settlement import check_threshold
from ledger.signature import EVENT_PAYLOAD, MAX_SIGNATURES, Signer, office_of, sign, verify
from producers.builder import Draft, Sender, Signed, compose

DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be signed and published; change nothing")]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write it to a file to be signed elsewhere (`rogatory authority sign`)"),
]


async def decide(
    common: Common, ledger: Ledger, drafts: Sequence[Draft], *, out: Path | None = None, dry_run: bool = False
) -> bool:
    """Publish events that need the threshold, or show them, or write them to a file; whether they were published."""
    register = await known_register(ledger)
    envelopes = _compose(ledger, register, drafts)
    if dry_run:
        tell(common, envelopes, register)
        if not common.json:
            say("Nothing was signed or published.")
        return False
    if out is not None:
        named = choose(ledger.config, register, "rules.adopted").signers if common.key else []
        made = [add_signatures(e, named) for e in envelopes]
        write_envelopes(out, made, fresh=True)
        tell(common, made, register)
        if not common.json:
            say(
                f"Written to {out}. Carry it to the authorities: each runs `rogatory authority sign {out} --key …`, "
                f"the last one `rogatory authority publish {out}`."
            )
        return False
    signers = choose(ledger.config, register, "rules.adopted").signers
    await publish(common, ledger, [add_signatures(e, signers) for e in envelopes], register)
    return True


async def signed(ledger: Ledger, drafts: Sequence[Draft]) -> tuple[Register, list[Envelope]]:
    """The register, and the events signed by the authorities' keys at hand.

    Raises:
        KeyFault: there are too few of them here.
    """
    register = await known_register(ledger)
    signers = choose(ledger.config, register, "rules.adopted").signers
    return register, [add_signatures(e, signers) for e in _compose(ledger, register, drafts)]


async def known_register(ledger: Ledger) -> Register:
    """The register. Raises ConfigError before the opening is sealed."""
    register = await ledger.register()
    if register is None:
        raise ConfigError("expected a ledger whose opening is sealed, found it waiting: run `rogatory run all`")
    return register


def _compose(ledger: Ledger, register: Register, drafts: Sequence[Draft]) -> list[Envelope]:
    office = ledger.config.office or office_of(next(iter(register.authorities)))
    with ledger.vault() as vault:
        sender = Sender(ledger.ledger_id, office, (), vault)
        return [Envelope(compose(draft, sender, now_ms()).value) for draft in drafts]


def add_signatures(envelope: Envelope, signers: Sequence[Signer]) -> Envelope:
    """The envelope, signed by these as well."""
    return envelope.signed(sign(signer, EVENT_PAYLOAD, envelope.value) for signer in signers)


async def publish(common: Common, ledger: Ledger, envelopes: Sequence[Envelope], register: Register) -> None:
    """Submit signed events and report what became of them; refuses before submitting what would be refused after.

    Raises:
        ConfigError: the threshold has not signed.
    """
    events = []
    for envelope in envelopes:
        try:
            check_threshold(register, envelope)
            event = envelope.event()
        except FormatError as error:
            raise ConfigError(f"{error}: `rogatory authority sign` adds what is missing") from None
        if event.ledger != ledger.ledger_id:
            raise ConfigError(f"expected an event of {ledger.ledger_id}, found one of {event.ledger[:80]}")
        fitting = tuple(s for s in envelope.signatures if s.kid in register.authorities)[:MAX_SIGNATURES]
        events.append(Signed(Subject(event.subject), event.id, envelope.value, fitting))
    async with ledger.publisher(office_of(register_kid(register)), []) as publisher:
        if all(event.subject == "register" for event in events):
            await change_register(common, ledger, publisher, events)
            return
        deliveries = await deliver(common, ledger, publisher, events)
    if common.json:
        show_json([d.shown() for d in deliveries])
    else:
        for delivery in deliveries:
            report(delivery)
    raise_refusal(deliveries, told=common.json)


def register_kid(register: Register) -> str:
    """One of the authorities, for where an office must be named."""
    return next(iter(register.authorities))


def tell(common: Common, envelopes: Sequence[Envelope], register: Register | None) -> None:
    """What events say, and who has signed them."""
    shown = [_shown(e, register) for e in envelopes]
    if common.json:
        show_json(shown)
        return
    for one in shown:
        say(f"{one['type']} in {one['subject']} of {one['ledger']}")
        say(f"  {msgspec.json.encode(one['data']).decode()}")
        say(f"  event {one['id']}, said to be of {one['time']}")
        if one["signatures"]:
            table("", ["signed by", "standing"], [[s["kid"], s["standing"]] for s in one["signatures"]])
    if register is not None:
        missing = max(0, register.threshold - min(one["good"] for one in shown))
        of = plural(len(register.authorities), "authority", "authorities")
        say(
            f"{register.threshold} of {of} must sign; "
            + (f"{missing} more needed." if missing else "that many have signed.")
        )


def _shown(envelope: Envelope, register: Register | None) -> dict[str, Any]:
    event = envelope.event()
    signatures = []
    good = 0
    for signature in envelope.signatures:
        public = register.authorities.get(signature.kid) if register else None
        if register is None:
            standing = "not verified: no ledger was asked"
        elif public is None:
            standing = "no authority of this ledger"
        elif verify(public, signature.value, EVENT_PAYLOAD, envelope.value):
            standing, good = "an authority; verifies", good + 1
        else:
            standing = "an authority; DOES NOT VERIFY"
        signatures.append({"kid": signature.kid, "standing": standing})
    return {
        "type": event.type, "subject": event.subject, "ledger": event.ledger, "id": event.id, "time": event.time,
        "data": msgspec.json.decode(event.data), "signatures": signatures, "good": good,
    }  # fmt: skip
