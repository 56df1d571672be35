"""One node of a local broker as a process: to start it, know it again, ask it, and end it."""

from __future__ import annotations

import os
import random
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from infra.adapters.broker_jars import java
from infra.adapters.broker_settings import HOST, logging_xml

_HEAP = "-Xmx512m"
_PROPERTIES = "server.properties"
_LOG = "kafka.log"
_OUTPUT = "output.log"

#: Ports are taken from below those that the kernel gives to outgoing connections: otherwise a client that
#: keeps knocking at a dead node could be given the very port it knocks at, and hold it.
_PORTS = range(20_000, 32_000)

#: Children of this process, to be waited for so that they do not remain as zombies. By pid.
_children: dict[int, subprocess.Popen[bytes]] = {}


class Node(msgspec.Struct, frozen=True):
    """A node of the cluster: its number (from 1), ports and, as last started, its process."""

    number: int
    port: int
    controller_port: int
    pid: int


def free_ports(count: int) -> list[int]:
    """Ports on which nobody listens now."""
    found: list[int] = []
    for port in random.sample(_PORTS, len(_PORTS)):
        if is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    raise OSError(f"expected {count} free ports from {_PORTS.start} to {_PORTS.stop - 1}, found {len(found)}")


def is_free(port: int) -> bool:
    """Whether a broker could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as Java does
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def prepare(folder: Path, properties: str) -> None:
    """Write the configuration of a node into its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _PROPERTIES).write_text(properties, encoding="ascii")
    (folder / "log4j2.xml").write_text(logging_xml(folder / _LOG), encoding="utf-8")


def format_data(folder: Path, class_path: str, cluster: str) -> None:
    """Give an empty data folder its identity; one that has it already is left alone."""
    done = subprocess.run(  # noqa: S603 - our own Java
        [
            *_java(folder, class_path),
            "kafka.tools.StorageTool",
            *("format", "--ignore-formatted", "-t", cluster, "-c", str(folder / _PROPERTIES)),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode:
        raise OSError(f"could not format {folder}:\n{done.stdout}{done.stderr}")


def spawn(folder: Path, class_path: str, prefix: Sequence[str] = ()) -> int:
    """Start the node; returns its process id. ``prefix`` comes before Java and must become it (``exec``)."""
    with (folder / _OUTPUT).open("wb") as output:
        child = subprocess.Popen(  # noqa: S603 - our own Java
            [*prefix, *_java(folder, class_path), _HEAP, "kafka.Kafka", str(folder / _PROPERTIES)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C at the terminal is for the command line, not for the broker
        )
    _children[child.pid] = child
    return child.pid


def is_alive(folder: Path, pid: int) -> bool:
    """Whether the process is there and is this node: another may have got the number of a dead one."""
    child = _children.get(pid)
    if child is not None:
        if child.poll() is None:
            return True
        del _children[pid]
        return False
    return os.fsencode(folder / _PROPERTIES) in _command_line(pid)


def end(folder: Path, pid: int, seconds: float) -> None:
    """End the node: politely, then for certain. ``seconds`` of 0 kills it at once."""
    if seconds > 0 and is_alive(folder, pid):
        os.kill(pid, signal.SIGTERM)
        _await_end(folder, pid, seconds)
    if is_alive(folder, pid):
        os.kill(pid, signal.SIGKILL)
        _await_end(folder, pid, 10.0)


def known_brokers(port: int, host: str = HOST) -> int | None:
    """How many brokers the node on ``port`` knows of; None if it does not answer.

    Asks by Kafka's own protocol (Metadata, version 5, no topics): a port that is open says little, a node
    accepts connections long before it serves them.
    """
    client = b"rogatory"
    request = struct.pack(">hhih", 3, 5, 1, len(client)) + client + struct.pack(">ib", 0, 0)
    try:
        with socket.create_connection((host, port), timeout=2.0) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = b""
            while len(answer) < 16:  # size, correlation id, throttle time, number of brokers
                part = connection.recv(4096)
                if not part:
                    return None
                answer += part
    except OSError:
        return None
    return int(struct.unpack(">i", answer[12:16])[0])


def tail(folder: Path, lines: int = 30) -> str:
    """The end of what the node has logged or printed."""
    text = ""
    for name in (_OUTPUT, _LOG):
        path = folder / name
        if path.exists():
            last = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            text += f"--- {path}\n" + "\n".join(last) + "\n"
    return text


def _java(folder: Path, class_path: str) -> list[str]:
    return [
        str(java()),
        "-XX:+UseSerialGC",  # the heap is small
        "-XX:-UsePerfData",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={folder / 'log4j2.xml'}",
        *("-cp", class_path),
    ]


def _command_line(pid: int) -> bytes:
    """What the process was started with; empty if it is gone or a zombie."""
    if not Path("/proc/self").exists():
        return subprocess.run(  # noqa: S603 - a number
            ["/bin/ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False
        ).stdout
    deadline = time.monotonic() + 1.0
    try:
        while True:
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
            state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0]
            # A program that has just begun (Java begins twice) has no command line for a moment.
            if line or state in {b"Z", b"X"} or time.monotonic() > deadline:
                return line
            time.sleep(0.01)
    except OSError:
        return b""


def _await_end(folder: Path, pid: int, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(folder, pid) and time.monotonic() < deadline:
        time.sleep(0.05)
