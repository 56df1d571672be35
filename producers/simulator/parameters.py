"""The knobs of a simulated year, each with its default and the ground of it.

What the practice documents say of a year is a ground (D001 and so on, as in the glossary); the rest is our choice.  A
knob of a breach is the share of the chances in which it is planted; ``breaches.minimum`` raises the shares so that each
comes that often at scale 1, and as often its near miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from ledger.errors import ConfigError


class Knob(msgspec.Struct, frozen=True):
    """One parameter."""

    default: float
    ground: str
    low: float = 0
    high: float = 1e9


def _share(default: float, ground: str = "our choice") -> Knob:
    return Knob(default, ground, 0, 1)


KNOBS: dict[str, Knob] = {
    "requests.extradition.out": Knob(400, "D001: about 400 a year"),
    "requests.extradition.in": Knob(1500, "D001: more than 1,500"),
    "requests.mla": Knob(6000, "D001: more than 6,000 both ways"),
    "requests.mla.out": _share(0.45),
    "requests.search_person": Knob(800, "our choice, of the rest of D001's documents"),
    "requests.transfer_prosecution": Knob(700, "our choice, of the rest"),
    "requests.asset": Knob(150, "our choice, of the rest"),
    "requests.law_enforcement": Knob(150, "our choice, of the rest"),
    "requests.admin_offence": Knob(150, "our choice, of the rest"),
    "requests.transfer_sentenced": Knob(120, "our choice, of the rest"),
    "requests.transfer_mental": Knob(30, "our choice, of the rest"),
    "requests.direct_exchange": Knob(204, "our choice: 17 offices, one a month"),
    "requests.initiative": Knob(60, "our choice"),
    "requests.general_cooperation": Knob(40, "our choice"),
    "requests.other.out": _share(0.45),
    "partners.count": Knob(80, "D001: more than 80", 14, 190),
    "meetings": Knob(13, "D001: more than 130 in ten years"),
    "instruments.interdepartmental": Knob(6, "D001: 28 in five years"),
    "instruments.programmes": Knob(5, "D001: 48 in about ten years"),
    "assets.funds": Knob(25_000_000, "EUR; a tenth of D001's 250 million to date; the tenth is our choice"),
    "assets.real_estate": Knob(30_000_000, "EUR; a tenth of D001's 300 million to date"),
    "assets.returned": Knob(11_000_000, "USD from CH; a tenth of D001's 110 million"),
    "assets.sigma": Knob(1.5, "our choice", 0, 5),
    "durations.direct": Knob(14, "days, median; our choice"),
    "durations.direct.sigma": Knob(0.6, "our choice", 0, 3),
    "durations.mla": Knob(75, "days, median; our choice"),
    "durations.mla.sigma": Knob(0.7, "our choice", 0, 3),
    "durations.extradition": Knob(90, "days, median; our choice"),
    "durations.extradition.sigma": Knob(0.8, "our choice", 0, 3),
    "durations.asset": Knob(180, "days, median; our choice"),
    "durations.asset.sigma": Knob(0.9, "our choice", 0, 3),
    "outcomes.granted": _share(0.78),
    "outcomes.partial": _share(0.08),
    "outcomes.not_executed": _share(0.06),
    "outcomes.refused": _share(0.08),
    "refusal.legislation": _share(0.45),
    "refusal.international_obligation": _share(0.20),
    "refusal.essential_interest": _share(0.15),
    "refusal.security": _share(0.12),
    "refusal.sovereignty": _share(0.08),
    "oral.share": _share(0.02),
    "oral.late": _share(0.12),
    "oral.between": _share(0.05),
    "oral.never": _share(0.04),
    "materials.per_request": Knob(1.5, "Poisson; our choice", 0, 50),
    "accesses.per_material": Knob(3, "Poisson; our choice", 0, 50),
    "grades.open": _share(0.40),
    "grades.restricted": _share(0.35),
    "grades.confidential": _share(0.22),
    "grades.strict": _share(0.03),
    "breaches.misrouted": _share(0.005),
    "breaches.access_unlisted": _share(0.004),
    "breaches.grade_low": _share(0.006),
    "breaches.use_without_consent": _share(0.005),
    "breaches.use_late_consent": _share(0.003),
    "breaches.wrong_signer": _share(0.007),
    "breaches.acting_head": _share(0.015),
    "breaches.field_missing": _share(0.012),
    "breaches.no_consultation": _share(0.20),
    "breaches.no_reason": _share(0.01),
    "breaches.cost_unagreed": _share(0.01),
    "breaches.report_late": _share(0.06),
    "breaches.report_between": _share(0.06),
    "breaches.backdated": _share(0.02),
    "breaches.other": _share(0.002, "our choice: of each of the rest"),
    "breaches.minimum": Knob(20, "our choice: of each sort at scale 1, and as many near misses"),
    "recording.delay": Knob(20, "minutes, median; our choice"),
    "recording.delay.sigma": Knob(1.2, "our choice", 0, 3),
    "register.counterparts": Knob(12, "our choice: the Kazakh border offices are enumerated nowhere", 1, 99),
    "register.rotations": Knob(2, "key rotations a month; our choice"),
    "register.contact_changes": Knob(3, "a month; our choice"),
    "register.disputes": Knob(2, "a year; our choice"),
    "agreement.notice_day": Knob(0, "day of the year on which notice of termination is received; 0: none", 0, 366),
}
"""By name."""

BREACHES = tuple(name for name in KNOBS if name.startswith(("breaches.", "oral.")))


class Parameters(msgspec.Struct, frozen=True):
    """What a simulated year is made from."""

    year: int
    seed: int
    scale: float
    values: dict[str, float]
    clean: bool = False
    groups: dict[str, dict[str, float]] = {}
    """What ``under`` has found."""

    @classmethod
    def default(
        cls,
        *,
        year: int = 2025,
        seed: int = 7,
        scale: float = 1.0,
        clean: bool = False,
        changed: Mapping[str, float] | None = None,
    ) -> Parameters:
        """The defaults, with some knobs changed; ``clean``: nothing is planted, whatever the knobs say.

        Raises:
            ConfigError: an unknown knob, or a value out of its range.
        """
        if not 2023 <= year <= 2100:
            raise ConfigError(f"expected a year from 2023 (the Order is of 2022) to 2100, found {year}")
        if not 0 < scale <= 1_000_000:
            raise ConfigError(f"expected a scale above 0 and up to 1000000, found {scale:g}")
        values = {name: knob.default for name, knob in KNOBS.items()}
        if clean:
            values |= {name: 0.0 for name in BREACHES if name != "oral.share"}
        for name, value in (changed or {}).items():
            knob = KNOBS.get(name)
            if knob is None:
                raise ConfigError(f"expected a knob of `rogatory simulate --knobs`, found {name!r}")
            if not knob.low <= value <= knob.high:
                raise ConfigError(f"expected {name} from {knob.low:g} to {knob.high:g}, found {value:g}")
            values[name] = value
        return cls(year, seed, scale, values, clean)

    def __getitem__(self, name: str) -> float:
        return self.values[name]

    def under(self, prefix: str) -> dict[str, float]:
        """The knobs ``prefix.…`` by what follows the dot, without those of a further dot."""
        if prefix in self.groups:
            return self.groups[prefix]
        start = prefix + "."
        found = {name[len(start) :]: value for name, value in self.values.items() if name.startswith(start)}
        self.groups[prefix] = {name: value for name, value in found.items() if "." not in name}
        return self.groups[prefix]

    def count(self, name: str) -> int:
        """How many at this scale; at least one where the knob is not 0."""
        value = self.values[name]
        return max(1, round(value * self.scale)) if value else 0


def parse_sets(texts: Iterable[str]) -> dict[str, float]:
    """Knobs as given on a command line: ``name=value``.

    Raises:
        ConfigError: not of that form.
    """
    found = {}
    for text in texts:
        name, sign, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            sign = ""
        if not sign:
            raise ConfigError(f"expected NAME=NUMBER for --set, found {text!r}")
    return found
