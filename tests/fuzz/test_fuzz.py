"""Every parser holds on its corpus, on everything that was ever found, and on some hundred spoiled inputs."""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz.__main__ import by_dice, main
from tests.fuzz.mutator import MAX_BYTES, inputs
from tests.fuzz.running import TooSlow, run
from tests.fuzz.targets import TARGETS, Target, corpus_of, folder_of

RUNS = 300


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_a_parser_holds_on_spoiled_inputs(name: str) -> None:
    found = TARGETS[name]
    for raw in islice(inputs(corpus_of(found), name), RUNS):
        try:
            run(found, raw, budget=None)
        except Exception as error:
            raise AssertionError(f"{name}: {raw[:300]!r}") from error


FINDINGS = sorted((name, path) for name in TARGETS if folder_of(name).is_dir() for path in folder_of(name).iterdir())


@pytest.mark.parametrize(("name", "path"), FINDINGS, ids=[f"{name}-{path.name}" for name, path in FINDINGS])
def test_what_was_once_found_is_mended(name: str, path: object) -> None:
    run(TARGETS[name], path.read_bytes(), budget=None)  # type: ignore[attr-defined]


def test_findings_are_kept_of_targets_only() -> None:
    folder = folder_of("x").parent
    assert {path.name for path in folder.iterdir() if path.is_dir()} <= set(TARGETS)


def test_the_same_seed_spoils_the_same_way() -> None:
    corpus = corpus_of(TARGETS["event"])
    first, second = (list(islice(inputs(corpus, "s"), 200)) for _ in range(2))
    assert first == second
    assert len(set(first)) > len(set(corpus))
    assert max(map(len, first)) <= MAX_BYTES


class TestAFuzzerFinds:
    """Else it would say nothing that it finds nothing."""

    def _target(self, check: object) -> Target:
        return Target("address", check, lambda: [b"kafka://localhost:9092/assistance"])  # type: ignore[arg-type]

    def test_what_leaks_another_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kept: list[bytes] = []
        monkeypatch.setattr("tests.fuzz.__main__.keep", lambda _, raw: kept.append(raw))

        def leaks(raw: bytes) -> None:
            raw.decode()

        result = by_dice(self._target(leaks), 20)
        assert len(result.kept) == 1
        with pytest.raises(UnicodeDecodeError):
            kept[0].decode()

    def test_what_takes_too_long(self) -> None:
        def quadratic(raw: bytes) -> None:
            for _ in range(len(raw)):
                bytes(len(raw) * 64)

        run(self._target(quadratic), bytes(10), budget=0.5)
        with pytest.raises(TooSlow, match="30000 bytes took"):
            run(self._target(quadratic), bytes(30000), budget=0.01)


def test_the_command_lists_its_targets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert capsys.readouterr().out.split() == sorted(TARGETS)


def test_the_command_asks_for_one_target_or_all(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in ([], ["event", "--all"]):
        with pytest.raises(SystemExit) as ended:
            main(wrong)
        assert ended.value.code == 2
    assert "expected one target or --all" in capsys.readouterr().err
