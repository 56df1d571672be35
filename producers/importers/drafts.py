"""From the cases of a log to drafts of events, always the same ones for the same log, map and key.

The second event of ``case-10011`` without a map::

    Draft(subject="request/case-10011", id="<UUIDv8>", time="2011-10-12T08:26:25.398+02:00",
          data=StepTaken(step="T02 Check confirmation of receipt", resource="p-<32 hex>",
                         attributes={"org:group": "Group 4", …, "org:resource": "Resource10"}))

- *Subject*: ``request/`` and the case's name, percent-encoded but for letters, digits and ``._~:-``; over 128
  characters it is cut and ends in ``~`` and 16 hex of the name's SHA-256, and what is sealed has it whole.  Traces of
  one name are one subject, whose events are numbered through.
- *Id*: UUIDv8 (RFC 9562 5.8) of SHA-256 over the compact JSON ``[log digest, name of the case, ordinal from 1]``.  It
  does not depend on the map: importing a log again with another map is refused event by event, not added.
- *Step*: the event's name, and after a colon its transition unless that is ``complete``: ``Queued:Awaiting
  Assignment``.  It is clear, so it must be ASCII: Cyrillic is transliterated (GOST 7.79-2000 B, with the Kazakh
  letters), accents are dropped, anything else is percent-encoded, and what is over 128 characters is cut as a subject.
- *Sealed*: all other attributes, the resource's name among them, and those of the case under ``case`` in the first
  step of each trace (``case_``, ``case__`` … if the event says ``case`` itself).  Name and transition are there
  too if the step does not say them letter by letter.  Over 32 KiB only their SHA-256 and size are kept.
- An event that a map gives a type says only what the map lets it say.
"""

from __future__ import annotations

import re
import unicodedata
import uuid
from collections.abc import Iterable, Iterator
from hashlib import blake2b, sha256
from urllib.parse import quote

import msgspec
from msgspec import UNSET

from ledger.catalogue.base import Data
from ledger.catalogue.own import StepTaken
from ledger.errors import FieldError, KeyFault
from ledger.ids import SUBJECT_MAX
from producers.builder import Draft
from producers.importers.mapping import LogMap, plain_transition
from producers.importers.template import Context
from producers.importers.xes import Case, Happening, Keys
from producers.importers.xes_values import Attributes, Value

_PREFIX = "request/"
_STEP_MAX = 128
_SEALED_MAX = 32 * 1024 - 1  # so that the event stays below 48 KiB in base64
_PERSON = b"rogatory/people1"

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяәғқңөұүһі"
_GOST = "a b v g d e yo zh z i j k l m n o p r s t u f x c ch sh shh `` y' ` e' yu ya a' g' q n' o' u' u h i"
_LETTERS = dict(zip(_CYRILLIC, _GOST.split(), strict=True))
_LATIN = str.maketrans({**_LETTERS, **{letter.upper(): latin.capitalize() for letter, latin in _LETTERS.items()}})


def drafts(cases: Iterable[Case], mapping: LogMap, log_digest: str, person_key: bytes) -> Iterator[Draft]:
    """The drafts for the cases of a log, in its order; ``person_key`` (16 to 64 bytes) is kept in the vault.

    Raises:
        KeyFault: ``person_key`` is not of that length.
        FieldError: the log does not say what the map needs for an event; names case, ordinal and field.
    """
    if not 16 <= len(person_key) <= 64:
        raise KeyFault(f"expected a key for names of 16 to 64 bytes, found {len(person_key)}")
    return _drafts(cases, mapping, log_digest, person_key)


def _drafts(cases: Iterable[Case], mapping: LogMap, log_digest: str, person_key: bytes) -> Iterator[Draft]:
    last: dict[str, int] = {}
    for case in cases:
        subject, ordinal = subject_of(case.name), last.get(case.name, 0)
        # Where the subject had to cut the name, what is sealed keeps it whole.
        is_cut = len(_PREFIX + quote(case.name, safe=":")) > SUBJECT_MAX
        untold: Attributes = {mapping.keys.case: case.name, **case.attributes} if is_cut else case.attributes
        for happening in case.events:
            ordinal += 1
            rule = mapping.rule_for(happening)
            data: Data
            if rule is None:
                data = _step(happening, mapping.keys, untold, person_key)
                untold = {}
            else:
                context = Context(
                    _everything(happening, mapping.keys),
                    {**case.attributes, mapping.keys.case: case.name},
                    lambda name: person_ref(name, person_key),
                )
                try:
                    data = rule.fill(context)
                except FieldError as error:
                    raise FieldError(f"event {ordinal} of case {case.name[:60]!r}: {error}") from None
            id_ = event_id(log_digest, case.name, ordinal)
            yield Draft(subject=subject, data=data, time=happening.time, id=id_)
        last[case.name] = ordinal


