"""What is made of one subject as it was read from the store: its findings, and its postings to figures. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from projections.cases import read_file
from projections.compliance.facts import NOTHING
from projections.compliance.judge import Judged, judge_case, read_case
from projections.compliance.register import SUBJECT, LegalRegister
from projections.compliance.rulebook import Rulebook
from projections.figures.counting import count
from projections.figures.posting import Posting


class Work(msgspec.Struct, frozen=True):
    """A subject as it was read."""

    subject: str
    seq: int
    partner: str
    facts: str
    grown: bool
    """Whether its row is marked; else the register has touched it."""


class Made(msgspec.Struct, frozen=True):
    """What was made of a subject."""

    work: Work
    judged: Judged
    postings: list[Posting]
    partner: str
    """As corrected: findings and figures name the same one."""


def work_of(row: Any, *, grown: bool) -> Work:
    """A row of ``rounds.waiting_rows`` or ``touched_rows``."""
    return Work(row.subject, row.seq, row.partner, row.facts, grown)


def make(work: Work, register: LegalRegister, rulebook: Rulebook) -> Made:
    """Judge and count a subject. Raises whatever a rule or a count of this release lets out."""
    case = register.case if work.subject == SUBJECT else read_case(work.subject, read_file(work.facts) or NOTHING)
    found, counting = judge_case(case, register, rulebook), register.asked()
    counting.ledger_zone()
    postings = count(case, counting)
    _apart([(each.rule, each.item) for each in found.findings], "findings")
    _apart([(each.part, each.item) for each in postings], "postings")
    depends = found.depends | (counting.looked or frozenset())
    partner = (case.partner if case.sort == "request" else None) or work.partner
    return Made(work, msgspec.structs.replace(found, depends=depends), postings, partner)


def _apart(keys: list[tuple[str, str]], what: str) -> None:
    """Hold that no two are of one key: databases differ in what they make of such rows."""
    if len(set(keys)) != len(keys):
        raise AssertionError(f"two {what} of one key")
