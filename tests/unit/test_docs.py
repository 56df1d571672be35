"""The documentation does not lie: what it names is there, what it shows is what code gives."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.main import get_command

import rogatory
from infra.cli.main import app
from infra.cli.options import INTEGRITY, INTERRUPTED, NO, UNAVAILABLE, USAGE
from ledger.dispositions import MEANING

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DECISIONS = sorted((ROOT / "docs" / "decisions").glob("*.md"))
PAGES = [README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")), *DECISIONS]
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives"]
PACKAGES = ("ledger", "producers", "consumers", "projections", "infra", "rogatory", "tests", "benchmarks", "docs")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
every_decision = pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: Path) -> str:
    return _FENCE.sub("", text_of(page))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def inner(command: Any) -> dict[str, Any]:
    """The commands inside a command, by name."""
    return getattr(command, "commands", {})


def leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The commands that do something, by their words."""
    if not inner(command):
        yield path
    for name, each in inner(command).items():
        yield from leaves(each, (*path, name))


def commands_said(page: Path) -> Iterator[list[str]]:
    """What follows ``rogatory`` wherever a page shows a command, words and options."""
    lines = [line for _, block in _FENCE.findall(text_of(page)) for line in block.splitlines()]
    for line in [*_SPAN.findall(prose(page)), *lines]:
        said = line.strip().removeprefix(".venv/bin/")
        if said.startswith("rogatory ") and not said.startswith("rogatory ←") and "…" not in said.split()[:2]:
            yield shlex.split(said, comments=True)[1:]


