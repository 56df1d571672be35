"""What must not be read in a log line is taken out of it, and nothing else is."""

from __future__ import annotations

import base64
from hashlib import shake_256

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from infra.observing.redaction import clean, clean_argument, clean_text, told

SECRET = "Ёжиков4815162342"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql+psycopg://rogatory:{SECRET}@db.example:5432/store",
        f"connecting to amqp://u:{SECRET}:more@host and on",
        f"postgresql://u:pass@{SECRET}@host/db",
        f"password={SECRET} host=db",
        f"host=db user=x PASSWORD = '{SECRET} with blanks'",
        f"{{'sasl_plain_password': '{SECRET}', 'a': 1}}",
        f'{{"access_token":"{SECRET}"}}',
        f"Authorization: Bearer {SECRET}",
        f"authorization='Basic {SECRET}'",
        f"api-key: {SECRET}; next",
        f"FetchResponse(records=b'{SECRET}')",
        f"got {SECRET.encode()!r}",
        f'bytearray(b"{SECRET}\\"more")',
        f'submitted {{"specversion":"1.0","id":"x","data":{{"note":"{SECRET}"}}}}',
        f'text {{\\"specversion\\":\\"1.0\\",\\"data\\":\\"{SECRET}\\"',
        f"(psycopg.errors.NotNullViolation) null value\nDETAIL:  Failing row contains (1, {SECRET}).",
        f"error\n[SQL: INSERT INTO rows VALUES (?)]\n[parameters: ('{SECRET}', 1)]\n(Background on this error)",
        f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----",
        f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{SECRET}",
    ],
)
def test_a_secret_is_taken_out_of_a_text(text: str) -> None:
    assert SECRET in text or repr(SECRET.encode())[2:-1] in text
    cleaned = clean_text(text)
    assert SECRET not in cleaned
    assert repr(SECRET.encode())[2:-1] not in cleaned


@pytest.mark.parametrize(
    "text",
    [
        "partition 3: log unavailable (ask for the end of assistance.ledger/3: [Errno 111]); trying again in 0.5 s",
        "serving assistance.fc26181ab51d23fd7a48fe46a38d7cef: 2 partitions",
        f"expected leaf {'0a' * 32}, found {'b1' * 32}",
        "kafka://a.example:9092,b.example:9092/assistance",
        "expected http://127.0.0.1:9464 or user@example.org, found sqlite:///rogatory-data/store.sqlite",
        "/home/user/projects/rogatory/consumers/replay/with/a/rather/long/path/to/it/and/more/of/it/file",
        "RU-OMS#73a56ca40123456789abcdef01234567 is no key; it's Bob's office",
    ],
)
def test_what_a_person_needs_stays(text: str) -> None:
    assert clean_text(text) == text


def test_key_material_and_boxes_are_told_by_length_alone() -> None:
    for size in (32, 48, 64, 300):
        text = base64.b64encode(shake_256(bytes([size % 256])).digest(size)).decode()
        assert text not in clean_text(f"seed {text} end")
        assert text not in clean_text(f'{{"box":"{text}"}}')


def test_a_message_of_the_database_keeps_its_cause_and_loses_its_values() -> None:
    engine = sa.create_engine("sqlite://")
    with pytest.raises(sa.exc.OperationalError) as caught, engine.connect() as connection:
        connection.execute(sa.text("INSERT INTO absent VALUES (:a)"), {"a": SECRET})
    assert SECRET in str(caught.value)
    assert SECRET not in clean_text(str(caught.value))
    assert "no such table" in clean_text(str(caught.value))


def test_bytes_are_told_by_length_and_hash_wherever_they_are() -> None:
    raw = SECRET.encode()
    assert told(raw).startswith(f"<{len(raw)} bytes, sha256 ")
    assert clean([{"a": raw}, (bytearray(raw), memoryview(raw))]) == [{"a": told(raw)}, [told(raw), told(raw)]]
    assert clean_argument({"a": [raw, 3]}) == {"a": [told(raw), 3]}
    assert clean_argument((raw,)) == (told(raw),)
    assert clean_argument(3) == 3


def test_an_object_is_shown_as_its_text_cleaned() -> None:
    class Odd:
        def __str__(self) -> str:
            return f"password={SECRET}"

    assert clean(Odd()) == "password=***"


def test_a_very_long_text_is_cut_off() -> None:
    assert len(clean_text("x " * 100_000)) < 10_000


@given(st.text(max_size=300), st.binary(min_size=8, max_size=60))
def test_no_bytes_survive_in_any_surroundings(around: str, raw: bytes) -> None:
    shown = repr(raw + b"\xff\xfe")
    assert shown not in clean_text(f"{around.replace(chr(39), '').replace(chr(34), '')} {shown}")
