"""Whatever was recorded of a request, the rules about its course answer, and answer in words."""

from __future__ import annotations

from string import Formatter
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.compliance.rulebook import Rulebook, built_in
from projections.compliance.texts import reasons
from projections.compliance.verdict import Finding
from tests.law.scene import REQUEST, Scene
from tests.records import EVENTS, box, instant

COURSE = frozenset(
    ["O7", "P5", "P6", "A6.2a", "A6.2b", "A6.2c", "A6.3", "A6.4", "A6.5", "A7.1", "A7.2a", "A7.3", "A8.2", "A10"]
)
DAY = 86_400_000

_said: dict[str, list[dict[str, Any]]] = {
    "request.signed": [
        {},
        {"kind": "direct_exchange", "requested": "KZ-B-01"},
        {"kind": "initiative"},
        {"signer": "", "requested": "", "requesting": "", "lang": "en"},
        {"signer_role": "acting_head", "partner": "DE", "requested": "DE-X"},
        {"signer_role": "other", "substance": box(False), "signature": "electronic"},
    ],
    "request.spoken": [{}, {"channel": "direct"}, {"urgency": box(False)}, {"act_of": "KZ-PGO", "direction": "in"}],
    "request.confirmed": [{}, {"confirms": "e-2"}, {"act_of": "KZ-PGO", "received_on": "2025-03-01T00:00:00Z"}],
    "request.sent": [{}, {"channel": "direct", "to": "KZ-B-01"}, {"to": "RU-GUMPS", "translations": []}],
    "request.received": [{}, {"signer": "p-1", "signer_role": "head"}, {"signer": "", "from_": "KZ-PGO", "to": "X-Y"}],
    "authenticity.answered": [{}, {"answers": "e-2"}, {"answers": "e-3"}],
    "refusal.decided": [{}, {"scope": "partial", "ground": "other"}, {"no_consultation_reason": box()}],
    "refusal.notified": [{}, {"decision": "e-2", "written": False}, {"decision": "e-3", "reason": box(False)}],
    "request.answered": [{}, {"outcome": "refused"}, {"final": False, "written": False}],
    "request.closed": [{}, {"outcome": "lapsed"}],
    "consultation.held": [{}, {"with_": ["KZ-PGO"]}, {"about": "execution"}],
    "cost.incurred": [{}, {"borne_by": "KZ"}, {"cost": "k-2"}],
    "cost.agreed": [{}, {"written": False, "share": "0"}, {"scope": "listed", "costs": ["k-2"]}],
    "material.sent": [{}, {"channel": "direct"}, {"supplied_as": "request", "lang": "en"}],
    "information.supplied": [{}, {"groups": ["c"]}],
}
"""Further ways to state an act, beside the usual one."""

_acts = st.sampled_from(EVENTS).flatmap(
    lambda name: st.tuples(
        st.just(name),
        st.sampled_from(_said.get(name, [{}])),
        st.integers(0, 200),  # claimed, in half days
        st.integers(0, 30),  # days until it was recorded
        st.sampled_from(["RU-OMS", "KZ-PGO", "RU-GUMPS"]),
    )
)
_course = [name for name in EVENTS if name.partition(".")[0] in ("request", "authenticity", "refusal", "cost")]
_stories = st.lists(_acts | _acts.filter(lambda act: act[0] in _course), min_size=1, max_size=8)

_BLANK = Scene()


def _scene(rulebook: Rulebook | None = None) -> Scene:
    """A scene with the usual register, which is told once for all of them."""
    scene = Scene(bare=True, rulebook=rulebook)
    scene.files = {"register": _BLANK.files["register"]}
    return scene


def _tell(scene: Scene, story: list[tuple[str, dict[str, Any], int, int, str]]) -> None:
    start = scene.ms("2025-03-03T10:00")
    for number, (name, stated, claimed, delay, office) in enumerate(story, 1):
        moment = start + claimed * DAY // 2
        scene.act(
            name, instant(moment), admitted=instant(moment + delay * DAY), office=office, id=f"e-{number}", **stated
        )


@settings(max_examples=150, deadline=None)
@given(_stories)
def test_no_story_leaves_a_rule_without_an_answer_in_words(
    story: list[tuple[str, dict[str, Any], int, int, str]],
) -> None:
    scene = _scene()
    _tell(scene, story)
    for finding in scene.judged().findings:
        if finding.rule in COURSE:
            hold(scene, finding)


def hold(scene: Scene, finding: Finding) -> None:
    """A finding rests on something, binds somebody, gives what its rule can give and has its words."""
    found = scene.rulebook.find(finding.rule)
    assert found is not None
    rule = found[1]
    assert finding.evidence, finding
    assert finding.bound, finding
    assert list(finding.steps) == sorted(finding.steps, key=lambda step: step.at), finding
    assert {step.verdict for step in finding.steps} <= set(rule.gives), finding
    texts = [rule.line.en, rule.line.ru]
    for step in finding.steps:
        text = reasons(rule.kind).get(step.reason) or reasons("common").get(step.reason)
        assert text is not None, (finding.rule, step.reason)
        texts += [text.en, text.ru]
    known = {"item", "bound", "missing", *finding.values}
    for text in texts:
        assert {name for _, name, _, _ in Formatter().parse(text) if name} <= known, (finding, text)
        assert "{missing}" not in text or finding.missing, (finding, text)
    assert all(isinstance(value, str) and value for value in finding.values.values()), finding


