"""``rogatory ready``: what a health check hears from a service that is ready, is not, is another, or is not there."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.e2e.cli import Cli

READY = {"ready": True, "service": "live", "ledger": "x", "reasons": [], "degraded": [], "partitions": []}
POISON = {"worker": "status", "partition": 1, "kind": "poison", "since": 17}
Serve = Callable[[int, bytes], str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """A server that gives one answer to everything; its address."""
    servers: list[HTTPServer] = []

    def start(status: int, body: bytes) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/readyz" else 404)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_service_that_is_ready(cli: Cli, serve: Serve) -> None:
    address = serve(200, json.dumps(READY).encode())
    assert cli("ready", "--observe", address).stdout == "live is ready.\n"
    assert cli.json("ready", "--observe", address) == READY


def test_a_partition_that_stands_still_is_told_of_a_ready_service(cli: Cli, serve: Serve) -> None:
    address = serve(200, json.dumps(READY | {"degraded": [POISON]}).encode())
    assert "degraded: status 1 (poison)" in cli("ready", "--observe", address).stdout


def test_a_service_that_is_not_ready_says_why(cli: Cli, serve: Serve) -> None:
    document = READY | {"ready": False, "reasons": ["log: did not answer live"]}
    address = serve(503, json.dumps(document).encode())
    assert "log: did not answer live" in cli("ready", "--observe", address, code=1).stdout
    assert cli.json("ready", "--observe", address, code=1) == document


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"ready":true}'])
def test_something_else_at_that_address_is_no_service(cli: Cli, serve: Serve, body: bytes) -> None:
    assert "found something else" in cli("ready", "--observe", serve(200, body), code=3).stderr


def test_nobody_at_that_address(cli: Cli) -> None:
    assert "Connection refused" in cli("ready", "--observe", "127.0.0.1:1", code=3).stderr


def test_any_address_of_this_machine_is_asked_at_the_local_one(
    cli: Cli, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = serve(200, json.dumps(READY).encode()).rpartition(":")[2]
    monkeypatch.setenv("ROGATORY_OBSERVE", f"0.0.0.0:{port}")
    assert "ready" in cli("ready").stdout


def test_an_address_that_is_none(cli: Cli) -> None:
    assert "expected --observe HOST:PORT" in cli("ready", "--observe", "nowhere", code=2).stderr
