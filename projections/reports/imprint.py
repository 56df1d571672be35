"""What a generated file says of itself, so that it can be told from any other when it is filed: its *imprint*.

JSON without blanks, keys in this order::

    {"rogatory":"annual","ledger":"assistance.5f…","office":"RU-OMS","year":2025,"lang":"ru","as_of":1769000000000,
     "sizes":[120,97],"register_seq":41,"rulebook":"9c…","contacts":14,"proposals":2,"cites":[]}

HTML has it in a ``meta`` element of the name ``rogatory``, DOCX in a part of its own, ``/customXml/rogatory.xml``.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from ledger.errors import FormatError

Sort = Literal["annual", "review"]
_Count = Annotated[int, msgspec.Meta(ge=0)]


class Imprint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which document it is, what it rests on, and what the event of its filing says."""

    sort: Sort = msgspec.field(name="rogatory")
    ledger: str
    office: str
    """Whose it is: the office, or the unit that reviews."""
    year: Annotated[int, msgspec.Meta(ge=1900, le=2200)]
    lang: Literal["en", "ru"]
    as_of: int
    """Moment (ms) at which verdicts are read."""
    sizes: tuple[_Count, ...]
    """Records of each partition that it rests on."""
    register_seq: _Count
    rulebook: str
    """SHA-256 (hex)."""
    contacts: _Count
    """Direct exchanges and meetings held; of a review those of all offices."""
    proposals: _Count
    cites: tuple[str, ...] = ()
    """Event ids of the annual information that a review rests on."""
    role: str = ""
    """To whom a review goes."""


_decode = msgspec.json.Decoder(Imprint).decode


def format_imprint(imprint: Imprint) -> str:
    """The imprint as it stands in a file."""
    return msgspec.json.encode(imprint).decode()


def parse_imprint(text: str | bytes) -> Imprint:
    """An imprint from its text.

    Raises:
        FormatError: it is none.
    """
    try:
        return _decode(text)
    except msgspec.DecodeError as error:
        raise FormatError(f"expected the imprint of a generated document, found {str(error)[:200]}") from None
