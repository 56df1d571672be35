"""JSON Schema as the standard has it, for tests: patterns of ECMA-262, dates that must be in the calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend

from ledger.event import is_day

FORMATS = FormatChecker(formats=[])


@FORMATS.checks("date")
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or is_day(value)


@FORMATS.checks("date-time")
def _is_date_time(value: object) -> bool:
    return not isinstance(value, str) or is_day(value[:10])


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    assert pattern.startswith("^")
    assert pattern.endswith("$")
    return re.compile(pattern[:-1] + r"\Z")


def _pattern(_: Any, pattern: str, value: Any, __: Any) -> Iterator[ValidationError]:
    # In ECMA-262 ``$`` is the end; in Python it also stands before a line break at the end.
    if isinstance(value, str) and not _compiled(pattern).search(value):
        yield ValidationError(f"{value[:40]!r} does not match {pattern!r}")


Validator = extend(Draft202012Validator, {"pattern": _pattern})


def validator(schema: dict[str, Any]) -> Any:
    """What says whether a value is of a schema."""
    return Validator(schema, format_checker=FORMATS)
