"""The command line under test: in this process for speed, or as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from infra.cli.main import app

ROOT = Path(__file__).parents[2]


class Cli:
    """Runs ``rogatory`` in the current folder and holds it to its exit code."""

    def __init__(self) -> None:
        self.printed = ""
        """Everything that was printed so far, to look for what must not be in it."""

    def __call__(self, *args: str, code: int = 0, given: str | None = None) -> Result:
        result = CliRunner(env={"COLUMNS": "200"}).invoke(app, list(args), input=given)
        self.printed += result.output
        shown = f"rogatory {' '.join(args)}\nexit {result.exit_code}\n{result.output}"
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, shown if result.exception is None else f"{shown}\n{result.exception!r}"
        return result

    def json(self, *args: str, code: int = 0) -> Any:
        """What a command prints with ``--json``."""
        return json.loads(self(*args, "--json", code=code).stdout)

    def new_key(self, office: str, use: str = "sign") -> str:
        """A new key's id."""
        return str(self.json("keys", "new", office, "--use", use)["kid"])


def command(*args: str) -> list[str]:
    """The command line of a real process."""
    return [sys.executable, "-m", "infra.cli.main", *args]


def environment(**more: str) -> dict[str, str]:
    """Its environment, free of settings of ours."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROGATORY_")}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **more}


def process(*args: str, cwd: Path, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run a real process to its end."""
    done = subprocess.run(
        command(*args), cwd=cwd, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == code, f"rogatory {' '.join(args)}\n{done.stdout}{done.stderr}"
    return done
