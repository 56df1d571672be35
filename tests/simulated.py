"""A simulated year held against the rulebook: what was planted is found, and nothing else.

``python -m tests.simulated --scale 1 --seed 7`` prints, rule by rule, how many breaches were planted and found, how
many near misses, and how many undetermined verdicts, then each difference.  The stream is folded as it comes, without a
registrar; ``tests/integration/test_simulated_year.py`` goes the whole way through a ledger.
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


class Compared(msgspec.Struct):
    """One rule: planted and found."""

    planted: set[Key] = set()
    found: set[Key] = set()
    near: set[Key] = set()
    unclear: set[Key] = set()
    """Planted as undetermined."""
    undecided: set[Key] = set()
    """Found undetermined."""

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
    verdicts: dict[Key, str] = {}
    for key, verdict, _ in findings:
        verdicts[key] = verdict
        if verdict == "breached":
            rules[key[0]].found.add(key)
        elif verdict == "undetermined":
            rules[key[0]].undecided.add(key)
    for truth in truths:
        of = rules[truth.rule]
        {"breach": of.planted, "near_miss": of.near, "undetermined": of.unclear}[truth.sort].add(_key(truth, verdicts))
    for of in rules.values():
        of.unclear -= of.planted
        of.near -= of.planted | of.unclear
    return dict(sorted(rules.items()))


def _key(truth: Truth, verdicts: Mapping[Key, str]) -> Key:
    """A truth of a subject with one row for the rule need not name the row's item."""
    return truth.rule, truth.subject, truth.item


def table(rules: Mapping[str, Compared]) -> str:
    """As text."""
    head = (
        f"{'rule':7}{'planted':>8}{'found':>7}{'precision':>10}{'recall':>8}{'near':>6}{'hit':>5}{'unclear':>9}"
        f"{'undet.':>8}{'agree':>7}"
    )
    lines = [head]
    for rule, of in rules.items():
        right = len(of.planted & of.found)
        precision = "—" if not of.found else f"{right / len(of.found):.3f}"
        recall = "—" if not of.planted else f"{right / len(of.planted):.3f}"
        lines.append(
            f"{rule:7}{len(of.planted):8}{len(of.found):7}{precision:>10}{recall:>8}{len(of.near):6}"
            f"{len(of.near & of.found):5}{len(of.unclear):9}{len(of.undecided):8}{len(of.unclear & of.undecided):7}"
        )
    return "\n".join(lines)


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
        "--worlds", type=int, default=20, help="small years more, for what a ledger has but once a year"
    )
    parser.add_argument("--notice", type=int, default=150, help="a year in which the Agreement ends; 0: none")
    parser.add_argument("--show", type=int, default=5)
    given = parser.parse_args()

    def parameters(seed: int, scale: float, **more: float) -> Parameters:
        changed = {**parse_sets(given.set), **{name.replace("__", "."): value for name, value in more.items()}}
        return Parameters.default(year=given.year, seed=seed, scale=scale, clean=given.clean, changed=changed)

    years = [("", parameters(given.seed, given.scale))]
    if given.notice:
        years.append(("ending/", parameters(given.seed, given.scale, agreement__notice_day=given.notice)))
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
    sys.stdout.write(f"{events} events of {len(years)} years\n{table(dict(sorted(total.items())))}\n")
    raise SystemExit(1 if list(wrong(total)) else 0)


if __name__ == "__main__":
    main()
