"""Taking out of a log line what must not be in it: bytes, events, keys, passwords, rows.

Our own code does not log such things; this holds for the lines of others too (clients, drivers, tracebacks), at every
level.  It is a second lock, not a licence: a sentence that quotes a sealed field in clear would pass, and no code of
ours may write one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

HIDDEN = "***"
_LONGEST = 8192
"""Characters kept of one text; a traceback of an exception chain fits."""

_EVENT = re.compile(r'\{\\*"specversion\\*".*', re.DOTALL)
_BYTES = re.compile(r"""\b[bB][rR]?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")""", re.DOTALL)
# RFC 3986 3.2.1: what stands between the first colon of the userinfo and the last @ of the authority
_URL = re.compile(r"(?P<before>[A-Za-z][A-Za-z0-9+.-]*://[^\s:/@]*):[^\s]*@")
_NAMED = re.compile(
    r"""(?P<before>(?<![A-Za-z0-9])["']?[\w.-]*(?:password|passwd|secret|token|api[-_]?key|authorization|seed)["']?\s*[:=]\s*)"""
    r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?:bearer|basic|scram)\s+\S+|[^\s,;&)}\]]+)""",
    re.IGNORECASE,
)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
# SQLAlchemy's words for a statement's values, and PostgreSQL's for a row that it did not take
_VALUES = re.compile(r"\[(?P<what>parameters|SQL): .*?\](?=\s*(?:\n|\Z|\[|\(Background))", re.DOTALL)
_DETAIL = re.compile(r"(?P<what>\b(?:DETAIL|CONTEXT)):.*")
# Base64 of 32 bytes (a seed, a content key) or of more (a box, a signature)
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/=_-])(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{60,}={0,2})(?![A-Za-z0-9+/=_-])")


def clean(value: Any) -> Any:
    """A value as it may stand in a log line: JSON types, texts cleaned, bytes told by length and hash."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return told(bytes(value))
    if isinstance(value, Mapping):
        return {clean_text(str(name)): clean(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(one) for one in value]
    return clean_text(str(value))


def told(value: bytes) -> str:
    """Bytes without what they say: enough to find them again in the log they came from."""
    return f"<{len(value)} bytes, sha256 {sha256(value).hexdigest()[:12]}>"


def clean_text(text: str) -> str:
    """A text without what must not be read in it; cut off where it is very long."""
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}… ({len(text)} characters)"
    text = _PEM.sub("<private key>", text)
    text = _EVENT.sub("<an event>", text)
    text = _BYTES.sub("<bytes>", text)
    text = _VALUES.sub(rf"[\g<what>: {HIDDEN}]", text)
    text = _DETAIL.sub(rf"\g<what>: {HIDDEN}", text)
    text = _URL.sub(rf"\g<before>:{HIDDEN}@", text)
    text = _NAMED.sub(rf"\g<before>{HIDDEN}", text)
    return _BASE64.sub(_base64, text)


def clean_argument(value: Any) -> Any:
    """An argument of a log line before it is put into the text: only bytes change, also within containers."""
    if isinstance(value, (bytes, bytearray, memoryview)):
        return told(bytes(value))
    if isinstance(value, dict):
        return {clean_argument(name): clean_argument(one) for name, one in value.items()}
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(clean_argument(one) for one in value)
    return value


def _base64(found: re.Match[str]) -> str:
    text = found[0]
    if re.fullmatch(r"[0-9a-f]+|[0-9A-F]+", text) or text.count("/") * 20 > len(text):
        return text  # a hash, or a path
    return f"<{len(text)} characters of base64>"
