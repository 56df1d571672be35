"""Every ledger that admission lets through is judged, counted and written, on both databases and with the same end.

``python -m tests.fuzz hostile`` looks for more of what this goes through (without a database).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import msgspec
import pytest

from infra.cli.findings import stamp
from infra.cli.render import when
from ledger.ids import LedgerId
from projections.cases import CasesFacts
from projections.compliance.judge import judge_case, read_case
from projections.compliance.judging import Judge
from projections.compliance.materials import summaries
from projections.compliance.proof import verdict_digest
from projections.compliance.queries import BoardFilters, Compliance
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import built_in
from projections.figures.answers import Scope
from projections.figures.catalogue import PARTS
from projections.figures.counting import count
from projections.figures.queries import Figures
from projections.schema import cases
from projections.store import Store
from projections.view import Generation
from tests.hostile import World
from tests.judgements import FOLD, always
from tests.ledgers import T0, new_store
from tests.postgres_fixture import create_database, drop_database

WORLDS = 300 if os.environ.get("ROGATORY_SOAK") else 12


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[tuple[str, str]]:
    url = create_database(postgres_server, "hostile_properties")
    yield f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'store.db'}", url
    drop_database(postgres_server, "hostile_properties")


def written(store: Store, worlds: list[World]) -> str:
    """The digest of all verdicts, of subjects of several worlds under one of their registers."""
    generation = store.new_generation(FOLD, LedgerId("t.test"))
    files = {"register": worlds[0].files["register"]}
    for number, world in enumerate(worlds):
        files |= {f"{name}-{number}"[-128:]: file for name, file in world.files.items() if name[:4] in ("requ", "meet")}
        files |= {name: file for name, file in world.files.items() if name.startswith("year/")}
    rows = [
        {
            "generation": generation.id, "partition": 0, "subject": subject, "sort": subject.partition("/")[0],
            "seq": len(file.acts), "leaf": b"", "done": b"", "recent": "[]", "digest": b"", "waiting": 1,
            "facts": msgspec.json.encode(CasesFacts(file=file)).decode(),
        }
        for subject, file in files.items()
    ]  # fmt: skip
    with store.writing() as connection:
        connection.execute(cases.insert(), rows)
    judge = Judge(store, generation, always(built_in()))
    judge.advance()
    while judge.some(0, 5):
        pass
    assert judge.aside.faults() == []
    assert judge.waiting() == 0
    answered(store, generation)
    return verdict_digest(store, generation, 0).digest


def answered(store: Store, generation: Generation) -> None:
    """Lists, figures and reports over all subjects are there, whatever one of them says."""
    asked = Compliance(store, generation.ledger_id, built_in(), generation=generation)
    figures = Figures(asked)
    for as_of in (-(10**15), T0, 10**15):
        page = asked.board(BoardFilters(), as_of, limit=10_000)
        assert page.basis.waiting == 0
        assert sum(count.number for count in asked.counts(BoardFilters(), as_of).rows) == len(page.rows)
        for row in page.rows:
            assert stamp(row.since)
            assert row.until is None or when(row.until)
        assert figures.page(Scope(), as_of).figures
        assert figures.partners(Scope(), as_of)
    register = asked.register()
    for filed in asked.materials():
        assert isinstance(summaries(read_case(filed.subject, filed.file), register, built_in()), list)


@pytest.mark.parametrize("seed", range(WORLDS))
def test_hostile_ledgers_are_judged_and_counted_alike_on_both_databases(urls: tuple[str, str], seed: int) -> None:
    worlds = [World(random.Random(f"{seed} {number}").randbytes(40)) for number in range(6)]
    with new_store(urls[0]) as one, new_store(urls[1]) as two:
        assert written(one, worlds) == written(two, worlds)


def test_worlds_speak_of_most_rules_and_figures() -> None:
    """So that the property above is about something."""
    rules, parts = set(), set()
    for number in range(60):
        world = World(random.Random(f"{number} 0").randbytes(40))
        register = LegalRegister(world.files["register"], world.own)
        for subject, file in world.files.items():
            case = register.case if subject == "register" else read_case(subject, file)
            rules |= {finding.rule for finding in judge_case(case, register, built_in()).findings}
            parts |= {posting.part for posting in count(case, register)}
    assert len(rules) > len([*built_in().rules()]) * 0.6
    assert len(parts) > len(PARTS) * 0.6
