"""A real Kafka on this machine, by ``pip`` alone: for trying things out and for tests, not for production.

One node or three, all on 127.0.0.1, in a folder of their own::

    folder/
      broker.json        the cluster's id; each node's ports and last process
      node-1/            server.properties, log4j2.xml, kafka.log, output.log
        data/            Kafka's own

The folder is the broker: it can be stopped, moved and started again, and keeps its data.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import msgspec

from infra.adapters import broker_process as process
from infra.adapters.broker_jars import class_path, locked
from infra.adapters.broker_process import Node
from infra.adapters.broker_settings import HOST, server_properties
from ledger.errors import ConfigError, LogUnavailable

_STATE = "broker.json"


class Running(msgspec.Struct, frozen=True):
    """A broker as last started."""

    cluster: str
    nodes: tuple[Node, ...]

    @property
    def bootstrap(self) -> str:
        """The address for clients."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes)

    @property
    def pids(self) -> list[int]:
        """The processes, by node."""
        return [node.pid for node in self.nodes]

    @property
    def ports(self) -> list[int]:
        """The ports for clients, by node."""
        return [node.port for node in self.nodes]


def _silent(_: str) -> None:
    """Say nothing."""


def start(
    folder: Path,
    nodes: int = 1,
    *,
    say: Callable[[str], None] = _silent,
    timeout: float = 60.0,
    cache: Path | None = None,
) -> Running:
    """Start a broker in ``folder``, or find the one that runs there; returns when every node answers.

    Args:
        folder: Where it keeps everything; made if absent.
        nodes: 1 or 3; a folder that was used before keeps its number.
        say: Told what goes on, a line at a time.
        timeout: Seconds until the nodes must answer.
        cache: Where the jars are kept, if not in the user's cache folder.

    Raises:
        ConfigError: the packages are missing, or the folder holds another number of nodes.
        LogUnavailable: it did not start; the message ends with what it logged.
    """
    if nodes not in {1, 3}:
        raise ConfigError(f"nodes of the broker: expected 1 or 3, found {nodes}")
    folder = folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / "lock"):
        before = _load(folder)
        if before is not None and len(before.nodes) != nodes:
            raise ConfigError(f"nodes of the broker in {folder}: expected {len(before.nodes)}, found {nodes}")
        alive = _alive(folder, before)
        if before is not None and len(alive) == nodes:
            say(f"Kafka runs already at {before.bootstrap}")
            _await_answers(folder, before, before.nodes, timeout)
            return before
        jars = class_path(say, cache)
        say(f"Starting Kafka ({nodes} {'node' if nodes == 1 else 'nodes'}) in {folder} …")
        for node in alive:  # half a cluster: with new ports the others would not find it
            process.end(_home(folder, node), node.pid, 10.0)
        running = _launch(folder, before, _ports(before, nodes), jars)
        _await_answers(folder, running, running.nodes, timeout)
        say(f"Kafka answers at {running.bootstrap}")
        return running


def stop(folder: Path, *, say: Callable[[str], None] = _silent, timeout: float = 20.0) -> bool:
    """Stop the broker in ``folder``; whether there was anything to stop. Its data stay."""
    folder = folder.absolute()
    if not (folder / _STATE).exists():
        return False
    with locked(folder / "lock"):
        alive = _alive(folder, _load(folder))
        if not alive:
            return False
        # All at once: a node that is alone in the end has nobody to hand its partitions to, and would wait.
        with ThreadPoolExecutor(len(alive)) as pool:
            list(pool.map(lambda node: process.end(_home(folder, node), node.pid, timeout), alive))
        say("Kafka has stopped")
        return True


def status(folder: Path) -> Running | None:
    """The broker in ``folder`` with the nodes that are alive; None if none is."""
    folder = folder.absolute()
    running = _load(folder)
    alive = _alive(folder, running)
    return msgspec.structs.replace(running, nodes=tuple(alive)) if running and alive else None


def kill_node(folder: Path, number: int) -> None:
    """Kill one node (from 1) without warning, as a power cut would; returns when it is gone."""
    folder = folder.absolute()
    node = _node(folder, number)
    process.end(_home(folder, node), node.pid, 0.0)


