"""The topics of a ledger as an AsyncAPI 3.0 document, made from the catalogue, the formats and the Kafka settings.

It describes another system: one that sends to ``submissions`` and may receive from ``ledger`` and ``outcomes``::

    "operations": {"submit": {"action": "send", "channel": {"$ref": "#/channels/submissions"}, …}}

AsyncAPI's own schemas are a superset of JSON Schema draft 07, so the schemas of ``ledger/catalogue/schema.py`` are put
in its words: definitions stand under ``components/schemas``, and ``dependentRequired`` is ``dependencies``.

A header that may stand there several times (``signature``) is described once, since the document has no other way.

Source: AsyncAPI 3.0.0; Kafka bindings 0.5.0.
"""

from __future__ import annotations

from typing import Any

import msgspec

from infra.adapters.kafka_settings import MAX_BATCH_BYTES, required
from ledger import ids
from ledger.catalogue import types_by_name
from ledger.catalogue.base import EventType
from ledger.catalogue.schema import Schema, ecma, meaning, wire_components
from ledger.event import CONTENT_TYPE
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS
from ledger.outcome import Outcome
from ledger.seal import Seal
from ledger.signature import MAX_SIGNATURES
from ledger.submission import (
    ATTEST_HEADER,
    CONTENT_TYPE_HEADER,
    HOME_HEADER,
    OUTCOME_HEADER,
    SEAL_HEADER,
    SIGNATURE_HEADER,
)

_BINDING = "0.5.0"
_SIGNATURE = rf"^{ids.KID} [A-Za-z0-9+/]{{85}}[AQgw]==$"
_SUBMISSION_HEADERS, _RECORD_HEADERS, _OUTCOME_HEADERS = "SubmissionHeaders", "RecordHeaders", "OutcomeHeaders"
_RECORD, _OUTCOME = "record", "outcome"

_ABOUT = (
    "A signed, append-only ledger of acts in international legal co-operation. Other systems send signed CloudEvents "
    "to submissions, each with its subject as key, into the partition that Kafka's murmur2 of the key gives. A "
    "registrar appends what it admits to ledger, the same bytes beside a seal, and says in outcomes what became no "
    "record, and why. docs/formats.md has the exact bytes."
)
_TEXTS = {
    SUBMISSIONS: "What systems send; the broker sets the timestamp. Nobody's acknowledgement: see ledger and outcomes.",
    LEDGER: "What was admitted: the sender's bytes with a seal. Kept for ever, never compacted.",
    OUTCOMES: "Submissions that became no new record, with the reason. The first outcome of a key counts.",
}


def asyncapi(version: str) -> Schema:
    """The document; ``version`` is the release's."""
    rows = sorted(types_by_name().values(), key=lambda row: row.type)
    schemas, messages = _events(rows)
    channels = {
        SUBMISSIONS: _channel(SUBMISSIONS, sorted(messages)),
        LEDGER: _channel(LEDGER, [_RECORD]),
        OUTCOMES: _channel(OUTCOMES, [_OUTCOME]),
    }
    anything = {"oneOf": [{"$ref": f"#/components/schemas/{_short(row)}"} for row in rows]}
    messages[_RECORD] = _message(
        "Record", "An event that was admitted.", _RECORD_HEADERS, {"$ref": "#/components/schemas/AnyEvent"},
        {"type": "string", "maxLength": ids.SUBJECT_MAX, "description": "The subject."},
    )  # fmt: skip
    messages[_OUTCOME] = _message(
        "Outcome", "A submission that became no new record; its value may be anything that somebody sent.",
        _OUTCOME_HEADERS, {},
        {"type": "string", "pattern": "^[0-9]+/[0-9]+/[0-9]+$", "description": "partition/epoch/offset"},
    )  # fmt: skip
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rogatory",
            "version": version,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE.decode(),
        "servers": {
            "kafka": {
                "host": "{bootstrap}",
                "protocol": "kafka",
                "description": "Kafka 3.6 or newer, as the ledger's operator names it.",
                "variables": {"bootstrap": {"default": "localhost:9092", "description": "HOST:PORT of a broker"}},
            }
        },
        "channels": channels,
        "operations": {
            "submit": _operation("send", SUBMISSIONS, "Send a signed event."),
            "followLedger": _operation("receive", LEDGER, "Read what was admitted."),
            "followOutcomes": _operation("receive", OUTCOMES, "Read what was not, and why."),
        },
        "components": {
            "messages": messages,
            "schemas": {**schemas, "AnyEvent": anything, **_formats()},
        },
    }


def _short(row: EventType) -> str:
    return row.type.removeprefix("rogatory.")


