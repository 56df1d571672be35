"""``rogatory materials``: how materials are kept, and whether each access was allowed."""

from __future__ import annotations

from pathlib import Path

from infra.cli.options import NO, USAGE
from tests.e2e.cli import Cli
from tests.e2e.lawful import GRADED, ORAL, SECRET


def test_a_material_says_who_holds_it_how_and_who_opened_it(cli: Cli, case: Path) -> None:
    answer = cli.json("materials", "2025-000202")
    assert (answer["request"], answer["rulebook"]["version"]) == (GRADED, "built-in")
    (material,) = answer["materials"]
    assert (material["material"], material["accesses"], material["not_allowed"]) == ("m-1", 2, 1)
    (holder,) = material["holders"]
    assert (holder["holder"], holder["state"], holder["degree_held"], holder["custodian"]) == (
        "RU-OMS", "handled", "restricted", "p-2",
    )  # fmt: skip
    assert holder["access_list"] == ["p-2"]
    assert "O8" in material["survives"]


def test_every_access_is_there_with_whether_it_was_allowed_and_why(cli: Cli, case: Path) -> None:
    answer = cli.json("materials", GRADED, "m-1")
    told = [(a["person"], a["verdict"], a["reason"]) for a in answer["accesses"]]
    assert told == [("p-2", "allowed", "listed"), ("p-9", "not_allowed", "not_listed")]
    assert answer["accesses"][1]["why"] == "opened by p-9 on 2025-04-22 09:00 without listing"
    assert answer["accesses"][1]["evidence"][0]["name"] == "material.accessed"
    said = cli("materials", GRADED, "m-1").stdout
    assert "not allowed" in said
    assert "ознакомилось" in cli("materials", GRADED, "m-1", "--lang", "ru").stdout
    assert SECRET not in cli.printed


def test_the_list_counts_what_was_not_allowed(cli: Cli, case: Path) -> None:
    said = cli("materials", GRADED).stdout
    assert "1 material; 2 accesses, 1 not allowed" in said
    assert "request/2025-000201 has no materials." in cli("materials", ORAL).stdout
    assert cli.json("materials", ORAL)["materials"] == []


def test_what_is_not_there_is_named(cli: Cli, case: Path) -> None:
    assert "no record speaks of request/nothing" in cli("materials", "nothing", code=NO).stderr
    assert "expected a material of request/2025-000202: m-1; found 'm-2'" in cli("materials", GRADED, "m-2",
                                                                               code=USAGE).stderr  # fmt: skip
    assert "it has none" in cli("materials", ORAL, "m-1", code=USAGE).stderr
    assert "materials are those of requests" in cli("materials", "year/2025", code=USAGE).stderr
