"""Records as an XES log (IEEE 1849-2016): a case for each subject, an event for each record, in the ledger's order.

One event as it is written (indented here)::

    <event>
      <string key="concept:name" value="request.accepted"/>
      <date key="time:timestamp" value="2025-03-03T10:00:00+06:00"/>
      <string key="lifecycle:transition" value="complete"/>
      <string key="org:group" value="RU-OMS"/>
      <string key="rogatory:id" value="0193a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b"/>
      <int key="rogatory:index" value="41"/> …
      <string key="rogatory:data/executing" value="RU-OMS"/>
    </event>

- The time is the one that the sender claims, letter by letter; ``rogatory:admitted`` is the ledger's.
- A step that was imported (its id is a UUIDv8, as ``producers/importers`` makes it) has its name and transition back,
  and, where what is sealed is opened, all that the log said of event and case.
- What XML cannot say (control characters) is U+FFFD.  Decimals and dates of other attributes are texts.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import quoteattr

from ledger.event import moment_of
from projections.exports.told import Hidden, Told, leaves

_SPACE = "http://www.xes-standard.org"
_EXTENSIONS = (
    ("Concept", "concept", f"{_SPACE}/concept.xesext"),
    ("Time", "time", f"{_SPACE}/time.xesext"),
    ("Lifecycle", "lifecycle", f"{_SPACE}/lifecycle.xesext"),
    ("Organizational", "org", f"{_SPACE}/org.xesext"),
    ("Rogatory", "rogatory", "urn:rogatory:xes"),
)
_NAME, _TIME, _TRANSITION, _RESOURCE, _GROUP = (
    "concept:name", "time:timestamp", "lifecycle:transition", "org:resource", "org:group",
)  # fmt: skip
_STEP = "step.taken"
_OPENING = ("kind", "direction", "partner", "area")
# XML 1.0 2.2: what may stand in a document at all.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def head(ledger_id: str, sizes: Mapping[int, tuple[int, str]]) -> Iterator[str]:
    """The beginning of a log: declarations, and what it is from: the ledger, size and root of each partition."""
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<log xes.version="1849.2016" xes.features="nested-attributes" xmlns="{_SPACE}/">\n'
    for name, prefix, uri in _EXTENSIONS:
        yield f'<extension name="{name}" prefix="{prefix}" uri="{uri}"/>\n'
    yield f'<global scope="trace">{attribute(_NAME, "unnamed")}</global>\n'
    moment = f'<date key="{_TIME}" value="1970-01-01T00:00:00Z"/>'
    yield f'<global scope="event">{attribute(_NAME, "unnamed")}{moment}{attribute(_TRANSITION, "complete")}</global>\n'
    yield f'<classifier name="Activity" scope="event" keys="{_NAME}"/>\n'
    yield attribute(_NAME, ledger_id) + "\n"
    for partition, (size, root) in sizes.items():
        said = {"partition": partition, "size": size, "root": root}
        yield attribute(f"rogatory:partition-{partition}", said) + "\n"


TAIL = "</log>\n"


def trace(subject: str, records: Iterable[Told], case: Mapping[str, Any] | None = None) -> Iterator[str]:
    """A case; ``case`` is what an imported log said of it (``case_of``)."""
    said = case or {}
    yield f"<trace>{attribute(_NAME, said.get(_NAME) or case_name(subject))}{attribute('rogatory:subject', subject)}"
    for key, value in said.items():
        if key != _NAME:
            yield attribute(key, value)
    is_first, untold = True, bool(case)
    for told in records:
        if is_first:
            for name in _OPENING:
                if isinstance(told.data.get(name), str):
                    yield attribute(f"rogatory:{name}", told.data[name])
            is_first = False
        tells = untold and is_imported(told)
        yield "\n" + _event(told, tells_case=tells)
        untold = untold and not tells
    yield "\n</trace>\n"


def case_name(subject: str) -> str:
    """The name of a case: what the importer made the subject of, else the subject without its sort."""
    rest = subject.partition("/")[2] or subject
    name = unquote(rest, errors="replace")
    return name if quote(name, safe=":") == rest else rest


def case_of(told: Told) -> dict[str, Any]:
    """What an imported log said of the case, if this is the case's first step and it was opened."""
    attributes = told.data.get("attributes")
    member = _case_member(attributes) if is_imported(told) and isinstance(attributes, dict) else None
    return attributes[member] if member and isinstance(attributes, dict) else {}


def is_imported(told: Told) -> bool:
    """Whether a record is a step that an importer made."""
    try:
        return told.name == _STEP and uuid.UUID(told.record.event.id).version == 8
    except ValueError:
        return False