def _events(rows: list[EventType]) -> tuple[dict[str, Schema], dict[str, Schema]]:
    """The schemas of all events and of what is in them, and the messages of ``submissions``."""
    envelopes: dict[str, Schema] = {}
    components: dict[str, Schema] = {}
    messages: dict[str, Schema] = {}
    for row in rows:
        envelope, found = wire_components(row)
        said = {"title": row.type, "description": f"{meaning(row.data)} Rests on: {row.cites}."}
        envelopes[_short(row)] = draft07({**said, **envelope})
        for name, component in found.items():
            if components.setdefault(name, draft07(component)) != draft07(component):
                raise AssertionError(f"expected one schema of the name {name}, found two")
        messages[_short(row)] = _message(
            row.type, meaning(row.data), _SUBMISSION_HEADERS, {"$ref": f"#/components/schemas/{_short(row)}"},
            envelope["properties"]["subject"],
        )  # fmt: skip
    return {**envelopes, **dict(sorted(components.items()))}, messages


def draft07(schema: Any) -> Any:
    """A schema of ours as AsyncAPI takes it."""
    if isinstance(schema, list):
        return [draft07(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    adapted = {}
    for key, value in schema.items():
        if key == "$ref":
            adapted[key] = value.replace("#/$defs/", "#/components/schemas/")
        else:
            adapted["dependencies" if key == "dependentRequired" else key] = draft07(value)
    return adapted


def _message(title: str, summary: str, headers: str, payload: Schema, key: Schema) -> Schema:
    return {
        "name": title,
        "title": title,
        "summary": summary,
        "contentType": CONTENT_TYPE.decode(),
        "headers": {"$ref": f"#/components/schemas/{headers}"},
        "payload": payload,
        "bindings": {"kafka": {"key": draft07(key), "bindingVersion": _BINDING}},
    }


def _channel(topic: str, messages: list[str]) -> Schema:
    settings = required(topic)
    return {
        "address": f"{{ledger}}.{topic}",
        "title": topic,
        "description": _TEXTS[topic],
        "parameters": {"ledger": {"description": "The ledger's name: its id up to the point."}},
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {
            "kafka": {
                "topicConfiguration": {
                    "cleanup.policy": [settings["cleanup.policy"]],
                    "retention.ms": int(settings["retention.ms"]),
                    "retention.bytes": int(settings["retention.bytes"]),
                    "max.message.bytes": MAX_BATCH_BYTES[topic],
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operation(action: str, topic: str, summary: str) -> Schema:
    return {"action": action, "channel": {"$ref": f"#/channels/{topic}"}, "summary": summary}


# Headers


def _formats() -> dict[str, Schema]:
    content_type = {"const": CONTENT_TYPE.decode()}
    signature = {
        "type": "string",
        "pattern": _SIGNATURE,
        "description": f"kid and base64 of the signature; this header 1 to {MAX_SIGNATURES} times.",
    }
    named = {"type": "string", "pattern": _SIGNATURE, "description": "kid and base64, by a log key over the entry."}
    home = {"type": "string", "description": "On register copies only: kid, base64, and partition 0's seal."}
    seal = _json_text("Seal")
    return {
        _SUBMISSION_HEADERS: {
            "type": "object",
            "properties": {CONTENT_TYPE_HEADER: content_type, SIGNATURE_HEADER: signature, HOME_HEADER: home},
            "required": [CONTENT_TYPE_HEADER, SIGNATURE_HEADER],
        },
        _RECORD_HEADERS: {
            "type": "object",
            "properties": {CONTENT_TYPE_HEADER: content_type, SEAL_HEADER: seal, ATTEST_HEADER: named},
            "required": [CONTENT_TYPE_HEADER, SEAL_HEADER],
        },
        _OUTCOME_HEADERS: {
            "type": "object",
            "description": "All headers of the submission, and behind them the outcome.",
            "properties": {OUTCOME_HEADER: _json_text("Outcome")},
            "required": [OUTCOME_HEADER],
        },
        **_structs(Seal, Outcome),
    }


def _json_text(of: str) -> Schema:
    return {
        "type": "string",
        "contentMediaType": "application/json",
        "description": f"JSON text of components/schemas/{of}.",
    }


def _structs(*structs: type) -> dict[str, Schema]:
    """Schemas of what stands in headers as JSON."""
    _, found = msgspec.json.schema_components(structs, ref_template="#/components/schemas/{name}")
    return {name: _tuples(component) for name, component in sorted(found.items())}


def _tuples(schema: Any) -> Any:
    """Arrays of fixed places as draft 07 says them, patterns as ECMA-262."""
    if isinstance(schema, list):
        return [_tuples(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    adapted = {key: _tuples(value) for key, value in schema.items()}
    if "prefixItems" in adapted:
        adapted["items"] = adapted.pop("prefixItems")
        adapted["additionalItems"] = False
    if isinstance(adapted.get("pattern"), str):
        adapted["pattern"] = ecma(adapted["pattern"])
    return adapted
