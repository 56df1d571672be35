"""What a check takes of a profile: parameters of its rule, members of ``requests``, readings, a threshold.

A check declares it, and a rulebook is held against it when it is read, so that a misspelt parameter, or one of another
form, is no silent default and no failure in the middle of judging::

    @check("lag", "answered", takes=Takes({"direct": THRESHOLD, "initiative": THRESHOLD, **LAG}, threshold=True))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.errors import ConfigError
from projections.compliance.readings import check_reading
from projections.compliance.verdict import WORST

if TYPE_CHECKING:  # it reads this module
    from projections.compliance.rulebook import Profile, Rule


class Form(msgspec.Struct, frozen=True):
    """What a parameter has to look like."""

    expected: str
    """In words, for the error."""
    fits: Callable[[Any], bool]
    needed: bool = False
    """Whether the check can do without it."""


def one_of(*words: str) -> Form:
    """One of some words; a verdict among them must be one that the rule can give."""
    return Form(f"one of {', '.join(words)}", lambda value: value in words)


def some_of(*words: str) -> Form:
    """A list of some of these words."""
    return Form(f"a list of some of {', '.join(words)}", lambda value: _words(value) and set(value) <= set(words))


def needed(form: Form) -> Form:
    """The same, and the check cannot do without it."""
    return msgspec.structs.replace(form, needed=True)


def _words(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(word, str) and word for word in value)


def _reads(value: Any, *, threshold: bool = False) -> bool:
    try:
        check_reading(value, "", threshold=threshold)
    except (ConfigError, TypeError):
        return False
    return True


WORD = Form("a text that is not empty", lambda value: isinstance(value, str) and bool(value))
WORDS = Form("a list of texts that is not empty", _words)
FLAG = Form("true or false", lambda value: isinstance(value, bool))
COUNT = Form("a whole number from 1 on", lambda value: type(value) is int and value >= 1)
NAMES = Form(
    "a table of texts", lambda value: isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
)
THRESHOLD = Form("a threshold such as P5D", lambda value: _reads(value, threshold=True))
READINGS = Form(
    "a list of readings such as days:60:next", lambda value: _words(value) and all(_reads(each) for each in value)
)
TERM: Mapping[str, Form] = {"late_claim": one_of("mark", "undetermined")}
"""Of checks that ask whether a term was kept."""
LAG: Mapping[str, Form] = {"over": one_of("undetermined", "breached"), **TERM}
"""Of checks that ask how long something took."""


class Takes(msgspec.Struct, frozen=True):
    """What a check takes."""

    params: Mapping[str, Form] = {}
    """Parameters of the rule."""
    requests: tuple[str, ...] = ()
    """Members of the profile's ``requests`` that it cannot do without."""
    threshold: bool = False
    """Whether it cannot do without a threshold."""
    readings: bool = False
    """Whether it cannot do without a reading."""


NOTHING = Takes()


def check_taken(takes: Takes, rule: Rule, profile: Profile) -> None:
    """Hold a rule and its profile against what its check takes.

    Raises:
        ConfigError: a parameter is not known, has another form or is missing, or something else is that the check
            needs; the message names the rule, what was expected and what was found.
    """
    for fault in _faults(takes, rule, profile):
        raise ConfigError(f"rule {rule.id}: {fault}")


def _faults(takes: Takes, rule: Rule, profile: Profile) -> Iterator[str]:
    for name, value in rule.params.items():
        yield from _of_param(takes, rule, name, value)
    for name, form in takes.params.items():
        if form.needed and name not in rule.params:
            yield f"expected params.{name} to be {form.expected}, found none"
    for name in takes.requests:
        if name not in profile.requests:
            yield f"expected requests.{name} in the profile of {rule.instrument}, found none"
    if takes.threshold and not rule.threshold:
        yield "expected a threshold such as P5D, found none"
    if takes.readings and not rule.readings:
        yield "expected at least one reading such as days:3:next, found none"


def _of_param(takes: Takes, rule: Rule, name: str, value: Any) -> Iterator[str]:
    form = takes.params.get(name)
    if form is None:
        known = ", ".join(sorted(takes.params)) or "none"
        yield f"expected params that check {rule.check!r} takes ({known}), found {name!r}"
    elif not form.fits(value):
        yield f"expected params.{name} to be {form.expected}, found {value!r}"
    elif value in WORST and value not in rule.gives:
        given = ", ".join(rule.gives)
        yield f"expected params.{name} to be a verdict that the rule gives ({given}), found {value!r}"
