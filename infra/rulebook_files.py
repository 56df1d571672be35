"""Profiles in folders: exporting those of a rulebook, and keeping a copy of one that is adopted, by its digest.

The register says by digest which rulebook is in use (``rulebook.adopted``).  Its profiles are data that every reader
needs and no record holds; ``rulebooks.py`` finds them under the digest, so that nobody can take another for it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from infra.rulebooks import read_folder
from ledger.errors import ConfigError
from projections.compliance.rulebook import Rulebook

_SUFFIX = ".toml"


def texts_of(folder: Path) -> dict[str, str]:
    """The profiles of a folder that was read already, by file name."""
    return {path.name: path.read_text("utf-8") for path in sorted(folder.glob(f"*{_SUFFIX}"))}


def write_texts(texts: Mapping[str, str], folder: Path) -> list[Path]:
    """Write profiles into a folder, which is made; which files.

    Raises:
        ConfigError: a profile stands there already that is not one of them as it is, or the folder cannot be written.
    """
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        if path.read_text("utf-8", "replace") != texts.get(path.name):
            raise ConfigError(f"expected no other profiles in {folder}, found {path.name}: choose an empty folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"expected to write profiles into {folder}, found: {error.strerror}") from None
    return [folder / name for name in sorted(texts)]


def keep(folder: Path, shelf: Path) -> tuple[Rulebook, Path]:
    """Keep a copy of a folder's profiles under their digest; the rulebook and where the copy is.

    The copy appears whole or not at all: it is written beside its place, and renamed.

    Args:
        folder: with the profiles.
        shelf: where rulebooks are kept, a folder for each by its digest.

    Raises:
        ConfigError: the folder holds no rulebook, or the copy cannot be written, or has been changed.
    """
    rulebook = read_folder(folder)
    place = shelf / rulebook.sha256
    if not place.exists():
        try:
            _copy(texts_of(folder), shelf, place)
        except OSError as error:
            raise ConfigError(f"expected to write into {shelf}, found: {error.strerror}") from None
    if read_folder(place).sha256 != rulebook.sha256:
        raise ConfigError(f"expected the profiles of {rulebook.sha256} in {place}, found others: they were changed")
    return rulebook, place


def _copy(texts: Mapping[str, str], shelf: Path, place: Path) -> None:
    shelf.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=shelf))
    try:
        made.chmod(0o755)  # mkdtemp's is for the owner alone; services may run as another
        for path in write_texts(texts, made):
            _settle(path)
        _settle(made)
        try:
            made.rename(place)
        except OSError:
            if not place.is_dir():  # else somebody else has just kept the same
                raise
        _settle(shelf)  # from here on a crash leaves the copy in its place
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
