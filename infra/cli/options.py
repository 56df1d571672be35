"""The options that commands share, and how a command is run: settings, logging, the event loop, exit codes.

A command is a function (async or not) whose first parameter is ``common``::

    @app.command()
    @command(reads=True)
    async def digest(common: Common) -> None: ...

``command`` puts the shared options in its place, so that they may stand behind the command's name, among its own.

====  =====================================================================
exit  meaning
====  =====================================================================
0     done
1     the answer is "no": a fault was found, an event was refused
2     wrong usage, settings, keys or input
3     the log or the store does not answer; trying again may help
4     the ledger contradicts itself, or needs a newer release: call a person
130   interrupted
====  =====================================================================
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from infra import config
from infra.config import Config
from infra.observing import logs
from infra.observing.exporting import exporting
from ledger.errors import (
    IntegrityError,
    JudgementFault,
    LogError,
    LogSettings,
    LogUnavailable,
    OutboxUnavailable,
    Overtaken,
    PoisonRecord,
    RogatoryError,
    StateUnavailable,
    StoreUnavailable,
    UnknownVersion,
)

NO, USAGE, UNAVAILABLE, INTEGRITY, INTERRUPTED = 1, 2, 3, 4, 130

_EXITS: tuple[tuple[type[BaseException], int], ...] = (
    (IntegrityError, INTEGRITY),
    (UnknownVersion, INTEGRITY),
    (PoisonRecord, INTEGRITY),
    (JudgementFault, INTEGRITY),
    (LogSettings, USAGE),
    (LogError, UNAVAILABLE),
    (Overtaken, UNAVAILABLE),
    (StoreUnavailable, UNAVAILABLE),
    (StateUnavailable, UNAVAILABLE),
    (OutboxUnavailable, UNAVAILABLE),
    (RogatoryError, USAGE),
    (OSError, USAGE),
)

_log = logging.getLogger("rogatory")

_LEDGER = "The ledger"
_SIGNING = "Signing"


class Common(msgspec.Struct, frozen=True, kw_only=True):
    """What the shared options say; None where they were not given."""

    ledger: str | None = None
    ledger_id: str | None = None
    store: str | None = None
    data: Path | None = None
    config: Path | None = None
    timeout: float | None = None
    log_format: str | None = None
    observe: str | None = None
    verbose: int = 0
    json: bool = False
    office: str | None = None
    key: list[str] = []
    wait: float = 10.0
    work: bool | None = None
    wait_all: bool = False
    service: str = ""
    """The command's name."""

    def settings(self) -> Config:
        """The settings in force. Raises ConfigError."""
        given = {
            "ledger": self.ledger,
            "ledger_id": self.ledger_id,
            "store": self.store,
            "data": None if self.data is None else str(self.data),
            "timeout": self.timeout,
            "office": self.office,
            "key": self.key,
            "log_format": self.log_format,
            "observe": self.observe,
        }
        return config.load(given, file=self.config)


def _option(name: str, kind: Any, default: Any, *names: str, text: str, panel: str, **more: Any) -> inspect.Parameter:
    info = typer.Option(*names, help=text, rich_help_panel=panel, show_default=bool(default), **more)
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, info])


_DATA_TEXT = "Keys, vault, registrars' state, store (ROGATORY_DATA; default: rogatory-data)"
_SHARED = (
    _option(
        "ledger", str | None, None, "--ledger", metavar="ADDRESS", panel=_LEDGER,
        text="file:FOLDER or kafka://HOST:PORT[,HOST:PORT]/NAME (ROGATORY_LEDGER)",
    ),
    _option(
        "ledger_id", str | None, None, "--ledger-id", metavar="ID", panel=_LEDGER,
        text="NAME.<32 hex>; without it the log's own word is taken (ROGATORY_LEDGER_ID)",
    ),
    _option(
        "store", str | None, None, "--store", metavar="URL", panel=_LEDGER,
        text="Of the projections: sqlite:///FILE or postgresql://… (ROGATORY_STORE; default: in the data folder)",
    ),
    _option(
        "data", Path | None, None, "--data", "--data-folder", metavar="FOLDER", panel=_LEDGER,
        text=_DATA_TEXT,
    ),
    _option(
        "config", Path | None, None, "--config", "-c", metavar="FILE", panel=_LEDGER,
        text="Settings in TOML (ROGATORY_CONFIG; default: ./rogatory.toml if it is there)",
    ),
    _option(
        "timeout", float | None, None, "--timeout", metavar="SECONDS", panel=_LEDGER,
        text="How long the log may take to answer (ROGATORY_TIMEOUT; default: 30)",
    ),
    _option(
        "log_format", str | None, None, "--log-format", metavar="FORM", panel=_LEDGER,
        text="Log lines on stderr as text, json or auto (ROGATORY_LOG_FORMAT; default: auto)",
    ),
    _option(
        "verbose", int, 0, "--verbose", "-v", count=True, panel=_LEDGER, text="Say more on stderr; twice: everything",
    ),
)  # fmt: skip
_ELSEWHERE = _option("data", Path | None, None, "--data-folder", metavar="FOLDER", panel=_LEDGER, text=_DATA_TEXT)
_JSON = _option("json", bool, False, "--json", text="Print JSON instead of tables", panel=_LEDGER)
_SIGNS = (
    _option(
        "office", str | None, None, "--office", metavar="CODE", panel=_SIGNING,
        text="Whose act it is (ROGATORY_OFFICE; default: the one whose key is here)",
    ),
    _option(
        "key", list[str], [], "--key", metavar="REF", panel=_SIGNING,
        text="Key that signs: file:PATH, env:NAME or command:PROGRAM; may be repeated (default: from the keys folder)",
    ),
)  # fmt: skip
_WAITS = (
    _option(
        "wait", float, 10.0, "--wait", metavar="SECONDS", min=0.0, panel="After submitting",
        text="How long to wait for the seal",
    ),
    _option(
        "work", bool | None, None, "--work/--no-work", panel="After submitting",
        text="Admit here what was submitted (default: on a file: ledger that nobody else serves)",
    ),
)  # fmt: skip
_SERVES = (
    _option(
        "observe", str | None, None, "--observe", metavar="HOST:PORT", panel=_LEDGER,
        text="Show /healthz, /readyz and /metrics there; port 0: any (ROGATORY_OBSERVE; default: nowhere)",
    ),
)  # fmt: skip
_WAITS_ALL = (
    _option(
        "wait_all", bool, False, "--wait-all", panel="After submitting",
        text="Wait until every partition has followed, not partition 0 alone",
    ),
)  # fmt: skip


