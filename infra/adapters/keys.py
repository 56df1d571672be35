"""Private keys: files readable only by their owner, an environment variable, or a command that signs.

A key file as it stands (text, mode 0600)::

    {"kid":"RU-OMS#0a1b…","alg":"ed25519","use":"sign","public_key":"q83v…=","seed":"…="}

A key is named by a reference: ``file:PATH`` (or a plain path), ``env:NAME`` (the variable holds the same JSON) or
``command:PROGRAM ARGS``.  A command is run once with the argument ``public``, prints the kid and the public
key in base64, and from
then on once per signature with the argument ``sign``, reads the message from its standard input and prints the
signature in base64;
so a hardware module can serve it.  No message and no log line ever holds a seed.
"""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from nacl.public import PrivateKey
from nacl.signing import SigningKey

from ledger.errors import FormatError, KeyFault
from ledger.ids import Kid
from ledger.signature import Algorithm, decode_base64, encode_base64, make_kid, office_of, parse_kid

_COMMAND_SECONDS = 30.0


class KeyFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a key file says. ``seed`` (32 bytes, base64) is the private part; hidden from ``repr``."""

    kid: str
    alg: Algorithm
    use: str
    public_key: str
    seed: str

    def __repr__(self) -> str:
        return f"KeyFile(kid={self.kid!r}, alg={self.alg!r}, use={self.use!r})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """The same for rich, which would look at every member."""
        return [("kid", self.kid), ("alg", self.alg), ("use", self.use)]


class _NotAKeyError(KeyFault):
    """The bytes are no key file."""


class SeedSigner:
    """Signs with a seed held in memory."""

    def __init__(self, key: KeyFile) -> None:
        """Raises KeyFault if the key is not for signing or its parts don't belong together."""
        if key.alg != "ed25519":
            raise KeyFault(f"expected an ed25519 key to sign with, found {key.kid} of {key.alg}")
        self._key = SigningKey(decode_base64(key.seed, 32))
        self.public_key = bytes(self._key.verify_key)
        self.kid = make_kid(office_of(key.kid), "ed25519", self.public_key)
        if self.kid != key.kid or encode_base64(self.public_key) != key.public_key:
            raise KeyFault(f"expected the parts of key {key.kid} to belong together, found that they do not")

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message).signature

    def __repr__(self) -> str:
        return f"SeedSigner({self.kid})"


class CommandSigner:
    """Lets a command sign."""

    def __init__(self, command: Sequence[str]) -> None:
        """Ask the command for its kid and public key."""
        self._command = list(command)
        kid, _, public = self._run("public", b"").partition(b" ")
        try:
            self.kid = parse_kid(kid)
            self.public_key = decode_base64(public, 32)
        except FormatError as error:
            raise KeyFault(f"expected '<kid> <base64 key>' from {command[0]} public: {error}") from None

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        try:
            return decode_base64(self._run("sign", message), 64)
        except FormatError as error:
            raise KeyFault(f"expected a signature in base64 from {self._command[0]} sign: {error}") from None

    def _run(self, what: str, given: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603 - the operator names the command
                [*self._command, what], input=given, capture_output=True, timeout=_COMMAND_SECONDS, check=True
            )
        except (OSError, subprocess.SubprocessError) as error:
            code = getattr(error, "returncode", None)
            why = f"exit status {code}" if code is not None else type(error).__name__
            raise KeyFault(f"expected the key command {self._command[0]} {what} to answer, found {why}") from None
        return done.stdout.strip()


def new_key(office: str, use: str) -> KeyFile:
    """A new random key of an office: X25519 for use ``seal``, Ed25519 for any other."""
    if use == "seal":
        private = PrivateKey.generate()
        public, seed, alg = bytes(private.public_key), bytes(private), "x25519"
    else:
        signing = SigningKey.generate()
        public, seed, alg = bytes(signing.verify_key), bytes(signing), "ed25519"
    algorithm: Algorithm = "x25519" if alg == "x25519" else "ed25519"
    kid = make_kid(office, algorithm, public)
    return KeyFile(kid, algorithm, use, encode_base64(public), encode_base64(seed))


def write_key(folder: Path, key: KeyFile) -> Path:
    """Keep a key in a new file, mode 0600, in a folder of mode 0700; never over an existing one.

    Raises:
        KeyFault: the file exists or can't be written.
    """
    path = folder / f"{key.kid.replace('#', '-')}.key"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(key) + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise KeyFault(f"expected to write the new key file {path}, found {error.strerror}") from None
    return path


def read_key(path: Path) -> KeyFile:
    """The key in a file.

    Raises:
        KeyFault: absent, not a key, or readable by others than its owner.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_IMODE(mode) & 0o077:
            raise KeyFault(
                f"expected {path} readable by its owner only (0600), found {stat.S_IMODE(mode):04o}; "
                "treat the key as exposed, or chmod 600 it if nobody else had access"
            )
        raw = path.read_bytes()
    except OSError as error:
        raise KeyFault(f"expected the key file {path}, found {error.strerror}") from None
    return _parse(raw, str(path))


def _parse(raw: bytes, where: str) -> KeyFile:
    try:
        return msgspec.json.decode(raw, type=KeyFile)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        # Not chained: the parser's message could repeat part of the secret.
        raise _NotAKeyError(
            f"expected a key as `rogatory keys new` writes it in {where}, found something else"
        ) from None


def load_signer(reference: str) -> SeedSigner | CommandSigner:
    """The signer that a reference names: ``file:PATH``, ``env:NAME``, ``command:PROGRAM ARGS``, or a path.

    Raises:
        KeyFault: it can't be used; the message says why.
    """
    scheme, _, rest = reference.partition(":")
    try:
        if scheme == "env":
            raw = os.environ.get(rest)
            if raw is None:
                raise KeyFault(f"expected a key in the environment variable {rest}, found none")
            return SeedSigner(_parse(raw.encode("utf-8", "surrogateescape"), f"the environment variable {rest}"))
        if scheme == "command":
            words = shlex.split(rest)
            if not words:
                raise KeyFault("expected command:PROGRAM ARGS, found no program")
            return CommandSigner(words)
        return SeedSigner(read_key(Path(rest if scheme == "file" else reference)))
    except (FormatError, ValueError) as error:
        raise KeyFault(f"expected a usable key at {scheme}:…: {error}") from None


def list_keys(folder: Path) -> list[KeyFile]:
    """The keys whose files lie in a folder, by kid; files of others' making are passed over."""
    found = []
    for path in folder.glob("*.key"):
        with suppress(_NotAKeyError):
            found.append(read_key(path))
    return sorted(found, key=lambda key: key.kid)


def find_key(
    folder: Path, *, kid: Kid | None = None, office: str | None = None, use: str | None = None
) -> KeyFile | None:
    """The first key in a folder that fits."""
    for key in list_keys(folder):
        if (
            (kid is None or key.kid == kid)
            and (office is None or office_of(key.kid) == office)
            and use in (None, key.use)
        ):
            return key
    return None
