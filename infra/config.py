"""Settings: from the command line, else the environment, else a TOML file, else a default. Checked at the start.

A file as ``rogatory ledger open`` writes it (``./rogatory.toml``, or ``--config FILE``, or ``ROGATORY_CONFIG``)::

    ledger = "file:./assistance"
    ledger_id = "assistance.0123456789abcdef0123456789abcdef"
    data = "rogatory-data"

In the environment each setting is ``ROGATORY_<NAME>``.  Paths in the file are relative to the file.

``data`` is a folder of local files that are never part of the ledger; ``keys``, ``vault``, ``state`` and
``store`` lie in it unless
they are set.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from infra.kafka_security import KafkaSecurity, read_security
from ledger import ids
from ledger.errors import ConfigError

DEFAULT_FILE = Path("rogatory.toml")
LogFormat = Literal["auto", "text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = ("auto", "text", "json")


class FileLedger(msgspec.Struct, frozen=True):
    """``file:FOLDER``."""

    folder: Path


class KafkaLedger(msgspec.Struct, frozen=True):
    """``kafka://HOST:PORT[,HOST:PORT]/NAME``."""

    bootstrap: str
    name: str


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """The settings in force. ``ledger_id`` None means: take the ledger's own word for it (and say so)."""

    ledger: str
    ledger_id: str | None
    data: Path
    keys: Path
    vault: Path
    state: Path
    store: str
    """A SQLAlchemy URL."""
    office: str | None
    key: tuple[str, ...]
    """References of the keys that sign (``infra/adapters/keys.py``); empty: those of ``office`` in ``keys``."""
    log_key: str | None
    timeout: float
    """Seconds after which an operation on the log that does not answer is given up."""
    outbox: str | None = None
    """A SQLAlchemy URL: the application's database with the outbox that a relay empties."""
    outbox_table: str = "rogatory_outbox"
    """Its table, ``schema.name`` where it lies in a schema."""
    observe: str | None = None
    """``HOST:PORT`` where a service shows health, readiness and metrics; None: nowhere."""
    log_format: LogFormat = "auto"
    """How log lines are written: text, json, or auto (json for a service whose stderr is no terminal)."""
    kafka_security: KafkaSecurity | None = None
    """How to log in to Kafka; None: without TLS, as nobody."""

    def address(self) -> FileLedger | KafkaLedger:
        """Where the ledger is."""
        return parse_address(self.ledger)


_SETTINGS: dict[str, type] = {
    "ledger": str, "ledger_id": str, "data": str, "keys": str, "vault": str, "state": str, "store": str,
    "office": str, "key": list, "log_key": str, "timeout": float,
    "outbox": str, "outbox_table": str,
    "observe": str, "log_format": str,
    "kafka_security": dict,
}  # fmt: skip
_PATHS = ("data", "keys", "vault", "state")


