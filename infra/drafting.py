"""Checking a draft against the law before it is signed: for the command line and the SDK.

A draft is made into an event by the code that publishing uses, with content keys that are thrown away, so that what the
schema would refuse is refused here in the same words.  Nothing of it is signed, stored or sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from infra.compliance import open_compliance
from infra.signing import now_ms
from ledger.event import read_event, time_ms
from ledger.ids import OfficeCode
from ledger.sealing import key_id, new_content_key
from ledger.signers import COORDINATOR_FAMILIES, OWN_OFFICE_FAMILIES, THRESHOLD_TYPES
from producers.builder import Draft, Sender, compose, row_of
from projections.compliance.changes import Change
from projections.compliance.draft import drafted, touches, what_if
from projections.compliance.facts import NOTHING, CaseFile
from projections.compliance.register import SUBJECT
from projections.compliance.rulebook import Rulebook
from projections.compliance.texts import Lang, said_line, why
from projections.compliance.verdict import Finding, Mark, Ref, Verdict

if TYPE_CHECKING:
    from infra.wiring import Ledger
    from ledger.register import Register
    from projections.store import Store

DRAFT = "draft"
"""Stands for the event id of a draft that names none."""


class Said(msgspec.Struct, frozen=True):
    """What a rule says of one item, before the draft or with it."""

    verdict: Verdict
    reason: str
    """A code."""
    why: str
    line: str
    until: int | None
    """ms at which time alone changes the verdict; None: never."""
    expected_by: int | None
    """ms; None: no threshold applies."""
    marks: tuple[Mark, ...]
    missing: str
    evidence: tuple[Ref, ...]


class Effect(msgspec.Struct, frozen=True):
    """What a draft would do to one obligation; ``before`` None: the rule says nothing yet."""

    rule: str
    cites: str
    item: str
    bound: str
    sort: str
    """``verdict``, ``later``, ``reason`` or ``rests`` (``projections/compliance/changes.py``)."""
    before: Said | None
    after: Said | None


class DraftAnswer(msgspec.Struct, frozen=True):
    """What a draft would do."""

    subject: str
    type: str
    office: str
    as_of: int
    """When it would be recorded, and at which moment verdicts are compared; ms."""
    records: int
    """Records of the subject that are known."""
    register_seq: int
    rulebook: str
    rulebook_sha256: str
    refusals: tuple[str, ...]
    """Why it would not be recorded at all; the effects then are those of the act itself."""
    effects: tuple[Effect, ...]
    touches: tuple[str, ...] = ()
    """Of a draft about the register: the entries it touches; subjects that rest on them would be judged again."""

    def would(self, verdict: Verdict) -> tuple[Effect, ...]:
        """Obligations whose verdict the draft would make this one, and was not."""
        return tuple(
            effect
            for effect in self.effects
            if effect.sort == "verdict" and effect.after is not None and effect.after.verdict == verdict
        )


class _Thrown:
    """A vault whose keys live as long as the check."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, str], bytes] = {}

    def key_for(self, subject: str, compartment: str) -> bytes:
        """The key of a compartment, made when it is first asked for."""
        return self._keys.setdefault((subject, compartment), new_content_key())

    def find(self, key_id_: str) -> bytes | None:
        """A key by its id."""
        return next((key for key in self._keys.values() if key_id(key) == key_id_), None)

    def destroy(self, subject: str, compartment: str) -> list[str]:
        """Forget a key; its id."""
        key = self._keys.pop((subject, compartment), None)
        return [] if key is None else [key_id(key)]


