"""Every error that Rogatory raises on purpose, in one tree.

::

    RogatoryError
    ├── FormatError              bytes that are not in the format they claim (bad data)
    │   └── PoisonRecord         a record that a projection's fold cannot digest (stop the partition, call a person)
    ├── MisuseError              a caller broke a rule of the interface (a bug, or a wrong field)
    │   ├── FieldError           a field of an event that is being built is wrong
    │   └── ConfigError          a setting is missing or wrong
    ├── KeyFault                 a private key cannot be used (absent, unreadable, readable by others)
    ├── LogError                 the log below us
    │   ├── LogUnavailable       not reachable now; trying again may help (``retriable``)
    │   ├── LogFull              no room for the append; nothing of it was written
    │   ├── LogClosed            used after ``close``
    │   ├── AppendTooLarge       a batch larger than the log takes in one piece
    │   └── LogSettings          the log exists but is set up so that it must not be used
    ├── StoreUnavailable         the projection store does not answer now (``retriable``)
    ├── OutboxUnavailable        the database with the outbox does not answer now (``retriable``)
    ├── StateUnavailable         a registrar's state file cannot be read or written now (``retriable``)
    ├── IntegrityError           the log contradicts itself or what we derived (stop, call a person)
    │   ├── ChainError           a record does not follow from those before it
    │   ├── LogTruncated         messages that the log must keep are gone from its beginning
    │   └── ForkError            two different records at one index
    ├── JudgementFault           a subject that cannot be judged or counted (the others are; a newer release mends it)
    ├── UnknownVersion           an admission or catalogue version that this release does not know
    └── Overtaken                another worker committed first; drop the batch and read again

``FormatError`` is the only error that a parser lets out, whatever the input.  Messages give what was
expected and what was found, and say what to do where that is not plain.
"""

from __future__ import annotations


class RogatoryError(Exception):
    """Base of all of them; catch it at the edge of a program."""

    retriable = False


class FormatError(RogatoryError):
    """Bytes that are not in the format they claim to be."""


class PoisonRecord(FormatError):
    """A record that a fold cannot digest: a fault of the fold, which a newer release mends or a person lets pass.

    Says where the record stands and never what is in it. ``leaf`` is 32 bytes.
    """

    def __init__(
        self, message: str, *, partition: int, position: int, index: int, leaf: bytes, subject: str, type_: str
    ) -> None:
        super().__init__(message)
        self.partition = partition
        self.position = position
        self.index = index
        self.leaf = leaf
        self.subject = subject
        self.type = type_


class MisuseError(RogatoryError):
    """The caller broke a rule of the interface."""


class FieldError(MisuseError):
    """A field of an event under construction is missing, unknown or of the wrong form."""


class ConfigError(MisuseError):
    """A setting is missing or wrong; the message names the setting and where it came from."""


class KeyFault(RogatoryError):
    """A private key cannot be used; the message never contains key material."""


class LogError(RogatoryError):
    """Something about the log that carries the records."""


class LogUnavailable(LogError):
    """The log does not answer now. Nothing is known of an append that ended so: read before going on."""

    retriable = True


class LogFull(LogError):
    """No room is left; nothing of the append was written."""


class LogClosed(LogError):
    """The log was used after it was closed."""


class AppendTooLarge(LogError):
    """The batch is larger than the log takes in one piece; nothing of it was written."""


class LogSettings(LogError):
    """The log is set up in a way that would break a promise (for example the wrong timestamp type)."""


class StoreUnavailable(RogatoryError):
    """The projection store does not answer now. A commit that ended so is there or is not: read before going on."""

    retriable = True


class OutboxUnavailable(RogatoryError):
    """The database with the outbox does not answer now. A commit that ended so is there or is not: read again."""

    retriable = True


class StateUnavailable(RogatoryError):
    """A registrar's state file cannot be read or written now (disk full or failing); what it held before stands."""

    retriable = True


class IntegrityError(RogatoryError):
    """The log contradicts itself, or what we derived from it. A person must look."""


class ChainError(IntegrityError):
    """A record does not follow from the ones before it."""


class LogTruncated(IntegrityError):
    """Messages that a log keeps for ever are gone; restore them, or open a new epoch where they were submissions."""


class ForkError(IntegrityError):
    """Two different records claim one index of one partition."""

    ours: bytes | None = None
    """The leaf (32 bytes) that admission gives there, where a registrar has met the fork."""


class JudgementFault(RogatoryError):
    """A subject that a rule or a figure fails on: a fault of this release, since every admitted record can be judged.

    Says where it happened and never what is in the records. Of ``register`` it means that nothing can be judged.
    """

    def __init__(self, message: str, *, subject: str, seq: int, kind: str, doing: str) -> None:
        super().__init__(message)
        self.subject = subject
        self.seq = seq
        """Of the last record that was looked at."""
        self.kind = kind
        """Of the error."""
        self.doing = doing
        """What failed: ``rule A7.1``, ``figures``."""


class UnknownVersion(RogatoryError):
    """The ledger adopted a version that this release does not know; upgrade before going on."""


class Overtaken(RogatoryError):
    """Another worker committed this position first; the batch must be dropped."""

    retriable = True
