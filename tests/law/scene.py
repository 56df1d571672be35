"""Scenes of the law: a register and some subjects, told act by act, then judged.

::

    scene = Scene()
    scene.request("direct_exchange", "2025-03-03T10:00", office="RU-OMS")   # signed and sent
    scene.act("material.received", "2025-04-01", ...)
    scene.expect("O7", "met", as_of="2025-05-01")

Every act goes the way of a real one: data are held against the catalogue, folded by ``CaseFold`` and judged by the
built-in rulebook.  Moments without an offset are those of Omsk (``Scene.tz``); a day alone is its noon.  What is known
is what was admitted by ``as_of``.

A test says by ``@shows("O3 met", "O3 open")`` which verdicts of which rules it shows, and fails where it did not expect
one of them; ``test_every_verdict.py`` counts them.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from ledger import catalogue
from ledger.event import time_ms
from projections.compliance.facts import NOTHING, CaseFile
from projections.compliance.fold import CaseFold
from projections.compliance.judge import Judged, judge
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Rulebook, built_in
from projections.compliance.verdict import Finding
from tests.records import box, content, record, usual

FOLD = CaseFold()
REQUEST = "request/2025-000123"

SEVENTEEN = {
    "RU-AL": "Asia/Barnaul", "RU-ALT": "Asia/Barnaul", "RU-AST": "Europe/Astrakhan", "RU-VGG": "Europe/Volgograd",
    "RU-KGN": "Asia/Yekaterinburg", "RU-NVS": "Asia/Novosibirsk", "RU-OMS": "Asia/Omsk", "RU-ORE": "Asia/Yekaterinburg",
    "RU-SAM": "Europe/Samara", "RU-SAR": "Europe/Saratov", "RU-TYU": "Asia/Yekaterinburg",
    "RU-CHE": "Asia/Yekaterinburg", "RU-T-WSIB": "Europe/Moscow", "RU-T-VOLGA": "Europe/Moscow",
    "RU-T-URAL": "Europe/Moscow", "RU-T-SOUTH": "Europe/Moscow", "RU-N-VOLGA": "Europe/Moscow",
}  # fmt: skip
"""The offices of Order 1 and their zones."""

_CT: dict[str, Any] = {
    "contact": "ct-1", "office": "RU-OMS", "surname": box(), "name": box(), "patronymic": box(), "post": box(),
    "phone": box(), "email": box(),
}  # fmt: skip
_PLAN: dict[str, Any] = {
    "sort": "working",
    "place": "KZ",
    "partners": ["KZ"],
    "offices": ["RU-OMS"],
    "planned": "2025-06-01",
}
_OTHER: dict[str, dict[str, Any]] = {
    "office.registered": {
        "office": "RU-OMS", "party": "RU", "sort": "territorial", "name_ru": "Омская область", "tz": "Asia/Omsk",
        "border": True, "valid_from": "2000-01-01", "basis": "order-136",
    },
    "key.revoked": {"kid": "RU-OMS#" + "5f" * 16, "reason": "compromised", "effective": "2025-05-01T00:00:00+06:00"},
    "role.assigned": {
        "office": "RU-OMS", "person": "p-1", "role": "head", "valid_from": "2020-01-01", "basis": box(),
    },
    "role.ended": {"office": "RU-OMS", "person": "p-1", "role": "head", "effective": "2025-06-01"},
    "contact.designated": {**_CT, "effective": "2022-03-20"},
    "contact.changed": {**_CT, "changed": ["phone"], "effective": "2025-06-01"},
    "contact.notified": {"office": "RU-OMS", "contact": "ct-1", "version": "e-1", "means": "email"},
    "contact.forwarded": {"versions": ["e-1"], "to": "KZ-DIC", "means": "email"},
    "contact.received": {"contacts": [{**_CT, "contact": "ct-kz", "office": "KZ-B-01"}], "from": "KZ-DIC"},
    "coordinator.changed": {
        "party": "RU", "unit_old": "RU-GUMPS", "unit_new": "RU-NEW", "effective": "2025-06-01",
        "instrument": "ru-kz-2009",
    },
    "coordinator.notified": {"change": "e-1", "to": "KZ-DIC"},
    "act.issued": {
        "act": "ru-order-136", "number": "136", "date": "2022-03-10", "binds": list(SEVENTEEN),
        "carries_out": "ru-kz-2009-ap-2022",
    },
    "act.published": {"act": "ru-order-136", "outlet": "zakonnost", "date": "2022-04-15", "where": "2022/4"},
    "act.acquainted": {"act": "ru-order-136", "office": "RU-OMS"},
    "instrument.signed": {
        "instrument": "ru-kz-2009", "date": "2009-06-23", "parties": ["RU", "KZ"], "kind": "agreement",
        "profile_sha256": "00" * 32,
    },
    "instrument.entered": {"instrument": "ru-kz-2009", "date": "2009-06-23"},
    "instrument.staged": {
        "instrument": "ru-us-memo", "stage": "proposed", "parties": ["RU", "US"], "kind": "memorandum",
        "date": "2018-01-15",
    },
    "notice.received": {"instrument": "ru-kz-2009", "from": "KZ", "received": "2027-01-15T12:00:00+03:00"},
    "instrument.ended": {"instrument": "ru-kz-2009", "date": "2027-03-16", "cause": "notice"},
    "instrument.released": {"instrument": "ru-kz-2009", "duties": ["A9.3"], "date": "2027-04-01", "basis": box()},
    "rulebook.adopted": {"version": "1", "sha256": "00" * 32, "profiles": [], "valid_from": "2022-03-10"},
    "dispute.opened": {"dispute": "d-1", "instrument": "ru-kz-2009", "article": "9(3)", "question": box()},
    "dispute.resolved": {"dispute": "d-1", "means": "consultation", "outcome": box()},
    "meeting.proposed": _PLAN,
    "meeting.held": {**_PLAN, "held_from": "2025-06-01", "held_to": "2025-06-02", "participants": 12},
    "meeting.cancelled": {},
    "meeting.reported": {"report_sha256": "00" * 32, "to": "RU-GUMPS"},
    "annualreport.submitted": {
        "office": "RU-OMS", "year": 2025, "separate_block": True, "memo_ref": "memo-1", "contacts": 3, "proposals": 1,
        "nil": False,
    },
    "annualreport.received": {"office": "RU-OMS", "report": "e-1"},
    "control.performed": {
        "offices": list(SEVENTEEN), "how": "data", "from": "2025-01-01", "to": "2025-12-31", "findings": 0,
    },
    "practicereview.submitted": {
        "year": 2025, "to_role": "supervising_deputy", "cites": [], "proposals": 1, "sha256": "00" * 32,
    },
}  # fmt: skip


def shows(*pairs: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare which verdicts a test shows, as ``"O3 met"``; it fails where one of them was not expected by it."""

    def declare(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def wrapped(*args: Any, **kwargs: Any) -> None:
            _expected.clear()
            test(*args, **kwargs)
            missing = set(pairs) - _expected
            assert not missing, f"declared but not expected: {sorted(missing)}"

        wrapped.shows = pairs  # type: ignore[attr-defined]
        wrapped.__signature__ = inspect.signature(test)  # type: ignore[attr-defined]
        return wrapped

    return declare


_expected: set[str] = set()


class Scene:
    """A register and subjects. ``bare``: nothing in the register but what the test says."""

    def __init__(self, *, bare: bool = False, own: str = "RU", rulebook: Rulebook | None = None) -> None:
        self.own = own
        self.tz = "Asia/Omsk"
        self.rulebook = rulebook or built_in()
        self.files: dict[str, CaseFile] = {}
        self._ids = 0
        self._index = 0
        if not bare:
            self._usual()

    # Telling

    def ms(self, when: str) -> int:
        """A moment in ms: ``2025-03-03``, ``2025-03-03T10:00``, or RFC 3339 with an offset."""
        text = when if "T" in when else f"{when}T12:00:00"
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(self.tz))
        return round(moment.timestamp() * 1000)

    def act(
        self,
        name: str,
        when: str,
        *,
        office: str = "RU-OMS",
        admitted: str | None = None,
        subject: str = REQUEST,
        id: str | None = None,  # noqa: A002 - the field's name
        kids: tuple[str, ...] = (),
        **stated: Any,
    ) -> str:
        """One act; gives its event id. ``stated``: members in place of the usual ones; ``from_``, ``with_`` as in JSON.

        A member ``None`` is left out; a sealed member is ``True`` (filled) or ``False`` (empty).
        """
        known = _OTHER.get(name)
        data = dict(known) if known is not None else usual(name)
        sealed = {path[0] for path in catalogue.base.sealed_pointers(catalogue.known(f"rogatory.{name}.v1").data)}
        for key, value in stated.items():
            member = key.rstrip("_")
            if value is None:
                data.pop(member, None)
            else:
                data[member] = box(value) if member in sealed and isinstance(value, bool) else value
        catalogue.convert_data(catalogue.known(f"rogatory.{name}.v1"), data)  # a test cannot tell the impossible
        self._ids += 1
        file = self.files.get(subject, NOTHING)
        made = record(
            name, data, seq=len(file.acts) + 1, index=self._index, claimed=self.ms(when),
            admitted=self.ms(admitted or when), office=office, subject=subject, event_id=id or f"e-{self._ids}",
        )  # fmt: skip
        self._index += 1
        if kids:
            sigs = [(kid, "A" * 86 + "==") for kid in kids]
            made = msgspec.structs.replace(made, seal=msgspec.structs.replace(made.seal, sigs=sigs))
        self.files[subject] = FOLD.evolve(file, made)
        return made.event.id

    def reg(self, name: str, when: str, *, office: str = "RU-GUMPS", **stated: Any) -> str:
        """A record of the register."""
        return self.act(name, when, office=office, subject="register", **stated)

    def request(
        self,
        kind: str = "direct_exchange",
        when: str = "2025-03-03T10:00",
        *,
        office: str = "RU-OMS",
        to: str = "KZ-B-01",
        channel: str = "direct",
        sent: bool = True,
        subject: str = REQUEST,
        direction: str = "out",
        **stated: Any,
    ) -> str:
        """An ordinary written request of ours: signed, and sent a minute later. Gives the id of the signature."""
        said = content(kind=kind, direction=direction, requesting=office, requested=to, legal_basis=["ru-kz-2009"])
        if kind == "direct_exchange":
            said["forms"] = {"order": ["o1"], "protocol": ["p1"], "agreement": ["a1"]}
        said |= {"area": "crime", "topics": ["drugs"]}
        signed = self.act("request.signed", when, office=office, subject=subject, **{**said, **stated})
        if sent:
            self.act("request.sent", when, office=office, subject=subject, channel=channel, from_=office, to=to,
                     translations=["ru"])  # fmt: skip
        return signed

    def _usual(self) -> None:
        early = "2009-01-01T12:00+03:00"
        for code, party, sort, tz in [
            ("RU-PGO", "RU", "party", "Europe/Moscow"), ("RU-GUMPS", "RU", "coordinator", "Europe/Moscow"),
            ("KZ-PGO", "KZ", "party", "Asia/Almaty"), ("KZ-DIC", "KZ", "coordinator", "Asia/Almaty"),
            ("KZ-MTP", "KZ", "transport", "Asia/Almaty"), ("KZ-B-01", "KZ", "territorial", "Asia/Almaty"),
        ]:  # fmt: skip
            self.reg("office.registered", early, **_office(code, party, sort, tz))
        for code, tz in SEVENTEEN.items():
            sort = "transport" if "-T-" in code else "nature" if "-N-" in code else "territorial"
            self.reg("office.registered", early, **_office(code, "RU", sort, tz))
        for code in ("RU-OMS", "RU-PGO", "KZ-B-01", "KZ-PGO"):
            self.reg("role.assigned", early, office_=code, person="p-1", role="head")
        self.reg("role.assigned", early, office_="RU-PGO", person="p-9", role="supervising_deputy")
        self.reg("instrument.signed", early, id="agr-signed")
        self.reg("instrument.entered", early, id="agr-entered")
        late = "2022-01-12T12:00+03:00"
        self.reg("instrument.signed", late, instrument="ru-kz-2009-ap-2022", date="2022-01-12", kind="protocol",
                 supplements="ru-kz-2009")  # fmt: skip
        self.reg("instrument.entered", late, instrument="ru-kz-2009-ap-2022", date="2022-01-12")
        self.reg("act.issued", "2022-03-10T12:00+03:00", office="RU-PGO", id="order-issued")

    # Judging

    def judged(self, subject: str = REQUEST, as_of: str | None = None) -> Judged:
        """What the rulebook says of a subject, on what was known at a moment."""
        known = None if as_of is None else self.ms(as_of)
        file = self.files.get(subject, NOTHING).known_at(admitted=known)
        register = LegalRegister(self.files.get("register", NOTHING).known_at(admitted=known), self.own)
        return judge(subject, file, register, self.rulebook)

    def findings(
        self, rule: str, *, item: str | None = None, subject: str = REQUEST, as_of: str | None = None
    ) -> list[Finding]:
        """Findings of a rule."""
        return [f for f in self.judged(subject, as_of).findings if f.rule == rule and (item is None or f.item == item)]

    def finding(self, rule: str, **where: Any) -> Finding:
        """The one finding of a rule (and item)."""
        found = self.findings(rule, **where)
        assert len(found) == 1, f"expected one finding of {rule}, found {found}"
        return found[0]

    def expect(
        self,
        rule: str,
        verdict: str,
        *,
        as_of: str = "2030-01-01",
        item: str | None = None,
        subject: str = REQUEST,
        reason: str | None = None,
        marks: tuple[str, ...] | None = None,
        missing: str | None = None,
        overdue: bool | None = None,
    ) -> Finding:
        """Hold the one finding of a rule against what is expected at a moment."""
        finding = self.finding(rule, item=item, subject=subject, as_of=as_of)
        step = finding.at(self.ms(as_of))
        assert step.verdict == verdict, f"{rule}: expected {verdict}, found {step} of {finding}"
        assert step.verdict in _gives(self.rulebook, rule), f"{rule} cannot give {step.verdict}"
        assert finding.evidence or subject.startswith("year/"), f"{rule}: no evidence, no verdict"
        if reason is not None:
            assert step.reason == reason, f"{rule}: expected reason {reason}, found {step.reason}"
        if marks is not None:
            assert set(finding.marks) == set(marks)
        if missing is not None:
            assert missing in finding.missing, f"{rule}: expected {missing!r} to be missing, found {finding.missing!r}"
        if overdue is not None:
            assert finding.overdue(self.ms(as_of)) is overdue
        _expected.add(f"{rule} {verdict}")
        return finding

    def no_row(self, rule: str, *, as_of: str = "2030-01-01", item: str | None = None, subject: str = REQUEST) -> None:
        """The rule says nothing here."""
        assert self.findings(rule, item=item, subject=subject, as_of=as_of) == []


def _office(code: str, party: str, sort: str, tz: str) -> dict[str, Any]:
    return {"office_": code, "party": party, "sort": sort, "tz": tz, "border": sort in ("territorial", "transport"),
            "name_ru": code}  # fmt: skip


def _gives(rulebook: Rulebook, rule: str) -> tuple[str, ...]:
    found = rulebook.find(rule)
    assert found is not None, f"no rule {rule}"
    return found[1].gives


def declared(modules: Iterator[Any]) -> set[str]:
    """Every pair that the tests of some modules declare to show."""
    pairs: set[str] = set()
    for module in modules:
        for name, value in vars(module).items():
            if name.startswith("test") and hasattr(value, "shows"):
                pairs.update(value.shows)
    return pairs


def moment(text: str) -> int:
    """RFC 3339 as ms."""
    return time_ms(text)
