"""A rulebook and a ledger to test judging with: three rules that look at the register, at time, and at a correction.

The rules are bound to no text, so that what is tested here does not change when a rule of the law does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from consumers.replay import Limits, replay
from ledger.log import LEDGER
from ledger.signature import POSSESSION_PAYLOAD, Signature, encode_base64, format_signature, pae, possession_payload
from projections.cases import CasesFold
from projections.compliance.judging import Advanced, Judge
from projections.compliance.kinds.base import CHECKS, Asked, check
from projections.compliance.register import LegalRegister, local_day
from projections.compliance.rulebook import Rulebook, make_rulebook
from projections.compliance.takes import COUNT, WORDS, Takes
from projections.compliance.verdict import Finding, Step
from projections.store import Store
from projections.view import Generation
from tests.aio import run
from tests.fakes import MemoryLog
from tests.keys import Signer
from tests.ledgers import KID, T0, Book
from tests.records import box, content, usual

FOLD = CasesFold()
DAY = 86_400_000
QUICK = Limits(wait=0.001, first_pause=0.001, longest_pause=0.002)

if ("validity", "test_head") not in CHECKS:

    @check("validity", "test_head")
    def head(asked: Asked) -> Iterator[Finding]:
        """Whether the office that signed had a head on that day."""
        signed = asked.case.first("request.signed")
        if signed is None:
            return
        day = local_day(asked.register, signed)
        held = [r for r in asked.register.roles(str(signed.data.requesting), role="head") if r.held_on(day)]
        yield asked.finding("met" if held else "breached", "kept" if held else "not_kept", rests_on=signed)

    @check("lag", "test_answer", takes=Takes({"days": COUNT}))
    def answer(asked: Asked) -> Iterator[Finding]:
        """An answer within so many days, else open, and breached at the end."""
        signed = asked.case.first("request.signed")
        if signed is None:
            return
        answered = asked.case.first("request.answered")
        end = signed.time + int(asked.param("days")) * DAY
        if answered is not None:
            yield asked.finding("met", "kept", rests_on=(signed, answered))
            return
        yield asked.finding(
            "open", "running", rests_on=signed, expected_by=signed.time + DAY,
            steps=(Step(signed.time, "open", "running"), Step(end, "breached", "ran_out")),
        )  # fmt: skip

    @check("closed_list", "test_area", takes=Takes({"steps": WORDS}))
    def area(asked: Asked) -> Iterator[Finding]:
        """One finding for each step that was taken, by what it is called; it fails on some as a wrong rule may."""
        for act in asked.case.named("step.taken"):
            if act.data.step == "broken":
                raise ZeroDivisionError(f"what {act.id} says")
            if act.data.step in ("twice", "vast"):  # two rows of one key, a number that no column holds
                yield asked.finding("met", "kept", rests_on=act, item=act.id,
                                    expected_by=10**30 if act.data.step == "vast" else 0)  # fmt: skip
                if act.data.step == "vast":
                    continue
            good = act.data.step in asked.param("steps")
            yield asked.finding("met" if good else "undetermined", "kept" if good else "not_said", rests_on=act,
                                item=act.id)  # fmt: skip


_PROFILE = """
[instrument]
id = "test-1"
kind = "agreement"
parties = ["RU", "KZ"]
abbreviation = "Test"
title = { en = "Test", ru = "Тест" }

[[rule]]
id = "T1"
place = { article = "1", cites = "Test 1" }
kind = "validity"
check = "test_head"
subjects = ["request"]
summary = { en = "A head", ru = "Руководитель" }
line = { en = "Head", ru = "Руководитель" }
gives = ["met", "breached"]

[[rule]]
id = "T2"
place = { article = "2", paragraph = "1", cites = "Test 2(1)" }
kind = "lag"
check = "test_answer"
subjects = ["request"]
params = { days = DAYS }
summary = { en = "An answer", ru = "Ответ" }
line = { en = "Answer", ru = "Ответ" }
gives = ["met", "open", "breached"]

