"""Reading IEEE XES event logs: one case at a time, gzip or plain, in memory that does not grow with the log.

A log as it is read (IEEE 1849-2016; other attributes are kept with their types)::

    <log xes.version="1.0" xmlns="http://www.xes-standard.org/">
      <trace>
        <string key="concept:name" value="case-10011"/>
        <event>
          <string key="concept:name" value="Confirmation of receipt"/>
          <string key="lifecycle:transition" value="complete"/>
          <string key="org:resource" value="Resource21"/>
          <date key="time:timestamp" value="2011-10-11T13:45:40.276+02:00"/>
        </event>
      </trace>
    </log>

``read_cases`` gives ``Case(name="case-10011", events=(Happening(name="Confirmation of receipt", …),))`` for it.

- A case without a name is called ``unnamed-<ordinal in the log>``; two traces of one name are two cases of that name.
- A time without offset is taken as UTC.  Whenever the text of a time had to change (offset added, more than nine
  decimals cut off), what the log said stays among the attributes.
- Attributes become JSON as ``xes_values.py`` says.
- Document types and entities are refused: XES needs neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from xml.etree.ElementTree import Element

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse

from ledger.errors import FormatError
from producers.importers.logfile import Source, Survey, log_digest, open_log, survey
from producers.importers.xes_values import SCALARS, Attributes, local_name, read_attributes, read_time

__all__ = ["STANDARD_KEYS", "Case", "Happening", "Keys", "Survey", "log_digest", "read_cases", "survey"]

_Key = Annotated[str, msgspec.Meta(min_length=1)]

_IN_LOG = SCALARS | {"list", "container", "extension", "global", "classifier", "trace"}
_MAX_DEPTH = 16  # elements inside each other: their JSON stays within the 32 levels of ledger/ijson.py


class Keys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which XES keys say what; by default those of the standard's own extensions."""

    case: _Key = "concept:name"
    name: _Key = "concept:name"
    time: _Key = "time:timestamp"
    transition: _Key = "lifecycle:transition"
    resource: _Key = "org:resource"


class Happening(msgspec.Struct, frozen=True):
    """One event of a log; "" where it does not say."""

    name: str
    time: str
    """RFC 3339 with offset."""
    transition: str
    resource: str
    attributes: Attributes
    """All that is said besides."""


class Case(msgspec.Struct, frozen=True):
    """One trace of a log."""

    name: str
    attributes: Attributes
    events: tuple[Happening, ...]


STANDARD_KEYS = Keys()


def read_cases(path: Path, keys: Keys = STANDARD_KEYS) -> Iterator[Case]:
    """The cases of a log, in its order.

    Raises:
        FormatError: not XES, broken XML or gzip, or an event without a time; says where. The cases before
            it were given already.
        OSError: the file can't be read.
    """
    with open_log(path) as source:
        yield from _cases(source, keys)


def _elements(source: Source) -> Iterator[tuple[str, Element]]:
    # ValueError and LookupError: an encoding that expat or Python does not take.
    try:
        yield from iterparse(source, ("start", "end"), forbid_dtd=True)
    except ParseError as error:
        raise FormatError(f"expected XML, found an error: {error}") from None
    except DefusedXmlException as error:
        raise FormatError(f"expected XML without document type, found {type(error).__name__}") from None
    except (ValueError, LookupError) as error:
        raise FormatError(f"expected XML in an encoding that can be read, found {str(error)[:80]}") from None


def _cases(source: Source, keys: Keys) -> Iterator[Case]:
    inside: list[Element] = []
    events: list[Attributes] = []
    number = 0
    for step, element in _elements(source):
        if step == "start":
            inside.append(element)
            _check_place(element, len(inside))
            continue
        source.heard()
        inside.pop()
        if len(inside) == 2 and local_name(element) == "event" and local_name(inside[1]) == "trace":
            events.append(read_attributes(element))
            inside[1].remove(element)  # not [-1]: the parser is ahead of us by a block
        elif len(inside) == 1:
            if local_name(element) == "trace":
                number += 1
                yield _case(read_attributes(element), events, number, keys)
                events.clear()
            inside[0].clear()


def _check_place(element: Element, depth: int) -> None:
    if depth == 1 and local_name(element) != "log":
        raise FormatError(f"expected an XES log, found XML with the root element {local_name(element)[:40]}")
    if depth == 2 and local_name(element) not in _IN_LOG:
        raise FormatError(f"expected traces in the log, found the element {local_name(element)[:40]}")
    if depth > _MAX_DEPTH:
        raise FormatError(f"expected at most {_MAX_DEPTH} elements inside each other, found more")


def _case(attributes: Attributes, events: list[Attributes], number: int, keys: Keys) -> Case:
    name = _lift(attributes, keys.case, f"case {number}").strip() or f"unnamed-{number}"
    where = f"case {number} ({name[:60]!r})"
    happenings = tuple(_happening(event, f"event {i} of {where}", keys) for i, event in enumerate(events, 1))
    return Case(name, attributes, happenings)


def _happening(attributes: Attributes, where: str, keys: Keys) -> Happening:
    name = _lift(attributes, keys.name, where)
    written = _lift(attributes, keys.time, where)
    if not written:
        raise FormatError(f"{where}: expected a time ({keys.time}), found none")
    try:
        time = read_time(written)
    except FormatError as error:
        raise FormatError(f"{where}: {error}") from None
    if time != written:
        attributes.setdefault(keys.time, written)
    transition, resource = _lift(attributes, keys.transition, where), _lift(attributes, keys.resource, where)
    return Happening(name, time, transition, resource, attributes)


def _lift(attributes: Attributes, key: str, where: str) -> str:
    """Take a text out of the attributes; one with attributes of its own also stays there."""
    value = attributes.get(key, "")
    if isinstance(value, dict) and "value" in value:
        value = value["value"]
    else:
        attributes.pop(key, None)
    if isinstance(value, (bool, list, dict)):
        raise FormatError(f"{where}: expected one text for {key}, found {type(value).__name__}")
    return str(value)