def subject_of(case: str) -> str:
    """The subject for a case's name: ``Дело 1`` becomes ``request/%D0%94%D0%B5%D0%BB%D0%BE%201``."""
    return _PREFIX + _shorten(quote(case, safe=":"), case, SUBJECT_MAX - len(_PREFIX))


def event_id(log_digest: str, case: str, ordinal: int) -> str:
    """The UUIDv8 of one event of a log."""
    digest = sha256(msgspec.json.encode([log_digest, case, ordinal])).digest()
    bits = int.from_bytes(digest[:16], "big")
    bits = bits & ~(0xF << 76) | 8 << 76  # version
    bits = bits & ~(3 << 62) | 2 << 62  # variant
    return str(uuid.UUID(int=bits))


def person_ref(name: str, key: bytes) -> str:
    """The reference for a person's name: ``p-`` and keyed BLAKE2b-128 (RFC 7693) of it, hex.

    Blanks at the ends and between words, and ways to compose a letter, make no difference.
    """
    plain = unicodedata.normalize("NFC", " ".join(name.split()))
    return "p-" + blake2b(plain.encode(), digest_size=16, key=key, person=_PERSON).hexdigest()


def step_of(name: str, transition: str) -> str:
    """The clear name of a step: ``Queued:Awaiting Assignment``; ``unnamed`` if the log names none."""
    name, transition = name.strip() or "unnamed", transition.strip()
    text = name if plain_transition(transition) == "complete" else f"{name}:{transition}"
    if text.isascii() and text.isprintable() and "  " not in text and len(text) <= _STEP_MAX:
        return text
    latin = unicodedata.normalize("NFC", text).translate(_LATIN)
    bare = "".join(c for c in unicodedata.normalize("NFKD", latin) if not unicodedata.combining(c))
    ascii_ = "".join(c if " " <= c <= "~" else quote(c, safe="") for c in " ".join(bare.split()))
    return _shorten(ascii_ or "unnamed", text, _STEP_MAX)


def _shorten(text: str, whole: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    cut = re.sub(r"%[0-9A-F]?\Z", "", text[: limit - 17]).rstrip()
    return f"{cut}~{sha256(whole.encode()).hexdigest()[:16]}"


def _step(happening: Happening, keys: Keys, case: Attributes, person_key: bytes) -> StepTaken:
    step = step_of(happening.name, happening.transition)
    sealed = dict(happening.attributes)
    if happening.resource:
        sealed.setdefault(keys.resource, happening.resource)
    if not _verbatim(step, happening):
        sealed.setdefault(keys.name, happening.name)
        sealed.setdefault(keys.transition, happening.transition)
    if case:
        member = "case"
        while member in sealed:
            member += "_"
        sealed[member] = dict(case)
    resource = person_ref(happening.resource, person_key) if happening.resource.strip() else UNSET
    return StepTaken(step=step, resource=resource, attributes=_bounded(sealed) if sealed else UNSET)


def _verbatim(step: str, happening: Happening) -> bool:
    if ":" in happening.name:  # else nobody could tell it from a transition behind a name
        return False
    said = happening.name if happening.transition in ("", "complete") else f"{happening.name}:{happening.transition}"
    return step == said


def _bounded(sealed: Attributes) -> Attributes:
    raw = msgspec.json.encode(sealed)
    if len(raw) <= _SEALED_MAX:
        return sealed
    return {"sha256": sha256(raw).hexdigest(), "bytes": len(raw)}


def _everything(happening: Happening, keys: Keys) -> dict[str, Value]:
    said: dict[str, Value] = {
        keys.name: happening.name,
        keys.transition: happening.transition,
        keys.resource: happening.resource,
        keys.time: happening.time,
    }
    return {**happening.attributes, **{key: text for key, text in said.items() if text}}
