"""Counts figures of co-operation again, from nothing but an exported event log, for whoever shall check a report.

    rogatory export ocel --out log.json
    python examples/recount/recount.py log.json --year 2025 [--partner KZ]

It needs Python alone and shares no line with the program that it checks: what each figure counts is told in
``docs/figures.md``, and stands below once more in a few lines each.  It prints JSON: partner, figure, line, number; of
days the number of cases and their percentiles, of money an amount and its currency.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

OPENERS = ("request.signed", "request.spoken", "request.received")
CONTENT = ("request.signed", "request.spoken", "request.confirmed", "request.received")
ENDS = ("request.closed", "request.withdrawn", "request.returned")
DOCUMENTS = (
    "request.sent", "request.received", "request.forwarded", "request.answered", "information.requested",
    "information.supplied", "refusal.notified", "material.sent", "material.received",
)  # fmt: skip
PERCENTILES = ((50, 1), (90, 10), (99, 100))  # and how many cases each of them needs


# Reading


class Act:
    """One event: what it says (``said``), whose it is, and its effective time: the earlier of happened and recorded."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.name: str = event["type"]
        self.said: dict[str, Any] = {each["name"]: each["value"] for each in event["attributes"]}
        self.subject = next(each["objectId"] for each in event["relationships"] if each["qualifier"] == "subject")
        self.id, self.office, self.seq = (self.said[f"record_{name}"] for name in ("event", "office", "seq"))
        self.time = min(datetime.fromisoformat(text) for text in (event["time"], self.said["record_admitted"]))
        self.order = self.time, self.seq

    def list(self, name: str) -> list[Any]:
        """What stands in a list, which the log has as a text of JSON."""
        value = self.said.get(name)
        return value if isinstance(value, list) else json.loads(value or "[]")


def read(path: Path) -> dict[str, list[Act]]:
    """The acts of each subject in the order of the ledger, as corrected, without those that were disowned."""
    subjects: dict[str, list[Act]] = defaultdict(list)
    for event in json.loads(path.read_text(encoding="utf-8"))["events"]:
        act = Act(event)
        subjects[act.subject].append(act)
    return {subject: correct(sorted(acts, key=lambda act: act.seq)) for subject, acts in subjects.items()}


def correct(acts: list[Act]) -> list[Act]:
    """Apply corrections: an author replaces what an own record said, or disowns it.

    Of a request nothing is left where its opening, or all that said what it was, is disowned.
    """
    by_id = {(act.office, act.id): act for act in acts}
    disowned: list[Act] = []
    for correction in acts:
        target = by_id.get((correction.office, correction.said.get("target", "")))
        if correction.name != "record.corrected" or target is None:
            continue
        if correction.said["how"] == "disown":
            disowned.append(target)
        for name, value in json.loads(correction.said.get("fields") or "{}").items():
            inner = {f"{name}_{key}": each for key, each in value.items()} if isinstance(value, dict) else {name: value}
            target.said.update(inner)
    kept = [act for act in acts if act not in disowned]
    told, opened = any(map(tells, kept)), any(act.name in OPENERS for act in kept)
    if any(map(tells, disowned)) and not told:
        return []
    return [] if any(act.name in OPENERS for act in disowned) and not (opened or told) else kept


def tells(act: Act) -> bool:
    """Whether it says what a request is."""
    return act.name in CONTENT and "kind" in act.said


class Request:
    """A request: its acts, and what its content says; the last one put in writing counts, else the one spoken."""

    def __init__(self, acts: list[Act]) -> None:
        self.acts, self.subject = acts, acts[0].subject
        said = list(filter(tells, acts))
        self.content = ([act for act in said if act.name != "request.spoken"] or said or [None])[-1]
        self.opener = next((act for act in acts if act.name in OPENERS), self.content)
        self.partner = self.of("partner")
        self.line = f"{self.of('direction') or 'unknown'} {self.of('kind') or 'unknown'}"

    def of(self, name: str) -> str:
        """What the content says; empty if it does not."""
        return "" if self.content is None else self.content.said.get(name, "")

    def named(self, *names: str) -> list[Act]:
        """Its acts of some names, by time."""
        return sorted((act for act in self.acts if act.name in names), key=lambda act: act.order)

    def final(self) -> list[Act]:
        """Its final answers, by time."""
        return [act for act in self.named("request.answered") if act.said["final"]]


