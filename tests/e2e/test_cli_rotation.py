"""Keys that are followed, replaced and looked into: of offices, of the log, of authorities."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.cli import Cli

KEYS = Path("rogatory-data/keys")


def step(cli: Cli, *more: str, code: int = 0) -> str:
    return cli("publish", "request/1", "step.taken", "--data", '{"step": "x"}', *more, code=code).output


def key_file(kid: str) -> Path:
    return next(p for p in KEYS.iterdir() if json.loads(p.read_text())["kid"] == kid)


def in_force(cli: Cli, use: str) -> list[str]:
    return [k["kid"] for k in cli.json("keys", "list")["keys"] if k["use"] == use and k["standing"] == "in force"]


@pytest.mark.usefixtures("place")
class TestOfficeKeys:
    def test_both_keys_are_good_until_the_old_one_is_revoked(self, cli: Cli) -> None:
        (old,) = in_force(cli, "sign")
        cli("keys", "rotate", old, "--dry-run")
        assert in_force(cli, "sign") == [old]
        assert "Both are good now" in cli("keys", "rotate", old, "--wait-all").stdout
        (new,) = set(in_force(cli, "sign")) - {old}
        for kid in (old, new):
            step(cli, "--key", f"file:{key_file(kid)}")
        assert [u["what"] for u in cli.json("keys", "used", old)["uses"]] == ["record"]
        cli("keys", "revoke", old, "--reason", "superseded", "--wait-all")
        assert "revoked" in step(cli, "--key", f"file:{key_file(old)}", code=1)
        step(cli)
        counts = cli.json("keys", "used", old)["counts"]
        assert counts == {"record": 1, "key-not-valid": 1}
        assert cli.json("keys", "used", old, "--since", "2099-01-01T00:00:00Z")["counts"] == {}

    def test_without_overlap_the_old_key_ends_at_once(self, cli: Cli) -> None:
        (old,) = in_force(cli, "sign")
        cli("keys", "rotate", old, "--at-once", "--wait-all")
        assert old not in in_force(cli, "sign")
        step(cli)

    def test_seal_and_witness_keys_are_followed_as_well(self, cli: Cli) -> None:
        for use in ("seal", "witness"):
            kid = cli.new_key("RU-OMS", use)
            cli("keys", "enrol", kid)
            cli("keys", "rotate", kid)
            assert len(in_force(cli, use)) == 2

    def test_a_revocation_says_what_could_have_been_done_with_the_key(self, cli: Cli) -> None:
        (old,) = in_force(cli, "sign")
        dry = cli("keys", "revoke", old, "--reason", "compromised", "--dry-run").output
        assert "rogatory keys used" in dry
        assert in_force(cli, "sign") == [old]

    def test_a_key_that_is_not_in_force_is_not_followed(self, cli: Cli) -> None:
        assert "found an unknown one" in cli("keys", "rotate", f"RU-OMS#{'0' * 32}", code=2).output


@pytest.mark.usefixtures("place")
class TestLogKeys:
    def test_the_next_register_record_is_attested_by_the_new_key(self, cli: Cli) -> None:
        (old,) = in_force(cli, "log")
        cli("keys", "replace-log", "--dry-run")
        cli("keys", "replace-log", "--why", "superseded", "--wait-all")
        (new,) = in_force(cli, "log")
        assert new != old
        key_file(old).unlink()
        cli("keys", "enrol", cli.new_key("RU-OMS"), "--wait-all")
        attested = cli.json("keys", "used", new)["counts"]
        assert attested == {"attestation": 2}, "its own replacement, and the grant behind it"
        assert cli.json("check")["sound"]

    def test_a_lost_log_key_does_not_lock_the_register(self, cli: Cli) -> None:
        (old,) = in_force(cli, "log")
        key_file(old).unlink()
        cli("keys", "replace-log", "--why", "lost", "--wait-all")
        cli("keys", "enrol", cli.new_key("RU-OMS"), "--wait-all")
        assert cli.json("check")["sound"]

    def test_two_log_keys_must_be_told_apart(self, cli: Cli) -> None:
        assert "expected the log key to replace" in cli("keys", "replace-log", f"RU-PGO#{'0' * 32}", code=2).output


@pytest.mark.usefixtures("place")
class TestAuthorities:
    def test_an_authority_that_was_replaced_does_not_count_any_more(self, cli: Cli, tmp_path: Path) -> None:
        first, second, third = in_force(cli, "authority")
        away = tmp_path / "away"
        shutil.copytree(KEYS, away)
        made = cli.json("keys", "new", "RU-PGO", "--use", "authority")
        Path("public.json").write_text(json.dumps(made))
        dry = cli("keys", "replace-authority", first, "--new", "public.json", "--dry-run").stdout
        assert made["kid"] in dry
        cli("keys", "replace-authority", first, "--new", "public.json", "--why", "compromised", "--wait-all")
        assert set(in_force(cli, "authority")) == {second, third, made["kid"]}
        keys = [f"file:{away / key_file(kid).name}" for kid in (first, second)]
        refused = cli("keys", "replace-log", "--key", keys[0], "--key", keys[1], code=2).output
        assert "found" in refused
        assert "authority sign" in refused
        cli("keys", "replace-log", "--wait-all")

    def test_it_is_signed_on_other_machines(self, cli: Cli, tmp_path: Path) -> None:
        first, second, third = in_force(cli, "authority")
        away = tmp_path / "away"
        away.mkdir()
        for kid in (first, second, third):
            shutil.move(key_file(kid), away)
        files = sorted(away.iterdir())
        cli("keys", "replace-authority", first, "--out", "statement.json")
        cli("authority", "sign", "statement.json", "--key", f"file:{files[0]}", "--key", f"file:{files[1]}")
        cli("authority", "publish", "statement.json", "--wait-all")
        assert first not in in_force(cli, "authority")

    def test_a_file_that_was_changed_under_way_is_refused(self, cli: Cli) -> None:
        cli("authority", "draft", "rules.adopted", "--fields", '{"version": 2}', "--out", "a.json")
        cli("authority", "draft", "rules.adopted", "--fields", '{"version": 3}', "--out", "b.json")
        keys = [f"file:{key_file(kid)}" for kid in in_force(cli, "authority")[:2]]
        cli("authority", "sign", "a.json", "--key", keys[0], "--key", keys[1])
        one, other = (json.loads(Path(name).read_text()) for name in ("a.json", "b.json"))
        Path("a.json").write_text(json.dumps({**one, "payload": other["payload"]}))
        assert "DOES NOT VERIFY" in cli("authority", "show", "a.json").stdout
        assert "bad-signature" in cli("authority", "publish", "a.json", code=2).output

    def test_only_what_the_threshold_decides_is_drafted(self, cli: Cli) -> None:
        said = cli("authority", "draft", "request.accepted", "--out", "a.json", code=2).output
        assert "rogatory publish" in said
