"""A profile is held against what its checks take when it is read: no parameter is passed over in silence."""

from __future__ import annotations

import pytest

from ledger.errors import ConfigError
from projections.compliance.rulebook import built_in, built_in_texts, make_rulebook

AGREEMENT, ORDER, PROTOCOL = "ru-kz-2009.toml", "ru-order-136.toml", "ru-kz-2009-ap-2022.toml"


def read_with(file: str, old: str, new: str) -> None:
    """Read the built-in rulebook with one line of a profile changed."""
    known = built_in_texts()
    assert known[file].count(old) >= 1, old
    make_rulebook(known | {file: known[file].replace(old, new)})


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (AGREEMENT, 'params = { moment = "sent" }', 'params = { momnet = "sent" }',
         r"rule A6.2b: expected params that check 'confirmed' takes \(late_claim, moment\), found 'momnet'"),
        (AGREEMENT, 'params = { moment = "sent" }', 'params = { moment = "seen" }',
         "rule A6.2b: expected params.moment to be one of sent, received, found 'seen'"),
        (AGREEMENT, 'silent = "undetermined"', 'silent = "breached"',
         r"rule A7.2a: expected params.silent to be a verdict that the rule gives \(met, undetermined\)"),
        (AGREEMENT, 'silent = "undetermined"', 'silent = "met"',
         "rule A7.2a: expected params.silent to be one of undetermined, breached, found 'met'"),
        (AGREEMENT, 'direct = "P30D", initiative', 'direct = "30 days", initiative',
         "rule A8.2: expected params.direct to be a threshold such as P5D, found '30 days'"),
        (AGREEMENT, 'groups = ["a", "b", "c", "d", "e"]', 'groups = ["a", "z"]',
         r"rule A6.3: expected params.groups to be a list of some of a, b, c, d, e, f, found \['a', 'z'\]"),
        (AGREEMENT, 'received_as = ["answer", "exchange"]', 'received_as = "answer"',
         "rule A9.3: expected params.received_as to be a list of some of .*, found 'answer'"),
        (AGREEMENT, 'which = "confidential", incident = "undetermined"', 'incident = "undetermined"',
         "rule A9.1: expected params.which to be one of offices, confidential, found none"),
        (AGREEMENT, "unnamed = true", 'unnamed = "yes"',
         "rule A15.1: expected params.unnamed to be true or false, found 'yes'"),
        (AGREEMENT, 'at = "opening", terms', 'at = "some day", terms',
         "rule A1: expected params.at to be one of opening, execution, found 'some day'"),
        (AGREEMENT, 'lives_with = { ru-kz-2009-ap-2022 = "ru-kz-2009" }', "lives_with = { ru-kz-2009-ap-2022 = 1 }",
         "rule A1: expected params.lives_with to be a table of texts"),
        (AGREEMENT, 'params = { term = ["days:60:next", "days:60:same"] }', 'params = { term = ["sixty days"] }',
         "rule A7.2b: expected params.term to be a list of readings"),
        (AGREEMENT, 'threshold = "P90D"\n', "", "rule A8.2: expected a threshold such as P5D, found none"),
        (AGREEMENT, 'grounds = ["sovereignty"', 'reasons = ["sovereignty"',
         "rule A7.1: expected requests.grounds in the profile of ru-kz-2009, found none"),
        (ORDER, "minimum = 1", "minimum = 0",
         "rule O12: expected params.minimum to be a whole number from 1 on, found 0"),
        (ORDER, "minimum = 1", "minimum = true", "rule O12: expected params.minimum to be a whole number from 1 on"),
        (ORDER, "weekend_shift = false", "weekend_shift = 0",
         "rule O11: expected params.weekend_shift to be true or false"),
        (ORDER, 'readings = ["by:01-30"]\n', "",
         "rule O11: expected at least one reading such as days:3:next, found none"),
        (ORDER, 'outlets = ["zakonnost", "official_site"]', "outlets = []",
         "rule O15: expected params.outlets to be a list of texts that is not empty"),
        (ORDER, 'threshold = "P60D"\nparams = { ', 'threshold = "P60D"\nparams = { over = "breached", ',
         r"rule O15: expected params.over to be a verdict that the rule gives \(met, open, undetermined\)"),
        (PROTOCOL, 'params = { oral = "met" }', 'params = { oral = "met", late_claim = "ignore" }',
         "rule P5: expected params.late_claim to be one of mark, undetermined, found 'ignore'"),
    ],
)  # fmt: skip
def test_what_a_check_does_not_take_is_an_error_that_says_what_it_does(
    file: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        read_with(file, old, new)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (AGREEMENT, 'params = { moment = "sent" }', 'params = { moment = "received", late_claim = "undetermined" }'),
        (AGREEMENT, 'direct = "P30D", initiative', 'over = "breached", direct = "P30D", initiative'),
        (ORDER, 'readings = ["by:01-30"]', 'readings = ["by:01-31"]'),
        (ORDER, 'params = { act = "ru-order-136", moment = "sent" }', "params = {}"),
    ],
)
def test_what_it_takes_may_be_set_otherwise(file: str, old: str, new: str) -> None:
    read_with(file, old, new)


def test_the_built_in_profiles_are_sound() -> None:
    assert make_rulebook(built_in_texts()).sha256 == built_in().sha256
