"""Processes under a supervisor that restarts them, as systemd or Docker would, and what may be done to them."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.contracts.log_place import ROOT

PATIENCE = 120.0
TRY_AGAIN = 3
"""The exit code of a service whose log or store does not answer; a supervisor starts it again."""


class Service:
    """One command that is kept running. Lines on its standard output are kept; the rest goes to a file."""

    def __init__(self, name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self._command = command
        self._environment = {**os.environ, **environment}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._reader: threading.Thread | None = None
        self.paused = False
        self.lives = 0
        self.gave_up = 0
        """How often it ended by itself, asking to be started again."""

    def start(self, *more: str) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            log.write(f"--- {time.time():.3f} life {self.lives}\n".encode())
            self._process = subprocess.Popen(
                [sys.executable, *self._command, *more],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=self._environment,
            )
        self.lives += 1
        self._reader = threading.Thread(target=self._read, args=(self._process,), daemon=True)
        self._reader.start()

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            if line.endswith(b"\n"):  # what a kill cut in two was not said
                self._lines.put(line.decode().rstrip("\n"))

    def lines(self) -> list[str]:
        """What it has said since the last call."""
        found = []
        while not self._lines.empty():
            found.append(self._lines.get())
        return found

    def tell(self, line: str) -> None:
        """A line on its standard input; one that has died hears nothing."""
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            return

    def kill(self) -> None:
        """As a power cut would end it."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """It stands still, holding whatever it holds."""
        self._signal(signal.SIGSTOP)
        self.paused = True

    def go_on(self) -> None:
        """After ``pause``."""
        self._signal(signal.SIGCONT)
        self.paused = False

    def keep(self) -> None:
        """Start it again if it has ended by itself, which it may only do to be tried again."""
        if self._process is None or (code := self._process.poll()) is None:
            return
        assert code == TRY_AGAIN, (
            f"{self.name} ended with {code}, expected it to run on or to end with {TRY_AGAIN}\n" + (self.complaint())
        )
        self.gave_up += 1
        self._collect()
        self.start()

    def ended(self) -> int | None:
        """Its exit code, once it has ended by itself."""
        assert self._process is not None
        code = self._process.poll()
        if code is not None:
            self._collect()
        return code

    def stop(self) -> None:
        """Ask it to end; it must do so with status 0."""
        assert self._process is not None
        if self.paused:
            self.go_on()
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(PATIENCE)
        assert code in (0, TRY_AGAIN), f"{self.name} ended with {code} when it was told to stop\n{self.complaint()}"
        self._collect()

    def finish(self) -> None:
        """Leave nothing running, whatever its state."""
        if self._process is not None:
            self._end(signal.SIGKILL)

    def complaint(self) -> str:
        """The end of what it has logged."""
        return self._log.read_text(errors="replace")[-6000:] if self._log.exists() else "never started"

    def _signal(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(how)

    def _end(self, how: signal.Signals) -> None:
        assert self._process is not None
        self._signal(how)
        self._process.wait(PATIENCE)
        self._collect()
        self.paused = False

    def _collect(self) -> None:
        """Everything that it has said is in the queue, its pipes are closed."""
        assert self._reader is not None
        self._reader.join(PATIENCE)
        process, self._process = self._process, None
        for pipe in (process.stdin, process.stdout) if process else ():
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    @property
    def running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None


def until(what: str, done: Callable[[], bool], keep: Callable[[], None], seconds: float = PATIENCE) -> None:
    """Wait until something is so, keeping the services running meanwhile."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"expected {what} within {seconds:.0f} s"
        keep()
        time.sleep(0.2)
