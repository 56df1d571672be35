"""Files that carry what the threshold decides: envelopes on their way, and settlements that the log cannot hold.

Statements that were accepted on this machine lie in ``statements`` in the data folder; every registrar and reader that
is started here takes them along, since partition 0 cannot carry the one that settles its own fork.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from infra.config import Config
from ledger.envelope import Envelope, format_envelopes, parse_envelopes
from ledger.errors import ConfigError, FormatError
from ledger.ids import LedgerId
from ledger.settlement import Statement, read_statement


def read_envelopes(path: Path) -> list[Envelope]:
    """The envelopes in a file.

    Raises:
        ConfigError: it cannot be read, or is no such file.
    """
    try:
        return parse_envelopes(path.read_bytes())
    except OSError as error:
        raise ConfigError(f"expected a file of statements at {path}, found {error.strerror}") from None
    except FormatError as error:
        raise ConfigError(f"{path}: {error}; `rogatory authority draft` makes such a file") from None


def write_envelopes(path: Path, envelopes: Sequence[Envelope], *, fresh: bool = False) -> None:
    """Write a file whole or not at all; ``fresh``: there must be none yet. Raises ConfigError."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if fresh and path.exists():
            raise ConfigError(f"expected no file {path}, found one: name another with --out")
        with new.open("wb") as file:
            file.write(format_envelopes(envelopes))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError as error:
        raise ConfigError(f"expected to write {path}, found {error.strerror}") from None
    finally:
        new.unlink(missing_ok=True)


def statements_folder(config: Config) -> Path:
    """Where the statements lie that were accepted on this machine."""
    return config.data / "statements"


def accepted(config: Config, ledger_id: LedgerId) -> list[Statement]:
    """The settlements that were accepted here; those of other ledgers are passed over.

    Raises:
        ConfigError: a file in the folder is not such a statement.
    """
    found = []
    for path in sorted(statements_folder(config).glob("*.json")):
        for envelope in read_envelopes(path):
            try:
                if envelope.event().ledger == ledger_id:
                    found.append(read_statement(envelope, ledger_id))
            except FormatError as error:
                raise ConfigError(f"{path}: {error}; move it out of that folder") from None
    return found


def accept(config: Config, statements: Sequence[Statement]) -> list[Path]:
    """Keep statements for what runs on this machine; the same one again changes nothing. Raises ConfigError."""
    folder = statements_folder(config)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"expected a folder for statements at {folder}, found {error.strerror}") from None
    paths = []
    for statement in statements:
        data = statement.data
        name = f"fork-{data.partition}-{data.index}-{sha256(statement.envelope.value).hexdigest()[:8]}.json"
        write_envelopes(folder / name, [statement.envelope])
        paths.append(folder / name)
    return paths
