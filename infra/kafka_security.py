"""How clients log in to Kafka: the table ``kafka_security`` of the settings, read and checked.

::

    [kafka_security]
    protocol = "SASL_SSL"              # PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL
    ca = "kafka-ca.pem"                # whom to believe; default: what the system believes
    certificate = "office.pem"         # who we are, where the broker asks for a certificate
    key = "office.key"
    key_password = "env:KAFKA_KEY_PASSWORD"
    mechanism = "SCRAM-SHA-512"        # or SCRAM-SHA-256, PLAIN
    username = "office-omsk"
    password = "file:/run/secrets/kafka"

In the environment, ``ROGATORY_KAFKA_SECURITY`` holds the same as one JSON object.  Passwords are references,
``env:NAME`` or ``file:PATH``, never the text itself; paths are relative to the settings file.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec

from ledger.errors import ConfigError

_PATHS = ("ca", "certificate", "key")


class KafkaSecurity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table; see the module."""

    protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: str | None = None
    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    username: str | None = None
    password: str | None = None


def read_security(found: Any, base: Path = Path()) -> KafkaSecurity:
    """The table as checked; ``base`` is where relative paths begin.

    Raises:
        ConfigError: a member is unknown, missing, or does not fit the protocol.
    """
    try:
        table = msgspec.convert(found, KafkaSecurity)
    except msgspec.ValidationError as error:
        raise ConfigError(f"kafka_security: {error}") from None
    sasl, tls = table.protocol.startswith("SASL"), table.protocol.endswith("SSL")
    if sasl != (table.mechanism is not None and table.username is not None and table.password is not None):
        wanted = "mechanism, username and password" if sasl else "no mechanism, username or password"
        raise ConfigError(f"kafka_security: expected {wanted} with protocol {table.protocol}, found otherwise")
    if not tls and any((table.ca, table.certificate, table.key, table.key_password)):
        raise ConfigError(
            f"kafka_security: expected no ca, certificate or key with protocol {table.protocol}, found one"
        )
    if (table.certificate is None) != (table.key is None):
        raise ConfigError("kafka_security: expected certificate and key together, found one of them")
    for name in ("password", "key_password"):
        _check_reference(name, getattr(table, name))
    changes = {name: str(base / getattr(table, name)) for name in _PATHS if getattr(table, name) is not None}
    return msgspec.structs.replace(table, **changes)


def client_settings(table: KafkaSecurity | None, environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What aiokafka's clients take: protocol, TLS context, mechanism, name and password.

    Raises:
        ConfigError: a file or variable is not there, or holds no certificate or key.
    """
    if table is None:
        return {}
    environ = os.environ if environ is None else environ
    settings: dict[str, Any] = {"security_protocol": table.protocol}
    if table.protocol.endswith("SSL"):
        settings["ssl_context"] = _context(table, environ)
    if table.mechanism is not None:
        settings["sasl_mechanism"] = table.mechanism
        settings["sasl_plain_username"] = table.username
        settings["sasl_plain_password"] = _secret("password", table.password or "", environ)
    return settings


def _context(table: KafkaSecurity, environ: Mapping[str, str]) -> ssl.SSLContext:
    password = None if table.key_password is None else _secret("key_password", table.key_password, environ)
    try:
        context = ssl.create_default_context(cafile=table.ca)  # checks the broker's name as well
        if table.certificate is not None:
            # Without a password of ours OpenSSL would ask for one at the terminal.
            context.load_cert_chain(table.certificate, table.key, password or "")
    except (OSError, ssl.SSLError) as error:
        where = (
            table.ca if table.certificate is None else f"{table.ca or 'the system'}, {table.certificate}, {table.key}"
        )
        raise ConfigError(f"kafka_security: expected certificates and keys in PEM at {where}, found: {error}") from None
    return context


def _check_reference(name: str, text: str | None) -> None:
    if text is not None and not text.startswith(("env:", "file:")):
        raise ConfigError(f"kafka_security: expected {name} as env:NAME or file:PATH, found other text (not shown)")


def _secret(name: str, reference: str, environ: Mapping[str, str]) -> str:
    scheme, _, rest = reference.partition(":")
    if scheme == "env":
        if rest not in environ:
            raise ConfigError(f"kafka_security: expected {name} in the environment variable {rest}, found none")
        return environ[rest]
    try:
        return Path(rest).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"kafka_security: expected {name} in the file {rest}, found {error}") from None
