"""A ledger that says what a test wants: real events, signed by one office and admitted at their own time.

::

    teller = Teller("RU", "2006-01-01")
    teller.say("request/1", "request.signed", "2017-03-01", partner="CH", kind="extradition")
    config = run(teller.fill(tmp_path / "ledger"))     # admitted, folded, judged

Each event has data that will do (``tests/records.py``), of which a test states only what it is about.  Moments without
an offset are those of the opening office's zone; a day alone is its noon.  An event is recorded when it happened,
unless ``recorded`` says otherwise.
"""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import msgspec

from infra.config import Config
from infra.simulating import fill, new_folder, prepared
from ledger.catalogue.own import NamedKey, RegisterOpened
from ledger.ids import LedgerId
from ledger.log import OUTCOMES
from ledger.register import make_ledger_id
from ledger.signature import (
    EVENT_PAYLOAD,
    POSSESSION_PAYLOAD,
    Signature,
    encode_base64,
    format_signature,
    pae,
    possession_payload,
    sign,
)
from producers.builder import Draft, Sender, build, format_time
from producers.simulator.keys import DerivedSigner
from producers.simulator.stream import Dated
from tests.records import EVENTS, usual

SEED = 5
NAME = "told"
ZONES = {"RU": "Europe/Moscow", "KZ": "Asia/Almaty"}

_PLAN: dict[str, Any] = {
    "sort": "working", "place": "RU", "partners": ["KZ"], "offices": ["RU-PGO"], "planned": "2017-01-01",
}  # fmt: skip
_OTHER: dict[str, dict[str, Any]] = {
    "instrument.staged": {"stage": "negotiating", "kind": "agreement"},
    "instrument.signed": {"kind": "agreement", "profile_sha256": "00" * 32},
    "instrument.entered": {},
    "instrument.ended": {"cause": "expiry"},
    "meeting.proposed": _PLAN,
    "meeting.held": {**_PLAN, "held_from": "2017-01-01", "held_to": "2017-01-01", "participants": 12},
    "meeting.cancelled": {},
}


class Teller:
    """What a ledger shall say; its own Party's office is called ``<party>-PGO``."""

    partitions = 2

    def __init__(self, party: str, opened: str) -> None:
        self.party = party
        self.office = f"{party}-PGO"
        self.zone = ZoneInfo(ZONES[party])
        self.log_key = DerivedSigner(SEED, self.office, "log")
        self._authority = DerivedSigner(SEED, self.office, "authority")
        self._signer = DerivedSigner(SEED, self.office, "sign")
        self._ids = count(1)
        self._said: list[Dated] = []
        self.genesis = self._open(self.ms(opened))
        self.ledger_id = make_ledger_id(self.genesis.value, NAME)
        self._enrol(self.ms(opened))

    def ms(self, when: str) -> int:
        """A moment in ms: ``2025-03-03``, ``2025-03-03T10:00``, or RFC 3339 with an offset."""
        moment = datetime.fromisoformat(when if "T" in when else f"{when}T12:00:00")
        return round((moment if moment.tzinfo else moment.replace(tzinfo=self.zone)).timestamp() * 1000)

    def say(self, subject: str, name: str, when: str, *, recorded: str | None = None, **stated: Any) -> str:
        """One more event; its id.

        In the register it is signed by the authority, elsewhere by the office's own key.

        Args:
            subject: of the event.
            name: of the event, without prefix and version.
            when: it happened.
            recorded: when it was recorded; default: at once.
            stated: members in place of the usual ones; ``from_`` is ``from``, one that is None is left out.
        """
        data = usual(name) if name in EVENTS else dict(_OTHER.get(name, {}))
        for key, value in stated.items():
            data[key.rstrip("_")] = value
        data = {key: value for key, value in data.items() if value is not None}
        claimed = self.ms(when)
        at = claimed if recorded is None else self.ms(recorded)
        signer = self._authority if subject == "register" else self._signer
        return self._sign(subject, name, claimed, at, data, signer)

    async def fill(self, folder: Path) -> Config:
        """Open the ledger in a new folder, say everything in the order of recording, fold and judge it.

        Every event must be admitted: a stream that a ledger refuses shows nothing.
        """
        config = new_folder(folder)
        events = sorted(self._said, key=lambda dated: dated.recorded)
        async with prepared(config, cast("Any", self), folder) as (ledger, sink):
            await fill(ledger.log, self.partitions, iter(events), sink, lambda _: None)
            refused = sum([await ledger.log.end(OUTCOMES, partition) for partition in range(self.partitions)])
            assert not refused, f"{refused} events were refused"
            with ledger.store() as store:
                await ledger.project(store)
            return ledger.config

    def _open(self, at: int) -> Dated:
        opened = RegisterOpened(
            name=NAME, partitions=self.partitions, party=self.party,
            authorities=[NamedKey(kid=self._authority.kid, public_key=encode_base64(self._authority.public_key))],
            threshold=1,
            log_keys=[NamedKey(kid=self.log_key.kid, public_key=encode_base64(self.log_key.public_key))],
        )  # fmt: skip
        draft = Draft(subject="register", data=opened, id="genesis", time=format_time(at))
        signed = build(draft, Sender(LedgerId(NAME), self.office, (self._authority,)), at)
        return Dated(at, "register.opened", "register", "genesis", signed.value, signed.signatures)

    def _enrol(self, at: int) -> None:
        office = {
            "office": self.office, "party": self.party, "sort": "party", "name_ru": self.office,
            "tz": str(self.zone), "border": False, "valid_from": "2000-01-01", "basis": "order-136",
        }  # fmt: skip
        key = self._signer
        proof = sign(key, POSSESSION_PAYLOAD, possession_payload(self.ledger_id, key.office, key.kid, "sign"))
        granted = {
            "office": key.office, "kid": key.kid, "public_key": encode_base64(key.public_key), "alg": "ed25519",
            "use": "sign", "possession": format_signature(proof).decode(), "valid_from": format_time(at),
        }  # fmt: skip
        self._sign("register", "office.registered", at, at + 1, office, self._authority)
        self._sign("register", "key.granted", at, at + 2, granted, self._authority)

    def _sign(
        self, subject: str, name: str, claimed: int, recorded: int, data: dict[str, Any], signer: DerivedSigner
    ) -> str:
        id_ = f"e-{next(self._ids)}"
        value = msgspec.json.encode(
            {
                "specversion": "1.0", "id": id_, "source": f"office/{self.office}", "type": f"rogatory.{name}.v1",
                "subject": subject, "time": format_time(claimed), "datacontenttype": "application/json",
                "ledger": self.ledger_id, "data": data,
            }
        )  # fmt: skip
        signature = Signature(signer.kid, signer.sign(pae(EVENT_PAYLOAD, value)))
        self._said.append(Dated(recorded, name, subject, id_, value, (signature,), name == "key.granted"))
        return id_
