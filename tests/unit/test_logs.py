"""Log lines: one pipe, two forms, nothing in them that must not be read."""

from __future__ import annotations

import io
import json
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

from infra.cli.options import fail
from infra.config import LogFormat
from infra.observing import logs

SECRET = "«сумма» 4815162342"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    root = logging.root
    handlers, level = list(root.handlers), root.level
    names = {name: logging.getLogger(name).level for name in logs._QUIET}
    yield
    root.handlers[:], root.level = handlers, level
    for name, before in names.items():
        logging.getLogger(name).setLevel(before)
    logging.captureWarnings(capture=False)
    logs._bound.clear()


def set_up(form: LogFormat = "json", *, verbose: int = 0, terminal: bool = False, service: bool = True) -> io.StringIO:
    out = Terminal() if terminal else io.StringIO()
    logs.set_up(logging.INFO, verbose, form, service=service, stream=out)
    return out


def lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_json_line_has_time_level_logger_event_and_what_is_bound() -> None:
    out = set_up()
    logs.bind(service="registrar", ledger="assistance.01")
    logging.getLogger("consumers.registrar").warning("partition %d: log unavailable (%s)", 3, "no route")
    (line,) = lines(out)
    assert list(line) == ["time", "level", "logger", "event", "service", "ledger", "partition"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("time"))
    assert line == {
        "level": "warning",
        "logger": "consumers.registrar",
        "event": "partition 3: log unavailable (no route)",
        "service": "registrar",
        "ledger": "assistance.01",
        "partition": 3,
    }


def test_numbers_are_named_by_the_words_before_them_in_our_lines_alone() -> None:
    out = set_up()
    logging.getLogger("consumers.x").info("100%% of partition %d, position %d: %s, attempt %d", 1, 2, "odd", 3)
    logging.getLogger("consumers.x").info("partition %s and index %d", "none", 5)
    logging.getLogger("other").info("partition %d", 9)
    first, second, third = lines(out)
    assert (first["partition"], first["position"], first["attempt"]) == (1, 2, 3)
    assert "partition" not in second
    assert second["index"] == 5
    assert "partition" not in third


def test_on_a_terminal_a_line_is_text_without_what_its_reader_knows() -> None:
    out = set_up("auto", terminal=True)
    logs.bind(service="registrar", ledger="assistance.01")
    logging.getLogger("consumers.registrar").info("partition %d: hello", 3)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out.getvalue())
    assert re.fullmatch(r"\S+Z \[info +\] partition 3: hello +\[consumers.registrar\] partition=3\n", plain)


@pytest.mark.parametrize(
    ("form", "terminal", "service", "is_json"),
    [
        ("auto", False, True, True),
        ("auto", True, True, False),
        ("auto", False, False, False),
        ("json", True, False, True),
        ("text", False, True, False),
    ],
)
def test_lines_are_json_where_asked_for_or_where_no_person_reads(
    form: LogFormat, terminal: bool, service: bool, is_json: bool
) -> None:
    set_up(form, terminal=terminal, service=service)
    assert logs.is_json() is is_json


def test_the_settings_may_change_the_form_later() -> None:
    out = set_up("text")
    logs.restyle("json")
    logging.getLogger("x").info("hello")
    assert lines(out)[0]["event"] == "hello"


def test_a_line_break_begins_no_new_line_and_a_terminal_gets_no_commands() -> None:
    out = set_up("text")
    logging.getLogger("x").info("%s", "first\nsecond\r\x1b[2J\x9b2J")
    assert len(out.getvalue().splitlines()) == 1
    assert "\x1b" not in out.getvalue()
    assert "\x9b" not in out.getvalue()
    out = set_up("json")
    logging.getLogger("x").info("first\nsecond")
    assert lines(out)[0]["event"] == "first\nsecond"


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_traceback_says_where_and_what_but_no_values(form: LogFormat) -> None:
    out = set_up(form)

    def inner(note: str) -> None:
        held = [note]
        raise ValueError(f"cannot take {held[0].encode()!r}")

    try:
        inner(SECRET)
    except ValueError:
        logging.getLogger("consumers.x").exception("an error inside the program")
    said = out.getvalue()
    assert "in inner" in said
    assert "ValueError" in said
    assert SECRET not in said
    assert repr(SECRET.encode())[2:-1].replace("\\", "\\\\") not in said
    assert repr(SECRET.encode())[2:-1] not in said


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(
    "name", ["consumers.x", "aiokafka.conn", "sqlalchemy.engine.Engine", "faust", "mode", "alembic"]
)
def test_bytes_events_and_passwords_are_in_no_line_of_anybody(form: LogFormat, name: str) -> None:
    out = set_up(form, verbose=2)
    logger = logging.getLogger(name)
    raw = SECRET.encode()
    logger.error("value %s and %r in %s", raw, raw, {"a": (raw,)})
    logger.error("event %s", '{"specversion":"1.0","data":{"note":"' + SECRET + '"}}')
    logger.error("store postgresql://rogatory:%s@host/db", "hunter2")
    logger.error("%(value)s", {"value": raw})
    logger.error("stray", extra={"note": SECRET, "headers": raw})
    said = out.getvalue()
    assert len(said.splitlines()) == 5
    assert SECRET not in said
    assert "hunter2" not in said
    assert repr(raw)[2:-1] not in said
    assert repr(raw)[2:-1].replace("\\", "\\\\") not in said
    assert "sha256" in said


def test_sqlalchemy_says_no_statement_even_when_everything_is_asked_for() -> None:
    out = set_up(verbose=2)
    logging.getLogger("sqlalchemy.engine.Engine").info("INSERT … %s", SECRET)
    logging.getLogger("sqlalchemy.pool").debug("connection")
    assert out.getvalue() == ""


def test_warnings_go_the_same_way() -> None:
    out = set_up()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("password=hunter2 is old", stacklevel=1)
    assert lines(out)[0]["logger"] == "py.warnings"
    assert "hunter2" not in out.getvalue()


def test_setting_up_again_replaces_what_was_there() -> None:
    first = set_up()
    second = set_up()
    logging.getLogger("x").info("hello")
    assert first.getvalue() == ""
    assert len(second.getvalue().splitlines()) == 1


def test_the_last_word_of_a_service_is_a_log_line_too() -> None:
    out = set_up()
    with pytest.raises(Exception) as ended:  # noqa: PT011 - click's own kind of exit
        fail("the log does not answer", 3)
    assert getattr(ended.value, "exit_code", None) == 3
    (line,) = lines(out)
    assert (line["level"], line["event"], line["exit"]) == ("critical", "the log does not answer", 3)
