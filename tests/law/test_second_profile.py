"""A new treaty is one file: Kazakhstan–Singapore, and the four-party agreement of 1992 without one of its pairs."""

from __future__ import annotations

import pytest

from ledger.errors import ConfigError
from projections.compliance.rulebook import built_in, read_profile
from projections.compliance.texts import line
from tests.law.scene import Scene, shows

CORE = {"ru-order-136", "ru-kz-2009-ap-2022", "ru-kz-2009"}


def astana(*basis: str, kind: str = "mla", when: str = "2026-03-03T10:00+05:00") -> Scene:
    """The ledger of the Kazakh Party; its General Prosecutor's Office writes to Singapore."""
    scene = Scene(bare=True, own="KZ")
    ask(scene, "SG-AGC", kind, when, *basis)
    return scene


def ask(scene: Scene, to: str, kind: str, when: str, *basis: str) -> None:
    """A request to another state's office."""
    own = "KZ-PGO" if scene.own == "KZ" else "RU-PGO"
    scene.request(kind, when, office=own, to=to, channel="directorate", partner=to[:2], legal_basis=list(basis))


def asked_of(scene: Scene) -> set[str]:
    """The instruments whose rules say something of the request."""
    found = set()
    for finding in scene.judged().findings:
        place = scene.rulebook.find(finding.rule)
        assert place is not None
        found.add(place[0].instrument.id)
    return found


# Kazakhstan–Singapore


def test_in_a_kazakh_ledger_a_request_to_singapore_is_asked_the_rules_of_that_treaty_only() -> None:
    scene = astana("kz-sg-mla")
    assert asked_of(scene) == {"kz-sg-mla"}
    assert not asked_of(scene) & CORE


def test_in_a_kazakh_ledger_a_request_to_russia_is_asked_the_core_and_not_the_treaty_with_singapore() -> None:
    scene = Scene(own="KZ")
    ask(scene, "RU-PGO", "mla", "2026-03-03T10:00", "ru-kz-2009")
    assert asked_of(scene) <= CORE
    scene.expect("A15.1", "met")


def test_in_a_russian_ledger_singapore_has_no_rules() -> None:
    scene = Scene()
    ask(scene, "SG-AGC", "mla", "2026-03-03T10:00", "kz-sg-mla")
    assert scene.judged().findings == ()


@shows("KS.1 undetermined")
def test_signed_is_not_in_force() -> None:
    scene = astana("kz-sg-mla")
    scene.reg("instrument.signed", "2026-01-20", office="KZ-PGO", instrument="kz-sg-mla", date="2026-01-20",
              parties=["KZ", "SG"], kind="treaty")  # fmt: skip
    scene.expect("KS.1", "undetermined", reason="not_known_in_force", missing="entry into force of kz-sg-mla")
    scene.expect("KS.2", "undetermined", reason="basis_unclear", missing="entry into force of kz-sg-mla")


@shows("KS.1 met", "KS.1 breached", "KS.2 met", "KS.2 undetermined")
def test_when_the_register_knows_its_entry_into_force_that_day_decides() -> None:
    for day, verdict, basis in (("2026-02-28", "breached", "undetermined"), ("2026-03-01", "met", "met")):
        scene = astana("kz-sg-mla", when=f"{day}T12:00+05:00")
        scene.reg("instrument.entered", "2026-03-01", office="KZ-PGO", instrument="kz-sg-mla", date="2026-03-01")
        scene.expect("KS.1", verdict)
        scene.expect("KS.2", basis)


@shows("KS.3 met", "KS.3 undetermined")
def test_of_its_kinds_only_those_are_known_that_the_source_names() -> None:
    astana("kz-sg-mla").expect("KS.3", "met", reason="kind_covered")
    astana("kz-sg-mla", kind="asset").expect("KS.3", "met")
    astana("kz-sg-mla", kind="extradition").expect("KS.3", "undetermined", missing="text of kz-sg-mla")


def test_a_request_on_the_principle_of_reciprocity_does_not_rest_on_the_treaty() -> None:
    scene = astana("reciprocity")
    scene.no_row("KS.1")
    scene.no_row("KS.3")
    scene.expect("KS.2", "met")


# 1992


def test_it_is_still_asked_between_russia_and_belarus() -> None:
    scene = Scene()
    ask(scene, "BY-PGO", "mla", "2010-05-05T12:00", "ru-by-kz-kg-1992")
    assert asked_of(scene) == {"ru-by-kz-kg-1992"}


