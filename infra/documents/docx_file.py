"""A document as DOCX: headings, tables whose head is repeated on each page, notes that figures link to.

The file is packed again after python-docx has written it: members in the order of their names, at one date, and not
compressed, since compressors differ in the bytes that they make of the same.  The imprint is a part of the custom XML
of the file, which LibreOffice keeps in what it writes::

    /customXml/rogatory.xml    <imprint xmlns="urn:rogatory:imprint">{"rogatory":"annual",…}</imprint>
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from io import BytesIO
from typing import Any
from xml.sax.saxutils import escape
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import docx
from defusedxml import ElementTree
from docx.document import Document as Docx
from docx.enum.table import WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Emu, Pt, RGBColor
from docx.table import Table as DocxTable
from docx.table import _Cell as DocxCell
from docx.text.paragraph import Paragraph as DocxParagraph

from ledger.errors import FormatError
from projections.reports.document import Block, Cell, Document, Heading, Items, Notes, Paragraph, Table
from projections.reports.imprint import Imprint, format_imprint, parse_imprint

_NAMESPACE = "urn:rogatory:imprint"
_MEMBER = "customXml/rogatory.xml"
_IMPRINT_MAX = 1 << 20  # bytes: of a file that somebody brings no more is read
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # of a ZIP
_FONT = "Times New Roman"  # word processors without it take one of the same widths
_WIDTH = Cm(17.0)
_GREY, _BLUE = RGBColor(0x50, 0x50, 0x50), RGBColor(0x1F, 0x4E, 0x79)
_LANGUAGES = {"en": "en-GB", "ru": "ru-RU"}
_MARK_SIZE = 7  # points
_WIDE = 6  # columns from which on a table is set smaller


def format_docx(document: Document) -> bytes:
    """The file."""
    made = docx.Document()
    _slim(made)
    _set_up(made, document)
    made.add_heading(document.title, 0)
    _quiet(made.add_paragraph(document.subtitle))
    if document.general:
        made.add_heading(document.general, 1)
    _facts(made, document)
    for block in document.blocks:
        _add(made, block)
    _imprint(made, document.imprint)
    raw = BytesIO()
    made.save(raw)
    return _packed(raw.getvalue())


def _packed(raw: bytes) -> bytes:
    out = BytesIO()
    with ZipFile(BytesIO(raw)) as read, ZipFile(out, "w", ZIP_STORED) as write:
        # The list of content types stands first: that is where programs look for what the file is.
        for name in sorted(read.namelist(), key=lambda name: (name != "[Content_Types].xml", name)):
            write.writestr(ZipInfo(name, _EARLIEST), read.read(name))
    return out.getvalue()


# The whole


def _slim(made: Docx) -> None:
    """Leave out what python-docx's template brings and nothing here uses: most of a file that is not compressed."""
    package = made.part.package
    for relations, kind in ((package.rels, "thumbnail"), (made.part.rels, "stylesWithEffects")):
        for key in [key for key, one in relations.items() if one.reltype.endswith(f"/{kind}")]:
            relations.pop(key)
    styles = made.styles.element
    for style in list(styles.iter(qn("w:style"))):
        if style.get(qn("w:type")) == "table" and style.get(qn("w:styleId")) not in ("TableNormal", "TableGrid"):
            styles.remove(style)


