"""Private keys stay private: files for their owner only, nothing of a seed in any text, one error for all faults."""

from __future__ import annotations

import logging
import stat
import sys
import traceback
from pathlib import Path

import msgspec
import pytest
from nacl.signing import SigningKey

from infra.adapters.keys import (
    CommandSigner,
    KeyFile,
    SeedSigner,
    find_key,
    list_keys,
    load_signer,
    new_key,
    read_key,
    write_key,
)
from ledger.errors import KeyFault
from ledger.signature import decode_base64, encode_base64, is_exchange_point, is_main_subgroup_point, make_kid, verify
from tests.keys import seed_of


def json_of(key: KeyFile, **changes: object) -> bytes:
    return msgspec.json.encode({**{n: getattr(key, n) for n in key.__struct_fields__}, **changes})


@pytest.fixture(name="key")
def a_key() -> KeyFile:
    return new_key("RU-OMS", "sign")


@pytest.fixture(name="path")
def a_path(tmp_path: Path, key: KeyFile) -> Path:
    return write_key(tmp_path / "keys", key)


def test_new_keys_are_right_for_their_use() -> None:
    for use in ("sign", "log", "witness", "authority"):
        key = new_key("RU-OMS", use)
        public = decode_base64(key.public_key, 32)
        assert (key.alg, key.use) == ("ed25519", use)
        assert is_main_subgroup_point(public)
        assert key.kid == make_kid("RU-OMS", "ed25519", public)
    seal = new_key("RU-OMS", "seal")
    public = decode_base64(seal.public_key, 32)
    assert seal.alg == "x25519"
    assert is_exchange_point(public)
    assert seal.kid == make_kid("RU-OMS", "x25519", public)
    assert new_key("RU-OMS", "sign").seed != new_key("RU-OMS", "sign").seed


def test_a_key_file_is_its_owners_only(path: Path, key: KeyFile) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_key(path) == key
    assert path.name == key.kid.replace("#", "-") + ".key"


def test_a_key_file_is_never_overwritten(path: Path, key: KeyFile) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyFault, match="expected to write the new key file"):
        write_key(path.parent, key)
    assert path.read_bytes() == before


def test_a_folder_that_cannot_be_made_is_a_key_fault(tmp_path: Path, key: KeyFile) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(KeyFault):
        write_key(tmp_path / "file" / "keys", key)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610, 0o601, 0o777])
def test_a_key_that_others_can_reach_is_refused(path: Path, mode: int) -> None:
    path.chmod(mode)
    with pytest.raises(KeyFault, match=f"readable by its owner only \\(0600\\), found {mode:04o}"):
        read_key(path)


def test_a_key_that_only_its_owner_can_read_is_taken(path: Path, key: KeyFile) -> None:
    path.chmod(0o400)
    assert read_key(path) == key


def test_absent_keys_and_folders_are_key_faults(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="No such file"):
        read_key(tmp_path / "absent.key")
    folder = tmp_path / "folder.key"
    folder.mkdir(mode=0o700)
    with pytest.raises(KeyFault):
        read_key(folder)


