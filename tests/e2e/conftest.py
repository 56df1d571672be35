"""An opened ledger with one office that may speak, copied for each test."""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli import Cli
from tests.e2e.lawful import STORY


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No settings of the developer's, and no log handlers left behind on closed streams."""
    for name in list(os.environ):
        if name.startswith("ROGATORY_") and not name.startswith("ROGATORY_TEST_"):
            monkeypatch.delenv(name)
    yield
    for name in ("", "aiokafka", "asyncio"):
        logging.getLogger(name).setLevel(logging.WARNING if not name else logging.NOTSET)
    for handler in list(logging.root.handlers):
        if type(handler) is logging.StreamHandler:
            logging.root.removeHandler(handler)


@pytest.fixture(scope="session")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a ledger, RU-OMS with an enrolled key, and RU-GUMPS without; not to be changed."""
    folder = tmp_path_factory.mktemp("opened")
    before = Path.cwd()
    os.chdir(folder)
    try:
        cli = Cli()
        cli("ledger", "open", "assistance", "--partitions", "2")
        cli("register", "office", "RU-OMS", "--name", "Омская область", "--tz", "Asia/Omsk", "--border")
        cli("register", "office", "RU-GUMPS", "--name", "Управление", "--tz", "Europe/Moscow", "--sort", "coordinator")
        cli("keys", "enrol", cli.new_key("RU-OMS"))
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def place(opened: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and the current folder."""
    folder = tmp_path / "place"
    shutil.copytree(opened, folder)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The command line, in an empty folder unless the test has a place."""
    if Path.cwd() != tmp_path / "place":
        monkeypatch.chdir(tmp_path)
    return Cli()


@pytest.fixture(scope="session")
def told(opened: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of that ledger in which two requests are told (``lawful.py``); not to be changed."""
    folder = tmp_path_factory.mktemp("told") / "place"
    shutil.copytree(opened, folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        cli = Cli()
        (folder / "story.jsonl").write_text("\n".join(map(json.dumps, STORY)), encoding="utf-8")
        cli("publish", "--file", "story.jsonl")
        cli("run", "project", "--until-idle")
    finally:
        os.chdir(before)
    return folder


@pytest.fixture
def case(told: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, and the current folder."""
    folder = tmp_path / "place"
    shutil.copytree(told, folder)
    monkeypatch.chdir(folder)
    return folder