def test_between_russia_and_kazakhstan_it_is_asked_until_the_agreement_was_signed_and_not_from_that_day_on() -> None:
    for when, asked in (("2009-06-22T23:59:59.999+04:00", True), ("2009-06-23T00:00+04:00", False)):
        scene = Scene()
        ask(scene, "KZ-PGO", "mla", when, "ru-by-kz-kg-1992")
        assert ("ru-by-kz-kg-1992" in asked_of(scene)) is asked


def test_a_pair_that_is_left_out_leaves_the_others_of_both_states() -> None:
    profile = built_in().profile("ru-by-kz-kg-1992")
    assert profile is not None
    assert not profile.between("KZ", "RU", "2009-06-23")
    assert profile.between("RU", "KZ", "2009-06-22")
    assert profile.between("RU", "KG", "2026-01-01")
    assert profile.between("KZ", "BY", "2026-01-01")
    assert not profile.between("RU", "SG", "2000-01-01")


@shows("M92.1 undetermined")
def test_the_texts_are_silent_on_its_entry_into_force_so_the_register_decides() -> None:
    scene = Scene()
    ask(scene, "BY-PGO", "mla", "2010-05-05T12:00", "ru-by-kz-kg-1992")
    scene.expect("M92.1", "undetermined", missing="entry into force of ru-by-kz-kg-1992")


@shows("M92.1 met", "M92.1 breached")
def test_an_end_between_one_pair_ends_nothing_between_another() -> None:
    scene = Scene()
    early = "2009-01-01T12:00+03:00"
    scene.reg("instrument.entered", early, instrument="ru-by-kz-kg-1992", date="1992-10-08")
    scene.reg("instrument.ended", "2009-06-23", instrument="ru-by-kz-kg-1992", date="2009-06-23", cause="succession",
              between=["RU", "KZ"])  # fmt: skip
    ask(scene, "BY-PGO", "mla", "2010-05-05T12:00", "ru-by-kz-kg-1992")
    scene.expect("M92.1", "met")
    scene.reg("instrument.ended", "2010-01-01", instrument="ru-by-kz-kg-1992", date="2010-01-01", cause="other",
              between=["RU", "BY"])  # fmt: skip
    scene.expect("M92.1", "breached", reason="after_end")


@shows("M92.2 met", "M92.2 undetermined")
def test_its_title_says_legal_assistance_and_co_operation_and_no_more_is_known() -> None:
    for kind, verdict in (("mla", "met"), ("general_cooperation", "met"), ("extradition", "undetermined")):
        scene = Scene()
        ask(scene, "KG-PGO", kind, "2010-05-05T12:00", "ru-by-kz-kg-1992")
        scene.expect("M92.2", verdict)


def test_a_belarusian_request_on_another_treaty_is_asked_nothing_of_1992() -> None:
    scene = Scene()
    ask(scene, "BY-PGO", "mla", "2025-05-05T12:00", "cis-mla-1993")
    assert scene.judged().findings == ()


# Every profile


@pytest.mark.parametrize("profile", built_in().profiles, ids=lambda profile: profile.instrument.id)
def test_every_rule_of_every_profile_is_complete_and_its_line_names_what_its_checks_fill(profile: object) -> None:
    for rule in profile.rule:  # type: ignore[attr-defined]
        assert rule.summary.en
        assert rule.summary.ru
        assert rule.line.ru
        assert rule.gives


def test_a_line_reads_in_both_languages() -> None:
    scene = astana("kz-sg-mla")
    place = scene.rulebook.find("KS.3")
    assert place is not None
    finding = scene.finding("KS.3")
    assert line(place[1], finding) == "Kind under the agreement: mla"
    assert line(place[1], finding, "ru") == "Вид запроса по соглашению: mla"


def test_an_exclusion_of_one_state_is_refused_with_its_place() -> None:
    text = """
    [instrument]
    id = "x"
    kind = "treaty"
    parties = ["RU", "KZ"]
    title = { en = "X", ru = "X" }
    abbreviation = "X"
    excluded = [{ between = ["RU"], from = "2009-06-23", source = "X" }]
    """
    with pytest.raises(ConfigError, match=r"x\.toml: .*excluded"):
        read_profile(text, "x.toml")
