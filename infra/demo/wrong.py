"""What goes wrong, one of each kind: submissions that must be refused, and one that comes twice.

Each is made from an act of the stream (its *victim*) and submitted behind it, as if somebody had made that mistake
then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec

from infra.demo.story import Act
from ledger.catalogue.own import StepTaken
from ledger.errors import MisuseError
from ledger.event import MAX_EVENT_BYTES
from ledger.ids import LedgerId, Subject
from ledger.signature import EVENT_PAYLOAD, Signature, Signer, sign
from producers.builder import Draft, Sender, Signed, build


class Cast(NamedTuple):
    """The keys that mistakes are made with."""

    signers: dict[str, Signer]
    """The good key of each office."""
    revoked: Signer
    """Once a key of its office."""
    stranger: Signer
    """Never enrolled, whatever office its kid names."""


class Wrong(NamedTuple):
    """A submission to be refused as ``reason``; ``story`` says what happened."""

    reason: str
    story: str
    signed: Signed


def resigned(signer: Signer, victim: Signed, members: dict[str, Any], **changes: Any) -> Signed:
    """The victim's event with other members, well signed: what somebody writes who does without the builder."""
    event = {**members, **changes}
    return _sealed_letter(signer, victim.subject, event["id"], msgspec.json.encode(event))


def _sealed_letter(signer: Signer, subject: Subject, id_: str, value: bytes) -> Signed:
    return Signed(subject, id_, value, (sign(signer, EVENT_PAYLOAD, value),))


def mistakes(cast: Cast, ledger_id: LedgerId, victims: Sequence[tuple[Act, Signed]]) -> list[tuple[str, Wrong]]:
    """The mistakes, each with the id of the victim behind which it comes.

    Args:
        cast: the keys.
        ledger_id: of the ledger that refuses them.
        victims: at least one act with its event; taken in turn.
    """
    if not victims:
        raise MisuseError("expected at least one act to make mistakes with, found none")
    made: list[tuple[str, Wrong]] = []
    for n, (reason, story, make) in enumerate(_MISTAKES):
        act, signed = victims[n % len(victims)]
        scene = _Scene(cast, ledger_id, act, signed, msgspec.json.decode(signed.value), f"wrong-{n}")
        made.append((signed.id, Wrong(reason, story, make(scene))))
    return made


class _Scene(NamedTuple):
    cast: Cast
    ledger_id: LedgerId
    act: Act
    signed: Signed
    members: dict[str, Any]
    id: str

    @property
    def signer(self) -> Signer:
        return self.cast.signers[self.act.office]

    def other(self) -> Signer:
        return next(s for office, s in self.cast.signers.items() if office != self.act.office)

    def step(self, office: str, signer: Signer, *, ledger: LedgerId | None = None, seq: int | None = None) -> Signed:
        """A step in the victim's request, well built, by somebody or for some ledger."""
        draft = Draft(
            subject=self.act.draft.subject,
            data=StepTaken(step="file looked through"),
            time=self.act.draft.time,
            id=self.id,
            expectedseq=seq,
        )
        return build(draft, Sender(ledger or self.ledger_id, office, (signer,)), 0)

    def changed(self, **changes: Any) -> Signed:
        return resigned(self.signer, self.signed, self.members, **{"id": self.id, **changes})


def _altered(scene: _Scene) -> Signed:
    signed = scene.step(scene.act.office, scene.signer)
    value = signed.value.replace(b"looked", b"locked")
    return msgspec.structs.replace(signed, value=value)


def _stranger(scene: _Scene) -> Signed:
    office = scene.cast.stranger.kid.partition("#")[0]
    return scene.step(office, scene.cast.stranger)


def _revoked(scene: _Scene) -> Signed:
    office = scene.cast.revoked.kid.partition("#")[0]
    return scene.step(office, scene.cast.revoked)


def _rehearsal(scene: _Scene) -> Signed:
    return scene.step(scene.act.office, scene.signer, ledger=LedgerId(f"rehearsal.{'0' * 32}"))


def _too_large(scene: _Scene) -> Signed:
    value = scene.signed.value[:-1] + b" " * MAX_EVENT_BYTES + b"}"
    return _sealed_letter(scene.signer, scene.signed.subject, scene.id, value)


def _not_json(scene: _Scene) -> Signed:
    value = scene.signed.value.replace(b'"id":', b'"id":"twice","id":')
    return _sealed_letter(scene.signer, scene.signed.subject, scene.id, value)


def _unsigned(scene: _Scene) -> Signed:
    return msgspec.structs.replace(scene.step(scene.act.office, scene.signer), signatures=())


def _key_smuggled(scene: _Scene) -> Signed:
    office = next(o for o, s in scene.cast.signers.items() if o.startswith("KZ-B-"))
    signer = scene.cast.signers[office]
    changes: dict[str, Any] = {
        "source": f"office/{office}",
        "subject": "register",
        "type": "rogatory.key.revoked.v1",
        "data": {"kid": scene.other().kid, "reason": "lost", "effective": "2026-01-01T00:00:00Z"},
        "id": scene.id,
    }
    value = msgspec.json.encode({**scene.members, **changes})
    return Signed(
        Subject("register"), scene.id, value, (Signature(signer.kid, sign(signer, EVENT_PAYLOAD, value).value),)
    )


_MISTAKES = (
    ("bad-signature", "changed on the way, behind its signature", _altered),
    ("unknown-key", "signed with a key that nobody enrolled", _stranger),
    ("foreign-key", "one office speaks with another's key", lambda s: s.step(s.act.office, s.other())),
    ("key-not-valid", "signed with a key that was revoked", _revoked),
    ("wrong-ledger", "signed for a rehearsal, sent here", _rehearsal),
    ("sequence-conflict", "decided on an old view of the request", lambda s: s.step(s.act.office, s.signer, seq=0)),
    (
        "identity-reused",
        "another event under a used id",
        lambda s: s.changed(id=s.signed.id, time="2026-01-01T00:00:00Z"),
    ),
    ("unknown-type", "a type that no catalogue has", lambda s: s.changed(type="rogatory.request.teleported.v1")),
    (
        "bad-data",
        "a word outside the vocabulary",
        lambda s: s.changed(type="rogatory.request.closed.v1", data={"outcome": "gone"}),
    ),
    ("too-large", "a whole document inside the event", _too_large),
    ("not-json", "a member twice: two readers, two meanings", _not_json),
    ("no-signature", "sent without a signature", _unsigned),
    ("not-allowed", "a border office revokes another's key", _key_smuggled),
)
"""Reason, what happened, and how it is made."""
