"""Types derived from the catalogue's, for readers that need less, or something else in place of sealed fields.

What admission has held against its type need not be matched again: a derived type can leave out patterns, members and
boxes.  It follows from the catalogue's own, so it cannot say anything else than that.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import NODEFAULT, UnsetType

from ledger.catalogue.base import Data, Sealed

Keeps = Callable[[str], bool]
"""Whether a member is wanted, by its name on the wire."""


def every(_: str) -> bool:
    """All members are."""
    return True


@cache
def derive(cls: type[Data], sealed: type[Any] | None, *, keeps: Keeps = every, exact: bool = False) -> type[Any]:
    """A type like ``cls``.

    Args:
        cls: of an event's data, or of a block in it.
        sealed: what stands in place of a sealed field; None: the member is left out.
        keeps: which members; of blocks inside, too.
        exact: with the patterns and checks of ``cls``, and nothing unknown allowed. Else members that are there are
            taken to be right, and others are passed over.
    """
    hints = get_type_hints(cls, include_extras=True)
    members: list[Any] = []
    names: dict[str, str] = {}
    for field in msgspec.structs.fields(cls):
        assert field.default_factory is NODEFAULT
        hint = _swap(hints[field.name], sealed, keeps, exact) if keeps(field.encode_name) else None
        if hint is not None:
            names[field.name] = field.encode_name
            members.append((field.name, hint) if field.required else (field.name, hint, field.default))
    checks = getattr(cls, "__post_init__", None) if exact else None
    return msgspec.defstruct(
        cls.__name__,
        members,
        namespace=None if checks is None else {"__post_init__": checks},
        rename=names.get,
        kw_only=True,
        frozen=True,
        omit_defaults=True,
        forbid_unknown_fields=exact,
        gc=False,
    )


def _swap(hint: Any, sealed: type[Any] | None, keeps: Keeps, exact: bool) -> Any:
    """The derived type of a member; None for one that is left out."""
    origin = get_origin(hint)
    if origin is Annotated:
        base, *marks = get_args(hint)
        inner = _swap(base, sealed, keeps, exact)
        return Annotated[(inner, *marks)] if exact and base is not Sealed else inner
    if origin in (Union, types.UnionType):
        arms = [_swap(arm, sealed, keeps, exact) for arm in get_args(hint)]
        return None if arms in ([None], [None, UnsetType]) else Union[tuple(arms)]  # noqa: UP007 - made at run time
    if origin is list:
        return list[_swap(get_args(hint)[0], sealed, keeps, exact)]  # type: ignore[misc]
    if hint is Sealed:
        return sealed
    if isinstance(hint, type) and issubclass(hint, Data):
        return derive(hint, sealed, keeps=keeps, exact=exact)  # type: ignore[arg-type] # a type is hashable
    return hint
