"""The simulated year by itself: the same for the same seed, valid by the catalogue, and what its knobs do."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256
from statistics import median

import pytest

from ledger import catalogue
from ledger.catalogue.dates import check_dates
from ledger.errors import ConfigError
from ledger.event import parse_event
from ledger.sealing import Place, open_field
from ledger.signature import EVENT_PAYLOAD, verify
from producers.builder import format_time
from producers.simulator import chance as chances
from producers.simulator.breaches import PLANTS, Planting
from producers.simulator.chance import LogNormal
from producers.simulator.parameters import KNOBS, Parameters, parse_sets
from producers.simulator.spool import Ready, Spool
from producers.simulator.story import instant
from producers.simulator.stream import Year
from producers.simulator.truth import Truth, line, read

SMALL = Parameters.default(seed=3, scale=0.01)


def digest(parameters: Parameters) -> str:
    whole = sha256()
    for dated in Year(parameters).stream():
        whole.update(dated.value)
        whole.update(dated.signatures[0].value)
    return whole.hexdigest()


def test_the_same_seed_gives_the_same_bytes_and_another_one_others() -> None:
    assert digest(SMALL) == digest(Parameters.default(seed=3, scale=0.01))
    assert digest(SMALL) != digest(Parameters.default(seed=4, scale=0.01))


def test_every_event_is_valid_signed_and_in_the_order_of_recording() -> None:
    year = Year(SMALL)
    keys = {year.authority.kid: year.authority.public_key}
    last = 0
    for dated in year.stream():
        event = parse_event(dated.value)
        row = catalogue.known(event.type)
        data = catalogue.decode_data(row, event.data)
        check_dates(row, data)
        keys |= {signer.kid: signer.public_key for signer in year._signers.values()}
        signature = dated.signatures[0]
        assert verify(keys[signature.kid], signature.value, EVENT_PAYLOAD, dated.value)
        assert dated.recorded >= last
        last = dated.recorded
    assert year.counts.total() > 1000


def test_sealed_fields_open_with_the_key_that_follows_from_the_seed() -> None:
    year = Year(SMALL)
    for dated in year.stream():
        if dated.name == "request.signed":
            event = parse_event(dated.value)
            data = catalogue.decode_data(catalogue.known(event.type), event.data)
            place = Place(event.ledger, event.source, event.id, event.subject, event.type, "/data/assistance")
            key = Year(SMALL).vault.key_for(event.subject, "general")
            assert len(open_field(key, place, data.assistance).split()) == 8
            return
    pytest.fail("no request was signed")


def test_at_scale_1_the_year_has_the_requests_of_the_documents() -> None:
    kinds = Counter((case.kind, case.direction) for case in Year(Parameters.default()).plan.cases())
    assert kinds["extradition", "out"] == 400
    assert kinds["extradition", "in"] == 1500
    assert kinds["mla", "out"] + kinds["mla", "in"] == 6000
    assert kinds.total() == 10_304


def test_what_is_planted_is_noted_and_a_clean_year_notes_no_breach() -> None:
    truths: list[Truth] = []
    for _ in Year(SMALL, tell=truths.append).stream():
        pass
    assert {"breach", "near_miss", "undetermined"} == {truth.sort for truth in truths}
    assert [read(line(truth)) for truth in truths] == truths
    clean: list[Truth] = []
    for _ in Year(Parameters.default(seed=3, scale=0.01, clean=True), tell=clean.append).stream():
        pass
    assert {truth.sort for truth in clean} == {"undetermined"}


def test_a_knob_at_1_is_planted_in_every_chance() -> None:
    zero = {name: 0.0 for name in KNOBS if name.startswith("breaches.")}
    parameters = Parameters.default(changed={**zero, "breaches.acting_head": 1})
    planting = Planting(parameters, {("central", "out"): 100.0})
    assert [planting.next("central", "out") for _ in range(5)] == ["acting_head"] * 5


def test_each_plant_comes_as_often_as_the_least_number_asks() -> None:
    plan = Year(Parameters.default()).plan
    counts = Counter(case.plant for case in plan.cases())
    for plant in PLANTS:
        assert counts[plant.name] >= (10 if plant.undecided else 20), plant.name


def test_knobs_are_held_to_their_names_and_ranges() -> None:
    with pytest.raises(ConfigError, match="expected a knob"):
        Parameters.default(changed={"breaches.typo": 1})
    with pytest.raises(ConfigError, match="from 0 to 1, found 2"):
        Parameters.default(changed={"breaches.no_reason": 2})
    with pytest.raises(ConfigError, match="NAME=NUMBER"):
        parse_sets(["breaches.no_reason"])
    assert parse_sets(["meetings=5"]) == {"meetings": 5.0}


def test_the_logarithmic_normal_distribution_has_its_median() -> None:
    chance, drawn = chances.case(1, "test"), LogNormal(75, 0.7)
    values = [drawn.draw(chance) for _ in range(5000)]
    assert 72 < median(values) < 78
    assert 0.14 < sum(value < 75 / 2.0138 for value in values) / 5000 < 0.18  # one sigma below


def test_the_spool_gives_acts_back_in_order_and_once() -> None:
    acts = [Ready(at, "RU-OMS", "request/1", "step.taken", f"e-{n}", b"%d" % n) for n, at in enumerate([5, 3, 9, 3])]
    with Spool() as spool:
        spool.put(acts)
        assert [act.id for act in spool.until(6)] == ["e-1", "e-3", "e-0"]
        spool.put([Ready(7, "RU-OMS", "request/1", "step.taken", "e-9", b"")])
        assert [act.id for act in spool.until(None)] == ["e-9", "e-2"]
        assert list(spool.until(None)) == []


@pytest.mark.parametrize("held", [1, 7, 100, 10**6])
def test_acts_come_in_the_same_order_whether_in_memory_or_on_disk(held: int) -> None:
    chance = chances.case(1, "spool")
    acts = [
        Ready(t, "RU-OMS", "request/1", "step.taken", f"e-{n}", b"")
        for n in range(4000)
        if (t := chance.whole(n, n + 900))
    ]
    given: list[Ready] = []
    with Spool(held) as spool:
        for start in range(0, len(acts), 250):
            given += spool.until(start)
            spool.put(acts[start : start + 250])
        given += spool.until(None)
    assert [act.id for act in given] == [act.id for act in sorted(acts, key=lambda act: act.recorded)]


@pytest.mark.parametrize("ms", [0, 1_735_689_599_999, 1_709_210_096_007, 4_102_444_800_000])
def test_moments_are_written_as_everywhere(ms: int) -> None:
    assert instant(ms) == format_time(ms)
