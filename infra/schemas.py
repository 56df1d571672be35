"""The files in ``schemas/``: what other systems need to check and make events without this code.

=========================================  ==========================================================
file                                       what it is
=========================================  ==========================================================
``events/request.sent.v1.json``            a whole event of a type, as on the wire
``plaintext/request.sent.v1.json``         its data as ``rogatory publish`` takes them, nothing sealed
``asyncapi.json``                          topics, headers, keys and messages
=========================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec

from infra.asyncapi import asyncapi
from ledger.catalogue import types_by_name
from ledger.catalogue.base import EventType
from ledger.catalogue.schema import Schema, data_schema, event_schema, plaintext_schema
from ledger.errors import ConfigError

Part = Literal["event", "data", "plaintext"]
_MAKE = {"event": event_schema, "data": data_schema, "plaintext": plaintext_schema}
_FOLDERS: dict[str, Part] = {"events": "event", "plaintext": "plaintext"}


def schema_of(row: EventType, part: Part) -> Schema:
    """The schema of a type: the whole event, its data, or its data before anything is sealed."""
    return _MAKE[part](row)


def documents(version: str) -> Iterator[tuple[str, bytes]]:
    """All files, each with its path in the folder; ``version`` is the release's."""
    yield "asyncapi.json", text(asyncapi(version))
    for folder, part in _FOLDERS.items():
        for row in sorted(types_by_name().values(), key=lambda row: row.type):
            yield f"{folder}/{row.name}.v{row.version}.json", text(schema_of(row, part))


def text(document: Schema) -> bytes:
    """A document as it stands in a file."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def write_all(folder: Path, version: str) -> int:
    """Write all files into a folder, and remove those of types that are no more; how many there are.

    Raises:
        ConfigError: the folder can't be written to.
    """
    wanted = dict(documents(version))
    try:
        for path, said in wanted.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(said)
        for path in found_in(folder) - wanted.keys():
            (folder / path).unlink()
    except OSError as error:
        raise ConfigError(f"expected a folder to write to at {folder}, found {error.strerror}") from None
    return len(wanted)


def outdated(folder: Path, version: str) -> list[str]:
    """Files of a folder that are absent, not what they should be, or of types that are no more."""
    wanted = dict(documents(version))
    wrong = [path for path, said in wanted.items() if not _is_there(folder / path, said)]
    return sorted([*wrong, *(found_in(folder) - wanted.keys())])


def found_in(folder: Path) -> set[str]:
    """The schemas that a folder has; nothing else in it is ours."""
    return {f"{kind}/{path.name}" for kind in _FOLDERS for path in (folder / kind).glob("*.v*.json")}


def _is_there(place: Path, said: bytes) -> bool:
    return place.is_file() and place.read_bytes() == said
