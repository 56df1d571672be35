"""A simulated year held against the rulebook: what was planted is found, and nothing else.

``python -m tests.simulated --scale 1 --seed 7`` prints each difference, then a table of all rules:

- *planted*, *found*, *precision*, *recall*: breaches;
- *near*: near misses; *breached*, *not met*: how many of these were found so (a near miss must be found met);
- *unclear*, *undet.*: planted and found as undetermined;
- *unseen*: what would be missed if the rule were switched off.  It must not be 0.

A rule of which the text allows no breach has dashes, and the reason below the table.  At scale 1 each other rule must
have twenty breaches and twenty near misses.  The stream is folded as it comes, without a registrar;
``tests/integration/test_simulated_year.py`` goes the whole way through a ledger.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from ledger import catalogue
from ledger.event import parse_event, time_ms
from producers.simulator.parameters import Parameters, parse_sets
from producers.simulator.stream import Year
from producers.simulator.truth import Truth
from projections.compliance.facts import NOTHING, Act, CaseFile
from projections.compliance.judge import judge
from projections.compliance.reading import keep
from projections.compliance.register import LegalRegister
from projections.compliance.rulebook import Rulebook, built_in

Key = tuple[str, str, str]
"""Rule, subject, item."""
LEAST = 20
"""Breaches of each rule, and near misses, at scale 1."""

NO_BREACH = {
    "A1": "powers and obligations are no machine's to decide; asked is whether a basis is named and in force",
    "A2": "Agr. 4 leaves other directions to the Parties",
    "A3": "the list of forms is open (in particular; Agr. 4)",
    "A5.1": "a right to go directly, no ban on other ways",
    "A5.2": "the text gives the units coordination, not every act",
    "A6.1": "a request, or help without one: a kind is always one of the two",
    "A6.2c": "a right to ask for confirmation, no duty to wait",
    "A6.5": "when a translation is necessary the text does not say",
    "A7.1": "it says when a request is refused, not that it is refused only then",
    "A7.2a": "consultation where possible; that it was possible is not shown",
    "A8.1": "as A1",
    "A11": "meetings where necessary; none is no breach",
    "A12": "that a rulebook follows an amendment is our measure",
    "A14": "that another treaty is named is our device",
    "O5": "no measure of actively",
    "O6": "attention leaves no trace that the text asks for",
    "O12": "no frequency of checks in the text",
    "O15": "no term of publication in the text",
    "O16": "who supervises is a fact, not a duty with a term",
    "O17": "no proof of acquaintance is asked for",
    "P1": "as A1",
    "P3": "no date for the exchange in the text",
}
"""Rules that cannot be breached, and why."""
NO_NEAR = {
    "A12": "met asks for a record of the rulebook's digest, and the simulator knows no rulebook",
    "O5": "it is never anything but undetermined",
}
"""Rules of which nothing can be planted that is met, and why."""


class Compared(msgspec.Struct):
    """One rule: planted and found."""

    planted: set[Key] = set()
    found: set[Key] = set()
    near: set[Key] = set()
    unclear: set[Key] = set()
    """Planted as undetermined."""
    undecided: set[Key] = set()
    """Found undetermined."""
    met: set[Key] = set()
    """Near misses that were found met."""

    @property
    def missed(self) -> set[Key]:
        """Planted and not found."""
        return self.planted - self.found

    @property
    def invented(self) -> set[Key]:
        """Found and not planted."""
        return self.found - self.planted


def fold(parameters: Parameters) -> tuple[dict[str, CaseFile], list[Truth], Counter[str]]:
    """Case files of what is judged: the register, meetings, years, requests with Kazakhstan."""
    truths: list[Truth] = []
    year = Year(parameters, tell=truths.append)
    acts: dict[str, list[Act]] = defaultdict(list)
    passed: set[str] = set()
    for index, dated in enumerate(year.stream()):
        if dated.subject in passed:
            continue
        event = parse_event(dated.value)
        row = catalogue.known(event.type)
        data = catalogue.decode_data(row, event.data)
        if (
            dated.subject.startswith("request/")
            and dated.subject not in acts
            and getattr(data, "partner", "KZ") != "KZ"
        ):
            passed.add(dated.subject)
            continue
        file = acts[dated.subject]
        file.append(
            Act(row.name, event.id, index, len(file) + 1, event.source[7:], time_ms(event.time), dated.recorded,
                (str(dated.signatures[0].kid),), keep(row.name, event.data), "")
        )  # fmt: skip
    return {subject: CaseFile(tuple(found)) for subject, found in acts.items()}, truths, year.counts


def judged(
    files: Mapping[str, CaseFile], year: int, as_of: int, rulebook: Rulebook | None = None
) -> Iterable[tuple[Key, str, str]]:
    """Every finding: rule, subject and item; its verdict at a moment; the reason."""
    rules = rulebook or built_in()
    register = LegalRegister(files["register"], "RU")
    subjects = [subject for subject in files if not subject.startswith("year/")]
    subjects += [f"year/{each}" for each in range(2022, year + 1)]
    for subject in subjects:
        for finding in judge(subject, files.get(subject, NOTHING), register, rules).findings:
            step = finding.at(as_of)
            yield (finding.rule, subject, finding.item), step.verdict, step.reason


def compare(truths: Iterable[Truth], findings: Iterable[tuple[Key, str, str]]) -> dict[str, Compared]:
    """Rule by rule."""
    rules: dict[str, Compared] = defaultdict(Compared)
    met: set[Key] = set()
    for key, verdict, _ in findings:
        if verdict == "met":
            met.add(key)
        elif verdict == "breached":
            rules[key[0]].found.add(key)
        elif verdict == "undetermined":
            rules[key[0]].undecided.add(key)
    for truth in truths:
        of = rules[truth.rule]
        key = (truth.rule, truth.subject, truth.item)
        {"breach": of.planted, "near_miss": of.near, "undetermined": of.unclear}[truth.sort].add(key)
    for of in rules.values():
        of.unclear -= of.planted
        of.near -= of.planted | of.unclear
        of.met = of.near & met
    return dict(sorted(rules.items(), key=lambda each: _order(each[0])))


def _order(rule: str) -> tuple[str, list[tuple[int, str]]]:
    """Rules as they stand in their texts: A5.3 before A15.1."""
    return rule[0], [(int(part.rstrip("abc")), part) for part in rule[1:].split(".")]


def silenced(of: Compared) -> Compared:
    """A rule as it would compare if it were switched off: what was planted, and nothing found."""
    return Compared(planted=of.planted, near=of.near, unclear=of.unclear)


_COLUMNS = (
    "rule", "planted", "found", "precision", "recall", "near", "breached", "not met", "unclear", "undet.", "unseen",
)  # fmt: skip


def table(rules: Mapping[str, Compared]) -> str:
    """As text, and below it why some rules have no breaches, or no near misses."""
    lines = ["".join(f"{name:>10}" if n else f"{name:7}" for n, name in enumerate(_COLUMNS))]
    for rule, of in rules.items():
        right = len(of.planted & of.found)
        precision = f"{right / len(of.found):.3f}" if of.found else "—"
        recall = f"{right / len(of.planted):.3f}" if of.planted else "—"
        breaches = ("—", len(of.found) or "—") if rule in NO_BREACH else (len(of.planted), len(of.found))
        near = ("—", "—", "—") if rule in NO_NEAR else (len(of.near), len(of.near & of.found), len(of.near - of.met))
        unseen = sum(len(keys) for _, _, keys in wrong({rule: silenced(of)}))
        cells = (*breaches, precision, recall, *near, len(of.unclear), len(of.undecided), unseen)
        lines.append(f"{rule:7}" + "".join(f"{cell:>10}" for cell in cells))
    lines.append("No breach is possible:")
    lines += [f"  {rule:6} {why}" for rule, why in NO_BREACH.items() if rule in rules]
    lines.append("No near miss is possible:")
    lines += [f"  {rule:6} {why}" for rule, why in NO_NEAR.items() if rule in rules]
    return "\n".join(lines)


def short(rules: Mapping[str, Compared]) -> Iterable[str]:
    """Rules of which too little was planted at scale 1, and what."""
    for rule in sorted({*rules, *NO_BREACH}, key=_order):
        of = rules.get(rule, Compared())
        for what, keys, never in (("breaches", of.planted, NO_BREACH), ("near misses", of.near, NO_NEAR)):
            if rule not in never and len(keys) < LEAST:
                yield f"{rule}: expected at least {LEAST} {what}, found {len(keys)}"


def held(parameters: Parameters) -> tuple[dict[str, Compared], dict[Key, tuple[str, str]], int]:
    """A year told, judged and compared; why each verdict was given; how many events."""
    files, truths, counts = fold(parameters)
    findings = list(judged(files, parameters.year, time_ms(f"{parameters.year + 2}-01-15T12:00:00Z")))
    return compare(truths, findings), {key: (verdict, reason) for key, verdict, reason in findings}, counts.total()


def add(total: dict[str, Compared], more: Mapping[str, Compared], label: str) -> None:
    """Add what another year showed; ``label`` keeps its subjects apart."""
    for rule, of in more.items():
        into = total.setdefault(rule, Compared())
        for name in Compared.__struct_fields__:
            getattr(into, name).update((each, f"{label}{subject}", item) for each, subject, item in getattr(of, name))


def wrong(rules: Mapping[str, Compared]) -> Iterable[tuple[str, str, list[Key]]]:
    """Every difference: rule, what, which."""
    for rule, of in rules.items():
        for what, keys in (
            ("missed", of.missed), ("not planted", of.invented), ("near miss breached", of.near & of.found),
            ("near miss not met", of.near - of.met - of.found),
            ("undetermined not planted", of.undecided - of.unclear), ("not undetermined", of.unclear - of.undecided),
        ):  # fmt: skip
            if keys:
                yield rule, what, sorted(keys)


def main() -> None:
    """Print the table; exit 1 where anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--year", type=int, default=2025)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument(
        "--worlds", type=int, default=45, help="small years more, for what a ledger has but once a year"
    )
    parser.add_argument(
        "--notice", type=int, nargs="*", default=[150, 250], metavar="DAY",
        help="for each a year more, with a notice of termination on that day of it",
    )  # fmt: skip
    parser.add_argument("--show", type=int, default=5)
    given = parser.parse_args()

    def parameters(seed: int, scale: float, **more: float) -> Parameters:
        changed = {**parse_sets(given.set), **{name.replace("__", "."): value for name, value in more.items()}}
        return Parameters.default(year=given.year, seed=seed, scale=scale, clean=given.clean, changed=changed)

    years = [("", parameters(given.seed, given.scale))]
    years += [
        (f"ending {day}/", parameters(given.seed, given.scale, agreement__notice_day=day)) for day in given.notice
    ]
    years += [(f"{n}/", parameters(given.seed + n, 0.002)) for n in range(1, given.worlds + 1)]
    total: dict[str, Compared] = {}
    events = 0
    for label, each in years:
        rules, reasons, number = held(each)
        events += number
        add(total, rules, label)
        for rule, what, keys in wrong(rules):
            for key in keys[: given.show]:
                sys.stdout.write(f"{rule} {what} ({len(keys)}): {label}{key[1]} {key[2]} {reasons.get(key)}\n")
    ordered = dict(sorted(total.items(), key=lambda found: _order(found[0])))
    too_few = list(short(ordered)) if given.scale >= 1 and not (given.clean or given.set) else []
    sys.stdout.write(f"{events} events of {len(years)} years\n{table(ordered)}\n")
    sys.stdout.writelines(f"{line}\n" for line in too_few)
    raise SystemExit(1 if too_few or list(wrong(total)) else 0)


if __name__ == "__main__":
    main()
