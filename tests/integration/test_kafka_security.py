"""A broker that speaks TLS and asks who is there: the settings that reach it, and those that do not."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from consumers import live
from infra.adapters import broker, broker_process
from infra.adapters.broker_jars import java
from infra.adapters.kafka_log import KafkaLog
from infra.config import load
from infra.kafka_security import client_settings, read_security
from ledger.errors import ConfigError, LogError
from ledger.log import LEDGER
from projections.store import Store
from tests.aio import run, until
from tests.contracts.log_contract import content, numbered, numbers
from tests.ledgers import Book, TallyFold

FOLD = TallyFold()

PASSWORD = "only for this test"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A broker with one more listener, SASL over TLS; its folder, and the address of that listener."""
    folder = tmp_path_factory.mktemp("secured")
    keytool = java().with_name("keytool")
    store = folder / "broker.p12"
    made = ("-genkeypair", "-alias", "broker", "-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=127.0.0.1")
    more = ("-ext", "san=ip:127.0.0.1", "-validity", "2", "-storetype", "PKCS12")
    kept = ("-keystore", str(store), "-storepass", PASSWORD)
    subprocess.run([keytool, *made, *more, *kept], check=True, capture_output=True)
    pem = subprocess.run([keytool, "-exportcert", "-alias", "broker", "-rfc", *kept], check=True, capture_output=True)
    (folder / "ca.pem").write_bytes(pem.stdout)
    (folder / "password").write_text("right\n")
    (port,) = broker_process.free_ports(1)
    running = broker.start(folder / "kafka")
    node = folder / "kafka" / "node-1"
    broker.kill_node(folder / "kafka", 1)
    settings = (node / "server.properties").read_text()
    for name, value in {
        "listeners=": f"SECURED://127.0.0.1:{port},",
        "advertised.listeners=": f"SECURED://127.0.0.1:{port},",
        "listener.security.protocol.map=": "SECURED:SASL_SSL,",
    }.items():
        lines = [
            name + value + line.removeprefix(name) if line.startswith(name) else line for line in settings.split("\n")
        ]
        settings = "\n".join(lines)
    login = "org.apache.kafka.common.security.plain.PlainLoginModule"
    settings += "\n".join([
        f"ssl.keystore.location={store}",
        f"ssl.keystore.password={PASSWORD}",
        "ssl.keystore.type=PKCS12",
        "sasl.enabled.mechanisms=PLAIN",
        f'listener.name.secured.plain.sasl.jaas.config={login} required user_office="right";',
        "",
    ])  # fmt: skip
    (node / "server.properties").write_text(settings)
    broker.restart_node(folder / "kafka", running.nodes[0].number)
    yield folder, f"127.0.0.1:{port}"
    broker.stop(folder / "kafka")


def table(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "protocol": "SASL_SSL", "ca": str(folder / "ca.pem"), "mechanism": "PLAIN", "username": "office",
        "password": f"file:{folder / 'password'}", **changes,
    }  # fmt: skip


@pytest.mark.kafka
def test_a_ledger_is_written_and_read_over_tls_with_a_password(secured: tuple[Path, str]) -> None:
    folder, address = secured

    async def story() -> None:
        log = KafkaLog(address, "secured", 20, client_settings(read_security(table(folder))))
        try:
            await log.create(2)
            await log.append(LEDGER, 1, numbered(0, 1, 2))
            assert numbers(await content(log, LEDGER, 1)) == [0, 1, 2]
        finally:
            await log.close()

    run(story())


@pytest.mark.kafka
def test_a_live_worker_logs_in_as_every_other_client_does(secured: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = secured
    security = client_settings(read_security(table(folder)))

    async def story() -> None:
        log, stop, book = KafkaLog(address, "lively", 20, security), asyncio.Event(), Book(1)
        for n in range(20):
            book.add(f"request/{n % 5}")
        try:
            await log.create(1)
            await log.append(LEDGER, 0, book.messages[0])
            with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
                rows = store.live(FOLD, book.ledger_id)
                worker = asyncio.create_task(
                    live.run(address, "lively", log, store, FOLD, rows, stop=stop, session=6.0, security=security)
                )
                # Told by Faust, or a watcher that reads the log itself would hide that Faust cannot log in.
                members = AIOKafkaAdminClient(bootstrap_servers=address, **security)
                await members.start()
                try:
                    group = live.group_of("lively", FOLD)
                    await until(lambda: worker.done() or store.load(rows, 0).next == len(book.messages[0]), 60)
                    assert not worker.done()
                    (found,) = await members.describe_consumer_groups([group])
                    assert len(found.groups[0][5]) == 1, found
                finally:
                    await members.close()
                stop.set()
                await asyncio.wait_for(worker, 60)
        finally:
            await log.close()

    run(story())


@pytest.mark.kafka
@pytest.mark.parametrize(
    "changes",
    [{"password": "env:WRONG"}, {"username": "nobody"}, {"ca": None}, None],
    ids=["wrong password", "unknown name", "certificate of nobody known", "no security at all"],
)
def test_who_is_not_let_in_is_told_in_time(secured: tuple[Path, str], changes: dict[str, Any] | None) -> None:
    folder, address = secured
    said = None if changes is None else read_security(table(folder, **changes))

    async def story() -> None:
        log = KafkaLog(address, "refused", 5, client_settings(said, {"WRONG": "wrong"}))
        try:
            with pytest.raises(LogError):
                await asyncio.wait_for(log.partitions(), 15)
        finally:
            await log.close()

    run(story())


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"protocol": "TLS"}, "protocol"),
        ({"password": "hunter2"}, "env:NAME or file:PATH"),
        ({"mechanism": None}, "expected mechanism, username and password"),
        ({"protocol": "SSL"}, "expected no mechanism"),
        ({"protocol": "SASL_PLAINTEXT"}, "expected no ca"),
        ({"key": "office.key"}, "together"),
        ({"keytab": "x"}, "keytab"),
    ],
)
def test_settings_that_do_not_fit_are_named_and_no_password_is_shown(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ConfigError, match=match) as raised:
        read_security(table(Path("x"), **changes))
    assert "hunter2" not in str(raised.value)


def test_the_table_comes_from_the_settings_file_with_its_paths_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "rogatory.toml"
    file.write_text('ledger = "kafka://h:1/a"\n[kafka_security]\nprotocol = "SSL"\nca = "ca.pem"\n')
    found = load({}, file=file, environ={}).kafka_security
    assert found is not None
    assert found.ca == str(tmp_path / "ca.pem")
    with pytest.raises(ConfigError, match=r"ca\.pem"):
        client_settings(found)
    given = {"ROGATORY_KAFKA_SECURITY": '{"protocol": "SSL"}'}
    assert load({}, file=file, environ=given).kafka_security == read_security({"protocol": "SSL"})
    with pytest.raises(ConfigError, match="JSON object"):
        load({}, file=file, environ={"ROGATORY_KAFKA_SECURITY": "SSL"})
