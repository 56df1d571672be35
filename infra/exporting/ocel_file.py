"""An OCEL 2.0 log in a file: the SQLite form, and the JSON form that is written from it row by row.

The SQLite form has ``event``, ``object``, ``event_object``, ``object_object``, two tables that map the names of types
to those of tables, and a table for each type: ``event_<Type>(ocel_id, ocel_time, …)`` and
``object_<Type>(ocel_id, ocel_time, ocel_changed_field, …)``.

Source: OCEL 2.0 specification (Berti et al., 2024), relational and JSON implementations.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from infra.exporting.writing import Writable
from ledger.chain import Record
from ledger.errors import ConfigError
from projections.exports.ocel import OcelEvent, ocel_event
from projections.exports.ocel_shape import event_types, object_types
from projections.exports.told import FindKey, tell

_SCHEMA = """
CREATE TABLE event_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
CREATE TABLE object_map_type (ocel_type TEXT PRIMARY KEY, ocel_type_map TEXT NOT NULL);
CREATE TABLE event (ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL REFERENCES event_map_type (ocel_type));
CREATE TABLE object (ocel_id TEXT PRIMARY KEY, ocel_type TEXT NOT NULL REFERENCES object_map_type (ocel_type));
CREATE TABLE event_object (
    ocel_event_id TEXT NOT NULL REFERENCES event (ocel_id), ocel_object_id TEXT NOT NULL REFERENCES object (ocel_id),
    ocel_qualifier TEXT NOT NULL, PRIMARY KEY (ocel_event_id, ocel_object_id, ocel_qualifier)
);
CREATE TABLE object_object (
    ocel_source_id TEXT NOT NULL REFERENCES object (ocel_id), ocel_target_id TEXT NOT NULL REFERENCES object (ocel_id),
    ocel_qualifier TEXT NOT NULL, PRIMARY KEY (ocel_source_id, ocel_target_id, ocel_qualifier)
);
"""
_SQL = {"string": "TEXT", "time": "TIMESTAMP", "integer": "INTEGER", "boolean": "BOOLEAN", "float": "REAL"}
_FIRST = "1970-01-01T00:00:00.000Z"


def write_ocel(
    records: Iterable[Record],
    target: Writable | Path,
    scratch: Path,
    find: FindKey | None,
    progress: Callable[[int], None],
) -> tuple[int, int]:
    """Write the records as a log; how many events and objects there are.

    Args:
        records: in the order of the events.
        target: a file that is written as JSON, or the path of a new SQLite file.
        scratch: a folder for what the JSON is made from.
        find: content keys of what shall be opened.
        progress: told how many events were taken.

    Raises:
        ConfigError: no room.
    """
    path = target if isinstance(target, Path) else scratch / "ocel.sqlite"
    try:
        db = sqlite3.connect(path, isolation_level=None)
        try:
            log = _OcelFile(db, reveal=find is not None)
            for number, record in enumerate(records, 1):
                log.add(ocel_event(tell(record, find)))
                progress(number)
            db.execute("COMMIT")
            if not isinstance(target, Path):
                log.write_json(target)
            return log.count("event"), log.count("object")
        finally:
            db.close()
    except sqlite3.Error as error:
        raise ConfigError(f"expected to write the log to {path}, found {error}") from None


class _OcelFile:
    """The SQLite form; one transaction from the start to the caller's COMMIT."""

    def __init__(self, db: sqlite3.Connection, *, reveal: bool) -> None:
        self._db = db
        self._events, self._objects = event_types(reveal=reveal), object_types()
        db.execute("PRAGMA journal_mode=OFF")  # the file counts once it is whole
        db.executescript(_SCHEMA)
        db.execute("BEGIN")
        self._make("event", self._events, "ocel_id TEXT PRIMARY KEY", "")
        # Several rows of an object: what it said first, and each change.
        self._make("object", self._objects, "ocel_id TEXT NOT NULL", ", ocel_changed_field TEXT")

    def _make(self, what: str, types: dict[str, dict[str, str]], id_: str, more: str) -> None:
        for name, attributes in types.items():
            table = _table(name)
            self._db.execute(f"INSERT INTO {what}_map_type VALUES (?, ?)", (name, table))  # noqa: S608 - names of ours
            columns = "".join(f', "{a}" {_SQL[kind]}' for a, kind in attributes.items())
            self._db.execute(
                f'CREATE TABLE "{what}_{table}" ({id_} REFERENCES {what} (ocel_id), '
                f"ocel_time TIMESTAMP NOT NULL{more}{columns})"
            )

    def add(self, event: OcelEvent) -> None:
        """Put in an event with its objects."""
        db = self._db
        db.execute("INSERT INTO event VALUES (?, ?)", (event.id, event.type))
        names = ["ocel_id", "ocel_time", *event.attributes]
        self._insert(f"event_{_table(event.type)}", names, [event.id, event.time, *event.attributes.values()])
        for one in event.objects:
            fresh = db.execute("INSERT OR IGNORE INTO object VALUES (?, ?)", (one.id, one.type)).rowcount
            if fresh:  # the specification wants a first row of every object, whatever it says
                self._insert(f"object_{_table(one.type)}", ["ocel_id", "ocel_time"], [one.id, _FIRST])
        db.executemany(
            "INSERT INTO event_object VALUES (?, ?, ?)", [(event.id, one.id, one.qualifier) for one in event.objects]
        )
        db.executemany("INSERT OR IGNORE INTO object_object VALUES (?, ?, ?)", event.links)
        types = {one.id: one.type for one in event.objects}
        for about, name, value in event.values:
            names = ["ocel_id", "ocel_time", "ocel_changed_field", name]
            self._insert(f"object_{_table(types[about])}", names, [about, event.time, name, value])

    def _insert(self, table: str, names: list[str], values: list[Any]) -> None:
        columns, places = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(values))
        self._db.execute(f'INSERT INTO "{table}" ({columns}) VALUES ({places})', values)  # noqa: S608 - names of ours

    def count(self, what: str) -> int:
        """How many events or objects there are."""
        return int(self._db.execute(f"SELECT count(*) FROM {what}").fetchone()[0])  # noqa: S608 - as above

    # The JSON form

    def write_json(self, file: Writable) -> None:
        """Write it all as JSON, one event or object a line."""
        encode = msgspec.json.encode
        for name, types in (("objectTypes", self._objects), ("eventTypes", self._events)):
            said = [
                {"name": type_, "attributes": [{"name": a, "type": kind} for a, kind in attributes.items()]}
                for type_, attributes in types.items()
            ]
            file.write(b'%b"%b":%b' % (b"{" if name == "objectTypes" else b",\n", name.encode(), encode(said)))
        for name, rows in (("objects", self._each_object()), ("events", self._each_event())):
            file.write(b',\n"%b":[' % name.encode())
            for number, row in enumerate(rows):
                file.write((b",\n" if number else b"\n") + encode(row))
            file.write(b"]")
        file.write(b"}\n")

    def _each_object(self) -> Iterator[dict[str, Any]]:
        for table in self._objects:
            self._db.execute(f'CREATE INDEX "of_{_table(table)}" ON "object_{_table(table)}" (ocel_id)')
        for id_, type_ in self._db.execute("SELECT ocel_id, ocel_type FROM object ORDER BY rowid"):
            rows = self._rows(f"object_{_table(type_)}", id_)
            links = self._db.execute(
                "SELECT ocel_target_id, ocel_qualifier FROM object_object WHERE ocel_source_id = ?", (id_,)
            )
            yield {
                "id": id_, "type": type_,
                "attributes": [
                    {"name": name, "time": row["ocel_time"], "value": row[name]}
                    for row in rows if (name := row["ocel_changed_field"]) is not None
                ],
                "relationships": [{"objectId": target, "qualifier": q} for target, q in links],
            }  # fmt: skip

    def _each_event(self) -> Iterator[dict[str, Any]]:
        for id_, type_ in self._db.execute("SELECT ocel_id, ocel_type FROM event ORDER BY rowid"):
            (row,) = self._rows(f"event_{_table(type_)}", id_)
            objects = self._db.execute(
                "SELECT ocel_object_id, ocel_qualifier FROM event_object WHERE ocel_event_id = ? ORDER BY rowid", (id_,)
            )
            booleans = {name for name, kind in self._events[type_].items() if kind == "boolean"}
            yield {
                "id": id_, "type": type_, "time": row["ocel_time"],
                "attributes": [
                    {"name": name, "value": bool(value) if name in booleans else value}
                    for name, value in row.items() if value is not None and not name.startswith("ocel_")
                ],
                "relationships": [{"objectId": object_, "qualifier": q} for object_, q in objects],
            }  # fmt: skip

    def _rows(self, table: str, id_: str) -> list[dict[str, Any]]:
        found = self._db.execute(f'SELECT * FROM "{table}" WHERE ocel_id = ? ORDER BY rowid', (id_,))  # noqa: S608
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found]


def _table(name: str) -> str:
    """The name of a type in the name of its table: ``request.signed`` gives ``RequestSigned``."""
    return "".join(part.capitalize() for part in name.split("."))
