"""Three real brokers, each of which can be killed, paused, given a wrong clock or cut off from the network.

With ``apart``, every broker lives in a network namespace of its own on a bridge of ours, and ``cut`` takes its cable
away: what is under way is lost without a word, as between machines.  That needs Linux and the right to make network
namespaces; ``can_be_apart`` says whether we have it.  Otherwise all of them listen on 127.0.0.1.
"""

from __future__ import annotations

import base64
import os
import shutil
import signal
import subprocess
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from infra.adapters import broker_process as process
from infra.adapters.broker_jars import class_path
from infra.adapters.broker_settings import HOST, server_properties
from tests.faults.clock import wrong_clock

NODES = 3
_NETWORK = "10.231.77"
_PORT, _CONTROLLER = 9092, 9093


def can_be_apart() -> bool:
    """Whether network namespaces can be made here."""
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"rogatory-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode == 0:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


class Cluster:
    """Three brokers, numbered from 1. ``clocks`` are offsets of their clocks in ms."""

    def __init__(self, folder: Path, *, apart: bool = False, clocks: tuple[int, int, int] = (0, 0, 0)) -> None:
        self._folder = folder
        self._tag = f"rg{uuid.uuid4().hex[:5]}"
        self._apart = apart
        self._clocks = list(clocks)
        self._pids: dict[int, int] = {}
        if apart:
            self._hosts = [f"{_NETWORK}.{n}" for n in range(1, NODES + 1)]
            self._ports = [(_PORT, _CONTROLLER)] * NODES
        else:
            self._hosts = [HOST] * NODES
            free = process.free_ports(2 * NODES)
            self._ports = list(zip(free[::2], free[1::2], strict=True))

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return ",".join(f"{host}:{port}" for host, (port, _) in zip(self._hosts, self._ports, strict=True))

    def start(self) -> None:
        """Start all of them; returns when they know each other."""
        if self._apart:
            self._make_network()
        jars, cluster = class_path(lambda _: None), base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        cluster = "R" + cluster[1:]  # an id that begins with "-" would be taken for an option
        for number in range(1, NODES + 1):
            home = self._home(number)
            process.prepare(home, server_properties(number, self._ports, home / "data", self._hosts))
        with ThreadPoolExecutor(NODES) as pool:
            list(pool.map(lambda n: process.format_data(self._home(n), jars, cluster), range(1, NODES + 1)))
        for number in range(1, NODES + 1):
            self._spawn(number)
        self.wait(NODES)

    def wait(self, brokers: int, seconds: float = 60.0) -> None:
        """Until every broker that runs and can be reached knows of so many."""
        deadline = time.monotonic() + seconds
        while True:
            asked = [n for n in self._pids if self._reachable(n)]
            if all((self._known(n) or 0) == brokers for n in asked):
                return
            if time.monotonic() > deadline:
                tails = "\n".join(process.tail(self._home(n)) for n in asked)
                raise AssertionError(f"expected {brokers} brokers that know each other within {seconds} s\n{tails}")
            time.sleep(0.1)

    def kill(self, number: int) -> None:
        """As a power cut would end it."""
        process.end(self._home(number), self._pids.pop(number), 0.0)

    def leave(self, number: int) -> None:
        """End it politely: it hands its partitions to the others first."""
        process.end(self._home(number), self._pids.pop(number), 30.0)

    def restart(self, number: int, *, clock: int | None = None) -> None:
        """Start one that is down, with its data, and another clock if one is given."""
        if clock is not None:
            self._clocks[number - 1] = clock
        self._spawn(number)
        self.wait(len(self._pids))

    def pause(self, number: int) -> None:
        """Let it stand still: it holds its connections and answers nothing."""
        os.kill(self._pids[number], signal.SIGSTOP)

    def go_on(self, number: int) -> None:
        """After ``pause``."""
        os.kill(self._pids[number], signal.SIGCONT)

    def cut(self, number: int) -> None:
        """Take its cable away."""
        _ip("link", "set", f"{self._tag}h{number}", "down")

    def join(self, number: int) -> None:
        """Plug it in again."""
        _ip("link", "set", f"{self._tag}h{number}", "up")

    def stop(self) -> None:
        """End all of them and take the network away; can be called at any time."""
        for number, pid in list(self._pids.items()):
            if process.is_alive(self._home(number), pid):
                os.kill(pid, signal.SIGCONT)
            process.end(self._home(number), pid, 0.0)
        self._pids.clear()
        if self._apart:
            for number in range(1, NODES + 1):
                subprocess.run(["ip", "netns", "del", f"{self._tag}n{number}"], capture_output=True, check=False)
                subprocess.run(["ip", "link", "del", f"{self._tag}h{number}"], capture_output=True, check=False)
            subprocess.run(["ip", "link", "del", f"{self._tag}b"], capture_output=True, check=False)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _spawn(self, number: int) -> None:
        jars = class_path(lambda _: None)
        offset = self._clocks[number - 1]
        if offset:
            jars = f"{wrong_clock(Path(jars).parent, self._home(number) / 'clock', offset)}:{jars}"
        prefix = ("ip", "netns", "exec", f"{self._tag}n{number}") if self._apart else ()
        self._pids[number] = process.spawn(self._home(number), jars, prefix)

    def answers(self, number: int) -> bool:
        """Whether clients get an answer from it."""
        return self._known(number) is not None

    def _known(self, number: int) -> int | None:
        return process.known_brokers(self._ports[number - 1][0], self._hosts[number - 1])

    def _reachable(self, number: int) -> bool:
        if not self._apart:
            return True
        state = Path(f"/sys/class/net/{self._tag}h{number}/flags").read_text()
        return bool(int(state, 16) & 1)

    def _home(self, number: int) -> Path:
        return self._folder / f"node-{number}"

    def _make_network(self) -> None:
        bridge = f"{self._tag}b"
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{_NETWORK}.254/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number in range(1, NODES + 1):
            name, here, there = (f"{self._tag}{letter}{number}" for letter in "nhe")
            _ip("netns", "add", name)
            _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", name)
            _ip("link", "set", here, "master", bridge, "up")
            _ip("-n", name, "addr", "add", f"{_NETWORK}.{number}/24", "dev", there)
            _ip("-n", name, "link", "set", there, "up")
            _ip("-n", name, "link", "set", "lo", "up")


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")