def _set_up(made: Docx, document: Document) -> None:
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21.0), Cm(29.7)
    section.left_margin, section.right_margin = Cm(2.0), Cm(2.0)
    section.top_margin, section.bottom_margin = Cm(1.8), Cm(1.8)
    for name, size in (("Normal", 11), ("Title", 20), ("Heading 1", 14), ("Heading 2", 12)):
        style: Any = made.styles[name]
        style.font.name, style.font.size = _FONT, Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for attribute in ("w:asciiTheme", "w:hAnsiTheme", "w:eastAsiaTheme", "w:cstheme"):
            fonts.attrib.pop(qn(attribute), None)
        for attribute in ("w:ascii", "w:hAnsi", "w:eastAsia", "w:cs"):
            fonts.set(qn(attribute), _FONT)
        if name != "Normal":
            style.font.color.rgb = _BLUE
    normal: Any = made.styles["Normal"]
    normal.paragraph_format.space_after = Pt(4)
    for language in made.styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), _LANGUAGES[document.lang])
    properties = made.core_properties
    properties.title, properties.author, properties.last_modified_by = document.title[:255], document.imprint.office, ""
    properties.subject, properties.comments = document.subtitle[:255], ""
    properties.language = _LANGUAGES[document.lang]
    properties.created = properties.modified = datetime.fromtimestamp(document.imprint.as_of // 1000, UTC)
    properties.revision = 1
    _footer(section.footer.paragraphs[0], document.footer)


def _footer(paragraph: DocxParagraph, said: str) -> None:
    run = paragraph.add_run(f"{said}  ")
    run.font.size, run.font.color.rgb = Pt(8), _GREY
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    number = OxmlElement("w:r")
    text = OxmlElement("w:t")
    text.text = "1"
    number.append(text)
    field.append(number)
    paragraph._p.append(field)  # noqa: SLF001 - python-docx has no fields


def _facts(made: Docx, document: Document) -> None:
    table = made.add_table(rows=0, cols=2)
    for name, said in document.facts:
        cells = table.add_row().cells
        _quiet(cells[0].paragraphs[0], name)
        cells[1].paragraphs[0].add_run(said)
    _widths(table, (4, 9))
    made.add_paragraph()


def _quiet(paragraph: DocxParagraph, said: str = "") -> None:
    if said:
        paragraph.add_run(said)
    for run in paragraph.runs:
        run.font.color.rgb = _GREY


def _imprint(made: Docx, imprint: Imprint) -> None:
    text = f'<imprint xmlns="{_NAMESPACE}">{escape(format_imprint(imprint))}</imprint>'
    part = Part(PackURI(f"/{_MEMBER}"), "application/xml", text.encode(), made.part.package)
    made.part.relate_to(part, RELATIONSHIP_TYPE.CUSTOM_XML)


# Blocks


def _add(made: Docx, block: Block) -> None:
    if isinstance(block, Heading):
        made.add_heading(block.text, block.level)
    elif isinstance(block, Paragraph):
        paragraph = made.add_paragraph()
        for cell in block.cells:
            _write(paragraph, cell)
        if block.quiet:
            _quiet(paragraph)
    elif isinstance(block, Items):
        for number, said in enumerate(block.texts, 1):
            _hanging(made.add_paragraph(), f"{number}.", said)
    elif isinstance(block, Table):
        _table(made, block)
    elif isinstance(block, Notes):
        for note in block.notes:
            paragraph = made.add_paragraph()
            _hanging(paragraph, f"[{note.number}]", f"{note.text} ", Pt(9))
            _bookmark(paragraph, f"c{note.number}", note.number)
            run = paragraph.add_run(note.query)
            run.font.name, run.font.size = "Courier New", Pt(8)


def _hanging(paragraph: DocxParagraph, number: str, said: str, size: Any = None) -> None:
    form = paragraph.paragraph_format
    form.left_indent, form.first_line_indent = Cm(1.2), Cm(-1.2)
    form.tab_stops.add_tab_stop(Cm(1.2))
    run = paragraph.add_run(f"{number}\t{said}")
    run.font.size = size


def _table(made: Docx, block: Table) -> None:
    caption = made.add_paragraph()
    caption.paragraph_format.keep_with_next = True
    caption.paragraph_format.space_before = Pt(8)
    caption.add_run(block.caption).bold = True
    table = made.add_table(rows=1 + len(block.rows), cols=len(block.columns))
    table.style = "Table Grid"
    table.alignment = WD_TABLE_ALIGNMENT.LEFT
    shares = block.widths or _even(len(block.columns))
    size = Pt(8) if len(block.columns) > _WIDE else Pt(10)
    rows = table._tbl.tr_lst  # noqa: SLF001 - ``table.rows`` counts all cells anew for each row
    _fill(table, rows[0], tuple(map(Cell, block.columns)), block, size, head=True)
    for row, cells in zip(rows[1:], block.rows, strict=True):
        _fill(table, row, cells, block, size, head=False, bold=block.total and cells is block.rows[-1])
    _widths(table, shares)
    _described(table, block.caption)
    made.add_paragraph().paragraph_format.space_after = Pt(2)


def _fill(
    table: DocxTable, row: Any, cells: tuple[Cell, ...], block: Table, size: Any, *, head: bool, bold: bool = False
) -> None:
    properties = row.get_or_add_trPr()
    properties.append(OxmlElement("w:cantSplit"))
    if head:
        properties.append(OxmlElement("w:tblHeader"))
    for place, (element, said) in enumerate(zip(row.tc_lst, cells, strict=True)):
        paragraph = DocxCell(element, table).paragraphs[0]
        paragraph.paragraph_format.space_after = Pt(0)
        _write(paragraph, said, size)
        if place in block.numbers:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
        if head or bold:
            for run in paragraph.runs:
                run.bold = True
        if head:
            shade = OxmlElement("w:shd")
            for name, value in (("w:val", "clear"), ("w:color", "auto"), ("w:fill", "E8EEF4")):
                shade.set(qn(name), value)
            element.get_or_add_tcPr().append(shade)


def _even(columns: int) -> tuple[int, ...]:
    """The first column twice as wide as the others."""
    return (2, *(1 for _ in range(columns - 1)))


def _widths(table: DocxTable, shares: tuple[int, ...]) -> None:
    table.autofit = False
    widths = [Emu(int(_WIDTH * share / sum(shares))) for share in shares]
    for column, width in zip(table.columns, widths, strict=True):
        column.width = width
    for row in table._tbl.tr_lst:  # noqa: SLF001 - as above
        for element, width in zip(row.tc_lst, widths, strict=True):
            element.width = width


def _described(table: DocxTable, said: str) -> None:
    """The caption again, for who cannot see where it stands; and the edge of the table under that of the text."""
    properties = table._tbl.tblPr  # noqa: SLF001 - python-docx has no descriptions
    indent = OxmlElement("w:tblInd")
    indent.set(qn("w:w"), "108")
    indent.set(qn("w:type"), "dxa")
    layout = properties.find(qn("w:tblLayout"))
    layout.addprevious(indent)
    described = OxmlElement("w:tblCaption")
    described.set(qn("w:val"), said)
    properties.append(described)


# Texts


def _write(paragraph: DocxParagraph, cell: Cell, size: Any = None) -> None:
    run = paragraph.add_run(cell.text)
    run.font.size = size
    if cell.note:
        link = OxmlElement("w:hyperlink")
        link.set(qn("w:anchor"), f"c{cell.note}")
        cited = paragraph.add_run(f"\u00a0[{cell.note}]")
        cited.font.size = Pt(_MARK_SIZE)
        cited.font.color.rgb = _BLUE
        link.append(cited._r)  # noqa: SLF001 - nor links inside a document
        paragraph._p.append(link)  # noqa: SLF001


def _bookmark(paragraph: DocxParagraph, name: str, number: int) -> None:
    begin, end = OxmlElement("w:bookmarkStart"), OxmlElement("w:bookmarkEnd")
    begin.set(qn("w:name"), name)
    for element in (begin, end):
        element.set(qn("w:id"), str(number))
    first = paragraph.runs[0]._r  # noqa: SLF001 - nor bookmarks
    first.addprevious(begin)
    first.addnext(end)


# Reading


def read_docx_imprint(raw: bytes) -> Imprint:
    """The imprint of a file; a word processor may have given its part another name.

    Raises:
        FormatError: it has none, or is no DOCX.
    """
    try:
        with ZipFile(BytesIO(raw)) as file:
            for info in file.infolist():
                if re.fullmatch(r"customXml/[\w.-]+\.xml", info.filename) and info.file_size <= _IMPRINT_MAX:
                    root = ElementTree.fromstring(file.read(info))
                    if root.tag == f"{{{_NAMESPACE}}}imprint":
                        return parse_imprint(root.text or "")
    except (BadZipFile, ElementTree.ParseError, ValueError, NotImplementedError, EOFError, OSError, RuntimeError) as e:
        raise FormatError(f"expected a DOCX, found {type(e).__name__}: {e}") from None
    raise FormatError("expected a generated DOCX, found one without the part that says what it is")