# Counting: each function tells what one figure counts of one request, as (line, time, number)

Counted = Iterator[tuple[str, datetime, Any]]


def m1(request: Request) -> Counted:
    """Requests, at their opening."""
    yield request.line, request.opener.time, 1


def m2(request: Request) -> Counted:
    """Documents considered."""
    yield from ((act.name, act.time, 1) for act in request.named(*DOCUMENTS))


def m4(request: Request) -> Counted:
    """Opened, less ended, in the order of the ledger; nothing ends before it begins."""
    is_open, clock = True, request.opener.time
    yield request.line, clock, 1
    for act in request.acts:
        if act.name in ENDS if is_open else act.name == "request.reopened":
            is_open, clock = not is_open, max(clock, act.time)
            yield request.line, clock, 1 if is_open else -1


def m6(request: Request) -> Counted:
    """The last final answer."""
    yield from ((act.said["outcome"], act.time, 1) for act in request.final()[-1:])


def m7(request: Request) -> Counted:
    """Decisions to refuse."""
    for act in request.named("refusal.decided"):
        yield f"{act.said['ground']} {act.said['scope']}", act.time, 1


def m8(request: Request) -> Counted:
    """Requests refused in full, of those refused in full or answered for good, at the first of these acts."""
    refused = [act for act in request.named("refusal.decided") if act.said["scope"] == "full"]
    ended = sorted(refused + request.final(), key=lambda act: act.order)
    yield from (("refused" if refused else "answered", act.time, 1) for act in ended[:1])


def m10(request: Request) -> Counted:
    """Whole days from the first receipt to the first final answer."""
    for received in request.named("request.received")[:1]:
        for answered in request.final()[:1]:
            yield "", answered.time, max(timedelta(), answered.time - received.time).days


def m22(request: Request) -> Counted:
    """Direct exchanges, by form: of the Order, else of the Protocol."""
    if request.of("kind") == "direct_exchange":
        content = request.content
        for form in dict.fromkeys(content.list("forms_order") or content.list("forms_protocol") or ["unnamed"]):
            yield form, request.opener.time, request.subject


def m33(request: Request) -> Counted:
    """Oral requests."""
    yield from (("", act.time, 1) for act in request.named("request.spoken")[:1])


def m35(request: Request) -> Counted:
    """The channel by which a request went first."""
    for act in request.named("request.sent", "request.received", "request.spoken")[:1]:
        yield act.said["channel"], act.time, 1


def m31(request: Request) -> Counted:
    """Materials sent and received, each once whatever the number of acts."""
    known: set[tuple[str, str]] = set()
    for act in request.named("material.sent", "material.received"):
        line = act.name.partition(".")[2]
        if (line, act.said["material"]) not in known:
            known.add((line, act.said["material"]))
            yield line, act.time, 1


def m35_moved(request: Request) -> Counted:
    """Requests sent on or back because they had gone the wrong way, and those passed on for other reasons."""
    for act in request.named("request.forwarded", "request.returned"):
        if act.said["why"] == "misrouted":
            yield "misrouted", act.time, request.subject
        elif act.name == "request.forwarded":
            yield "forwarded", act.time, request.subject


def m21(request: Request) -> Counted:
    """Measures performed, and documents served."""
    for act in request.named("measure.performed"):
        yield f"measure {act.said['measure']}", act.time, act.said["count"]
    for act in request.named("document.served"):
        yield f"served {act.said['result']}", act.time, act.said["documents"]


def m34_agreed(request: Request) -> Counted:
    """Costs that an agreement covers."""
    agreements = request.named("cost.agreed")
    for cost, act in costs(request).items():
        agreed = any(each.said["scope"] == "all" or cost in each.list("costs") for each in agreements)
        yield "agreed" if agreed else "not_agreed", act.time, 1


def costs(request: Request) -> dict[str, Act]:
    """The costs of a request; of two records of one the later counts."""
    return {act.said["cost"]: act for act in request.named("cost.incurred")}


