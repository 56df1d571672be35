"""What may become of a submission: the one table of refusal reasons, with what each says to a person.

The numbers are frozen, since they go into ``past``; the checks run in their order, but for the duplicate, which is
found behind number 8 (``ledger/admission.py``).
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from ledger.errors import FormatError
from ledger.submission import Receipt


class Disposition(IntEnum):
    """What became of a submission. The numbers are frozen."""

    ADMITTED = 0
    DUPLICATE = 1
    TOO_LARGE = 2
    NOT_JSON = 3
    NOT_AN_EVENT = 4
    UNKNOWN_TYPE = 5
    WRONG_LEDGER = 6
    BAD_SUBJECT = 7
    WRONG_PARTITION = 8
    IDENTITY_REUSED = 9
    BAD_HOME = 10
    NO_SIGNATURE = 11
    UNKNOWN_KEY = 12
    FOREIGN_KEY = 13
    KEY_NOT_VALID = 14
    BAD_SIGNATURE = 15
    NOT_ALLOWED = 16
    BAD_DATA = 17
    CONTRADICTS_REGISTER = 18
    SEQUENCE_CONFLICT = 19

    @property
    def reason(self) -> str:
        """The word for it: ``too-large``."""
        return self.name.lower().replace("_", "-")


MEANING: dict[Disposition, str] = {
    Disposition.TOO_LARGE: "The event is over 48 KiB. Hold long texts elsewhere and give their SHA-256.",
    Disposition.NOT_JSON: "The bytes are not strict I-JSON. Let the SDK write the event.",
    Disposition.NOT_AN_EVENT: "The CloudEvents attributes are missing, unknown or malformed.",
    Disposition.UNKNOWN_TYPE: "The type is not in the catalogue that this ledger has adopted.",
    Disposition.WRONG_LEDGER: "The event was signed for another ledger. Sign it again for this one.",
    Disposition.BAD_SUBJECT: "The subject is malformed, is not the record's key, or takes no events of this type.",
    Disposition.WRONG_PARTITION: "The subject lives in another partition. Use the murmur2 partitioner.",
    Disposition.IDENTITY_REUSED: "Subject, source and id were used for other bytes. Give the event a new id.",
    Disposition.BAD_HOME: "Register events come from partition 0 only, in its order, with its attestation.",
    Disposition.NO_SIGNATURE: "One to four well-formed signatures are needed, each by another key.",
    Disposition.UNKNOWN_KEY: "The key is not enrolled. Have it granted in the register first.",
    Disposition.FOREIGN_KEY: "The key belongs to another office than the event's source.",
    Disposition.KEY_NOT_VALID: "The key was not valid, or revoked, when the event arrived.",
    Disposition.BAD_SIGNATURE: "A signature does not verify over these bytes.",
    Disposition.NOT_ALLOWED: "The signer may not sign events of this type.",
    Disposition.BAD_DATA: "The data is not of its type's schema.",
    Disposition.CONTRADICTS_REGISTER: "The event contradicts what the register says.",
    Disposition.SEQUENCE_CONFLICT: "Another record came first. Look at the subject again and decide anew.",
}
"""What each refusal says to a person, and what to do about it."""


class Refused(msgspec.Struct, frozen=True):
    """Not admitted; ``expected`` and ``found`` never repeat what ``data`` says."""

    disposition: Disposition
    expected: str
    found: str
    receipt: Receipt | None = None


class Refusal(Exception):
    """Ends the checks with a refusal; never leaves ``admit``."""

    def __init__(self, disposition: Disposition, expected: str, found: str, receipt: Receipt | None = None) -> None:
        super().__init__(disposition.reason)
        self.refused = Refused(disposition, expected, found, receipt)

    @classmethod
    def of(cls, disposition: Disposition, error: FormatError) -> Refusal:
        """A refusal that says what a parser said."""
        expected, _, found = str(error).removeprefix("expected ").partition(", found ")
        return cls(disposition, expected, found)
