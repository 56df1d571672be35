"""The rows whose column is among some values, which are one parameter.

A list of parameters is a new statement for each length, and databases take only so many.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

_encode = msgspec.json.Encoder().encode


def among(column: sa.Column[Any], dialect: str) -> sa.ColumnElement[bool]:
    """Whether a text column is among the parameter ``among`` (``listed``)."""
    if dialect == "postgresql":
        return column == sa.any_(sa.bindparam("among", type_=postgresql.ARRAY(sa.String)))
    each = sa.func.json_each(sa.bindparam("among", type_=sa.Text)).table_valued("value")
    return column.in_(sa.select(each.c.value))


def listed(values: Sequence[str], dialect: str) -> Any:
    """Values as the parameter ``among``."""
    return list(values) if dialect == "postgresql" else _encode(list(values)).decode()
