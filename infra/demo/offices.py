"""The offices of the demonstration, and the instruments that their requests rest on.

The 17 Russian offices with direct contact are those that Order No. 136 of 10.03.2022 lists.  The Kazakh border offices
are nowhere enumerated, so theirs are numbered (our choice), as are all codes.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Literal, NamedTuple

from msgspec import UNSET

from ledger.catalogue.base import Data
from ledger.catalogue.register import ActIssued, InstrumentEntered, InstrumentSigned, OfficeRegistered, RoleAssigned


class Place(NamedTuple):
    """One office."""

    code: str
    sort: Literal["party", "coordinator", "territorial", "transport", "nature", "other"]
    name_ru: str
    name_en: str
    tz: str = "Europe/Moscow"
    """The texts give transport and nature offices no seat, so this is a default."""


BORDER = (
    Place("RU-AL", "territorial", "Прокуратура Республики Алтай", "Republic of Altai", "Asia/Barnaul"),
    Place("RU-ALT", "territorial", "Прокуратура Алтайского края", "Altai Territory", "Asia/Barnaul"),
    Place("RU-AST", "territorial", "Прокуратура Астраханской области", "Astrakhan Region", "Europe/Astrakhan"),
    Place("RU-VGG", "territorial", "Прокуратура Волгоградской области", "Volgograd Region", "Europe/Volgograd"),
    Place("RU-KGN", "territorial", "Прокуратура Курганской области", "Kurgan Region", "Asia/Yekaterinburg"),
    Place("RU-NVS", "territorial", "Прокуратура Новосибирской области", "Novosibirsk Region", "Asia/Novosibirsk"),
    Place("RU-OMS", "territorial", "Прокуратура Омской области", "Omsk Region", "Asia/Omsk"),
    Place("RU-ORE", "territorial", "Прокуратура Оренбургской области", "Orenburg Region", "Asia/Yekaterinburg"),
    Place("RU-SAM", "territorial", "Прокуратура Самарской области", "Samara Region", "Europe/Samara"),
    Place("RU-SAR", "territorial", "Прокуратура Саратовской области", "Saratov Region", "Europe/Saratov"),
    Place("RU-TYU", "territorial", "Прокуратура Тюменской области", "Tyumen Region", "Asia/Yekaterinburg"),
    Place("RU-CHE", "territorial", "Прокуратура Челябинской области", "Chelyabinsk Region", "Asia/Yekaterinburg"),
    Place("RU-T-WSIB", "transport", "Западно-Сибирская транспортная прокуратура", "West Siberian Transport"),
    Place("RU-T-VOLGA", "transport", "Приволжская транспортная прокуратура", "Volga Transport"),
    Place("RU-T-URAL", "transport", "Уральская транспортная прокуратура", "Urals Transport"),
    Place("RU-T-SOUTH", "transport", "Южная транспортная прокуратура", "Southern Transport"),
    Place(
        "RU-N-VOLGA", "nature", "Волжская межрегиональная природоохранная прокуратура",
        "Volga Inter-regional Nature Protection",
    ),
)  # fmt: skip
"""Order 1: the offices with direct contact."""

CENTRAL = (
    Place("RU-PGO", "party", "Генеральная прокуратура РФ", "Prosecutor General's Office"),
    Place(
        "RU-GUMPS", "coordinator", "Главное управление международно-правового сотрудничества",
        "Main Directorate",
    ),
)  # fmt: skip

PARTNERS = (
    Place("KZ-PGO", "party", "Генеральная прокуратура РК", "General Prosecutor's Office", "Asia/Almaty"),
    Place(
        "KZ-DIC", "coordinator", "Департамент международного сотрудничества",
        "Department of International Cooperation", "Asia/Almaty",
    ),
    Place("KZ-MTP", "transport", "Главная транспортная прокуратура", "Main Transport Office", "Asia/Almaty"),
    *(
        Place(f"KZ-B-0{n}", "territorial", f"Прокуратура приграничной области {n}", f"Border region {n}", "Asia/Almaty")
        for n in range(1, 6)
    ),
)  # fmt: skip

ALL = (*CENTRAL, *BORDER, *PARTNERS)
FOREIGN_BORDER = tuple(place.code for place in PARTNERS if place.sort in ("territorial", "transport"))
RUSSIAN_BORDER = tuple(place.code for place in BORDER)


def registered(place: Place) -> OfficeRegistered:
    """The event's data that registers an office."""
    border = place.sort in ("territorial", "transport", "nature")
    return OfficeRegistered(
        office=place.code,
        party=place.code[:2],
        sort=place.sort,
        name_ru=place.name_ru,
        name_en=place.name_en,
        tz=place.tz,
        border=border,
        direct_since="2022-03-10" if border else UNSET,
        valid_from="2022-03-10",
        basis="ru-order-136" if place in BORDER else "ru-kz-2009",
    )


SIGNERS: tuple[Literal["head", "deputy_head"], ...] = ("head", "deputy_head")
"""Who may sign a request, Agr. 6(4)."""


def signer_of(office: str, role: str) -> str:
    """The person who holds a role at an office: a reference, the same in every run."""
    return f"p-{sha256(f'{office} {role}'.encode()).hexdigest()[:16]}"


def roles() -> list[Data]:
    """The heads of all offices and their deputies, and the Deputy Prosecutor General who supervises the Order."""
    held = [(place.code, role) for place in ALL for role in SIGNERS]
    assigned: list[Data] = [
        RoleAssigned(office=code, person=signer_of(code, role), role=role, valid_from="2022-03-10", basis="appointment")
        for code, role in held
    ]
    supervises = RoleAssigned(
        office="RU-PGO", person=signer_of("RU-PGO", "supervising_deputy"), role="supervising_deputy",
        valid_from="2022-03-10", basis="distribution of duties",
    )  # fmt: skip
    return [*assigned, supervises]


def instruments() -> list[Data]:
    """What the requests rest on: the Agreement, its Additional Protocol, and the Order that carries it out."""
    core: list[Data] = []
    for name, date in (("ru-kz-2009", "2009-06-23"), ("ru-kz-2009-ap-2022", "2022-01-12")):
        core.append(
            InstrumentSigned(
                instrument=name,
                date=date,
                parties=["RU", "KZ"],
                kind="agreement" if name == "ru-kz-2009" else "protocol",
                profile_sha256=sha256(name.encode()).hexdigest(),
                supplements=UNSET if name == "ru-kz-2009" else "ru-kz-2009",
            )
        )
        core.append(InstrumentEntered(instrument=name, date=date))
    order = ActIssued(
        act="ru-order-136",
        number="136",
        date="2022-03-10",
        binds=list(RUSSIAN_BORDER),
        carries_out="ru-kz-2009-ap-2022",
    )
    return [*core, order]