def restart_node(folder: Path, number: int, *, timeout: float = 60.0, cache: Path | None = None) -> Running:
    """Start one node that is down, on its old ports; returns when it answers."""
    folder = folder.absolute()
    with locked(folder / "lock"):
        running, node = _require(folder), _node(folder, number)
        if process.is_alive(_home(folder, node), node.pid):
            return running
        pid = process.spawn(_home(folder, node), class_path(_silent, cache))
        started = msgspec.structs.replace(node, pid=pid)
        running = msgspec.structs.replace(
            running, nodes=tuple(started if n.number == number else n for n in running.nodes)
        )
        _save(folder, running)
        _await_answers(folder, running, [started], timeout)
        return running


def _launch(folder: Path, before: Running | None, ports: Sequence[tuple[int, int]], jars: str) -> Running:
    """Configure and start all nodes; they elect a leader only once most of them are there."""
    fresh = base64.urlsafe_b64encode(b"\x10" + uuid.uuid4().bytes[1:]).decode().rstrip("=")
    cluster = before.cluster if before else fresh  # data of one cluster are refused by another
    nodes = [Node(n, port, controller, 0) for n, (port, controller) in enumerate(ports, 1)]
    # The id is kept before anything is formatted with it: a start that dies half-way can be repeated.
    _save(folder, Running(cluster, tuple(nodes)))
    homes = [_home(folder, node) for node in nodes]
    for node, home in zip(nodes, homes, strict=True):
        process.prepare(home, server_properties(node.number, ports, home / "data"))
    try:
        with ThreadPoolExecutor(len(homes)) as pool:
            list(pool.map(lambda home: process.format_data(home, jars, cluster), homes))
    except OSError as error:
        raise LogUnavailable(str(error)) from error
    with ExitStack() as undo:
        started = []
        for node, home in zip(nodes, homes, strict=True):
            pid = process.spawn(home, jars)
            undo.callback(process.end, home, pid, 0.0)
            started.append(msgspec.structs.replace(node, pid=pid))
        running = Running(cluster, tuple(started))
        _save(folder, running)  # whoever comes after us knows what to stop
        undo.pop_all()
    return running


def _await_answers(folder: Path, running: Running, nodes: Sequence[Node], timeout: float) -> None:
    """Wait until each of ``nodes`` answers and, between them, all that are alive know each other."""
    deadline = time.monotonic() + timeout
    while True:
        expected = len(_alive(folder, running))
        dead = [node for node in nodes if not process.is_alive(_home(folder, node), node.pid)]
        if not dead and all((process.known_brokers(node.port) or 0) >= expected for node in nodes):
            return
        if dead or time.monotonic() > deadline:
            node = (dead or nodes)[0]
            what = "ended" if dead else f"did not answer within {timeout:.0f} s"
            for each in running.nodes if len(nodes) == len(running.nodes) else nodes:
                process.end(_home(folder, each), each.pid, 0.0)
            raise LogUnavailable(f"Kafka's node {node.number} {what}\n{process.tail(_home(folder, node))}")
        time.sleep(0.1)


def _ports(before: Running | None, nodes: int) -> list[tuple[int, int]]:
    """The ports that the cluster had, so that its address stays; new ones if somebody has taken them."""
    if before is not None:
        old = [(node.port, node.controller_port) for node in before.nodes]
        if all(process.is_free(port) for pair in old for port in pair):
            return old
    free = process.free_ports(2 * nodes)
    return list(zip(free[::2], free[1::2], strict=True))


def _alive(folder: Path, running: Running | None) -> list[Node]:
    nodes = running.nodes if running else ()
    return [node for node in nodes if process.is_alive(_home(folder, node), node.pid)]


def _home(folder: Path, node: Node) -> Path:
    return folder / f"node-{node.number}"


def _load(folder: Path) -> Running | None:
    try:
        return msgspec.json.decode((folder / _STATE).read_bytes(), type=Running)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise ConfigError(f"{folder / _STATE}: expected the state of a broker: {error}") from error


def _save(folder: Path, running: Running) -> None:
    new = folder / f"{_STATE}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(running), indent=2))
    new.replace(folder / _STATE)  # readers see the old state or the new one


def _require(folder: Path) -> Running:
    running = _load(folder)
    if running is None:
        raise ConfigError(f"{folder}: expected the folder of a broker, found no {_STATE}")
    return running


def _node(folder: Path, number: int) -> Node:
    nodes = _require(folder).nodes
    if not 1 <= number <= len(nodes):
        raise ConfigError(f"node of the broker: expected 1 to {len(nodes)}, found {number}")
    return nodes[number - 1]
