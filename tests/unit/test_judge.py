"""Judgement itself: which rules are asked, compromised keys, dependence on the register, timelines."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import ConfigError
from projections.compliance.kinds.base import CHECKS, COMPOSITE, Asked, check
from projections.compliance.rulebook import make_rulebook
from projections.compliance.texts import line, reason
from projections.compliance.verdict import WORST, Finding, Step, worst
from tests.law.scene import REQUEST, Scene

KID = "RU-OMS#" + "5f" * 16
OTHER_KID = "RU-OMS#" + "6f" * 16
PROFILE = """
[instrument]
id = "xx-yy-2001"
kind = "agreement"
parties = ["RU", "KZ"]
abbreviation = "XY"
title = { en = "An agreement", ru = "Соглашение" }
"""
RULE = """
[[rule]]
id = "%(id)s"
place = { article = "1", cites = "XY 1" }
kind = "%(kind)s"
check = "%(check)s"
subjects = ["request"]
gives = ["met", "breached", "open", "undetermined"]
summary = { en = "s", ru = "с" }
line = { en = "seen {n} of {unknown}", ru = "видно {n}" }
%(more)s
"""


def rule(id_: str = "T1", check: str = "test_signed", more: str = "", kind: str = "information") -> str:
    return RULE % {"id": id_, "check": check, "more": more, "kind": kind}


@pytest.fixture(autouse=True)
def checks() -> Iterator[None]:
    """Two checks of the test's own, which nobody else sees."""

    @check("information", "test_signed")
    def signed(asked: Asked) -> Iterator[Finding]:
        for act in asked.case.named("request.signed"):
            asked.register.office(act.office)
            asked.register.roles(act.office)
            yield asked.finding("met", "test_seen", rests_on=act, values={"n": "one"})

    @check("information", "test_worst", composite=True)
    def composed(asked: Asked) -> Iterator[Finding]:
        yield asked.finding(worst(f.steps[-1].verdict for f in asked.before), "test_worst", rests_on=asked.case.acts)

    yield
    for name in ("test_signed", "test_worst"):
        del CHECKS["information", name]
    COMPOSITE.discard(("information", "test_worst"))


def scene_of(*rules: str, profile: str = PROFILE) -> Scene:
    return Scene(rulebook=make_rulebook({"xy.toml": profile + "".join(rules)}))


def test_a_finding_rests_on_records_and_names_what_was_looked_at() -> None:
    scene = scene_of(rule())
    signed = scene.request()
    judged = scene.judged()
    assert [ref.event for ref in judged.findings[0].evidence] == [signed]
    assert {"office:RU-OMS", "roles:RU-OMS", "rulebook"} <= judged.depends
    assert judged.register_seq == len(scene.files["register"].acts)


@pytest.mark.parametrize(
    ("more", "kind", "channel", "asked"),
    [
        ("", "mla", "directorate", True),
        ('kinds = ["mla"]', "mla", "directorate", True),
        ('kinds = ["mla"]', "asset", "directorate", False),
        ('not_kinds = ["mla"]', "mla", "directorate", False),
        ("direct_only = true", "mla", "directorate", False),
        ("direct_only = true", "mla", "direct", True),
    ],
)
def test_which_requests_a_rule_is_about(more: str, kind: str, channel: str, asked: bool) -> None:
    scene = scene_of(rule(more=more))
    scene.request(kind, channel=channel)
    assert bool(scene.findings("T1")) is asked


@pytest.mark.parametrize(
    ("own", "partner", "asked"), [("RU", "KZ", True), ("RU", "DE", False), ("DE", "KZ", False), ("KZ", "RU", True)]
)
def test_a_profile_is_asked_between_its_parties(own: str, partner: str, asked: bool) -> None:
    scene = scene_of(rule())
    scene.own = own
    scene.request(partner=partner)
    assert bool(scene.findings("T1")) is asked


def test_a_composite_rule_reads_the_findings_of_the_others() -> None:
    scene = scene_of(rule("T1", "test_worst"), rule("T2"))  # in whatever order they stand
    scene.request()
    found = {f.rule: f.steps[-1].verdict for f in scene.judged().findings}
    assert found == {"T1": "met", "T2": "met"}