def command(
    *,
    reads: bool = False,
    signs: bool = False,
    submits: bool = False,
    registers: bool = False,
    serves: bool = False,
    data: bool = True,
    level: int = logging.WARNING,
) -> Callable[[Callable[..., Any]], Callable[..., None]]:
    """Make a function with the parameter ``common`` into what typer takes as a command.

    Args:
        reads: it has ``--json``.
        signs: it has ``--office`` and ``--key``.
        submits: it has ``--wait`` and ``--work``.
        registers: it also has ``--wait-all``.
        serves: it is a service: it has ``--observe`` and logs what it does, as JSON where stderr is no terminal.
        data: ``--data`` names the data folder; else the command means something else by it.
        level: of the log lines that are shown without ``-v``.
    """
    shared = [
        *(_ELSEWHERE if p.name == "data" and not data else p for p in _SHARED),
        *([_JSON] if reads else []),
        *(_SIGNS if signs else []),
        *(_WAITS if submits else []),
        *(_WAITS_ALL if registers else []),
        *(_SERVES if serves else []),
    ]

    def make(function: Callable[..., Any]) -> Callable[..., None]:
        own = [p for p in inspect.signature(function, eval_str=True).parameters.values() if p.name != "common"]
        parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + shared

        def run(**values: Any) -> None:
            name = function.__name__.rstrip("_")
            common = Common(service=name, **{p.name: values.pop(p.name) for p in shared})
            with reported(service=serves), exporting(name):
                shown = min(level, logging.INFO) if serves else level
                form = common.log_format or os.environ.get("ROGATORY_LOG_FORMAT") or "auto"
                logs.set_up(shown, common.verbose, config.parse_log_format(form), service=serves)
                done = function(common, **values)
                if inspect.iscoroutine(done):
                    asyncio.run(done)

        run.__name__ = function.__name__
        run.__module__ = function.__module__
        run.__doc__ = function.__doc__
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return make


@contextmanager
def reported(*, service: bool = False) -> Iterator[None]:
    """Turns what goes wrong into a message on stderr and an exit code; ROGATORY_DEBUG shows tracebacks instead.

    What nobody foresaw is Python's to report; of a ``service`` it is a log line like the others, cleaned like them.
    """
    debug = bool(os.environ.get("ROGATORY_DEBUG"))
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except (BrokenPipeError, typer.Exit, typer.Abort, typer.TyperException):
        raise
    except (RogatoryError, OSError) as error:
        if debug:
            raise
        fail(_said(error), _exit_of(error))
    except _database_errors() as error:
        if debug:
            raise
        # The driver's own words: SQLAlchemy's add the statement with its values.
        said = str(getattr(error, "orig", None) or type(error).__name__).strip()
        fail(f"the store does not answer as expected: {said}", UNAVAILABLE)
    except Exception:
        if debug or not service:
            raise
        _log.critical("an error inside the program; please report it", exc_info=True)
        raise typer.Exit(NO) from None


def _said(error: RogatoryError | OSError) -> str:
    """What a person reads; of a silence first whose it is, since the words of client and driver do not say that."""
    if isinstance(error, LogUnavailable):
        return f"the log does not answer: {error}"
    if isinstance(error, StoreUnavailable) and not isinstance(error, Overtaken):
        return f"the store does not answer: {error}"
    return str(error)


def _exit_of(error: RogatoryError | OSError) -> int:
    from producers.receipt import SubmissionRefused  # noqa: PLC0415 - brings the catalogue, which is slow to prepare

    if isinstance(error, SubmissionRefused):
        return NO
    return next(code for kind, code in _EXITS if isinstance(error, kind))


def _database_errors() -> type[Exception]:
    """What SQLAlchemy raises. It takes long to import; this is asked when something went wrong that is not ours."""
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415

    return SQLAlchemyError


def fail(message: str, code: int) -> None:
    """End the command with a message on stderr; a log line where these are JSON."""
    if logs.is_json():
        _log.critical("%s", message, extra={"exit": code})
    else:
        sys.stderr.write(f"rogatory: {message}\n")
    raise typer.Exit(code)