def find_command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and what is left of them; the root if the first is unknown."""
    command, rest = get_command(app), list(words)
    while rest and rest[0] in inner(command):
        command = inner(command)[rest.pop(0)]
    return command, rest


@pytest.fixture(scope="module")
def refresh() -> ModuleType:
    spec = importlib.util.spec_from_file_location("refresh", ROOT / "docs" / "refresh.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Names


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for link in _LINK.findall(prose(page)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name} links to {link}"
        assert not anchor or anchor in anchors(target), f"{page.name} links to {link}, which has {anchors(target)}"


@every_page
def test_paths_that_are_named_exist(page: Path) -> None:
    for said in _SPAN.findall(prose(page)):
        if (
            re.fullmatch(rf"(?:{'|'.join(PACKAGES)})/(?:[\w./-]*(?:\.\w+|/))?", said)
            and said != "benchmarks/results.json"
        ):
            assert (ROOT / said).exists(), f"{page.name} names {said}"


@every_page
def test_commands_that_are_named_exist_with_their_options(page: Path) -> None:
    for words in commands_said(page):
        command, rest = find_command(words)
        assert not inner(command) or not rest or rest[0].startswith("-"), f"{page.name} names rogatory {words}"
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for option in (word.partition("=")[0] for word in rest if re.match(r"--?[a-z]", word)):
            assert option in known | {"--help"}, f"{page.name} names rogatory {words}"


def test_the_page_of_commands_lists_every_command_once() -> None:
    listed = re.findall(r"^\| `rogatory ([a-z -]+)` \|", text_of(ROOT / "docs" / "commands.md"), re.MULTILINE)
    assert sorted(listed) == sorted(" ".join(words) for words in leaves(get_command(app)))


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", text_of(ROOT / "Makefile"), re.MULTILINE))
    for page in PAGES:
        for name in re.findall(r"(?:`|^)make ([a-z]+)", text_of(page), re.MULTILINE):
            assert name in targets, f"{page.name} names make {name}"


def test_the_readme_speaks_of_the_pythons_that_are_supported() -> None:
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert project["requires-python"] == ">=3.11,<3.14"
    assert "Python 3.11, 3.12 or 3.13" in text_of(README)
    assert project["version"] in text_of(ROOT / "CHANGELOG.md")


def test_the_changelog_counts_the_reasons_rightly() -> None:
    assert f"with {len(MEANING)} reasons" in text_of(ROOT / "CHANGELOG.md")


def test_operations_has_every_exit_code() -> None:
    section = text_of(ROOT / "docs" / "operations.md").split("## Exit codes")[1].split("\n## ")[0]
    listed = [int(code) for code in re.findall(r"^\| (\d+) \|", section, re.MULTILINE)]
    assert listed == [0, NO, USAGE, UNAVAILABLE, INTEGRITY, INTERRUPTED]


# The glossary


def glossary() -> list[tuple[str, str, str]]:
    rows = re.findall(r"^\| (.+?) \| (.+) \| `(.+?)` \|$", text_of(ROOT / "docs" / "glossary.md"), re.MULTILINE)
    assert len(rows) > 80
    return rows


def test_the_glossary_is_sorted_and_has_each_term_once() -> None:
    terms = [term.lower() for term, _, _ in glossary()]
    assert terms == sorted(set(terms))


def test_the_glossary_is_short() -> None:
    for term, meaning, _ in glossary():
        assert len(meaning) <= 200, f"{term} takes more than two lines"
        assert meaning.endswith("."), term


def test_the_glossary_names_modules_that_know_the_term() -> None:
    silent = [
        (term, module)
        for term, _, module in glossary()
        if term.split()[0].lower()[:5] not in text_of(ROOT / module).lower()
    ]
    assert not silent


# Decisions


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(page.name[:4]) for page in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    for page in DECISIONS:
        assert text_of(page).startswith(f"# {int(page.name[:4])}. "), page.name


@every_decision
def test_a_decision_has_its_sections(page: Path) -> None:
    assert re.findall(r"^## (.+)$", text_of(page), re.MULTILINE) == SECTIONS


@every_decision
def test_a_decision_has_good_and_bad_consequences(page: Path) -> None:
    consequences = text_of(page).split("## Consequences")[1].split("## Alternatives")[0]
    assert "- Good: " in consequences
    assert "- Bad: " in consequences


@every_decision
def test_a_decision_is_linked_from_the_readme(page: Path) -> None:
    assert f"(docs/decisions/{page.name})" in text_of(README)


# What is shown


def test_the_worked_example_is_what_the_code_gives(refresh: ModuleType) -> None:
    assert refresh.between(ROOT / "docs" / "life-of-a-record.md", "example") == refresh.example()


def test_the_figures_are_those_of_the_last_measurement(refresh: ModuleType) -> None:
    results = ROOT / "benchmarks" / "results.json"
    table = (
        refresh.bench_table(json.loads(results.read_bytes())) if results.exists() else "Not measured in this copy yet."
    )
    assert refresh.between(README, "bench") == table, "run `.venv/bin/python docs/refresh.py`"


@pytest.mark.parametrize("marker", ["obligations", "summaries", "terms", "choices"])
def test_the_tables_of_the_law_are_those_of_the_rulebook(refresh: ModuleType, marker: str) -> None:
    found = refresh.between(ROOT / "docs" / "law.md", marker)
    assert found == refresh.law_tables.tables()[marker], "run `.venv/bin/python docs/refresh.py`"


def test_the_table_of_figures_is_that_of_the_catalogue(refresh: ModuleType) -> None:
    found = refresh.between(ROOT / "docs" / "figures.md", "figures")
    assert found == refresh.figure_tables.tables()["figures"], "run `.venv/bin/python docs/refresh.py`"


def test_a_marker_that_is_absent_is_an_error(refresh: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before <!-- bench --> open", encoding="utf-8")
    with pytest.raises(SystemExit, match="expected the markers"):
        refresh.replace(page, "bench", "text")
    assert page.read_text(encoding="utf-8") == "before <!-- bench --> open"


def test_what_stands_between_markers_is_replaced_and_nothing_else(refresh: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n", encoding="utf-8")
    refresh.replace(page, "bench", "new | line")
    assert page.read_text(encoding="utf-8") == "before\n<!-- bench -->\nnew | line\n<!-- /bench -->\nafter\n"
    assert refresh.between(page, "bench") == "new | line"


def test_a_figure_that_misses_its_goal_says_so(refresh: ModuleType) -> None:
    figure = {"name": "replay", "value": 12345.6, "unit": "records/s", "n": 1000, "against": "a loop"}
    table = refresh.bench_table([{**figure, "ratio": 0.3, "goal": ">= 0.4", "met": False}])
    assert table.splitlines()[-1] == "| replay | 12,346 records/s | 1,000 | a loop | 0.30 | ≥ 0.4 | **no** |"


def test_the_readme_example_names_only_what_is_public() -> None:
    (block,) = (code for language, code in _FENCE.findall(text_of(README)) if language == "python")
    for name in re.findall(r"rogatory\.(\w+)", block):
        assert name in rogatory.__all__
    for name in re.findall(r"from rogatory import (.+)", block)[0].split(", "):
        assert name in [*rogatory.__all__, "events"]


@pytest.mark.timeout(120)
def test_the_readme_works_from_the_first_command_to_the_program(tmp_path: Path) -> None:
    """Opens a ledger as the README says, serves it, and runs the program that it shows."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("ROGATORY_")}
    environment = {**kept, "PYTHONPATH": str(ROOT)}

    def run(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    blocks = _FENCE.findall(text_of(README))
    (shown,) = (block for _, block in blocks if "ledger open" in block and "keys new" in block)
    (program,) = (block for language, block in blocks if language == "python")
    made = ""
    for line in shown.splitlines():
        words = [made if "…" in word else word for word in shlex.split(line, comments=True)]
        said = run("-m", "infra.cli.main", *words[1:])
        made = said.splitlines()[0] if words[1:3] == ["keys", "new"] else made
    assert "Sound: " in said

    service = subprocess.Popen(
        [sys.executable, "-m", "infra.cli.main", "run", "all"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE
    )
    try:
        assert service.stderr is not None
        assert b"serving" in service.stderr.readline()
        partition, index, leaf = run("-c", program).split()
    finally:
        service.send_signal(signal.SIGTERM)
        service.communicate(timeout=30)
    assert int(partition) < 4
    assert int(index) > 0
    assert re.fullmatch("[0-9a-f]{64}", leaf)