def load(given: Mapping[str, Any], *, file: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The settings, with ``given`` (from the command line; None means not given) before everything else.

    Raises:
        ConfigError: a setting is missing, unknown or malformed; says which, where, and what was expected.
    """
    environ = os.environ if environ is None else environ
    named = file or (Path(environ["ROGATORY_CONFIG"]) if environ.get("ROGATORY_CONFIG") else None)
    found: dict[str, Any] = _from_file(named or DEFAULT_FILE, must_exist=named is not None)
    found |= _from_environment(environ)
    found |= {name: value for name, value in given.items() if value not in (None, [], ())}
    if "ledger" not in found:
        raise ConfigError(
            "expected a ledger, found none: pass --ledger file:FOLDER or --ledger kafka://HOST:PORT/NAME, set "
            "ROGATORY_LEDGER, or run `rogatory ledger open`, which writes rogatory.toml"
        )
    parse_address(found["ledger"])
    if "ledger_id" in found and not re.fullmatch(ids.LEDGER_ID, found["ledger_id"]):
        raise ConfigError(f"expected ledger_id '<name>.<32 hex>', found {found['ledger_id'][:80]!r}")
    office = found.get("office", "X")
    if len(office) > ids.OFFICE_CODE_MAX or not re.fullmatch(ids.OFFICE_CODE, office):
        raise ConfigError(f"expected office as a code like RU-OMS, found {found['office'][:40]!r}")
    if "observe" in found:
        parse_endpoint(found["observe"])
    data = Path(found.get("data", "rogatory-data"))
    timeout = found.get("timeout", 30.0)
    if not 0.1 <= timeout <= 600:
        raise ConfigError(f"expected timeout between 0.1 and 600 seconds, found {str(timeout)[:20]}")
    return Config(
        ledger=found["ledger"],
        ledger_id=found.get("ledger_id"),
        data=data,
        keys=Path(found.get("keys", data / "keys")),
        vault=Path(found.get("vault", data / "vault.sqlite")),
        state=Path(found.get("state", data / "registrar")),
        store=found.get("store", f"sqlite:///{data / 'store.sqlite'}"),
        office=found.get("office"),
        key=tuple(found.get("key", ())),
        log_key=found.get("log_key"),
        timeout=float(timeout),
        outbox=found.get("outbox"),
        outbox_table=found.get("outbox_table", "rogatory_outbox"),
        observe=found.get("observe"),
        log_format=parse_log_format(found.get("log_format", "auto")),
        kafka_security=found.get("kafka_security"),
    )


def parse_address(text: str) -> FileLedger | KafkaLedger:
    """Where a ledger is.

    Raises:
        ConfigError: neither ``file:FOLDER`` nor ``kafka://HOST:PORT[,HOST:PORT]/NAME``.
    """
    if text.startswith("file:") and len(text) > 5:
        return FileLedger(Path(text[5:]))
    if text.startswith("kafka://"):
        hosts, _, name = text[8:].partition("/")
        if all(re.fullmatch(r"(?:[A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\]):[0-9]{1,5}", h) for h in hosts.split(",")):
            if re.fullmatch(ids.LEDGER_NAME, name):
                return KafkaLedger(hosts, name)
            raise ConfigError(f"expected a ledger name (lower case letters, digits, -) after the hosts, found {name!r}")
    raise ConfigError(f"expected --ledger file:FOLDER or kafka://HOST:PORT[,HOST:PORT]/NAME, found {text[:100]!r}")


def parse_endpoint(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT`` (all interfaces).

    Raises:
        ConfigError: none of them.
    """
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        colon = ""
    if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > 65535:
        raise ConfigError(f"expected --observe HOST:PORT, such as 127.0.0.1:9464, found {text[:100]!r}")
    return host, int(port)


def parse_log_format(text: str) -> LogFormat:
    """How log lines are written. Raises ConfigError."""
    for form in LOG_FORMATS:
        if text == form:
            return form
    raise ConfigError(f"expected log_format {', '.join(LOG_FORMATS)}, found {text[:40]!r}")


def _from_file(path: Path, *, must_exist: bool) -> dict[str, Any]:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if must_exist:
            raise ConfigError(f"expected the settings file {path}, found none") from None
        return {}
    except (OSError, ValueError, RecursionError) as error:  # ValueError: not UTF-8, not TOML, or thousands of digits
        raise ConfigError(f"expected TOML settings in {path}, found: {error}") from None
    for name, value in found.items():
        _check(name, value, str(path))
    base = path.parent
    for name in _PATHS:
        if name in found:
            found[name] = str(base / found[name])
    if "kafka_security" in found:
        found["kafka_security"] = read_security(found["kafka_security"], base)
    if found.get("ledger", "").startswith("file:"):
        found["ledger"] = f"file:{base / found['ledger'][5:]}"
    return found


def _check(name: str, value: Any, where: str) -> None:
    wanted = _SETTINGS.get(name)
    if wanted is None:
        raise ConfigError(f"expected settings {', '.join(_SETTINGS)} in {where}, found {name!r}")
    right = isinstance(value, (int, float)) if wanted is float else isinstance(value, wanted)
    if isinstance(value, bool) or not right or (wanted is list and not all(isinstance(v, str) for v in value)):
        kind = {str: "text", float: "a number", list: "a list of texts", dict: "a table"}[wanted]
        raise ConfigError(f"expected {kind} for {name} in {where}, found {value!r}")


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, wanted in _SETTINGS.items():
        text = environ.get(f"ROGATORY_{name.upper()}")
        if not text:
            continue
        if wanted is dict:
            try:
                found[name] = read_security(msgspec.json.decode(text))
            except msgspec.MsgspecError:
                raise ConfigError(f"expected a JSON object in ROGATORY_{name.upper()}, found other text") from None
        elif wanted is float:
            try:
                found[name] = float(text)
            except ValueError:
                raise ConfigError(f"expected a number in ROGATORY_{name.upper()}, found {text!r}") from None
        else:
            found[name] = [text] if wanted is list else text
    return found