@pytest.mark.parametrize(
    ("admitted", "kids", "doubted"),
    [
        ("2025-05-03", (KID,), True),
        ("2025-05-01T00:00", (KID,), True),
        ("2025-04-30T23:59", (KID,), False),
        ("2025-05-03", (OTHER_KID,), False),
        ("2025-05-03", (KID, OTHER_KID), False),  # a key that nobody stole signed it as well
    ],
)
def test_a_record_signed_with_a_compromised_key_decides_nothing(
    admitted: str, kids: tuple[str, ...], doubted: bool
) -> None:
    """Given a key compromised from 1 May, when a request is signed with it, then what rests on that is undetermined."""
    scene = scene_of(rule())
    scene.request(sent=False, when=admitted, kids=kids)
    before = scene.finding("T1")
    revoked = scene.reg("key.revoked", "2025-05-20", kid=KID, effective="2025-05-01T00:00:00+06:00")
    after = scene.finding("T1")
    assert before.steps[0].verdict == "met"
    if not doubted:
        assert after == before
        return
    assert after.steps == (Step(before.steps[0].at, "undetermined", "key_compromised"),)
    assert after.marks == ("key_compromised",)
    assert [ref.event for ref in after.evidence] == [before.evidence[0].event, revoked]
    assert f"key:{KID}" in scene.judged().depends


def test_before_the_revocation_was_known_nobody_doubted() -> None:
    scene = scene_of(rule())
    scene.request(sent=False, when="2025-05-03", kids=(KID,))
    scene.reg("key.revoked", "2025-05-20", kid=KID, effective="2025-05-01T00:00:00+06:00")
    assert scene.finding("T1", as_of="2025-05-10").steps[0].verdict == "met"
    assert scene.finding("T1", as_of="2025-05-21").steps[0].verdict == "undetermined"


def test_a_subject_without_records_is_judged_like_any_other() -> None:
    scene = scene_of(rule())
    assert scene.judged("request/none").findings == ()


def test_a_timeline_says_what_holds_when() -> None:
    finding = Finding("T1", (Step(10, "open", "a"), Step(20, "undetermined", "b"), Step(30, "breached", "c")))
    held = {at: finding.at(at).verdict for at in (0, 10, 19, 20, 29, 30, 99)}
    assert held == {
        0: "open", 10: "open", 19: "open", 20: "undetermined", 29: "undetermined", 30: "breached", 99: "breached",
    }  # fmt: skip


def test_open_is_overdue_from_its_threshold_on_and_nothing_else_is() -> None:
    finding = Finding("T1", (Step(10, "open", "a"), Step(30, "breached", "c")), expected_by=20)
    assert [finding.overdue(at) for at in (19, 20, 29, 30)] == [False, True, True, False]
    assert not Finding("T1", (Step(10, "open", "a"),)).overdue(99)


@given(st.lists(st.sampled_from(WORST)))
def test_the_worst_of_some_is_worse_than_each(verdicts: list[str]) -> None:
    found = worst(verdicts)  # type: ignore[arg-type]
    assert all(WORST.index(found) <= WORST.index(each) for each in verdicts)  # type: ignore[arg-type]
    assert found in verdicts or not verdicts


def test_a_line_shows_what_a_finding_says_and_a_dash_for_what_it_does_not() -> None:
    scene = scene_of(rule())
    scene.request()
    profile_rule = next(iter(scene.rulebook.rules()))
    finding = scene.finding("T1")
    assert line(profile_rule, finding) == "seen one of —"
    assert line(profile_rule, finding, "ru") == "видно one"
    assert reason(profile_rule, finding, finding.steps[0]) == "test_seen"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[instrument", "expected the profile of an instrument"),
        ("[instrument]\nid = 7", "expected the profile of an instrument"),
        (PROFILE + rule(check="test_nothing"), "expected a check of kind 'information'"),
        (PROFILE + rule() + rule(), "expected rule T1 once, found it twice"),
        (PROFILE + rule(more='thresold = "P3D"'), "thresold"),
    ],
)
def test_a_profile_that_is_wrong_says_where(text: str, complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        make_rulebook({"xy.toml": text})


def test_an_instrument_has_one_profile() -> None:
    with pytest.raises(ConfigError, match="expected one profile of xx-yy-2001, found two"):
        make_rulebook({"a.toml": PROFILE, "b.toml": PROFILE})


def test_a_rulebooks_digest_is_of_every_byte_of_its_profiles_and_not_of_their_files_names() -> None:
    one = make_rulebook({"a.toml": PROFILE + rule()})
    assert one.sha256 == make_rulebook({"b.toml": PROFILE + rule()}).sha256
    assert one.sha256 != make_rulebook({"a.toml": PROFILE + rule() + "\n"}).sha256


def test_findings_survive_json() -> None:
    scene = scene_of(rule())
    scene.request()
    finding = scene.finding("T1", subject=REQUEST)
    assert msgspec.json.decode(msgspec.json.encode(finding), type=Finding) == finding