async def check(
    ledger: Ledger, store: Store, draft: Draft, office: str, *, as_of: int | None = None, lang: Lang = "en"
) -> DraftAnswer:
    """What a draft would do to the obligations of its subject, given the subject's history as the rows have it.

    Args:
        ledger: which it would be published to.
        store: with its rows.
        draft: the event; sealed fields in plain text.
        office: whose event it would be.
        as_of: when it would be recorded (ms); default: now. Records after it are left out of account.
        lang: of lines and reasons.

    Raises:
        FieldError: the schema refuses it; names the field, what was expected and found.
        ConfigError: the rulebook in use is not here.
        MisuseError: there are no rows of this ledger yet.
    """
    now = now_ms()
    moment = now if as_of is None else as_of
    # A draft without an id gets a word in its place: the event's own comes when it is published.
    named = draft if draft.id is not None else msgspec.structs.replace(draft, id=DRAFT)
    unsigned = compose(named, Sender(ledger.ledger_id, office, (), _Thrown()), moment)
    event = read_event(unsigned.value)
    asked, rulebook = open_compliance(ledger, store)
    known = moment if moment < now else None
    filed = asked.file_of(draft.subject)
    file = (NOTHING if filed is None else filed.file).known_at(admitted=known)
    register = asked.register(as_of=known)
    name = row_of(draft.data).name
    act = drafted(
        file, name=name, event_id=event.id, office=office, claimed=time_ms(event.time), admitted=moment,
        data=event.data, actor=event.actor or "",
    )  # fmt: skip
    changes = what_if(draft.subject, file, register, rulebook, act, moment)
    return DraftAnswer(
        subject=draft.subject,
        type=name,
        office=office,
        as_of=moment,
        records=len(file.acts),
        register_seq=register.seq,
        rulebook=rulebook.version,
        rulebook_sha256=rulebook.sha256,
        refusals=tuple(_refusals(await ledger.register(), name, draft, office, file)),
        effects=tuple(_effect(change, rulebook, lang) for change in changes),
        touches=tuple(sorted(touches(act))) if draft.subject == SUBJECT else (),
    )


def _refusals(register: Register | None, name: str, draft: Draft, office: str, file: CaseFile) -> list[str]:
    """What admission would refuse, as far as it can be told without a signature."""
    found: list[str] = []
    seq = max((act.seq for act in file.acts), default=0)
    if draft.expectedseq is not None and draft.expectedseq != seq:
        found.append(f"expected expectedseq {seq}, the records that {draft.subject} has, found {draft.expectedseq}")
    if draft.id is not None and any((act.source, act.id) == (office, draft.id) for act in file.acts):
        found.append(f"expected a new id, found {draft.id}: {office} has a record with it in {draft.subject}")
    if register is not None and (wanted := _signer_wanted(register, name, getattr(draft.data, "office", None), office)):
        found.append(f"expected {wanted}, found {office}")
    return found


def _signer_wanted(register: Register, name: str, about: str | None, office: str) -> str:
    """Who would have to sign it (the table of ``ledger/signers.py``); empty where the office's keys may."""
    family = name.partition(".")[0]
    keyed = {key.office for key in register.keys.values() if key.use == "sign" and key.revoked is None}
    authorities = {kid.partition("#")[0] for kid in register.authorities}
    superior = office in authorities or (office in keyed and register.is_coordinator(OfficeCode(office)))
    if name in THRESHOLD_TYPES:
        return "" if office in authorities else f"{name} signed by the threshold of the authorities"
    if family in COORDINATOR_FAMILIES:
        return "" if superior else f"{name} signed by an authority or a coordinating unit of the own Party"
    if family in OWN_OFFICE_FAMILIES:
        own = office in keyed and about == office
        return "" if own or superior else f"{name} signed by the office that it is about, or by one above it"
    return "" if office in keyed else "an office with an enrolled sign key"


def _effect(change: Change, rulebook: Rulebook, lang: Lang) -> Effect:
    found = rulebook.find(change.rule)
    return Effect(
        rule=change.rule,
        cites="" if found is None else found[1].place.cites,
        item=change.item,
        bound=change.shown.bound,
        sort=change.sort,
        before=_said(change.before, change.as_of, rulebook, lang),
        after=_said(change.after, change.as_of, rulebook, lang),
    )


def _said(finding: Finding | None, as_of: int, rulebook: Rulebook, lang: Lang) -> Said | None:
    if finding is None:
        return None
    held = finding.at(as_of)
    return Said(
        verdict=held.verdict,
        reason=held.reason,
        why=why(finding, rulebook, as_of, lang),
        line=said_line(finding, rulebook, lang),
        until=finding.until(as_of),
        expected_by=finding.expected_by or None,
        marks=finding.marks,
        missing=finding.missing,
        evidence=finding.evidence,
    )
