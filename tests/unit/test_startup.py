"""A command imports what it uses and nothing else: a health check of each container starts every few seconds."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from infra.cli.lazy import Entry, LazyGroup
from infra.cli.main import app

ROOT = Path(__file__).parents[2]

DATABASES = {"sqlalchemy", "alembic", "psycopg"}
OBSERVING = {"aiohttp", "prometheus_client", "opentelemetry"}
SLOW = DATABASES | OBSERVING | {"aiokafka", "faust", "structlog", "ledger.catalogue", "rich.table", "infra.wiring"}

RUN = """
import atexit, sys
atexit.register(lambda: print("\\nimported", *sys.modules))
from infra.cli.main import main
main()
"""


def imported(*args: str, cwd: Path, code: int = 0, **more: str) -> set[str]:
    """The modules that a command has imported when it ends, whatever it says."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ROGATORY_", "OTEL_"))}
    environment = {**kept, "PYTHONPATH": str(ROOT), **more}
    done = subprocess.run(
        [sys.executable, "-c", RUN, *args], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, f"{args}\n{done.stdout}{done.stderr}"
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    """A folder with a small ledger and its settings."""
    imported("ledger", "open", "quick", "--ledger", "file:./log", "--partitions", "1", cwd=tmp_path)
    return tmp_path


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("args", [("--version",), ("--help",)])
def test_version_and_help_import_no_command(args: tuple[str, ...], tmp_path: Path) -> None:
    found = imported(*args, cwd=tmp_path)
    assert "infra.cli.main" in found
    assert {name for name in found if name.startswith("infra.")} == {"infra.cli", "infra.cli.main", "infra.cli.lazy"}
    assert not found & (SLOW - {"rich.table"})


def test_a_health_check_imports_neither_ledger_nor_client_of_anything(tmp_path: Path) -> None:
    found = imported("ready", "--observe", f"127.0.0.1:{closed_port()}", cwd=tmp_path, code=3)
    assert "infra.cli.ready" in found
    assert not found & SLOW


def test_completion_imports_no_command_but_the_one_that_is_completed(tmp_path: Path) -> None:
    asked = {"_ROGATORY_COMPLETE": "complete_bash", "COMP_CWORD": "1", "COMP_WORDS": "rogatory st"}
    found = run_to_complete(tmp_path, **asked)
    assert found[0] == ["state", "store", "status"]
    assert not {name for name in found[1] if name.startswith("infra.cli.")} - {"infra.cli.main", "infra.cli.lazy"}
    words, modules = run_to_complete(tmp_path, **{**asked, "COMP_CWORD": "2", "COMP_WORDS": "rogatory store m"})
    assert words == ["migrate"]
    assert "infra.cli.store" in modules
    assert "infra.cli.status" not in modules


def run_to_complete(cwd: Path, **asked: str) -> tuple[list[str], set[str]]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **asked}
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=cwd, env=environment, capture_output=True, text=True, check=True
    )
    *words, modules = [line for line in done.stdout.splitlines() if line]
    return words, set(modules.split()[1:])


def test_a_registrar_of_a_folder_needs_no_database_driver_no_kafka_and_no_web_server(ledger: Path) -> None:
    found = imported("run", "registrar", "--until-idle", cwd=ledger)
    assert {"infra.wiring", "consumers.registrar", "ledger.catalogue"} <= found
    assert not found & (SLOW - {"ledger.catalogue", "infra.wiring"})


def test_a_service_that_is_observed_imports_what_shows_it_and_no_traces(ledger: Path) -> None:
    found = imported("run", "registrar", "--until-idle", "--observe", "127.0.0.1:0", cwd=ledger)
    assert {"aiohttp", "prometheus_client"} <= found
    assert not found & (DATABASES | {"opentelemetry", "aiokafka"})


def test_a_service_that_is_traced_imports_what_traces_it_and_no_web_server(ledger: Path) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{closed_port()}"}
    found = imported("run", "registrar", "--until-idle", cwd=ledger, **environment)
    assert {"opentelemetry.sdk", "infra.observing.traces"} <= found
    assert not found & (DATABASES | {"aiohttp", "prometheus_client", "aiokafka"})


def test_projections_import_their_store_and_no_migrations_once_it_is_made(ledger: Path) -> None:
    imported("run", "project", "--until-idle", cwd=ledger)
    found = imported("run", "project", "--until-idle", cwd=ledger)
    assert "sqlalchemy" in found
    assert not found & ({"alembic", "psycopg", "aiokafka", "faust"} | OBSERVING)


@pytest.mark.parametrize(("form", "laid_out"), [("json", False), ("text", True)])
def test_a_log_line_in_json_needs_no_layout(form: str, laid_out: bool, ledger: Path) -> None:
    found = imported("run", "registrar", "--until-idle", "--observe", "127.0.0.1:0", "--log-format", form, cwd=ledger)
    assert ("structlog" in found) is laid_out


# The table


def groups() -> list[Any]:
    """All groups that load commands from a table."""
    root = get_command(app)
    return [group for group in (root, *getattr(root, "commands").values()) if isinstance(group, LazyGroup)]  # noqa: B009


def test_the_table_says_of_each_command_what_its_own_help_says() -> None:
    found = groups()
    assert len(found) == 3
    for group in found:
        assert group.table
        for name, entry in group.table.items():
            command = group.commands[name]
            first = " ".join((command.help or "").split("\n\n")[0].split())
            assert entry.help == first, f"{name}: correct the table in infra/cli"
            assert command.name == name
            assert command.rich_help_panel == entry.panel


def test_every_module_beside_a_group_adds_commands_to_it() -> None:
    for group in groups():
        for name, entry in group.table.items():
            for beside in entry.beside:
                makers = {command.callback.__module__ for command in group.commands[name].commands.values()}
                assert beside in makers, f"{beside} adds nothing to {name}"


def test_a_command_is_loaded_when_it_is_looked_at_and_then_kept() -> None:
    class Some(LazyGroup):
        table = {"check": Entry("infra.cli.checking:check", "…"), "gone": Entry("infra.cli.gone:gone", "…")}  # noqa: RUF012

    group = Some(name="some")
    assert list(group.commands) == group.list_commands(None) == ["check", "gone"]
    assert group.get_command(None, "gone").help == "…"
    assert group.get_command(None, "other") is None
    assert group.commands["check"] is group.commands["check"]
    with pytest.raises(ModuleNotFoundError):
        group.commands["gone"]
