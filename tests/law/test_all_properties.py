"""Whatever was recorded, of a request, a meeting, a year or the register: a rule gives only verdicts that it can.

Beside ``test_course_properties.py``, which tells stories of a request's course in more detail.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.compliance.rulebook import built_in
from projections.compliance.texts import reasons
from tests.law.scene import REQUEST, Scene
from tests.law.test_course_properties import _BLANK, DAY
from tests.records import EVENTS, box, instant

KID = "RU-OMS#" + "5f" * 16

_REQUEST: dict[str, list[dict[str, Any]]] = {
    "request.signed": [{}, {"kind": "direct_exchange", "requested": "KZ-B-01", "legal_basis": ["ru-by-kz-kg-1992"]},
                       {"kind": "initiative", "legal_basis": []}, {"kind": "extradition", "area": "crime"}],
    "request.sent": [{}, {"channel": "direct", "to": "KZ-B-01"}],
    "material.received": [{}, {"channel": "direct", "from_": "KZ-B-01", "degree": {"scale": "kz", "value": "dsp"}},
                          {"degree": {"scale": "xx", "value": "1"}, "conditions": ["no_onward", "other"]},
                          {"purposes": [{"purpose": "criminal_case", "case": "c-2"}], "supplied_as": "initiative"}],
    "handling.set": [{}, {"grade": "open", "law_limit": box()}, {"access": [], "measures": []}],
    "condition.proposed": [{"sort": sort, "until": "2025-04-01"} for sort in ("return_by", "purpose_only", "other")],
    "condition.answered": [{}, {"accepted": False}],
    "material.accessed": [{}, {"person": "p-9", "purpose": "other"}],
    "material.used": [{}, {"purpose": "other"}, {"case": "c-9"}, {"purpose": "public_statement"}],
    "consent.answered": [{}, {"granted": False, "purposes": [{"purpose": "criminal_case"}]}],
    "downgrade.allowed": [{}, {"to": "restricted", "received_on": "2025-03-20T00:00:00Z"}],
    "cost.incurred": [{}, {"borne_by": "KZ"}],
    "record.corrected": [{"target": "e-1"}, {"target": "e-2"}],
    "incident.reported": [{}, {"sort": "leak"}],
}  # fmt: skip
_REGISTER: dict[str, list[dict[str, Any]]] = {
    "contact.designated": [{}, {"replaces": "ct-0"}, {"email": box(False)}, {"office_": "KZ-B-01", "contact": "ct-2"}],
    "contact.changed": [{}, {"effective": "2025-03-20"}, {"office_": "RU-N-VOLGA"}],
    "contact.notified": [{"version": f"e-{n}"} for n in (1, 2, 3)],
    "contact.forwarded": [{"versions": ["e-1", "e-2"]}, {"versions": ["e-9"], "to": "KZ-PGO"}],
    "contact.received": [{}, {"changes_of": "e-1"}, {"changes_of": "e-1", "effective": "2025-03-09"}],
    "coordinator.changed": [{}, {"party": "KZ", "unit_old": "KZ-DIC", "unit_new": "KZ-NEW"}],
    "coordinator.notified": [{"change": "e-1"}, {"change": "e-2", "to": "RU-PGO"}],
    "act.issued": [{}, {"date": "2025-03-01", "binds": ["RU-OMS", "KZ-B-01"]}],
    "act.published": [{}, {"outlet": "official_site", "date": "2025-06-01"}],
    "act.acquainted": [{}],
    "instrument.signed": [{"instrument": "new", "amends": "ru-kz-2009"}],
    "instrument.entered": [{"instrument": "new", "date": "2025-06-01"}, {"until": "2025-03-20"}],
    "instrument.ended": [{}, {"cause": "other", "date": "2025-04-01"}],
    "instrument.released": [{}, {"duties": ["A9", "A7.2b-1"], "date": "2025-04-01"}],
    "notice.received": [{}, {"received": ""}, {"received": "2025-03-10T12:00:00+03:00"}, {"from_": "RU"}],
    "rulebook.adopted": [{}, {"profiles": [{"instrument": "new", "sha256": "00" * 32}]}],
    "dispute.opened": [{}, {"instrument": "new"}],
    "dispute.resolved": [{}, {"means": "other"}],
    "role.assigned": [{}, {"office_": "RU-PGO", "person": "p-8", "role": "supervising_deputy"}],
    "role.ended": [{"office_": "RU-PGO", "person": "p-9", "role": "supervising_deputy", "effective": "2025-05-01"}],
    "office.registered": [{"office_": "RU-18", "name_ru": "x", "direct_since": "2025-01-01"}, {"sort": "nature"}],
    "key.revoked": [{"kid": KID, "effective": "2025-03-10T00:00:00Z"}],
    "record.corrected": [{"target": "order-issued"}, {"target": "agr-entered"}],
}
_MEETING: dict[str, list[dict[str, Any]]] = {
    "meeting.proposed": [{}],
    "meeting.held": [{}, {"offices": ["RU-PGO"]}, {"partners": ["DE"], "place": "DE"}, {"sort": "training"}],
    "meeting.reported": [{}],
    "meeting.cancelled": [{}],
}
_YEAR: dict[str, list[dict[str, Any]]] = {
    "annualreport.submitted": [{}, {"separate_block": False}, {"office_": "RU-SAM"}, {"office_": "KZ-B-01"}],
    "annualreport.received": [{"report": "e-1"}, {"report": "e-2", "received_on": "2026-02-10T00:00:00Z"}],
    "control.performed": [{}, {"offices": ["RU-OMS"]}],
    "practicereview.submitted": [{}, {"to_role": "head"}, {"proposals": 0}, {"cites": ["e-1", "e-2"]}, {"year": 2024}],
}


def _story(words: dict[str, list[dict[str, Any]]], names: list[str], least: int = 1) -> st.SearchStrategy[Any]:
    act = st.sampled_from(names).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.sampled_from(words.get(name, [{}])),
            st.integers(0, 120),  # claimed, in days
            st.integers(0, 30),  # days until it was recorded
            st.sampled_from(["RU-OMS", "RU-OMS", "KZ-B-01", "RU-GUMPS"]),
            st.booleans(),  # signed with the key that may be compromised
        )
    )
    return st.lists(act, min_size=least, max_size=9)


def _tell(scene: Scene, subject: str, story: list[Any], prefix: str) -> None:
    start = scene.ms("2025-03-01T10:00")
    for number, (name, stated, claimed, delay, office, marked) in enumerate(story, 1):
        moment = start + claimed * DAY
        scene.act(
            name, instant(moment), admitted=instant(moment + delay * DAY), office=office, subject=subject,
            id=f"{prefix}-{number}", kids=(KID,) if marked else (), **stated,
        )  # fmt: skip


def _scene(register: list[Any]) -> Scene:
    scene = Scene(bare=True)
    scene.files = {"register": _BLANK.files["register"]}
    _tell(scene, "register", register, "e")
    return scene


def _hold_all(scene: Scene, subject: str) -> None:
    for finding in scene.judged(subject).findings:
        found = scene.rulebook.find(finding.rule)
        assert found is not None
        rule = found[1]
        assert finding.evidence, finding
        assert finding.bound, finding
        assert list(finding.steps) == sorted(finding.steps, key=lambda step: step.at), finding
        for step in finding.steps:
            # A record that shows nothing decides nothing, whatever the text lets its rule give.
            compromised = "key_compromised" in finding.marks and step.verdict == "undetermined"
            assert compromised or step.verdict in rule.gives, finding
            text = reasons(rule.kind).get(step.reason) or reasons("common").get(step.reason)
            assert text is not None, (finding.rule, step.reason)
            assert "{missing}" not in text.en or finding.missing, (finding, text)
        assert all(isinstance(value, str) for value in finding.values.values()), finding


_registers = _story(_REGISTER, sorted(_REGISTER), 0)


@settings(max_examples=120, deadline=None)
@given(_story(_REQUEST, [*sorted(_REQUEST), *sorted(_REQUEST), *EVENTS]), _registers)
def test_of_a_request_each_rule_gives_only_what_it_can_give(story: list[Any], register: list[Any]) -> None:
    scene = _scene(register)
    _tell(scene, REQUEST, story, "e")
    _hold_all(scene, REQUEST)


@settings(max_examples=80, deadline=None)
@given(_registers)
def test_of_the_register_each_rule_gives_only_what_it_can_give(register: list[Any]) -> None:
    _hold_all(_scene(register), "register")


@settings(max_examples=80, deadline=None)
@given(_story(_MEETING, sorted(_MEETING)), _story(_YEAR, sorted(_YEAR), 0), _registers)
def test_of_a_meeting_and_a_year_each_rule_gives_only_what_it_can_give(
    meeting: list[Any], year: list[Any], register: list[Any]
) -> None:
    scene = _scene(register)
    _tell(scene, "meeting/1", meeting, "m")
    _tell(scene, "year/2025", year, "e")
    for subject in ("meeting/1", "year/2025", "year/2031"):
        _hold_all(scene, subject)


def test_the_stories_reach_rules_of_every_subject() -> None:
    """So that the properties above are about something."""
    subjects = {sort for rule in built_in().rules() for sort in rule.subjects}
    assert subjects == {"request", "meeting", "year", "register"}
