"""Offices, partner states and instruments of the simulated year.

The 17 offices with direct contact are those of Order 136, point 1; codes and zones are our choice, as in the demo.  The
Kazakh border offices are enumerated nowhere, so theirs are numbered; of the other states one central authority each is
told, with an invented code.
"""

from __future__ import annotations

from typing import NamedTuple

from producers.simulator.chance import Weighted
from producers.simulator.parameters import Parameters


class Place(NamedTuple):
    """One office."""

    code: str
    sort: str
    name_ru: str
    tz: str = "Europe/Moscow"


BORDER = (
    Place("RU-AL", "territorial", "Прокуратура Республики Алтай", "Asia/Barnaul"),
    Place("RU-ALT", "territorial", "Прокуратура Алтайского края", "Asia/Barnaul"),
    Place("RU-AST", "territorial", "Прокуратура Астраханской области", "Europe/Astrakhan"),
    Place("RU-VGG", "territorial", "Прокуратура Волгоградской области", "Europe/Volgograd"),
    Place("RU-KGN", "territorial", "Прокуратура Курганской области", "Asia/Yekaterinburg"),
    Place("RU-NVS", "territorial", "Прокуратура Новосибирской области", "Asia/Novosibirsk"),
    Place("RU-OMS", "territorial", "Прокуратура Омской области", "Asia/Omsk"),
    Place("RU-ORE", "territorial", "Прокуратура Оренбургской области", "Asia/Yekaterinburg"),
    Place("RU-SAM", "territorial", "Прокуратура Самарской области", "Europe/Samara"),
    Place("RU-SAR", "territorial", "Прокуратура Саратовской области", "Europe/Saratov"),
    Place("RU-TYU", "territorial", "Прокуратура Тюменской области", "Asia/Yekaterinburg"),
    Place("RU-CHE", "territorial", "Прокуратура Челябинской области", "Asia/Yekaterinburg"),
    Place("RU-T-WSIB", "transport", "Западно-Сибирская транспортная прокуратура"),
    Place("RU-T-VOLGA", "transport", "Приволжская транспортная прокуратура"),
    Place("RU-T-URAL", "transport", "Уральская транспортная прокуратура"),
    Place("RU-T-SOUTH", "transport", "Южная транспортная прокуратура"),
    Place("RU-N-VOLGA", "nature", "Волжская межрегиональная природоохранная прокуратура"),
)
"""Order 1."""
PGO, GUMPS = "RU-PGO", "RU-GUMPS"
CENTRAL = (
    Place(PGO, "party", "Генеральная прокуратура Российской Федерации"),
    Place(GUMPS, "coordinator", "Главное управление международно-правового сотрудничества"),
)
UNLISTED = Place("RU-KEM", "territorial", "Прокуратура Кемеровской области – Кузбасса", "Asia/Novokuznetsk")
"""A Russian office that Order 1 does not list: what it does directly is a breach."""
KZ_PGO, KZ_DIC, KZ_MTP, KZ_INNER = "KZ-PGO", "KZ-DIC", "KZ-MTP", "KZ-R-01"
DOUBTFUL = "RU-N-VOLGA"
"""Listed, but of a sort that Prot. 2 does not name: left out of clean exchanges, planted as undetermined."""
LISTED = tuple(place.code for place in BORDER)
CLEAN = tuple(code for code in LISTED if code != DOUBTFUL)
ZONES = {place.code: place.tz for place in (*BORDER, *CENTRAL, UNLISTED)}

WITHOUT_TREATY = ("CL", "GH", "KH", "PY", "AE", "TH")
"""D001: handovers without a treaty."""
_NAMED = {"BY": 12, "KZ": 10, "UZ": 8, "DE": 5, "ES": 4, "RS": 3, "CH": 3}  # percent; the names are D001's
OTHERS = [
    "AM",
    "KG",
    "TJ",
    "AZ",
    "MD",
    "TM",
    "GE",
    "MN",
    "CN",
    "IN",
    "VN",
    "TR",
    "IT",
    "FR",
    "PL",
    "CZ",
    "BG",
    "LT",
    "LV",
    "EE",
    "FI",
    "SE",
    "NO",
    "AT",
    "HU",
    "RO",
    "GR",
    "CY",
    "IL",
    "EG",
    "CL",
    "GH",
    "KH",
    "PY",
    "AE",
    "TH",
    "US",
    "CA",
    "GB",
    "IE",
    "NL",
    "BE",
    "LU",
    "PT",
    "DK",
    "IS",
    "SK",
    "SI",
    "HR",
    "BA",
    "ME",
    "MK",
    "AL",
    "MT",
    "BR",
    "AR",
    "PE",
    "CO",
    "MX",
    "CU",
    "ZA",
    "MA",
    "TN",
    "DZ",
    "AO",
    "ET",
    "KE",
    "NG",
    "SN",
    "JP",
    "KR",
    "ID",
    "MY",
    "PH",
    "SG",
    "LK",
    "PK",
    "BD",
    "NP",
    "IR",
    "IQ",
    "JO",
    "LB",
    "SA",
    "KW",
    "QA",
    "BH",
    "OM",
    "YE",
    "SY",
    "AF",
    "LA",
    "MM",
    "AU",
    "NZ",
]