[[rule]]
id = "T3"
place = { article = "3", cites = "Test 3" }
kind = "closed_list"
check = "test_area"
subjects = ["request"]
params = { steps = ["good"] }
summary = { en = "A step", ru = "Шаг" }
line = { en = "Step", ru = "Шаг" }
gives = ["met", "undetermined"]
"""


def rules(days: int = 30) -> Rulebook:
    """The test rulebook; another number of days makes another one."""
    return make_rulebook({"test.toml": _PROFILE.replace("DAYS", str(days))}, f"test-{days}")


RULES = rules()


def always(rulebook: Rulebook = RULES) -> Callable[[LegalRegister], Rulebook]:
    """That rulebook, whatever the register says."""
    return lambda _: rulebook


def office_of(number: int) -> str:
    """The office of a request; there are three."""
    return ("RU-OMS", "RU-KGN", "RU-SAM")[number % 3]


def sign(book: Book, number: int, kid: str = str(KID)) -> None:
    """A request of that number is signed by its office."""
    said = content(kind="mla", requesting=office_of(number), partner="KZ", legal_basis=["ru-kz-2009"])
    book.add(f"request/{number}", "request.signed", usual("request.signed") | said, kid=kid)


def grant_key(book: Book, office: str) -> str:
    """An office gets a key; its kid."""
    key = Signer(office)
    payload = possession_payload(book.ledger_id, office, key.kid, "sign")
    proof = Signature(key.kid, key.sign(pae(POSSESSION_PAYLOAD, payload)))
    said = {
        "office": office, "kid": key.kid, "public_key": encode_base64(key.public_key), "alg": "ed25519", "use": "sign",
        "possession": format_signature(proof).decode(), "valid_from": "2025-01-01T00:00:00+03:00",
    }  # fmt: skip
    book.add("register", "key.granted", said)
    return str(key.kid)


def step(book: Book, number: int, name: str = "good") -> None:
    """A step is taken in a request."""
    book.add(f"request/{number}", "step.taken", {"step": name})


def head_of(book: Book, office: str) -> None:
    """An office gets a head, since long ago."""
    book.add(
        "register",
        "role.assigned",
        {"office": office, "person": "p-1", "role": "head", "valid_from": "2020-01-01", "basis": box()},
    )


def town(requests: int = 12, partitions: int = 3) -> Book:
    """A ledger with requests of three offices, of which one has a head."""
    book = Book(partitions)
    for office in ("RU-OMS", "RU-KGN", "RU-SAM", "RU-TYU"):
        said = {"office": office, "party": "RU", "sort": "territorial", "name_ru": office, "tz": "Asia/Omsk",
                "border": True, "valid_from": "2000-01-01", "basis": "order-136"}  # fmt: skip
        book.add("register", "office.registered", said)
    head_of(book, "RU-OMS")
    for number in range(requests):
        sign(book, number)
    for number in range(0, requests, 2):
        step(book, number, "good" if number % 4 else "odd")
    return book


def taken(store: Store, book: Book, generation: Generation | None = None, **more: Any) -> Generation:
    """Take the book into the store, as far as it goes."""
    log = MemoryLog(book.partitions)
    for partition, messages in enumerate(book.messages):
        log.put(LEDGER, partition, messages)
    chosen = generation or store.live(FOLD, book.ledger_id)
    outcome = run(replay(log, store, FOLD, chosen, limits=more.pop("limits", QUICK), **more))
    assert not outcome.stopped
    return chosen


def judged(judge: Judge, partitions: int, *, chunk: int = 5) -> tuple[Advanced | None, int]:
    """Advance and judge all that waits; how many were judged."""
    advanced, number = judge.advance(), 0
    while made := sum(judge.some(partition, chunk) for partition in range(partitions)):
        number += made
    assert judge.waiting() == 0
    return advanced, number


__all__ = [
    "DAY",
    "FOLD",
    "KID",
    "RULES",
    "T0",
    "always",
    "grant_key",
    "head_of",
    "judged",
    "office_of",
    "rules",
    "sign",
    "step",
    "taken",
    "town",
]