# What counts once however many requests speak of it: as (line, time, thing)


def m13(request: Request) -> Counted:
    """Persons extradited, and whether by treaty."""
    named = set(request.content.list("legal_basis")) if request.content else set()
    basis = "unnamed" if not named else "reciprocity" if named == {"reciprocity"} else "treaty"
    for act in request.named("person.handedover"):
        if act.said["what"] == "extradition":
            yield f"{request.of('direction') or 'unknown'} {basis}", act.time, act.said["person"]


def m16(request: Request) -> Counted:
    """Persons located."""
    yield from ((act.said["via"], act.time, act.said["person"]) for act in request.named("person.located"))


# Money: as (line, time, (thing, currency, amount))


def money(act: Act, thing: str, sign: int = 1) -> tuple[str, str, Decimal]:
    """What an act says of an amount."""
    return act.said[thing], act.said["money_currency"], sign * Decimal(act.said["money_amount"])


def sorts(request: Request) -> dict[str, str]:
    """Of which sort the assets of a request are."""
    return {act.said["asset"]: act.said["sort"] for act in request.acts if act.name == "asset.traced"}


def m18(request: Request) -> Counted:
    """Property restrained, less what was released."""
    for act in request.named("asset.restrained", "asset.released"):
        sign = 1 if act.name == "asset.restrained" else -1
        yield sorts(request).get(act.said["asset"], "unknown"), act.time, money(act, "asset", sign)


def m20(request: Request) -> Counted:
    """Property confiscated."""
    for act in request.named("asset.confiscated"):
        yield sorts(request).get(act.said["asset"], "unknown"), act.time, money(act, "asset")


def m19(request: Request) -> Counted:
    """Property returned, by whom it was returned to."""
    yield from ((act.said["to"], act.time, money(act, "asset")) for act in request.named("asset.returned"))


def m34(request: Request) -> Counted:
    """Costs, by the state that bears them."""
    yield from ((act.said["borne_by"], act.time, money(act, "cost")) for act in costs(request).values())


# Adding up


