"""A generated document on the screen."""

from __future__ import annotations

from infra.cli.render import say, table
from projections.reports.document import Block, Cell, Document, Heading, Items, Paragraph, Table


def show_document(document: Document) -> None:
    """Show the whole of it."""
    say(f"{document.title}\n{document.subtitle}\n")
    if document.general:
        say(f"{document.general}\n")
    for name, said in document.facts:
        say(f"{name}: {said}")
    for block in document.blocks:
        _show(block)
    say(f"\n{document.footer}")


def _show(block: Block) -> None:
    if isinstance(block, Heading):
        say(f"\n{block.text}\n")
    elif isinstance(block, Paragraph):
        say("".join(map(_said, block.cells)))
    elif isinstance(block, Items):
        say("\n".join(f"{number}. {text}" for number, text in enumerate(block.texts, 1)))
    elif isinstance(block, Table):
        rows = [[_said(cell) for cell in row] for row in block.rows]
        table(block.caption, block.columns, rows, right=[block.columns[place] for place in block.numbers])
    else:
        say("\n".join(f"[{note.number}] {note.text}\n    {note.query}" for note in block.notes))


def _said(cell: Cell) -> str:
    return f"{cell.text} [{cell.note}]" if cell.note else cell.text
