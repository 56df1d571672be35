"""Rulebooks that are kept beside the built-in one, a folder for each by its digest, and which one is in use.

::

    rogatory-data/rulebooks/<sha256>/ru-kz-2009.toml …
"""

from __future__ import annotations

from pathlib import Path

from ledger.errors import ConfigError
from projections.compliance.adopting import resolve
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Rulebook, make_rulebook


def read_folder(folder: Path, version: str = "") -> Rulebook:
    """The rulebook of all profiles (``*.toml``) in a folder.

    Raises:
        ConfigError: no such folder, no profile in it, or one that is none.
    """
    try:
        texts = {f.name: f.read_text("utf-8") for f in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"expected profiles (*.toml) that can be read in {folder}, found: {error}") from None
    if not texts:
        raise ConfigError(f"expected a folder with profiles (*.toml), found none in {folder}")
    return make_rulebook(texts, version or folder.name)


class Rulebooks:
    """The rulebooks kept in a folder. What was read is kept: a digest always means the same rules."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[str, Rulebook] = {}

    def find(self, digest: str) -> Rulebook | None:
        """The one of a digest (hex), if it is kept here.

        Raises:
            ConfigError: what is kept under the digest is another one, or cannot be read.
        """
        if digest not in self._read:
            folder = self.folder / digest
            if not folder.is_dir():
                return None
            found = read_folder(folder)
            if found.sha256 != digest:
                raise ConfigError(
                    f"expected the rulebook of digest {digest} in {folder}, found {found.sha256}: its files have "
                    "changed since it was adopted; put the former ones back"
                )
            self._read[digest] = found
        return self._read[digest]

    def in_use(self, register: LegalRegister) -> Rulebook:
        """The rulebook that the register adopted last; the built-in one where it has adopted none.

        Raises:
            ConfigError: it is not kept here.
        """
        return resolve(register, self.find, str(self.folder))