class Recount:
    """The figures of one partner (None: of all) for a period: ``begins <= time < ends``."""

    def __init__(self, requests: Iterable[Request], partner: str | None, begins: datetime, ends: datetime) -> None:
        self.requests = [each for each in requests if partner is None or each.partner == partner]
        self.begins, self.ends = begins, ends

    def _posted(self, figure: Any, *, since: bool = True, closed: bool = True) -> Iterator[tuple[str, Any, Request]]:
        for request in self.requests:
            if request.opener is None and closed:
                continue  # a request of which no opening was recorded counts in M2 alone
            for line, time, what in figure(request):
                if time < self.ends and (time >= self.begins or not since):
                    yield line, what, request

    def counts(self, figure: Any, *, since: bool = True) -> dict[str, int]:
        """Numbers added up; without ``since`` also those from before, for what stands at the end of the period."""
        found: Counter[str] = Counter()
        for line, number, _ in self._posted(figure, since=since, closed=figure is not m2):
            found[line] += number
        return {line: number for line, number in sorted(found.items()) if number}

    def things(self, figure: Any) -> dict[str, int]:
        """How many different things."""
        found = {(line, thing) for line, thing, _ in self._posted(figure)}
        return dict(sorted(Counter(line for line, _ in found).items()))

    def days(self, figure: Any) -> dict[str, list[int | None]]:
        """How many cases, and percentiles by nearest rank; None: too few cases."""
        cases: dict[str, list[int]] = defaultdict(list)
        for line, days, _ in self._posted(figure):
            cases[line].append(days)
        return {
            line: [len(of)] + [
                sorted(of)[math.ceil(p * len(of) / 100) - 1] if len(of) >= enough else None for p, enough in PERCENTILES
            ]
            for line, of in cases.items()
        }  # fmt: skip

    def money(self, figure: Any, less: Any = None) -> dict[str, str]:
        """Amounts by line and currency. Of a thing that several requests state, the greatest sum counts once.

        ``less``: of what stands at the end of the period, what is taken off; what is left is never below nothing.
        """
        gained = self._greatest(figure, since=less is None)
        lost = self._greatest(less, since=False) if less is not None else {}
        found: dict[str, Decimal] = defaultdict(Decimal)
        for (thing, currency), lines in gained.items():
            if less is not None:
                left = sum(lines.values()) - sum(lost.get((thing, currency), {}).values())
                lines = {max(sorted(lines), key=lambda line: lines[line]): max(left, Decimal())}  # noqa: PLW2901
            for line, amount in lines.items():
                found[f"{line} {currency}"] += amount
        return {line: f"{amount.normalize():f}" for line, amount in sorted(found.items()) if amount}

    def _greatest(self, figure: Any, *, since: bool) -> dict[tuple[str, str], dict[str, Decimal]]:
        """Amounts by line, of each thing and currency; less what a request has released that another restrained."""
        stated: dict[tuple[str, str], dict[str, dict[str, Decimal]]] = defaultdict(dict)
        for line, (thing, currency, amount), request in self._posted(figure, since=since):
            lines = stated[thing, currency].setdefault(request.subject, defaultdict(Decimal))
            lines[line] += amount
        found: dict[tuple[str, str], dict[str, Decimal]] = {}
        for key, by_request in stated.items():
            greatest = max((by_request[each] for each in sorted(by_request)), key=lambda lines: sum(lines.values()))
            # A sort that this request does not know another one may.
            known = min((line for lines in by_request.values() for line in lines if line != "unknown"), default="")
            if known and "unknown" in greatest:
                greatest[known] += greatest.pop("unknown")
            if len(by_request) > 1 and greatest:
                least = min(sum(lines.values()) for lines in by_request.values())
                greatest[max(sorted(greatest), key=lambda line: greatest[line])] += min(least, Decimal())
            found[key] = greatest
        return found

    def all(self) -> dict[str, Any]:
        """Every figure that is counted here; those of which there is nothing are left out."""
        found: dict[str, Any] = {
            "M1": self.counts(m1), "M2": self.counts(m2), "M4": self.counts(m4, since=False), "M6": self.counts(m6),
            "M7": self.counts(m7), "M8": self.counts(m8), "M10": self.days(m10), "M13": self.things(m13),
            "M16": self.things(m16), "M18": self.money(m18, less=m20), "M19": self.money(m19), "M20": self.money(m20),
            "M21": self.counts(m21), "M22": self.things(m22), "M31": self.counts(m31), "M33": self.counts(m33),
            "M34": self.money(m34), "M34.agreed": self.counts(m34_agreed), "M35": self.counts(m35),
            "M35.moved": self.things(m35_moved),
        }  # fmt: skip
        states = {request.partner for line, _, request in self._posted(m1)} - {""}
        found["M3"] = {"": len(states)} if states else {}
        return {figure: lines for figure, lines in found.items() if lines}


def zone_of(register: list[Act]) -> ZoneInfo:
    """That of the office which opened the ledger: its months are the months of every figure."""
    opened = next(act for act in register if act.name == "register.opened")
    offices = [act for act in register if act.name == "office.registered" and act.said["office"] == opened.office]
    return ZoneInfo(offices[-1].said["tz"] if offices else "Europe/Moscow")


def main() -> None:
    """Read, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("log", type=Path, help="what `rogatory export ocel --out log.json` wrote")
    parser.add_argument("--year", type=int, required=True)
    parser.add_argument("--partner", help="only this state")
    given = parser.parse_args()
    subjects = read(given.log)
    zone = zone_of(subjects["register"])
    begins, ends = (datetime(year, 1, 1, tzinfo=zone) for year in (given.year, given.year + 1))
    requests = [Request(acts) for subject, acts in subjects.items() if subject.startswith("request/") and acts]
    partners = [given.partner] if given.partner else sorted({each.partner for each in requests} - {""})
    figures = {partner: Recount(requests, partner, begins, ends).all() for partner in partners}
    if not given.partner:
        figures["all"] = Recount(requests, None, begins, ends).all()
    print(json.dumps(figures, indent=1, ensure_ascii=False))


if __name__ == "__main__":
    main()