_once = st.lists(
    st.sampled_from(
        ["request.sent", "authenticity.doubted", "authenticity.answered", "consultation.held", "refusal.decided",
         "refusal.notified", "request.accepted", "request.executed", "request.answered", "cost.incurred", "cost.agreed",
         "material.sent", "request.spoken", "request.closed"]
    ),
    unique=True, max_size=8,
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(_once, st.data())
def test_in_which_order_acts_are_recorded_does_not_matter(names: list[str], data: st.DataObject) -> None:
    """All are recorded after the last of them happened, so what they claim decides."""
    happened = ["request.signed", *names]
    ids = {name: f"e-{number}" for number, name in enumerate(happened, 1)}
    refs = {
        "authenticity.answered": {"answers": ids.get("authenticity.doubted", "e-0")},
        "refusal.notified": {"decision": ids.get("refusal.decided", "e-0")},
    }

    def verdicts(recorded: list[str]) -> list[tuple[Any, ...]]:
        scene = _scene()
        for name in recorded:
            scene.act(
                name, instant(scene.ms("2025-03-03") + happened.index(name) * DAY), admitted="2025-12-01",
                id=ids[name], **refs.get(name, {}),
            )  # fmt: skip
        found = [f for f in scene.judged(REQUEST).findings if f.rule in COURSE]
        return [(f.rule, f.item, f.steps, f.bound, f.values) for f in found]

    assert verdicts(data.draw(st.permutations(happened))) == verdicts(happened)


def _with(rule_id: str, **params: Any) -> Rulebook:
    """The built-in rulebook with some parameters of a rule set otherwise."""
    rulebook = built_in()
    profiles = tuple(
        msgspec.structs.replace(
            profile,
            rule=tuple(
                msgspec.structs.replace(rule, params={**rule.params, **params}) if rule.id == rule_id else rule
                for rule in profile.rule
            ),
        )
        for profile in rulebook.profiles
    )
    return msgspec.structs.replace(rulebook, profiles=profiles)


def test_where_receipt_is_what_counts_a_confirmation_is_judged_by_its_arrival() -> None:
    for received, verdict, reason in (
        ("2025-03-05T10:00:00+06:00", "met", "in_time"),
        ("2025-03-09T10:00:00+06:00", "breached", "late"),
        (None, "undetermined", "arrival_unknown"),
    ):
        scene = _scene(_with("A6.2b", moment="received"))
        oral = scene.act("request.spoken", "2025-03-03T10:00")
        scene.act("request.confirmed", "2025-03-04T10:00", confirms=oral, received_on=received)
        scene.expect("A6.2b", verdict, reason=reason)


def test_where_late_claims_decide_nothing_a_confirmation_recorded_after_the_term_is_undetermined() -> None:
    scene = _scene(_with("A6.2b", late_claim="undetermined"))
    oral = scene.act("request.spoken", "2025-03-03T10:00")
    scene.act("request.confirmed", "2025-03-04T10:00", admitted="2025-03-20", confirms=oral)
    scene.expect("A6.2b", "undetermined", reason="late_claim", marks=("claimed",))


def test_where_the_threshold_is_taken_for_law_what_comes_later_is_breached() -> None:
    scene = _scene(_with("A8.2", over="breached"))
    scene.request("mla", "2025-03-03T10:00", to="KZ-PGO", channel="directorate")
    scene.act("request.answered", "2025-09-01", office="KZ-PGO")
    scene.expect("A8.2", "breached", reason="beyond")


def test_a_term_of_working_days_in_a_year_without_a_calendar_is_undetermined() -> None:
    rulebook = built_in()
    profiles = tuple(
        msgspec.structs.replace(
            profile,
            rule=tuple(
                msgspec.structs.replace(rule, readings=("workdays:3:next",)) if rule.readings else rule
                for rule in profile.rule
                if rule.id in COURSE
            ),
        )
        for profile in rulebook.profiles
    )
    scene = _scene(msgspec.structs.replace(rulebook, profiles=profiles))
    oral = scene.act("request.spoken", "2099-03-03T10:00")
    for _ in range(2):
        scene.expect("A6.2b", "undetermined", as_of="2100-01-01", reason="calendar_unknown", missing="calendar")
        scene.expect("A6.2a", "undetermined", as_of="2100-01-01")
        scene.act("request.confirmed", "2099-03-04T10:00", confirms=oral)


def test_a_state_whose_language_the_profile_does_not_name_is_undetermined() -> None:
    rulebook = built_in()
    profiles = tuple(
        msgspec.structs.replace(profile, requests={**profile.requests, "state_languages": {"RU": ["ru"]}})
        for profile in rulebook.profiles
    )
    scene = _scene(msgspec.structs.replace(rulebook, profiles=profiles))
    scene.request("mla", to="KZ-PGO", channel="directorate")
    scene.expect("A6.5", "undetermined", reason="state_language_unknown", missing="language of KZ")


def test_a_composite_may_take_over_other_rules_by_its_profile_alone() -> None:
    rulebook = built_in()
    profiles = tuple(
        msgspec.structs.replace(profile, requests={**profile.requests, "incorporates": ["A6.3"], "apart": []})
        for profile in rulebook.profiles
    )
    scene = _scene(msgspec.structs.replace(rulebook, profiles=profiles))
    scene.request(signer_role="contact")
    finding = scene.expect("P6", "met")
    assert (finding.values["n"], finding.values["apart"]) == ("1", "—")
    assert finding.evidence == scene.finding("A6.3").evidence


def test_a_composite_of_rules_that_say_nothing_says_nothing() -> None:
    rulebook = built_in()
    profiles = tuple(
        msgspec.structs.replace(profile, requests={**profile.requests, "incorporates": ["A10"]})
        for profile in rulebook.profiles
    )
    scene = _scene(msgspec.structs.replace(rulebook, profiles=profiles))
    scene.request()
    scene.no_row("P6")