def _case_member(attributes: dict[str, Any]) -> str | None:
    """The importer takes ``case`` with as many ``_`` as make it new, so the longest one is its."""
    named = [name for name in attributes if re.fullmatch("case_*", name)]
    longest = max(named, key=len, default=None)
    return longest if longest is not None and isinstance(attributes[longest], dict) else None


def _event(told: Told, *, tells_case: bool) -> str:
    record, event = told.record, told.record.event
    said = _step(told, tells_case=tells_case) if told.name == _STEP else {_NAME: told.name, _TRANSITION: "complete"}
    parts = [attribute(_NAME, said.pop(_NAME)), _date(_TIME, event.time), attribute(_TRANSITION, said.pop(_TRANSITION))]
    resource = said.pop(_RESOURCE, told.data.get("resource") or event.actor)
    parts += [] if resource is None else [attribute(_RESOURCE, resource)]
    parts.append(attribute(_GROUP, said.pop(_GROUP, event.office)))
    own = {
        "type": event.type, "id": event.id, "office": event.office, "partition": record.partition,
        "index": record.index, "seq": record.seal.seq, "leaf": record.leaf.hex(),
    }  # fmt: skip
    parts += [attribute(f"rogatory:{key}", value) for key, value in own.items()]
    parts.append(_date("rogatory:admitted", _instant(record.seal.admitted)))
    told_apart = {key: value for key, value in told.data.items() if key != "attributes" or isinstance(value, Hidden)}
    parts += [attribute(f"rogatory:data/{path}", value) for path, value in leaves(told_apart)]
    parts += [attribute(key, value) for key, value in said.items()]
    return f"<event>{''.join(parts)}</event>"


def _step(told: Told, *, tells_case: bool) -> dict[str, Any]:
    """Name, transition and all attributes of a step; of an imported one as its log had them."""
    step = told.data["step"]
    attributes = told.data.get("attributes")
    said = dict(attributes) if isinstance(attributes, dict) else {}
    if not is_imported(told):
        return {_NAME: step, _TRANSITION: "complete"} | {f"rogatory:attribute/{k}": v for k, v in said.items()}
    if tells_case and (member := _case_member(said)) is not None:
        said.pop(member)
    if (written := said.pop(_TIME, None)) is not None:
        said["rogatory:written"] = written  # the time needed another form for the ledger
    # The importer leaves a step as it is only if the name before its colon has none itself.
    name, _, transition = (step, "", "") if _NAME in said else step.partition(":")
    return {_NAME: name, **said, _TRANSITION: said.get(_TRANSITION) or transition or "complete"}


# Attributes


def attribute(key: str, value: Any) -> str:
    """A JSON value as XES: what ``producers/importers/xes_values.py`` reads it from.

    A list of one-member objects is a list, any other one the same key several times; an object of ``value`` and
    ``attributes`` is an attribute with attributes of its own.
    """
    if isinstance(value, list):
        if all(isinstance(item, dict) and len(item) == 1 for item in value):
            return _list(key, value, "")
        return "".join(attribute(key, item) for item in value)
    if isinstance(value, dict):
        if value.keys() == {"value", "attributes"} and isinstance(value["attributes"], dict):
            return _nested(key, value["value"], "".join(attribute(k, v) for k, v in value["attributes"].items()))
        inner = "".join(attribute(name, member) for name, member in value.items())
        return f"<container key={_quoted(key)}>{inner}</container>"
    return _nested(key, value, "")


def _nested(key: str, value: Any, inner: str) -> str:
    if isinstance(value, list):
        return _list(key, value, inner)
    kind = "boolean" if isinstance(value, bool) else "int" if isinstance(value, int) else "string"
    text = {"boolean": str(value).lower(), "int": str(value)}.get(kind, "" if value is None else str(value))
    start = f"<{kind} key={_quoted(key)} value={_quoted(text)}"
    return f"{start}>{inner}</{kind}>" if inner else f"{start}/>"


def _list(key: str, items: list[dict[str, Any]], inner: str) -> str:
    values = "".join(attribute(name, value) for item in items for name, value in item.items())
    return f"<list key={_quoted(key)}>{inner}<values>{values}</values></list>"


def _date(key: str, time: str) -> str:
    return f"<date key={_quoted(key)} value={_quoted(time)}/>"


def _quoted(text: str) -> str:
    return quoteattr(_FORBIDDEN.sub("\ufffd", text), {"\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})


def _instant(ms: int) -> str:
    return moment_of(ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")