def partners(parameters: Parameters) -> Weighted[str]:
    """States by weight: seven as D001 names them, the rest by Zipf's law."""
    rest = OTHERS[: int(parameters["partners.count"]) - len(_NAMED)]
    total = sum(1 / rank for rank in range(1, len(rest) + 1))
    return Weighted({**_NAMED, **{state: 55 / rank / total for rank, state in enumerate(rest, 1)}})


def counterparts(parameters: Parameters) -> tuple[Place, ...]:
    """The Kazakh offices."""
    numbers = range(1, int(parameters["register.counterparts"]) + 1)
    return (
        Place(KZ_PGO, "party", "Генеральная прокуратура Республики Казахстан", "Asia/Almaty"),
        Place(KZ_DIC, "coordinator", "Департамент международного сотрудничества", "Asia/Almaty"),
        Place(KZ_MTP, "transport", "Главная транспортная прокуратура", "Asia/Almaty"),
        *(Place(f"KZ-B-{n:02d}", "territorial", f"Прокуратура приграничной области {n}", "Asia/Almaty")
          for n in numbers),
        Place(KZ_INNER, "other", "Прокуратура области, не приграничной", "Asia/Almaty"),
    )  # fmt: skip


class Instrument(NamedTuple):
    """One legal basis."""

    id: str
    date: str
    kind: str
    parties: tuple[str, ...] = ()
    supplements: str = ""


AGREEMENT, PROTOCOL, OLD, ORDER = "ru-kz-2009", "ru-kz-2009-ap-2022", "ru-by-kz-kg-1992", "ru-order-136"
INSTRUMENTS = (
    Instrument(AGREEMENT, "2009-06-23", "agreement", ("RU", "KZ")),
    Instrument(PROTOCOL, "2022-01-12", "protocol", ("RU", "KZ"), AGREEMENT),
    Instrument("cis-mla-1993", "1993-01-22", "treaty", ("RU", "KZ", "BY", "UZ", "AM", "KG", "TJ", "AZ", "MD", "TM")),
    Instrument("cis-mental-1997", "1997-03-28", "treaty", ("RU", "KZ", "BY", "UZ", "AM", "KG", "TJ", "AZ", "MD")),
    Instrument("un-toc-2000", "2000-11-15", "treaty"),
    Instrument("un-cac-2003", "2003-10-31", "treaty"),
    Instrument("coe-extr-1957", "1957-12-13", "treaty"),
    Instrument("coe-mla-1959", "1959-04-20", "treaty"),
)
"""Those that requests rest on, of the documents' lists; entry into force is told on the day of signature."""
_CIS = frozenset(INSTRUMENTS[2].parties)


def basis(kind: str, partner: str) -> str:
    """What an ordinary request of a kind to a state rests on."""
    if partner in WITHOUT_TREATY:
        return "reciprocity"
    if kind == "transfer_mental":
        return "cis-mental-1997" if partner in INSTRUMENTS[3].parties else "reciprocity"
    if partner in _CIS:
        return "cis-mla-1993"
    if kind == "asset":
        return "un-cac-2003"
    return "coe-extr-1957" if kind == "extradition" else "coe-mla-1959" if kind == "mla" else "un-toc-2000"


def centre(state: str) -> str:
    """The central authority of a state."""
    return KZ_PGO if state == "KZ" else f"{state}-PGO"


def unit(state: str) -> str:
    """Where correspondence with a state's central authority goes."""
    return KZ_DIC if state == "KZ" else GUMPS if state == "RU" else f"{state}-PGO"
