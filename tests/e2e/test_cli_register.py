"""Offices, roles and keys from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.cli import Cli


def _standing(cli: Cli) -> dict[str, str]:
    return {key["kid"]: key["standing"] for key in cli.json("keys", "list")["keys"]}


def test_a_change_reports_how_many_partitions_have_followed(place: Path, cli: Cli) -> None:
    changed = cli.json("register", "role", "assign", "RU-OMS", "p-1", "head", "--basis", "приказ")
    assert (changed["outcome"], changed["followed"], changed["partitions"]) == ("sealed", 2, 2)


def test_a_role_begins_and_ends(place: Path, cli: Cli) -> None:
    cli("register", "role", "assign", "RU-OMS", "p-1", "head", "--basis", "приказ", "--valid-from", "2025-01-01")
    cli("register", "role", "end", "RU-OMS", "p-1", "head", "--effective", "2025-06-01")
    (role,) = cli.json("register", "show")["roles"]
    assert (role["valid_from"], role["valid_to"]) == ("2025-01-01", "2025-06-01")
    assert "p-1" in cli("register", "show").stdout


def test_a_key_is_made_enrolled_listed_and_revoked(place: Path, cli: Cli) -> None:
    kid = cli.new_key("RU-OMS")
    assert _standing(cli)[kid] == "not enrolled"
    cli("keys", "enrol", kid)
    assert _standing(cli)[kid] == "in force"
    cli("keys", "revoke", kid, "--reason", "lost")
    assert _standing(cli)[kid] == "revoked (lost)"
    assert kid in cli("keys", "list").stdout


def test_a_revoked_key_no_longer_speaks(place: Path, cli: Cli) -> None:
    (kid,) = [k["kid"] for k in cli.json("keys", "list")["keys"] if k["office"] == "RU-OMS"]
    cli("keys", "revoke", kid, "--reason", "compromised")
    refused = cli("publish", "request/1", "request.accepted", "--data", '{"executing": "RU-OMS"}', code=2)
    assert "is revoked" in refused.stderr
    file = place / "rogatory-data/keys" / f"{kid.replace('#', '-')}.key"
    refused = cli(
        "publish", "request/1", "request.accepted", "--data", '{"executing": "RU-OMS"}', "--key", str(file), code=1
    )
    assert "key-not-valid" in refused.stderr


def test_the_list_can_be_asked_as_of_a_record(place: Path, cli: Cli) -> None:
    assert len(cli.json("keys", "list", "--at", "0")["keys"]) == 5
    assert {k["standing"] for k in cli.json("keys", "list", "--at", "0")["keys"]} == {"in force", "not enrolled"}


def test_a_sealing_key_is_vouched_for_by_a_sign_key(place: Path, cli: Cli) -> None:
    kid = cli.new_key("RU-OMS", "seal")
    cli("keys", "enrol", kid)
    assert _standing(cli)[kid] == "in force"
    other = cli.new_key("RU-GUMPS", "seal")
    assert "vouch" in cli("keys", "enrol", other, code=2).stderr


def test_a_key_whose_private_half_stays_away_is_enrolled_by_its_proof(place: Path, cli: Cli) -> None:
    kid = cli.new_key("RU-GUMPS")
    proof = json.loads(cli("keys", "prove", kid).stdout)
    assert "seed" not in proof
    (place / "proof.json").write_text(json.dumps(proof))
    (place / "rogatory-data/keys" / f"{kid.replace('#', '-')}.key").unlink()
    cli("keys", "enrol", "proof.json")
    assert _standing(cli)[kid] == "in force"


def test_a_coordinating_unit_may_enrol_too(place: Path, cli: Cli) -> None:
    unit = cli.json("keys", "new", "RU-GUMPS")
    cli("keys", "enrol", unit["kid"])
    cli("keys", "enrol", cli.new_key("RU-OMS"), "--as", unit["file"])


def test_what_needs_the_threshold_is_signed_by_so_many_authorities(
    place: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = cli.json("keys", "new", "RU-PGO", "--use", "log")
    monkeypatch.setenv("ROGATORY_LOG_KEY", new["file"])  # a new log key attests its own coming
    (old,) = cli.json("ledger", "show")["log_keys"]
    data = {"old": old, "kid": new["kid"], "public_key": new["public_key"], "why": "superseded"}
    replaced = cli.json("publish", "register", "logkey.replaced", "--data", json.dumps(data))
    assert replaced["outcome"] == "sealed"
    assert cli.json("ledger", "show")["log_keys"] == [new["kid"]]


def test_too_few_authority_keys_say_which_are_needed(place: Path, cli: Cli) -> None:
    kids = cli.json("ledger", "show")["authorities"]
    for kid in kids[1:]:
        (place / "rogatory-data/keys" / f"{kid.replace('#', '-')}.key").unlink()
    data = {"old": kids[0], "kid": kids[0], "public_key": "A" * 43 + "=", "why": "superseded"}
    refused = cli("publish", "register", "authority.replaced", "--data", json.dumps(data), code=2)
    assert "expected 2 authority keys, found 1" in refused.stderr
    assert kids[2] in refused.stderr


def test_a_version_that_this_release_does_not_know_is_not_adopted(place: Path, cli: Cli) -> None:
    assert "upgrade" in cli("ledger", "adopt", "3", code=2).stderr
    assert cli.json("register", "show")["version"] == 1
    assert cli.json("check")["sound"]
