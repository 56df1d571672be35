"""A new epoch after the submissions were lost, and the state files that it needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from infra.adapters.state_file import read_state
from tests.e2e.cli import Cli

LOG = Path("assistance")
STATE = Path("rogatory-data/registrar/assistance")


def step(cli: Cli, subject: str, code: int = 0) -> str:
    return cli("publish", subject, "step.taken", "--data", '{"step": "draft created"}', code=code).output


def lose_submissions() -> None:
    for path in LOG.glob("submissions.sqlite*"):
        path.unlink()


@pytest.mark.usefixtures("place")
class TestReopening:
    def test_a_lost_submissions_log_is_followed_by_a_new_epoch(self, cli: Cli) -> None:
        step(cli, "request/1")
        step(cli, "request/2")
        before = {p["partition"]: p["root"] for p in cli.json("check")["partitions"]}
        lose_submissions()
        assert "expected a file of a ledger folder" in step(cli, "request/1", code=2)
        dry = cli("ledger", "reopen", "--dry-run", code=2).output
        assert "submissions.sqlite" in dry, "a dry run makes nothing"
        cli("ledger", "mend")
        assert "submissions.reopened" in cli("ledger", "reopen", "--dry-run").stdout
        said = cli("ledger", "reopen", "--why", "a test").output
        assert "2 partitions reopened" in said
        step(cli, "request/1")
        after = cli.json("check")
        assert after["sound"]
        assert before != {p["partition"]: p["root"] for p in after["partitions"]}
        assert {s["epoch"] for s in cli.json("state", "show")} == {1}
        cli("run", "project", "--until-idle")
        assert "the same as before" in cli("rebuild").stdout

    def test_a_log_that_is_not_new_is_not_reopened(self, cli: Cli) -> None:
        step(cli, "request/1")
        assert "no new epoch is needed" in cli("ledger", "reopen", code=2).output

    def test_a_new_epoch_needs_a_state_that_ends_where_the_ledger_ends(self, cli: Cli) -> None:
        step(cli, "request/1")
        shutil.copytree(STATE, "older")
        for subject in (f"request/{n}" for n in range(8)):
            step(cli, subject)
        lose_submissions()
        shutil.rmtree(STATE)
        assert "rogatory state restore" in cli("ledger", "reopen", code=2).output
        cli("state", "restore", "older")
        assert "use a newer backup" in cli("ledger", "reopen", code=2).output

    def test_statements_of_all_partitions_are_signed_elsewhere_in_one_file(self, cli: Cli, tmp_path: Path) -> None:
        lose_submissions()
        keys = sorted(Path("rogatory-data/keys").glob("*authority*")) or [
            Path("rogatory-data/keys") / k.name
            for k in Path("rogatory-data/keys").iterdir()
            if '"authority"' in k.read_text()
        ]
        away = tmp_path / "away"
        away.mkdir()
        for key in keys:
            key.rename(away / key.name)
        cli("ledger", "reopen", "--out", "reopened.json")
        for key in keys[:2]:
            cli("authority", "sign", "reopened.json", "--key", f"file:{away / key.name}")
        assert len(cli.json("authority", "show", "reopened.json")) == 2
        cli("authority", "publish", "reopened.json")
        step(cli, "request/1")
        assert cli.json("check")["sound"]


@pytest.mark.usefixtures("place")
class TestStateFiles:
    def test_a_state_that_was_lost_in_a_later_epoch_is_restored_from_its_backup(self, cli: Cli) -> None:
        step(cli, "request/1")
        lose_submissions()
        cli("ledger", "reopen")
        cli("state", "backup", "kept")
        step(cli, "request/1")
        shutil.rmtree(STATE)
        assert "needs the saved state" in step(cli, "request/1", code=4)
        for path in STATE.iterdir():
            path.unlink()
        assert "catches up from there" in cli("state", "restore", "kept").output
        step(cli, "request/1")
        assert cli.json("check")["sound"]

    def test_a_state_that_was_lost_in_a_later_epoch_is_derived_from_archived_submissions(self, cli: Cli) -> None:
        step(cli, "request/1")
        cli("publish", "request/2", "step.taken", "--data", '{"step": "x"}', "--expectedseq", "7", code=1)
        cli("publish", "request/1", "step.taken", "--data", '{"step": "x"}', "--expectedseq", "7", code=1)
        Path("archive").mkdir()
        for path in LOG.iterdir():
            shutil.copy(path, Path("archive") / path.name)
        lose_submissions()
        cli("ledger", "reopen")
        step(cli, "request/1")
        shutil.copytree(STATE, "former")
        shutil.rmtree(STATE)
        for partition in ("0", "1"):
            cli(
                "state",
                "derive",
                "--partition",
                partition,
                "--archive",
                "file:archive",
                "--archive",
                "file:archive",
                code=2,
            )
            derived = cli.json("state", "derive", "--partition", partition, "--archive", "file:archive")
            assert derived["epoch"] == 0
        step(cli, "request/2")
        assert cli.json("check")["sound"]

    def test_the_wrong_archive_derives_nothing(self, cli: Cli) -> None:
        Path("archive").mkdir()
        for path in LOG.iterdir():
            shutil.copy(path, Path("archive") / path.name)
        step(cli, "request/1")
        step(cli, "request/2")
        step(cli, "request/3")
        lose_submissions()
        cli("ledger", "reopen")
        shutil.rmtree(STATE)
        found = [
            cli("state", "derive", "--partition", p, "--archive", "file:archive", code=4).output for p in ("0", "1")
        ]
        assert all("expected the submissions of epoch 0" in said for said in found)
        assert not list(STATE.glob("p*.sqlite"))

    def test_files_of_another_ledger_or_partition_are_refused_and_kept(self, cli: Cli) -> None:
        cli("state", "backup", "kept")
        shutil.move("kept/p0.sqlite", "kept/p1.sqlite.x")
        shutil.move("kept/p1.sqlite", "kept/p0.sqlite")
        shutil.rmtree(STATE)
        assert "found that of partition 1" in cli("state", "restore", "kept", code=2).output
        STATE.mkdir(exist_ok=True)
        shutil.copy("kept/p0.sqlite", STATE / "p0.sqlite")
        assert "do not delete that one" in step(cli, "request/1", code=2)
        assert read_state(STATE / "p0.sqlite") == read_state(Path("kept/p0.sqlite"))

    def test_a_backup_does_not_write_over_another(self, cli: Cli) -> None:
        cli("state", "backup", "kept")
        assert "move it away first" in cli("state", "backup", "kept", code=2).output

    def test_garbage_is_no_state(self, cli: Cli) -> None:
        Path("kept").mkdir()
        Path("kept/p0.sqlite").write_bytes(b"SQLite or not, this is no state" * 100)
        assert "found something else" in cli("state", "restore", "kept", code=2).output


@pytest.mark.usefixtures("place")
def test_a_ledger_that_was_made_anew_stops_the_registrar_that_has_seen_more(cli: Cli) -> None:
    step(cli, "request/1")
    for path in LOG.glob("ledger.sqlite*"):
        path.unlink()
    cli("ledger", "mend")
    assert "found it empty" in cli("run", "registrar", "--until-idle", code=4).output
    # Once a person says that it is lost for good, the same records are written again.
    shutil.rmtree(STATE)
    cli("run", "all", "--until-idle")
    step(cli, "request/1")
    assert cli.json("check")["sound"]
