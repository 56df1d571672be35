"""Cursors: the key of the last row of a page, as JSON, by which the page behind it is asked for.

They come back from outside, so they are held against what a database takes: whole numbers of 64 bits, and texts
without NUL, which PostgreSQL does not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import msgspec

from ledger.errors import FormatError

Whole = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*\Z")]
K = TypeVar("K")

_encode = msgspec.json.Encoder().encode


class Cursors(Generic[K]):
    """Cursors of one sort of list."""

    def __init__(self, key: Any) -> None:
        """``key``: the type of a key, a tuple of ``Whole``, ``Text`` or None."""
        self._decode = msgspec.json.Decoder(key).decode

    def read(self, text: str) -> K:
        """The key of the last row of an earlier page.

        Raises:
            FormatError: it is no cursor of this sort.
        """
        try:
            found: K = self._decode(text)
        except (msgspec.DecodeError, UnicodeError):  # an argument that is not UTF-8 has lone surrogates in it
            raise FormatError(f"expected a cursor of an earlier page, found {text[:40]!r}") from None
        return found

    def write(self, key: K) -> str:
        """What asks for the page behind a row."""
        return _encode(key).decode()
