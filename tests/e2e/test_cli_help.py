"""Every command says what it is for, and the shell can complete it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command

from infra.cli.main import app
from tests.e2e.cli import Cli


def _walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _walk(inner, (*path, name))


COMMANDS = dict(_walk(get_command(app)))
READING = [
    "status",
    "outcomes",
    "digest",
    "check",
    "catalogue",
    "ledger show",
    "keys list",
    "register show",
    "broker status",
]


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "rogatory")
def test_help_says_what_it_is_for(cli: Cli, path: tuple[str, ...]) -> None:
    assert COMMANDS[path].help
    assert "Usage: " in cli(*path, "--help").stdout


@pytest.mark.parametrize("path", COMMANDS, ids=lambda path: " ".join(path) or "rogatory")
def test_every_option_and_argument_has_its_help(path: tuple[str, ...]) -> None:
    without = [p.name for p in COMMANDS[path].params if not p.help]
    assert not without


def test_the_commands_are_those_of_the_documents() -> None:
    expected = {
        "demo", "ledger open", "keys new", "keys enrol", "keys revoke", "keys list", "register office",
        "register role assign", "register role end", "register show", "publish", "import xes", "run registrar",
        "run herald", "run project", "run all", "status", "outcomes", "rebuild", "digest", "check", "broker start",
        "broker stop", "broker status",
    }  # fmt: skip
    assert expected <= {" ".join(path) for path in COMMANDS}


@pytest.mark.parametrize("name", READING)
def test_every_reading_command_has_json(name: str) -> None:
    options = {option for p in COMMANDS[tuple(name.split())].params for option in p.opts}
    assert "--json" in options


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_exists(cli: Cli, shell: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For the shell that is found; whether one runs above the tests is chance."""
    monkeypatch.setattr("shellingham.detect_shell", lambda: (shell, f"/bin/{shell}"))
    assert "rogatory" in cli("--show-completion").stdout.lower()


def test_the_version_is_told(cli: Cli) -> None:
    assert cli("--version").stdout.startswith("rogatory")