def private(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    path.chmod(0o600)
    return path


def test_a_file_that_is_no_key_is_refused_without_a_word_of_it(tmp_path: Path, key: KeyFile) -> None:
    texts = {
        "nothing": b"",
        "no JSON": key.seed.encode(),
        "a list": b"[]",
        "another member": json_of(key, more=1),
        "a member less": json_of(key).replace(b'"use":"sign",', b""),
        "a number as seed": json_of(key, seed=1),
        "cut": json_of(key)[:-2],
        "another algorithm": json_of(key, alg="rsa"),
    }
    for label, raw in texts.items():
        with pytest.raises(KeyFault, match="expected a key as `rogatory keys new` writes it") as caught:
            read_key(private(tmp_path / "x.key", raw))
        assert key.seed not in everything_said(caught.value), label


def everything_said(error: BaseException) -> str:
    """What a log with traceback shows of an error, and its parts."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.args)


WRONG_PARTS = ["kid", "public_key", "seed"]


@pytest.mark.parametrize("part", WRONG_PARTS)
def test_the_parts_of_a_key_must_belong_together(tmp_path: Path, key: KeyFile, part: str) -> None:
    other = new_key("RU-OMS", "sign")
    path = private(tmp_path / "x.key", json_of(key, **{part: getattr(other, part)}))
    with pytest.raises(KeyFault, match="to belong together") as caught:
        load_signer(str(path))
    said = everything_said(caught.value)
    assert key.seed not in said
    assert other.seed not in said


@pytest.mark.parametrize("seed", ["", "AAAA", "A" * 43, "A" * 44 + "=", "ё", "-" * 44])
def test_a_malformed_seed_is_a_key_fault(tmp_path: Path, key: KeyFile, seed: str) -> None:
    with pytest.raises(KeyFault, match="expected a usable key"):
        load_signer(f"file:{private(tmp_path / 'x.key', json_of(key, seed=seed))}")


def test_an_exchange_key_does_not_sign(tmp_path: Path) -> None:
    path = write_key(tmp_path, new_key("RU-OMS", "seal"))
    with pytest.raises(KeyFault, match="expected an ed25519 key to sign with"):
        load_signer(str(path))


def test_no_text_of_a_key_or_signer_shows_its_seed(key: KeyFile, caplog: pytest.LogCaptureFixture) -> None:
    signer = SeedSigner(key)
    raw = decode_base64(key.seed)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("test").info("%s %r %s %r %s", key, key, signer, signer, [key, signer])
    for text in (repr(key), str(key), f"{key}", repr([key]), repr(signer), str(signer), caplog.text):
        assert key.kid in text
        for secret in (key.seed, raw.hex(), repr(raw), str(raw)):
            assert secret not in text


def test_a_signer_signs_with_its_key(path: Path, key: KeyFile) -> None:
    for reference in (str(path), f"file:{path}"):
        signer = load_signer(reference)
        assert signer.kid == key.kid
        assert verify(signer.public_key, signer.sign(b"DSSEv1 1 a 1 b"), "a", b"b")


# env:


def test_a_key_from_the_environment(monkeypatch: pytest.MonkeyPatch, key: KeyFile) -> None:
    monkeypatch.setenv("SOME_KEY", json_of(key).decode())
    assert load_signer("env:SOME_KEY").kid == key.kid


def test_an_absent_or_malformed_variable_is_a_key_fault(monkeypatch: pytest.MonkeyPatch, key: KeyFile) -> None:
    monkeypatch.delenv("SOME_KEY", raising=False)
    with pytest.raises(KeyFault, match="in the environment variable SOME_KEY, found none"):
        load_signer("env:SOME_KEY")
    monkeypatch.setenv("SOME_KEY", key.seed)
    with pytest.raises(KeyFault, match="the environment variable SOME_KEY, found something else") as caught:
        load_signer("env:SOME_KEY")
    assert key.seed not in everything_said(caught.value)


# command:

COMMAND = """
import sys
from nacl.signing import SigningKey
from base64 import b64encode

key = SigningKey(bytes.fromhex({seed!r}))
if sys.argv[1:] == ["slot 7", "public"]:
    print({kid!r}, b64encode(bytes(key.verify_key)).decode())
elif sys.argv[1:] == ["slot 7", "sign"]:
    print(b64encode(key.sign(sys.stdin.buffer.read()).signature).decode())
else:
    sys.exit(9)
"""
SEED = seed_of("command")
PUBLIC = bytes(SigningKey(SEED).verify_key)
KID = make_kid("RU-OMS", "ed25519", PUBLIC)


def command(tmp_path: Path, body: str, argument: str = "'slot 7'") -> str:
    script = tmp_path / "signs.py"
    script.write_text(body, encoding="utf-8")
    return f"command:{sys.executable} {script} {argument}"


def test_a_command_can_sign(tmp_path: Path) -> None:
    signer = load_signer(command(tmp_path, COMMAND.format(seed=SEED.hex(), kid=KID)))
    assert isinstance(signer, CommandSigner)
    assert (signer.kid, signer.public_key) == (KID, PUBLIC)
    message = b"DSSEv1 3 typ 4 \x00\n\xff\x01"
    assert verify(PUBLIC, signer.sign(message), "typ", b"\x00\n\xff\x01")


@pytest.mark.parametrize(
    "body",
    [
        "", "import sys; sys.exit(3)", "print('RU-OMS#1234 AAAA')", f"print({KID!r})", f"print({KID!r}, 'AAAA')",
        f"print('x', {encode_base64(PUBLIC)!r})", "import sys; sys.stdout.buffer.write(bytes(range(256)))",
    ],
)  # fmt: skip
def test_a_command_that_does_not_name_its_key_is_a_key_fault(tmp_path: Path, body: str) -> None:
    with pytest.raises(KeyFault, match="public"):
        load_signer(command(tmp_path, body))


@pytest.mark.parametrize("answer", ["sys.exit(3)", "print('AAAA')", "print()", "print('no base64')"])
def test_a_command_that_does_not_sign_is_a_key_fault(tmp_path: Path, answer: str) -> None:
    public = f"print({KID!r}, {encode_base64(PUBLIC)!r})"
    body = f"import sys\nif sys.argv[-1] == 'public':\n    {public}\nelse:\n    {answer}\n"
    signer = load_signer(command(tmp_path, body))
    with pytest.raises(KeyFault, match="sign"):
        signer.sign(b"message")


def test_a_command_that_is_not_there_is_a_key_fault(tmp_path: Path) -> None:
    with pytest.raises(KeyFault, match="FileNotFoundError"):
        load_signer(f"command:{tmp_path / 'absent'}")


# Folders of keys


def test_keys_of_a_folder_are_found_by_what_they_are(tmp_path: Path) -> None:
    keys = [new_key(office, use) for office in ("RU-OMS", "RU-ALT") for use in ("sign", "seal")]
    for key in keys:
        write_key(tmp_path, key)
    assert list_keys(tmp_path) == sorted(keys, key=lambda k: k.kid)
    assert find_key(tmp_path, office="RU-ALT", use="seal") == keys[3]
    assert find_key(tmp_path, kid=SeedSigner(keys[0]).kid) == keys[0]
    assert find_key(tmp_path, office="RU-OMS") in keys[:2]
    assert find_key(tmp_path, office="RU-KLG") is None
    assert find_key(tmp_path, use="log") is None
    assert list_keys(tmp_path / "absent") == []


# What a library raises, or shows, becomes ours before it gets out.


def test_a_rich_repr_does_not_show_the_seed(key: KeyFile) -> None:
    from rich.pretty import pretty_repr  # noqa: PLC0415 - only here

    assert key.seed not in pretty_repr(key)


def test_a_file_that_is_not_utf_8_is_a_key_fault(tmp_path: Path, key: KeyFile) -> None:
    with pytest.raises(KeyFault):
        read_key(private(tmp_path / "x.key", json_of(key).replace(b"RU-OMS", b"RU-\xff\xfe")))


@pytest.mark.parametrize("reference", ["command:'", "command:", "command:\0", "file:\0", "\0"])
def test_a_malformed_reference_is_a_key_fault(reference: str) -> None:
    with pytest.raises(KeyFault):
        load_signer(reference)


def test_a_variable_that_is_no_text_is_a_key_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", "\udcff")
    with pytest.raises(KeyFault):
        load_signer("env:SOME_KEY")


def test_files_of_others_making_are_passed_over(tmp_path: Path, key: KeyFile) -> None:
    write_key(tmp_path, key)
    private(tmp_path / "other.key", b"something else")
    assert list_keys(tmp_path) == [key]
