"""A case as rules read it: case files folded from records, corrections, times, what was known when."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import UnknownVersion
from ledger.seal import Home
from projections.compliance.case import Case, evidence
from projections.compliance.facts import NOTHING, CaseFile
from projections.compliance.fold import CaseFold
from tests.law.scene import REQUEST
from tests.records import DAY, EVENTS, HOUR, START, SUBJECT, Story, box, record, usual

FOLD = CaseFold()


def file_of(story: Story) -> CaseFile:
    """The case file of a story; it survives JSON after each act."""
    file = None
    for each in story.records:
        file = FOLD.evolve(file, each)
        assert msgspec.json.decode(msgspec.json.encode(file), type=CaseFile) == file
    assert file is not None
    return file


def case_of(story: Story) -> Case:
    return Case(SUBJECT, file_of(story))


@pytest.mark.parametrize("name", EVENTS)
def test_any_event_becomes_an_act_with_its_clear_members(name: str) -> None:
    """Given an event with all of its members, then its act has those that are clear, and no box."""
    story = Story()
    story(name)
    act = file_of(story).acts[0]
    kept = msgspec.json.decode(bytes(act.data))
    assert act.name == name
    assert b'"box"' not in bytes(act.data)
    for member, value in usual(name).items():
        if isinstance(value, dict) and "box" in value:
            assert kept[member] == {"filled": True}
        else:
            assert kept[member] == value


def test_an_empty_sealed_field_is_known_to_be_empty() -> None:
    story = Story()
    story("request.signed", substance=box(False))
    act = case_of(story).acts[0]
    assert not act.filled("substance")
    assert act.filled("grounds")
    assert not act.filled("other")


def test_a_copy_of_a_register_event_is_left_to_its_home() -> None:
    """Given a register record in another partition, then its case file stays empty: partition 0 has it."""
    made = record("request.withdrawn", {})
    home = msgspec.structs.replace(made.seal, home=Home(3, START, "00" * 32))
    assert FOLD.evolve(None, msgspec.structs.replace(made, seal=home)) == NOTHING
    assert len(FOLD.evolve(None, made).acts) == 1


def test_an_unknown_type_stops_the_fold() -> None:
    with pytest.raises(UnknownVersion, match=r"rogatory\.request\.teleported\.v1"):
        FOLD.evolve(None, record("request.teleported", {}))


def test_effective_time_is_the_earlier_of_claimed_and_admitted() -> None:
    story = Story()
    story("request.signed", at=0, admitted=DAY)
    story("request.sent", at=3 * DAY, admitted=2 * DAY)
    signed, sent = case_of(story).acts
    assert signed.time == START
    assert signed.marks() == ()
    assert sent.time == START + 2 * DAY
    assert sent.marks() == ("future_dated",)


def test_whose_act_it_is() -> None:
    story = Story()
    story("request.accepted", act_of="KZ-PGO")
    story("request.accepted")
    reported, own = case_of(story).acts
    assert (reported.office, reported.source, reported.marks()) == ("KZ-PGO", "RU-OMS", ("reported",))
    assert (own.office, own.marks()) == ("RU-OMS", ())


def test_a_correction_replaces_members_and_both_are_cited() -> None:
    """Given a wrong signer's role, when its author corrects it, then rules read the right one and cite both records."""
    story = Story()
    story("request.signed", signer_role="contact")
    story("record.corrected", target="e-1", how="replace", fields={"signer_role": "head"})
    case = case_of(story)
    signed = case.first("request.signed")
    assert signed is not None
    assert signed.data.signer_role == "head"
    assert signed.marks() == ("corrected",)
    assert [act.id for act in evidence(signed, signed.corrections)] == ["e-1", "e-2"]


def test_the_last_correction_counts() -> None:
    story = Story()
    story("request.signed")
    story("record.corrected", target="e-1", how="replace", fields={"signer_role": "other"})
    story("record.corrected", target="e-1", how="replace", fields={"signer_role": "deputy_head"})
    assert case_of(story).acts[0].data.signer_role == "deputy_head"


