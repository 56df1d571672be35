"""Whose annual information a review shows, where two offices have given their records one id."""

from __future__ import annotations

from pathlib import Path

import msgspec

from infra.reporting import Reports, Wanted, _Asking
from projections.compliance.queries import Compliance
from projections.compliance.rulebook import built_in
from projections.store import Store
from tests.judgements import T0, taken
from tests.ledgers import Book

YEAR = "year/2025"
OFFICES = {"RU-OMS": 3, "RU-KGN": 9}
"""How many contacts each has."""


def told(book: Book, source: str, subject: str, name: str, **data: object) -> None:
    event = msgspec.json.decode(book.event(subject, name, data))
    book.put(subject, msgspec.json.encode({**event, "id": "same", "source": f"office/{source}"}))


def test_each_office_has_its_own_information_though_two_have_one_id(tmp_path: Path) -> None:
    book = Book(1)
    for office in OFFICES:
        said = {"office": office, "party": "RU", "sort": "territorial", "name_ru": office, "tz": "Asia/Omsk",
                "border": True, "valid_from": "2000-01-01", "basis": "order-136"}  # fmt: skip
        book.add("register", "office.registered", said)
    bound = {"act": "ru-order-136", "number": "136", "date": "2022-03-10", "binds": [*OFFICES],
             "carries_out": "ru-kz-2009-ap-2022"}  # fmt: skip
    book.add("register", "act.issued", bound)
    for office, contacts in OFFICES.items():
        told(book, office, YEAR, "annualreport.submitted", office=office, year=2025, separate_block=True,
             memo_ref="memo-7", contacts=contacts, proposals=0, nil=False)  # fmt: skip
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        taken(store, book)
        reports = Reports(book.ledger_id, Compliance(store, book.ledger_id, built_in()), built_in())
        asking = _Asking(reports, lambda _: None)
        found, _, _ = asking._coverage(Wanted(year=2025, lang="en", as_of=T0 + 86_400_000))
    assert {one.office: one.contacts for one in found} == OFFICES
    assert len({one.event.index for one in found if one.event is not None}) == len(OFFICES)
