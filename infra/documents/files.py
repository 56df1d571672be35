"""The forms of files that documents are written as, and reading from a file which document it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from infra.documents.docx_file import format_docx, read_docx_imprint
from infra.documents.html_page import format_html, read_html_imprint
from ledger.errors import ConfigError, FormatError
from projections.reports.document import Document
from projections.reports.imprint import Imprint

FORMS: dict[str, Callable[[Document], bytes]] = {"html": format_html, "docx": format_docx}
_ENDINGS = {".html": "html", ".htm": "html", ".docx": "docx"}
_ZIP = b"PK\x03\x04"


def form_of(path: Path) -> str:
    """The form that the end of a file's name says. Raises ConfigError: it says none."""
    form = _ENDINGS.get(path.suffix.lower())
    if form is None:
        raise ConfigError(f"expected a file that ends in .html or .docx, found {path.name[:100]!r}")
    return form


def read_imprint(raw: bytes, path: Path) -> Imprint:
    """The imprint of a generated file, whatever it is named.

    Raises:
        FormatError: it is none.
    """
    try:
        return read_docx_imprint(raw) if raw.startswith(_ZIP) else read_html_imprint(raw)
    except FormatError as error:
        raise FormatError(
            f"{path}: {error}; make one with `rogatory report annual` or `rogatory report review`"
        ) from None
