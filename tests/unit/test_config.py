"""Settings: where they come from, in which order, and what a wrong one says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.config import Config, FileLedger, KafkaLedger, load, parse_address, parse_endpoint
from ledger.errors import ConfigError

ID = "assistance.0123456789abcdef0123456789abcdef"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file of the place where the tests are run."""
    monkeypatch.chdir(tmp_path)


def written(tmp_path: Path, text: str, name: str = "settings.toml") -> Path:
    path = tmp_path / "conf" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_ledger_is_all_that_must_be_given() -> None:
    assert load({"ledger": "file:./assistance"}, environ={}) == Config(
        ledger="file:./assistance",
        ledger_id=None,
        data=Path("rogatory-data"),
        keys=Path("rogatory-data/keys"),
        vault=Path("rogatory-data/vault.sqlite"),
        state=Path("rogatory-data/registrar"),
        store="sqlite:///rogatory-data/store.sqlite",
        office=None,
        key=(),
        log_key=None,
        timeout=30.0,
    )


def test_without_a_ledger_the_error_says_what_to_do() -> None:
    with pytest.raises(ConfigError, match=r"--ledger file:FOLDER .* ROGATORY_LEDGER, or run `rogatory ledger open`"):
        load({}, environ={})


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, 'ledger = "file:a"\noffice = "RU-FILE"\nlog_key = "env:FILE"\ntimeout = 5')
    environ = {"ROGATORY_OFFICE": "RU-ENV", "ROGATORY_LOG_KEY": "env:ENV", "ROGATORY_TIMEOUT": "7.5"}
    config = load({"office": "RU-GIVEN", "key": None, "timeout": None}, file=file, environ=environ)
    assert (config.office, config.log_key, config.timeout) == ("RU-GIVEN", "env:ENV", 7.5)
    assert load({}, file=file, environ={}).timeout == 5.0
    assert load({}, file=file, environ={"ROGATORY_OFFICE": ""}).office == "RU-FILE"


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    file = written(tmp_path, 'ledger = "file:./assistance"\ndata = "local"\nkeys = "/etc/keys"')
    config = load({}, file=file, environ={})
    assert config.address() == FileLedger(tmp_path / "conf" / "assistance")
    assert config.data == tmp_path / "conf" / "local"
    assert config.keys == Path("/etc/keys")
    assert config.vault == tmp_path / "conf" / "local" / "vault.sqlite"
    assert load({"data": "here"}, file=file, environ={}).data == Path("here")


