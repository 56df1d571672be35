"""What commands print: tables and sentences to stdout, JSON instead where asked for, notes and progress to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from ledger.event import moment_of

_PIPED = 180  # columns where there is no terminal to fit into
_EVERY = 5.0  # seconds between lines of progress where there is no terminal
_SHORT = 12


def out() -> Console:
    """The console on stdout."""
    return _console(stderr=False)


def err() -> Console:
    """The console on stderr."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else _PIPED, highlight=False)


def note(text: str) -> None:
    """A remark for the person, on stderr."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def say(text: str) -> None:
    """A sentence of the answer, on stdout."""
    out().print(Text(text), soft_wrap=True)


def show_json(value: Any) -> None:
    """A value as JSON on stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, right: Iterable[str] = ()) -> None:
    """A table on stdout; columns named in ``right`` are numbers."""
    from rich.markup import escape  # noqa: PLC0415 - slow to import, and most runs show no table
    from rich.table import Table  # noqa: PLC0415

    numbers = set(right)
    made = Table(title=escape(title) or None, title_justify="left", header_style="bold", title_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in numbers else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(shown(cell)) for cell in row))
    out().print(made)


def shown(cell: Any) -> str:
    """A cell of a table."""
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    return str(cell)


def when(ms: int | None) -> str:
    """A time in ms since 1970 for people, in UTC."""
    return "–" if ms is None else moment_of(ms).strftime("%Y-%m-%d %H:%M:%SZ")


def short(hex_: str) -> str:
    """The start of a hash."""
    return hex_[:_SHORT]


def plural(number: int, one: str, many: str | None = None) -> str:
    """``3 records``, ``1 record``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, told how much is done; without a terminal, a line now and then."""
    if not sys.stderr.isatty():
        yield _lines(what, total)
        return
    # Slow to import, and of use on a terminal alone.
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err(), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def _lines(what: str, total: int | None) -> Callable[[int], None]:
    last = time.monotonic()

    def tell(done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            note(f"{what}: {done}{f' of {total}' if total is not None else ''}")

    return tell
