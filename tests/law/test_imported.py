"""What the Protocol takes over from the Agreement (P6), and how several findings become one (composite)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.compliance.composite import compose, deciding, merge_steps, spans
from projections.compliance.verdict import WORST, Finding, Ref, Step, Verdict, worst
from tests.law.scene import Scene, shows

DAY = 86_400_000
UTC = "Etc/UTC"


def part(rule: str, *steps: tuple[int, Verdict], item: str = "", **stated: object) -> Finding:
    """A finding with steps on days after 1970-01-01."""
    return Finding(rule, tuple(Step(at * DAY, verdict, "r") for at, verdict in steps), item, **stated)  # type: ignore[arg-type]


# P6 in a case


def exchange() -> Scene:
    """A scene with an ordinary direct request."""
    scene = Scene()
    scene.request(when="2025-03-03T10:00")
    return scene


@shows("P6 met")
def test_the_ordinary_direct_request_keeps_every_imported_duty() -> None:
    scene = exchange()
    finding = scene.expect("P6", "met", as_of="2025-03-04")
    assert finding.values["n"] == str(len([f for f in scene.judged().findings if f.rule.startswith("A6.")]))
    assert finding.values["breached"] == "—"


@shows("P6 open")
def test_an_imported_duty_that_is_open_leaves_it_open() -> None:
    scene = exchange()
    scene.act("authenticity.doubted", "2025-03-04", id="doubt", office="KZ-B-01")
    finding = scene.expect("P6", "open", as_of="2025-03-05", overdue=False)
    assert finding.values["open"] == "A6.2c doubt"
    scene.expect("P6", "open", as_of="2025-03-20", overdue=True)


@shows("P6 undetermined")
def test_an_imported_duty_that_is_undetermined_outweighs_an_open_one() -> None:
    scene = Scene()
    scene.request(when="2025-03-03T10:00", signer_role="acting_head")
    scene.act("authenticity.doubted", "2025-03-04", office="KZ-B-01")
    finding = scene.expect("P6", "undetermined")
    assert finding.values["undetermined"] == "A6.4"


@shows("P6 breached")
def test_one_breached_duty_outweighs_all_others_and_is_named() -> None:
    scene = Scene()
    scene.request(when="2025-03-03T10:00", signer_role="acting_head", substance=False)
    scene.act("cost.incurred", "2025-03-10", borne_by="RU", incurred_by="KZ")
    scene.act("request.closed", "2025-05-01")
    finding = scene.expect("P6", "breached")
    assert finding.values["breached"] == "A6.3, A10 k-1"
    assert {"cost.incurred", "request.signed"} <= {ref.name for ref in finding.evidence}


def test_a_term_that_runs_out_breaks_it_at_that_moment_without_any_record() -> None:
    scene = Scene()
    scene.act("request.spoken", "2025-03-03T10:00", id="oral", kind="direct_exchange", requested="KZ-B-01",
              channel="direct")  # fmt: skip
    scene.expect("P6", "open", as_of="2025-03-06T23:59:59.999")
    finding = scene.expect("P6", "breached", as_of="2025-03-07T00:00")
    assert finding.values["breached"] == "A6.2b oral (2025-03-07→)"


def test_the_answer_is_shown_apart_and_does_not_count() -> None:
    scene = exchange()
    scene.act("request.closed", "2025-03-10")
    scene.expect("A8.2", "breached")
    finding = scene.expect("P6", "met")
    assert finding.values["apart"] == "breached: A8.2"


def test_a_compromised_key_of_a_part_makes_it_undetermined_and_marks_it() -> None:
    scene = Scene()
    kid = "RU-OMS#" + "5f" * 16
    scene.act("request.signed", "2025-05-03", kids=(kid,), kind="direct_exchange", requested="KZ-B-01")
    scene.reg("key.revoked", "2025-05-10", kid=kid, effective="2025-05-01T00:00:00+06:00")
    scene.expect("P6", "undetermined", marks=("key_compromised",))


# The merge


def test_of_two_timelines_the_worse_counts_at_every_moment() -> None:
    parts = [part("A", (1, "open"), (5, "breached")), part("B", (2, "undetermined"), (7, "met"))]
    assert [(step.at // DAY, step.verdict) for step in merge_steps(parts)] == [(1, "undetermined"), (5, "breached")]
    assert [p.rule for p in deciding(parts, 3 * DAY)] == ["B"]
    assert spans(parts, "undetermined", UTC) == "B (→1970-01-08)"
    assert spans(parts, "breached", UTC) == "A (1970-01-06→)"
    assert spans(parts, "met", UTC) == "B (1970-01-08→)"


def test_nothing_is_made_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one part"):
        merge_steps([])
    with pytest.raises(ValueError, match="at least one part"):
        compose("P6", [], UTC)


def test_a_composite_carries_evidence_marks_and_the_nearest_threshold_of_its_parts() -> None:
    one, two = Ref("s", 1, "e-1", "x"), Ref("s", 2, "e-2", "x")
    parts = [
        part("A", (1, "open"), evidence=(one,), expected_by=9 * DAY, bound="RU-OMS", marks=("reported",)),
        part("B", (1, "open"), evidence=(one, two), expected_by=7 * DAY, bound="KZ-PGO", item="m-1"),
        part("C", (1, "met"), expected_by=2 * DAY),
    ]
    made = compose("P6", parts, UTC, also=[Ref("register", 3, "e-3", "x")])
    assert [ref.event for ref in made.evidence] == ["e-1", "e-2", "e-3"]
    assert (made.expected_by, made.bound, made.marks) == (7 * DAY, "RU-OMS", ("reported",))
    assert made.values["open"] == "A, B m-1"
    assert made.values["n"] == "3"


_step = st.tuples(st.integers(0, 20), st.sampled_from(WORST))
_steps = st.lists(_step, min_size=1, max_size=4, unique_by=lambda step: step[0])
_parts = st.lists(_steps.map(sorted), min_size=1, max_size=5)


@given(_parts, st.integers(-1, 21))
def test_at_every_moment_the_composite_is_the_worst_of_its_parts(
    timelines: list[list[tuple[int, Verdict]]], day: int
) -> None:
    parts = [part(f"R{n}", *steps) for n, steps in enumerate(timelines)]
    made = compose("P6", parts, UTC)
    assert made.at(day * DAY).verdict == worst(p.at(day * DAY).verdict for p in parts)
    assert all(one.verdict != two.verdict for one, two in zip(made.steps, made.steps[1:], strict=False))
    assert made.steps == compose("P6", parts[::-1], UTC).steps
