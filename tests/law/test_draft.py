"""What if: a draft changes exactly what the act itself would change, and nothing is kept of it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from projections.compliance.changes import Change, compare
from projections.compliance.draft import drafted, touches, what_if
from projections.compliance.facts import NOTHING, Act
from projections.compliance.register import SUBJECT, LegalRegister
from projections.compliance.verdict import Finding, Step
from tests.law.scene import REQUEST, Scene
from tests.records import box, usual

NOW = "2025-03-05T10:00"


def draft_of(scene: Scene, name: str, when: str = NOW, subject: str = REQUEST, **stated: Any) -> Act:
    """A draft about a subject of a scene."""
    data = stated if subject == SUBJECT else {**usual(name), **stated}
    return drafted(
        scene.files.get(subject, NOTHING), name=name, event_id="draft", office="RU-OMS", claimed=scene.ms(when),
        admitted=scene.ms(NOW), data=msgspec.Raw(msgspec.json.encode(data)),
    )  # fmt: skip


def ask(scene: Scene, draft: Act, subject: str = REQUEST) -> dict[tuple[str, str], Change]:
    """What would change, by rule and item."""
    register = LegalRegister(scene.files["register"], scene.own)
    file = scene.files.get(subject, NOTHING)
    changes = what_if(subject, file, register, scene.rulebook, draft, scene.ms(NOW))
    return {(change.rule, change.item): change for change in changes}


@pytest.fixture
def scene() -> Scene:
    return Scene()


def oral(scene: Scene) -> None:
    scene.act("request.spoken", "2025-03-03T10:00", id="said", legal_basis=["ru-kz-2009"])


class TestOneMoreAct:
    def test_a_confirmation_in_time_would_meet_what_is_open(self, scene: Scene) -> None:
        oral(scene)
        change = ask(scene, draft_of(scene, "request.confirmed", "2025-03-05T09:00", confirms="said"))["A6.2b", "said"]
        assert (change.sort, change.was, change.becomes) == ("verdict", "open", "met")

    def test_a_refusal_without_consultation_shows_the_rule_that_it_would_set_going(self, scene: Scene) -> None:
        scene.request("mla", channel="directorate", to="KZ-PGO")
        change = ask(scene, draft_of(scene, "refusal.decided", scope="full"))["A7.2a", "draft"]
        assert change.was is None
        assert change.becomes in ("breached", "undetermined")
        assert any(ref.event == "draft" for ref in change.shown.evidence)

    def test_what_it_would_do_is_what_the_act_does(self, scene: Scene) -> None:
        oral(scene)
        draft = draft_of(scene, "request.confirmed")
        before = scene.judged(as_of=NOW).findings
        told = ask(scene, draft)
        scene.files[REQUEST] = type(NOTHING)((*scene.files[REQUEST].acts, draft))
        really = compare(before, scene.judged(as_of=NOW).findings, scene.ms(NOW))
        assert list(told.values()) == really
        assert really

    def test_the_file_stays_as_it_was(self, scene: Scene) -> None:
        oral(scene)
        before = scene.files[REQUEST]
        ask(scene, draft_of(scene, "request.confirmed"))
        assert scene.files[REQUEST] == before

    def test_the_first_act_of_a_subject_is_judged_too(self, scene: Scene) -> None:
        changes = ask(scene, draft_of(scene, "request.spoken", channel="directorate"))
        assert all(change.was is None for change in changes.values())
        assert changes["A6.2b", "draft"].becomes == "open"

    def test_of_a_sealed_field_only_that_it_is_filled_is_kept(self, scene: Scene) -> None:
        draft = draft_of(scene, "request.confirmed", substance=box(filled=False))
        assert b"box" not in bytes(draft.data)
        assert msgspec.json.decode(draft.data)["substance"] == {"filled": False}

    def test_data_of_another_form_are_refused(self, scene: Scene) -> None:
        with pytest.raises(msgspec.ValidationError):
            drafted(NOTHING, name="request.accepted", event_id="d", office="RU-OMS", claimed=0, admitted=0,
                    data=msgspec.Raw(b'{"executing": 7}'))  # fmt: skip


class TestTheRegister:
    def test_a_draft_about_the_register_is_judged_with_the_register_that_it_makes(self, scene: Scene) -> None:
        draft = draft_of(
            scene, "coordinator.changed", subject=SUBJECT, party="RU", unit_old="RU-GUMPS", unit_new="RU-NEW",
            effective="2025-03-04", instrument="ru-kz-2009",
        )  # fmt: skip
        changes = ask(scene, draft, SUBJECT)
        assert any(rule == "A5.3" for rule, _ in changes)
        assert touches(draft) == {"coordinator:RU"}


class TestCompare:
    BEFORE = Finding("R", (Step(0, "open", "running"), Step(100, "breached", "ran_out")))

    def test_what_is_the_same_is_no_change(self) -> None:
        assert compare([self.BEFORE], [self.BEFORE], 50) == []

    @pytest.mark.parametrize(
        ("after", "as_of", "sort"),
        [
            (Finding("R", (Step(0, "met", "done"),)), 50, "verdict"),
            (Finding("R", (Step(0, "open", "running"), Step(101, "breached", "ran_out"))), 50, "later"),
            (Finding("R", (Step(0, "open", "running"), Step(101, "breached", "ran_out"))), 99, "later"),
            (Finding("R", (Step(0, "open", "running"), Step(101, "breached", "ran_out"))), 100, "verdict"),
            (Finding("R", (Step(0, "open", "running"), Step(101, "breached", "ran_out"))), 101, "rests"),
            (Finding("R", (Step(0, "open", "waits"), Step(100, "breached", "ran_out"))), 50, "reason"),
            (msgspec.structs.replace(BEFORE, expected_by=60), 50, "later"),
            (msgspec.structs.replace(BEFORE, marks=("claimed",)), 50, "rests"),
        ],
    )
    def test_a_change_is_called_by_the_most_that_differs(self, after: Finding, as_of: int, sort: str) -> None:
        (change,) = compare([self.BEFORE], [after], as_of)
        assert change.sort == sort

    def test_a_rule_that_falls_silent_has_no_verdict_any_more(self) -> None:
        (change,) = compare([self.BEFORE], [], 50)
        assert (change.was, change.becomes, change.shown) == ("open", None, self.BEFORE)
