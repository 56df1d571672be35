"""The vault gives each compartment one key, keeps it for its owner only, and destroys it for good."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.adapters.vault import VaultFile
from ledger.errors import KeyFault
from ledger.sealing import key_id
from ledger.vault import GENERAL


@pytest.fixture(name="path")
def a_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "vault.sqlite"


@pytest.fixture(name="vault")
def a_vault(path: Path) -> Iterator[VaultFile]:
    vault = VaultFile(path)
    yield vault
    vault.close()


def test_a_compartment_keeps_its_key(vault: VaultFile, path: Path) -> None:
    key = vault.key_for("request/1", GENERAL)
    assert len(key) == 32
    assert vault.key_for("request/1", GENERAL) == key
    again = VaultFile(path)
    assert again.key_for("request/1", GENERAL) == key
    again.close()


def test_compartments_have_keys_of_their_own(vault: VaultFile) -> None:
    places = [
        ("request/1", GENERAL),
        ("request/1", "material/m-1"),
        ("request/2", GENERAL),
        ("request/2", "material/m-1"),
    ]
    assert len({vault.key_for(*place) for place in places}) == 4


def test_a_key_is_found_by_its_id(vault: VaultFile) -> None:
    key = vault.key_for("request/1", GENERAL)
    assert vault.find(key_id(key)) == key
    assert vault.find("0" * 32) is None


def test_a_destroyed_key_is_gone_and_its_compartment_closed(vault: VaultFile, path: Path) -> None:
    key, other = vault.key_for("request/1", GENERAL), vault.key_for("request/2", GENERAL)
    assert vault.destroy("request/1", GENERAL) == [key_id(key)]
    assert vault.find(key_id(key)) is None
    with pytest.raises(KeyFault, match=r"content key of request/1 \(general\) was destroyed"):
        vault.key_for("request/1", GENERAL)
    assert vault.destroy("request/1", GENERAL) == []
    assert vault.find(key_id(other)) == other
    again = VaultFile(path)
    with pytest.raises(KeyFault, match="was destroyed"):
        again.key_for("request/1", GENERAL)
    again.close()


def test_no_byte_of_a_destroyed_key_stays_in_the_folder(vault: VaultFile, path: Path) -> None:
    key = vault.key_for("request/1", GENERAL)
    assert key in path.read_bytes()
    vault.destroy("request/1", GENERAL)
    for file in path.parent.iterdir():
        assert key not in file.read_bytes(), file


def test_destroying_what_was_never_there_closes_nothing(vault: VaultFile) -> None:
    assert vault.destroy("request/1", GENERAL) == []
    assert len(vault.key_for("request/1", GENERAL)) == 32


def test_many_keys_are_made_at_once(vault: VaultFile) -> None:
    first = vault.key_for("request/1", GENERAL)
    places = {(f"request/{n}", GENERAL) for n in range(50)}
    vault.keys_for(places)
    keys = {vault.key_for(*place) for place in places}
    assert len(keys) == 50
    assert first in keys


def test_two_who_ask_at_once_get_the_same_key(vault: VaultFile, path: Path) -> None:
    other = VaultFile(path)
    with ThreadPoolExecutor(8) as pool:
        for n in range(10):
            asked = [pool.submit(v.key_for, f"request/{n}", GENERAL) for v in (vault, other) * 4]
            assert len({future.result() for future in asked}) == 1
    other.close()


def test_the_file_is_its_owners_only(vault: VaultFile, path: Path) -> None:
    vault.key_for("request/1", GENERAL)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_vault_that_others_can_reach_is_refused(path: Path) -> None:
    VaultFile(path).close()
    for mode in (0o640, 0o604, 0o666):
        path.chmod(mode)
        with pytest.raises(KeyFault, match="readable by its owner only"):
            VaultFile(path)


def test_what_is_no_vault_is_a_key_fault(tmp_path: Path) -> None:
    path = tmp_path / "vault.sqlite"
    path.write_bytes(b"this is no database, but long enough to look like one at a first glance" * 20)
    path.chmod(0o600)
    with pytest.raises(KeyFault, match="expected a usable vault"):
        VaultFile(path)
    with pytest.raises(KeyFault):
        VaultFile(path / "below")


def test_a_key_destroyed_by_one_process_is_gone_for_the_others(vault: VaultFile, path: Path) -> None:
    other = VaultFile(path)
    other.key_for("request/1", GENERAL)
    vault.destroy("request/1", GENERAL)
    try:
        with pytest.raises(KeyFault, match="was destroyed"):
            other.key_for("request/1", GENERAL)
    finally:
        other.close()


def test_a_vault_that_does_not_answer_is_an_error_of_ours(tmp_path: Path) -> None:
    vault = VaultFile(tmp_path / "vault.sqlite")
    vault._db.execute("DROP TABLE content_keys")
    for ask in (lambda: vault.find("0" * 32), lambda: vault.destroy("request/1", "general")):
        with pytest.raises(KeyFault, match="content_keys"):
            ask()
    vault.close()
