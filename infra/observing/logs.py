"""Log lines: one pipe for our own loggers and everybody else's, behind the standard library's handlers.

On a terminal, laid out by structlog::

    2026-03-03T10:00:00.123Z [warning  ] partition 3: log unavailable (…) [consumers.serving] partition=3

With ``--log-format json``, one object a line, in UTF-8, the first four members always there and in this order::

    {"time":"2026-03-03T10:00:00.123Z","level":"warning","logger":"consumers.serving",
     "event":"partition 3: log unavailable (…)","service":"registrar","ledger":"assistance.0123…","partition":3}

Code logs with ``logging`` as ever.  Where one of our lines says ``partition %d`` or the like, the number is a field of
that name too; others come by ``extra``.  What must not be read is taken out of every line (``redaction.py``),
tracebacks have no local variables, and a line break within a message cannot begin a new line.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

from infra.config import LogFormat
from infra.observing.redaction import clean, clean_argument

if TYPE_CHECKING:
    import structlog

FIELDS = ("service", "ledger", "partition", "position", "index", "offset", "attempt", "address", "exit")
"""The fields that a line may have, in this order; anything else that a library puts into ``extra`` stays out."""

_OURS = frozenset({"ledger", "projections", "consumers", "producers", "infra", "rogatory"})
_PLACES = re.compile(r"%%|(?:\b(partition|position|index|offset|attempt) )?%[-+ #0]*[0-9]*(?:\.[0-9]+)?[a-zA-Z]")

_QUIET = {
    # Kafka's client logs each attempt to reach a broker; our own line about it says enough.
    "aiokafka": (logging.CRITICAL, logging.CRITICAL, logging.INFO),
    "asyncio": (logging.CRITICAL, logging.WARNING, logging.WARNING),
    # These say at INFO what they do all the time; at DEBUG, SQLAlchemy would say the rows.
    "sqlalchemy": (logging.WARNING, logging.WARNING, logging.WARNING),
    "alembic": (logging.WARNING, logging.INFO, logging.INFO),
    "aiohttp.access": (logging.WARNING, logging.WARNING, logging.INFO),
    "faust": (logging.WARNING, logging.INFO, logging.DEBUG),
    "mode": (logging.WARNING, logging.INFO, logging.DEBUG),
    "opentelemetry": (logging.WARNING, logging.WARNING, logging.INFO),
    "urllib3": (logging.ERROR, logging.WARNING, logging.INFO),
}
"""Levels of other people's loggers without -v, with one, with more."""
_CONTROLS = {c: f"\\x{c:02x}" for c in (*range(32), *range(127, 160)) if c != 9} | {10: "\\n", 13: "\\r"}
_bound: dict[str, str] = {}
_encode = msgspec.json.Encoder().encode


def set_up(level: int, verbose: int, form: LogFormat, *, service: bool = False, stream: TextIO | None = None) -> None:
    """Send all log lines to stderr (or ``stream``), from ``level`` on, in a format.

    Args:
        level: of our own lines without ``verbose``.
        verbose: how often ``-v`` was given.
        form: ``auto`` is ``json`` for a service whose stderr is no terminal, else ``text``.
        service: whether this is one.
        stream: where to instead.
    """
    out = sys.stderr if stream is None else stream
    for handler in list(logging.root.handlers):
        if isinstance(handler.formatter, _Formatter):
            logging.root.removeHandler(handler)
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Formatter(out, service=service, form=form))
    logging.root.addHandler(handler)
    logging.root.setLevel({0: level, 1: min(level, logging.INFO)}.get(verbose, logging.DEBUG))
    for name, levels in _QUIET.items():
        logging.getLogger(name).setLevel(levels[min(verbose, 2)])
    logging.captureWarnings(capture=True)
    _bound.clear()


def restyle(form: LogFormat) -> None:
    """Go on in another format, once the settings say which."""
    for handler in logging.root.handlers:
        if isinstance(handler.formatter, _Formatter):
            handler.formatter.restyle(form)


def is_json() -> bool:
    """Whether log lines are JSON, so that nothing else should be written among them."""
    formatters = [h.formatter for h in logging.root.handlers if isinstance(h.formatter, _Formatter)]
    return bool(formatters) and all(f.json for f in formatters)


def bind(**fields: str) -> None:
    """Fields of every line of this process from now on, whichever task or thread logs it."""
    _bound.update(fields)


def _named(message: str, arguments: Sequence[object]) -> dict[str, int]:
    """The whole numbers among a line's arguments that the words before them name."""
    names = [found[1] for found in _PLACES.finditer(message) if found[0] != "%%"]
    return {name: value for name, value in zip(names, arguments, strict=False) if name and type(value) is int}


class _Formatter(logging.Formatter):
    """Makes a line of a record, whoever logged it."""

    def __init__(self, out: TextIO, *, service: bool, form: LogFormat) -> None:
        super().__init__()
        self._terminal = out.isatty()
        self._service = service
        self.json = False
        self.restyle(form)

    def restyle(self, form: LogFormat) -> None:
        self.json = form == "json" or (form == "auto" and self._service and not self._terminal)

    def format(self, record: logging.LogRecord) -> str:
        named: dict[str, int] = {}
        if record.args:
            arguments = record.args
            record = logging.makeLogRecord(record.__dict__)  # others format the original
            if isinstance(arguments, Mapping):
                record.args = {name: clean_argument(one) for name, one in arguments.items()}
            else:
                record.args = tuple(clean_argument(one) for one in arguments)
                if record.name.partition(".")[0] in _OURS:
                    named = _named(str(record.msg), arguments)
        more = {name: value for name, value in vars(record).items() if name in FIELDS}
        if record.exc_info and record.exc_info[1] is not None:
            more["exception"] = self.formatException(record.exc_info)
        return self._line(record, {**_bound, **named, **more})

    def _line(self, record: logging.LogRecord, fields: Mapping[str, Any]) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        event = clean(record.getMessage())
        line = {"time": time, "level": record.levelname.lower(), "logger": record.name, "event": event}
        line.update({name: clean(fields[name]) for name in (*FIELDS, "exception") if name in fields})
        if self.json:
            return _encode(line).decode()
        for name in ("service", "ledger"):  # whoever sits before a terminal knows
            line.pop(name, None)
        line["event"] = event.translate(_CONTROLS)
        return self._text(None, "", line)

    @cached_property
    def _text(self) -> structlog.dev.ConsoleRenderer:
        from structlog.dev import ConsoleRenderer, plain_traceback  # noqa: PLC0415 - slow, and JSON needs none of it

        return ConsoleRenderer(
            colors=self._terminal and not os.environ.get("NO_COLOR"),
            exception_formatter=plain_traceback,
            pad_event_to=0,
            timestamp_key="time",
        )
