"""What is wrong with a ``data`` member, in words that never repeat it: it may be text not meant for all.

A message looks so::

    request.sent at $.channel: expected one of direct, directorate, interpol, diplomatic, found another value

msgspec's own messages name unknown members and words as they were found.  Hence only its statements about the
type are kept, and of its path only what the type itself declares.
"""

from __future__ import annotations

import re
from typing import Any, Literal, get_args, get_origin, get_type_hints

from ledger.catalogue.base import Data, EventType, Sealed

_STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(?:[0-9]+|\.\.\.)\]")
_EXPECTED = re.compile(r"Expected (?P<expected>.+?)(?:, got (?P<found>`[a-z0-9 |]+`))?", re.DOTALL)
_MISSING = re.compile(r"Object missing required field (`[A-Za-z0-9_]+`)")
_BYTE = re.compile(r"JSON is malformed: .*\(byte ([0-9]+)\)", re.DOTALL)


def explain(row: EventType, error: Exception) -> str:
    """The message of a ``FormatError`` for what msgspec says about data of ``row``."""
    what, _, where = str(error).rpartition(" - at `")
    if not what:
        what, where = where, "$`"
    path, hint = _resolve(row.data, where.removesuffix("`"))
    return f"{row.name} at {path}: {_restate(what, hint)}"


def _restate(what: str, hint: Any) -> str:
    expected, found = "JSON of this type", "something else"
    if what.startswith("expected "):  # one of our own, from a __post_init__
        return what
    if what.startswith("Object contains unknown field"):
        expected, found = "only members of its type", "another"
    elif what.startswith("Invalid enum value"):
        expected, found = f"one of {', '.join(_words(hint))}", "another value"
    elif match := _MISSING.fullmatch(what):
        expected, found = f"the member {match[1]}", "none"
    elif match := _EXPECTED.fullmatch(what):
        expected, found = match["expected"], match["found"] or "one that is not"
    elif match := _BYTE.fullmatch(what):
        expected, found = "JSON", f"an error at byte {match[1]}"
    return f"expected {expected}, found {found}"


def _resolve(hint: Any, path: str) -> tuple[str, Any]:
    """The part of ``path`` that the type declares, and the type of what stands there."""
    end = 1  # after "$"
    while step := _STEP.match(path, end):
        inner = _inside(hint, step[1])
        if inner is None:
            break
        hint, end = inner, step.end()
    return f"${path[1:end]}", hint


def _inside(hint: Any, name: str | None) -> Any:
    for arm in _arms(hint):
        if name is None and get_origin(arm) is list:
            return get_args(arm)[0]
        if name is not None and isinstance(arm, type) and issubclass(arm, (Data, Sealed)):
            fields = dict(zip(arm.__struct_encode_fields__, arm.__struct_fields__, strict=True))
            if name in fields:
                return get_type_hints(arm, include_extras=True)[fields[name]]
    return None


def _arms(hint: Any) -> list[Any]:
    """A type without its marks: the alternatives of a union, each without ``Annotated``."""
    if hasattr(hint, "__metadata__"):
        return _arms(hint.__origin__)
    if get_origin(hint) in (None, list, dict, Literal):
        return [hint]
    return [arm for part in get_args(hint) for arm in _arms(part)]


def _words(hint: Any) -> list[str]:
    return [str(word) for arm in _arms(hint) if get_origin(arm) is Literal for word in get_args(arm)]
