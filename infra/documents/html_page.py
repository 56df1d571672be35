"""A document as one HTML page: no script, nothing fetched, styles inside; made to be read, printed and heard."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from ledger.errors import FormatError
from projections.reports.document import Document
from projections.reports.imprint import Imprint, format_imprint, parse_imprint
from projections.reports.words import Words

_NAME = "rogatory"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("infra.documents", "."), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("page.html.j2")


def format_html(document: Document) -> bytes:
    """The page."""
    page = _template().render(
        document=document, imprint=format_imprint(document.imprint), name=_NAME, words=Words(document.lang),
        sort=lambda block: type(block).__name__,
    )  # fmt: skip
    return page.encode()


class _ImprintReader(HTMLParser):
    found: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "meta" and said.get("name") == _NAME and self.found is None:
            self.found = said.get("content")


def read_html_imprint(raw: bytes) -> Imprint:
    """The imprint of a page.

    Raises:
        FormatError: it has none, or is no UTF-8.
    """
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise FormatError("expected a generated page in UTF-8, found other bytes") from None
    reader = _ImprintReader()
    reader.feed(text)
    if reader.found is None:
        raise FormatError(f"expected a page with a meta element named {_NAME}, found none")
    return parse_imprint(reader.found)
