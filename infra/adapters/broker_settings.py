"""The settings of a local broker, as text: Kafka's properties and its logging."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

from ledger.errors import ConfigError

HOST = "127.0.0.1"


def server_properties(
    number: int, ports: Sequence[tuple[int, int]], data: Path, hosts: Sequence[str] | None = None
) -> str:
    """The properties of node ``number`` (from 1) of the cluster with these (client, controller) ports.

    ``hosts`` are the nodes' addresses where they do not all stand on this machine's own.
    """
    if "," in str(data):
        raise ConfigError(f"data folder of the broker: Kafka cannot take a comma in its path, found {data}")
    port, controller = ports[number - 1]
    hosts = hosts or [HOST] * len(ports)
    host = hosts[number - 1]
    voters = ",".join(f"{n}@{h}:{c}" for n, (h, (_, c)) in enumerate(zip(hosts, ports, strict=True), 1))
    replicas = len(ports)
    settings = {
        "process.roles": "broker,controller",
        "node.id": number,
        "controller.quorum.voters": voters,
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{host}:{port}",
        "log.dirs": data.as_posix(),
        "auto.create.topics.enable": "false",
        "default.replication.factor": replicas,
        "min.insync.replicas": min(2, replicas),
        "offsets.topic.num.partitions": 4,
        "offsets.topic.replication.factor": replicas,
        "transaction.state.log.num.partitions": 4,
        "transaction.state.log.replication.factor": replicas,
        "transaction.state.log.min.isr": min(2, replicas),
        "share.coordinator.state.topic.replication.factor": replicas,
        "share.coordinator.state.topic.min.isr": min(2, replicas),
        "group.initial.rebalance.delay.ms": 0,
        # Not 128 MiB, which the small heap has no room for: only Kafka's own topics are compacted.
        "log.cleaner.dedupe.buffer.size": 10 << 20,
        # A dead node is missed after seconds, not after nine.
        "broker.heartbeat.interval.ms": 500,
        "broker.session.timeout.ms": 4000,
    }
    return "".join(f"{name}={_escaped(str(value))}\n" for name, value in settings.items())


def logging_xml(file: Path) -> str:
    """Log4j's configuration: one file of at most 10 MB, and three older ones."""
    name, older = quoteattr(str(file)), quoteattr(f"{file}.%i")
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <RollingFile name="file" fileName={name} filePattern={older}>
      <PatternLayout pattern="%d %p %m (%c)%n"/>
      <SizeBasedTriggeringPolicy size="10 MB"/>
      <DefaultRolloverStrategy max="3"/>
    </RollingFile>
  </Appenders>
  <Loggers>
    <Root level="info"><AppenderRef ref="file"/></Root>
  </Loggers>
</Configuration>
"""


def _escaped(value: str) -> str:
    r"""As Java reads properties: Latin-1 with ``\\uXXXX`` for the rest, one for each UTF-16 unit."""
    units = value.replace("\\", "\\\\").encode("utf-16-be")
    return "".join(
        chr(unit) if unit < 0x7F else f"\\u{unit:04x}"
        for unit in (int.from_bytes(units[i : i + 2], "big") for i in range(0, len(units), 2))
    )