@pytest.mark.parametrize("fields", [{"signer_role": 7}, {"kind": "poem"}, {"purposes": "all"}])
def test_a_correction_that_does_not_fit_changes_nothing(fields: dict[str, object]) -> None:
    story = Story()
    story("request.signed", signer_role="contact")
    story("record.corrected", target="e-1", how="replace", fields=fields)
    assert case_of(story).acts[0].data.signer_role == "contact"


def test_nobody_corrects_the_record_of_another_office() -> None:
    story = Story()
    story("request.signed", signer_role="contact")
    story("record.corrected", target="e-1", how="replace", fields={"signer_role": "head"}, office="KZ-PGO")
    story("record.corrected", target="e-1", how="disown", office="KZ-PGO")
    case = case_of(story)
    assert case.acts[0].data.signer_role == "contact"


def test_a_disowned_record_did_not_happen_for_rules_and_stays_in_the_file() -> None:
    story = Story()
    story("request.signed")
    story("request.sent", at=HOUR)
    story("record.corrected", target="e-2", how="disown")
    case = case_of(story)
    assert case.named("request.sent") == []
    assert [act.name for act in case.every] == ["request.signed", "request.sent", "record.corrected"]


def test_what_was_known_is_cut_by_index_or_by_admission() -> None:
    story = Story()
    for n in range(4):
        story("request.withdrawn", at=0, admitted=n * HOUR)
    file = file_of(story)
    assert [act.id for act in file.known_at(index=30).acts] == ["e-1", "e-2"]
    assert [act.id for act in file.known_at(admitted=START + 2 * HOUR).acts] == ["e-1", "e-2", "e-3"]
    assert file.known_at(admitted=START - 1) == NOTHING
    assert file.known_at(index=1000) is file


def test_the_content_is_that_last_put_in_writing() -> None:
    story = Story()
    story("request.spoken", kind="mla")
    story("request.confirmed", kind="asset", at=HOUR)
    case = case_of(story)
    assert case.kind == "asset"
    assert case.opener is not None
    assert case.opener.name == "request.spoken"


def test_a_case_that_nothing_opened_knows_no_content() -> None:
    story = Story()
    story("request.accepted")
    case = case_of(story)
    assert (case.opener, case.content, case.kind, case.partner, case.direction) == (None, None, None, None, None)


def test_a_file_that_was_opened_again_is_not_closed() -> None:
    story = Story()
    story("request.closed")
    assert case_of(story).closed is not None
    story("request.reopened", at=HOUR)
    assert case_of(story).closed is None
    story("request.closed", at=2 * HOUR)
    closed = case_of(story).closed
    assert closed is not None
    assert closed.id == "e-3"


@pytest.mark.parametrize(
    ("kind", "channels", "direct"),
    [
        ("direct_exchange", [], True),
        ("mla", [], False),
        ("mla", ["direct"], True),
        ("direct_exchange", ["directorate"], False),
        ("direct_exchange", ["directorate", "direct"], True),
    ],
)
def test_what_is_a_direct_exchange(kind: str, channels: list[str], direct: bool) -> None:
    story = Story()
    story("request.signed", kind=kind)
    for n, channel in enumerate(channels):
        story("request.sent", at=n * HOUR, channel=channel)
    assert case_of(story).direct is direct


@given(st.lists(st.sampled_from(EVENTS), max_size=12), st.integers(0, 12))
def test_any_order_of_acts_makes_a_case_whose_past_is_a_part_of_it(names: list[str], cut: int) -> None:
    story = Story()
    for n, name in enumerate(names):
        story(name, at=n * HOUR)
    file = CaseFile()
    for each in story.records:
        file = FOLD.evolve(file, each)
    earlier = Case(REQUEST, file.known_at(index=10 * cut + 1))
    assert [act.id for act in earlier.every] == [act.id for act in Case(REQUEST, file).every][:cut]
