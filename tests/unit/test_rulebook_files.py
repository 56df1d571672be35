"""Copies of adopted rulebooks: whole or not at all, and under the digest of what is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from infra.rulebook_files import keep, texts_of, write_texts
from infra.rulebooks import read_folder
from ledger.errors import ConfigError
from projections.compliance.checking import faults
from projections.compliance.rulebook import built_in, built_in_texts, make_rulebook


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The built-in profiles in a folder."""
    write_texts(built_in_texts(), tmp_path / "mine")
    return tmp_path / "mine"


def test_the_rulebook_of_this_release_is_sound() -> None:
    assert faults(built_in()) == []


def test_a_copy_is_found_under_its_digest(folder: Path, tmp_path: Path) -> None:
    rulebook, place = keep(folder, tmp_path / "shelf")
    assert (rulebook.sha256, place) == (built_in().sha256, tmp_path / "shelf" / built_in().sha256)
    assert texts_of(place) == built_in_texts()
    assert [path.name for path in (tmp_path / "shelf").iterdir()] == [built_in().sha256]


def test_keeping_it_again_changes_nothing(folder: Path, tmp_path: Path) -> None:
    _, place = keep(folder, tmp_path / "shelf")
    stamps = {path: path.stat().st_mtime_ns for path in place.iterdir()}
    keep(folder, tmp_path / "shelf")
    assert {path: path.stat().st_mtime_ns for path in place.iterdir()} == stamps


@pytest.mark.parametrize("broken", ["write_text", "rename"])
def test_a_copy_that_fails_half_way_leaves_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    real, calls = getattr(Path, broken), []

    def failing(self: Path, *args: object, **options: object) -> object:
        calls.append(self)
        if broken == "rename" or len(calls) > 2:
            raise OSError(28, "No space left on device")
        return real(self, *args, **options)

    monkeypatch.setattr(Path, broken, failing)
    with pytest.raises(ConfigError, match="No space left on device"):
        keep(folder, tmp_path / "shelf")
    assert list((tmp_path / "shelf").iterdir()) == []
    monkeypatch.undo()
    _, place = keep(folder, tmp_path / "shelf")
    assert read_folder(place).sha256 == built_in().sha256


def test_whoever_kept_the_same_meanwhile_is_no_hindrance(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "shelf" / built_in().sha256

    def overtaken(_: Path, target: Path) -> Path:
        write_texts(built_in_texts(), target)
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(Path, "rename", overtaken)
    assert keep(folder, tmp_path / "shelf")[1] == place


def test_a_copy_that_was_changed_is_not_taken_for_the_original(folder: Path, tmp_path: Path) -> None:
    _, place = keep(folder, tmp_path / "shelf")
    profile = next(place.iterdir())
    profile.write_text(profile.read_text("utf-8") + "\n", "utf-8")
    with pytest.raises(ConfigError, match="they were changed"):
        keep(folder, tmp_path / "shelf")


def test_line_ends_of_another_system_make_no_other_rulebook(folder: Path) -> None:
    for path in folder.iterdir():
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_folder(folder).sha256 == built_in().sha256


def test_every_fault_is_found_in_one_go() -> None:
    texts = built_in_texts()
    texts["ru-kz-2009.toml"] = (
        texts["ru-kz-2009.toml"]
        .replace('parties = ["RU", "KZ"]', 'parties = ["RUS", "KZ"]', 1)
        .replace('signed = "2009-06-23"', 'signed = "23.06.2009"', 1)
        .replace('subjects = ["request"]', 'subjects = ["letter"]', 1)
        .replace('calendar = "ru"', 'calendar = "xx"', 1)
    )
    found = "\n".join(faults(make_rulebook(texts)))
    for said in ("found 'RUS'", "found '23.06.2009'", "found 'letter'", "found 'xx'"):
        assert said in found
