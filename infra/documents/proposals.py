"""Proposals of a person, from a text file: one a paragraph, paragraphs divided by empty lines.

A dash, an asterisk or a number with a point at the beginning of a paragraph is left out; the document numbers them.
"""

from __future__ import annotations

import re

from ledger.errors import FieldError

_MAX = 1 << 20
_BEGINS = re.compile(r"^(?:[-–—*•]|\d+[.)])\s+")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def read_proposals(raw: bytes, where: str) -> tuple[str, ...]:
    """The proposals in a text.

    Raises:
        FieldError: it is not UTF-8, has characters that no document can hold, is too long, or says nothing.
    """
    if len(raw) > _MAX:
        raise FieldError(f"{where}: expected proposals of at most {_MAX:,} bytes, found {len(raw):,}")
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise FieldError(f"{where}: expected text in UTF-8, found another byte at {error.start}") from None
    if found := _CONTROL.search(text):
        raise FieldError(f"{where}: expected plain text, found the control character {found[0]!r} at {found.start()}")
    paragraphs = (" ".join(part.split()) for part in re.split(r"\n[ \t]*\n", text))
    proposals = tuple(_BEGINS.sub("", paragraph) for paragraph in paragraphs if paragraph)
    if not proposals:
        raise FieldError(f"{where}: expected proposals, a paragraph each, found none; leave --proposals out for none")
    return proposals