def test_the_file_is_named_by_the_environment_or_lies_here(tmp_path: Path) -> None:
    file = written(tmp_path, 'ledger = "file:/a"')
    assert load({}, environ={"ROGATORY_CONFIG": str(file)}).ledger == "file:/a"
    (tmp_path / "rogatory.toml").write_text('ledger = "file:/b"', encoding="utf-8")
    assert load({}, environ={}).ledger == "file:/b"
    assert load({}, file=file, environ={}).ledger == "file:/a"


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    for how in ({"file": tmp_path / "no.toml", "environ": {}}, {"environ": {"ROGATORY_CONFIG": "no.toml"}}):
        with pytest.raises(ConfigError, match=r"expected the settings file .*no\.toml, found none"):
            load({"ledger": "file:a"}, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["ledger = ", "ledger", "=", 'ledger = "a"\nledger = "b"', "\x00"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected TOML settings in .*settings\.toml"):
        load({}, file=written(tmp_path, text), environ={})


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, "")
    path.write_bytes(b'ledger = "\xff"')
    for file in (path, tmp_path):
        with pytest.raises(ConfigError, match="expected TOML settings in"):
            load({}, file=file, environ={})


WRONG = {
    'legder = "file:a"': "found 'legder'",
    "ledger = 1": "expected text for ledger",
    "ledger = true": "expected text for ledger",
    'ledger = "file:a"\ntimeout = "5"': "expected a number for timeout",
    'ledger = "file:a"\ntimeout = true': "expected a number for timeout",
    'ledger = "file:a"\nkey = "env:A"': "expected a list of texts for key",
    'ledger = "file:a"\nkey = [1]': "expected a list of texts for key",
    'ledger = "file:a"\ntimeout = 0': "timeout between 0.1 and 600 seconds, found 0",
    'ledger = "file:a"\ntimeout = 601': "timeout between 0.1 and 600 seconds, found 601",
    'ledger = "file:a"\ntimeout = nan': "timeout between 0.1 and 600 seconds, found nan",
    'ledger = "file:a"\nledger_id = "assistance"': "expected ledger_id '<name>.<32 hex>', found 'assistance'",
    'ledger = "file:a"\noffice = "ru-oms"': "expected office as a code like RU-OMS, found 'ru-oms'",
    'ledger = "assistance"': "expected --ledger file:FOLDER or kafka://",
}


@pytest.mark.parametrize(("text", "match"), WRONG.items())
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, match: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load({}, file=written(tmp_path, text), environ={})
    assert match in str(caught.value)


def test_a_wrong_number_in_the_environment_is_named() -> None:
    with pytest.raises(ConfigError, match="expected a number in ROGATORY_TIMEOUT, found 'soon'"):
        load({"ledger": "file:a"}, environ={"ROGATORY_TIMEOUT": "soon"})


def test_keys_are_a_list_in_a_file_and_one_in_the_environment(tmp_path: Path) -> None:
    file = written(tmp_path, 'ledger = "file:a"\nkey = ["env:A", "k.key"]')
    assert load({}, file=file, environ={}).key == ("env:A", "k.key")
    assert load({}, file=file, environ={"ROGATORY_KEY": "env:B"}).key == ("env:B",)
    assert load({"key": ("env:C",)}, file=file, environ={"ROGATORY_KEY": "env:B"}).key == ("env:C",)
    assert load({"key": []}, file=file, environ={"ROGATORY_KEY": "env:B"}).key == ("env:B",)


def test_a_ledger_id_and_an_office_are_taken() -> None:
    config = load({"ledger": "file:a", "ledger_id": ID, "office": "RU-T-WSIB"}, environ={})
    assert (config.ledger_id, config.office) == (ID, "RU-T-WSIB")


def test_where_to_be_observed_and_how_to_log_come_from_anywhere(tmp_path: Path) -> None:
    file = written(tmp_path, 'ledger = "file:a"\nobserve = "127.0.0.1:9464"\nlog_format = "json"')
    config = load({}, file=file, environ={})
    assert (config.observe, config.log_format) == ("127.0.0.1:9464", "json")
    config = load({"log_format": "text"}, file=file, environ={"ROGATORY_OBSERVE": ":1"})
    assert (config.observe, config.log_format) == (":1", "text")
    config = load({"ledger": "file:a"}, environ={})
    assert (config.observe, config.log_format) == (None, "auto")
    with pytest.raises(ConfigError, match="expected log_format auto, text, json, found 'xml'"):
        load({"ledger": "file:a", "log_format": "xml"}, environ={})
    with pytest.raises(ConfigError, match="HOST:PORT"):
        load({"ledger": "file:a", "observe": "9464"}, environ={})


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("host.example:65535", ("host.example", 65535)),
        (":9464", ("", 9464)),
        ("[::1]:80", ("::1", 80)),
    ],
)
def test_endpoints_are_read(text: str, endpoint: tuple[str, int]) -> None:
    assert parse_endpoint(text) == endpoint


@pytest.mark.parametrize("text", ["", "host", "host:", "host:x", "host:65536", "::1:80", "host:-1", "host:\u0664"])
def test_other_endpoints_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        parse_endpoint(text)


ADDRESSES: dict[str, Any] = {
    "file:a": FileLedger(Path("a")),
    "file:/srv/ledger of ours": FileLedger(Path("/srv/ledger of ours")),
    "kafka://localhost:9092/assistance": KafkaLedger("localhost:9092", "assistance"),
    "kafka://a.b-c_d:1,10.0.0.1:65535/a-1": KafkaLedger("a.b-c_d:1,10.0.0.1:65535", "a-1"),
    "kafka://[::1]:9092/a": KafkaLedger("[::1]:9092", "a"),
}


@pytest.mark.parametrize(("text", "address"), ADDRESSES.items())
def test_addresses_are_read(text: str, address: Any) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    "text",
    ["", "file:", "file", "/srv/ledger", "kafka:", "kafka://", "kafka://localhost/a", "kafka://localhost:9092",
     "kafka://localhost:9092/", "kafka://localhost:9092/A", "kafka://localhost:9092/a/b", "kafka://:9092/a",
     "kafka://localhost:9092,/a", "kafka://u:p@localhost:9092/a", "http://localhost:9092/a",
     "kafka://localhost:9092/a\n"],
)  # fmt: skip
def test_other_addresses_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="expected"):
        parse_address(text)


def test_a_number_of_any_size_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        load({}, file=written(tmp_path, 'ledger = "file:a"\ntimeout = 1' + "0" * 400), environ={})


def test_an_office_longer_than_a_code_is_refused() -> None:
    with pytest.raises(ConfigError):
        load({"ledger": "file:a", "office": "R" * 33}, environ={})
