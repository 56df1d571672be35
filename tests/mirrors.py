"""The published figures of the prosecution services, told as streams of acts that contain them.

Two ledgers: one of Russia, with what its Main Directorate told in July 2017 and in May 2020 and what a newspaper told
of a planned memorandum; one of Kazakhstan, with what its press service told.  Which state, office and day each act
has is invented where the documents do not say; the numbers are theirs.  Sources:

==========  ====================================================================================================
July 2017   Main Directorate of International Legal Co-operation of the Prosecutor General's Office of Russia,
            account of its work, July 2017
May 2020    General Department of International Legal Cooperation of the same, "International Cooperation", May 2020
newspaper   The Moscow Times on a memorandum of the Prosecutor General's Office of Russia and the U.S. Justice
            Department, undated
Kazakhstan  Press service of the General Prosecutor's Office of Kazakhstan on its treaties, undated: "this year" is
            2025 here
==========  ====================================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from typing import Any

from tests.records import content
from tests.telling import Teller

YEAR = 2016
"""The year that stands for "each year" of July 2017."""

_STATES = (
    "BY KZ UZ DE ES RS CH CL GH KH PY AE TH AM AZ KG MD TJ TM UA GE EE LV LT PL CZ SK HU RO BG HR SI BA ME MK AL GR IT "
    "FR BE NL LU GB IE PT AT SE NO FI DK IS CY MT TR IL EG MA TN DZ ZA NG KE IN PK LK CN MN VN LA TH JP KR ID MY SG PH "
    "AU NZ US CA MX CU BR AR PE BH QA"
)
STATES = _STATES.split()
PARTNERS = list(dict.fromkeys(STATES))[:81]
"""More than 80."""
WITHOUT_TREATY = ("CL", "GH", "KH", "PY", "AE", "TH")
RUNNING = ("XA", "AM", "BH", "HU", "CN", "CU", "FI")
"""States with a programme in progress in July 2017; XA, a code that ISO 3166-1 leaves to its users, is Abkhazia."""


def days(year: int) -> Iterator[str]:
    """Days of a year, again and again."""
    return cycle(f"{year}-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 28))


def russia() -> Teller:
    """The ledger of Russia, from 2006 on."""
    teller = Teller("RU", "2006-06-01")
    _requests(teller)
    _persons(teller)
    _property(teller)
    _agreements(teller)
    _programmes(teller)
    # The newspaper: agreed to sign, the American side will put its proposal forward.
    _instrument(teller, "staged", "ru-us-memo", "2012-11-14", ["RU", "US"], stage="proposed", kind="memorandum")
    return teller


def _requests(teller: Teller) -> None:
    """About 400 requests for extradition sent, more than 1,500 received; more than 6,000 of assistance both ways;
    more than 10,000 documents considered, with partners of more than 80 states.
    """
    day = days(YEAR)
    plan = [("extradition", "out", 400), ("extradition", "in", 1501), ("mla", "out", 2700), ("mla", "in", 3301)]
    number = 0
    for kind, direction, many in plan:
        for partner in islice(cycle(PARTNERS), many):
            number += 1
            subject, when = f"request/{YEAR}-{number:06}", next(day)
            theirs = f"{partner}-PGO"
            ends = (theirs, "RU-PGO") if direction == "in" else ("RU-PGO", theirs)
            said = {"kind": kind, "direction": direction, "partner": partner, "requesting": ends[0],
                    "requested": ends[1]}  # fmt: skip
            if direction == "in":
                teller.say(subject, "request.received", when, from_=ends[0], to=ends[1], **content(**said))
            else:
                teller.say(subject, "request.signed", when, **said)
                teller.say(subject, "request.sent", when, from_=ends[0], to=ends[1])
            if number % 3 == 0:  # 2,634 documents more: 400 + 1,501 + 2,700 + 3,301 are 7,902
                teller.say(subject, "information.requested", when, from_=ends[1], to=ends[0])


def _persons(teller: Teller) -> None:
    """Handovers to Russia from six states with which it has no treaty, and two under one; persons sought by Interpol;
    prosecutions handed over and taken over. May 2020: persons handed over for compulsory treatment; Kazakhstan: persons
    sent home to serve their sentence.
    """
    for number, partner in enumerate((*WITHOUT_TREATY, "DE", "ES"), 1):
        subject = f"request/{YEAR - 1}-{number:06}"
        basis = ["reciprocity"] if partner in WITHOUT_TREATY else ["coe-extr-1957"]
        teller.say(subject, "request.signed", f"{YEAR - 1}-02-01", kind="extradition", partner=partner, direction="out",
                   requesting="RU-PGO", requested=f"{partner}-PGO", legal_basis=basis)  # fmt: skip
        # The same person is sought and found through Interpol in a request of its own.
        sought = f"request/{YEAR - 1}-{100 + number:06}"
        teller.say(sought, "request.signed", f"{YEAR - 1}-02-01", kind="search_person", partner=partner,
                   direction="out", requesting="RU-PGO", requested=f"{partner}-PGO")  # fmt: skip
        teller.say(sought, "person.located", f"{YEAR - 1}-03-01", person=f"p-{number}", state=partner,
                   date=f"{YEAR - 1}-03-01", act_of=f"{partner}-PGO")  # fmt: skip
        teller.say(subject, "person.located", f"{YEAR - 1}-03-02", person=f"p-{number}", state=partner,
                   date=f"{YEAR - 1}-03-01", act_of=f"{partner}-PGO")  # fmt: skip
        teller.say(subject, "person.handedover", f"{YEAR}-04-01", person=f"p-{number}", from_=partner, to="RU",
                   date=f"{YEAR}-04-01", act_of=f"{partner}-PGO")  # fmt: skip
    for number, (what, partner) in enumerate((("transfer_mental", "KZ"), ("transfer_sentenced", "UZ"))):
        subject = f"request/{YEAR - 1}-{300 + number:06}"
        teller.say(subject, "request.signed", f"{YEAR - 1}-04-01", kind=what, partner=partner, direction="out",
                   requesting="RU-PGO", requested=f"{partner}-PGO")  # fmt: skip
        teller.say(subject, "person.handedover", f"{YEAR}-06-01", person=f"p-{what}", from_="RU", to=partner,
                   date=f"{YEAR}-06-01", what=what)  # fmt: skip
    for number, (direction, many) in enumerate((("out", 5), ("in", 3))):
        for each in range(many):
            subject = f"request/{YEAR - 1}-{200 + 10 * number + each:06}"
            ends = ("RU-PGO", "BY-PGO") if direction == "out" else ("BY-PGO", "RU-PGO")
            by = {"act_of": "BY-PGO"} if direction == "out" else {}
            teller.say(subject, "request.signed", f"{YEAR - 1}-05-01", kind="transfer_prosecution", partner="BY",
                       direction=direction, requesting=ends[0], requested=ends[1], act_of=ends[0])  # fmt: skip
            case = f"c-{direction}-{each}"
            state = "BY" if direction == "out" else "RU"
            teller.say(subject, "prosecution.takenover", f"{YEAR}-05-01", case=case, state=state, date=f"{YEAR}-05-01",
                       **by)  # fmt: skip
            if each:
                teller.say(subject, "prosecution.concluded", f"{YEAR}-11-01", case=case, date=f"{YEAR}-11-01", **by)


def _property(teller: Teller) -> None:
    """About 250 million EUR of funds and about 300 million EUR of real estate arrested and blocked abroad to date; more
    than 110 million USD returned to Russian companies from Switzerland alone, in recent years.
    """
    number = 0

    def request(partner: str, year: int) -> str:
        nonlocal number
        number += 1
        subject = f"request/{year}-{900 + number:06}"
        teller.say(subject, "request.signed", f"{year}-01-20", kind="asset", partner=partner, direction="out",
                   requesting="RU-PGO", requested=f"{partner}-PGO")  # fmt: skip
        return subject

    def act(subject: str, name: str, when: str, asset: str, amount: str, currency: str = "EUR", **more: Any) -> None:
        teller.say(subject, f"asset.{name}", when, asset=asset, date=when,
                   money={"amount": amount, "currency": currency}, **more)  # fmt: skip

    def traced(subject: str, when: str, asset: str, sort: str, partner: str) -> None:
        teller.say(subject, "asset.traced", when, asset=asset, sort=sort, state=partner)

    # Funds: 260 million restrained, of which 6 were released and 4 confiscated.
    for asset, partner, year, amount in (
        ("a-1", "CH", 2010, "120000000.00"), ("a-2", "CY", 2012, "80000000.50"), ("a-3", "LV", 2014, "59999999.50"),
    ):  # fmt: skip
        subject = request(partner, year)
        traced(subject, f"{year}-02-01", asset, "funds", partner)
        act(subject, "restrained", f"{year}-03-01", asset, amount)
        if asset == "a-1":
            act(subject, "released", "2013-03-01", asset, "6000000", why="court")
            # A second request speaks of the same account: it is blocked once.
            again = request(partner, 2011)
            traced(again, "2011-02-01", asset, "funds", partner)
            act(again, "restrained", "2011-03-01", asset, "90000000.00")
        if asset == "a-3":
            act(subject, "confiscated", "2015-03-01", asset, "4000000")
    for asset, partner, year, amount in (
        ("a-4", "ES", 2011, "180000000"), ("a-5", "FR", 2013, "70000000"), ("a-6", "ME", 2015, "50000000"),
    ):  # fmt: skip
        subject = request(partner, year)
        traced(subject, f"{year}-02-01", asset, "real_estate", partner)
        act(subject, "restrained", f"{year}-03-01", asset, amount)
    for asset, year, amount, to in (
        ("a-7", 2013, "60000000.25", "company"), ("a-8", 2015, "50000000.75", "company"),
        ("a-9", 2015, "1000", "person"),
    ):  # fmt: skip
        subject = request("CH", year)
        act(subject, "returned", f"{year}-06-01", asset, amount, "USD", to=to)


def _instrument(
    teller: Teller, what: str, id_: str, day: str, parties: list[str] | None = None, **more: Any
) -> None:  # fmt: skip
    if parties is not None:
        more["parties"] = parties
    teller.say("register", f"instrument.{what}", day, instrument=id_, date=day, **more)


CIS = ["RU", "AM", "AZ", "BY", "KG", "KZ", "MD", "TJ"]
BILATERAL = [state for state in PARTNERS if state not in ("AZ", "KG", "MD", "TJ")][:62]
"""With whom there are agreements of two parties; four states of the CIS stand only in those of several."""


def _agreements(teller: Teller) -> None:
    """July 2017: 5 interdepartmental agreements of several parties and 80 of two, with 66 states; 28 of them of the
    last five years. May 2020: 90 agreements and other arrangements, with 72 states.
    """
    partners = [*BILATERAL, *BILATERAL[:18]]
    for number, partner in enumerate(partners):
        recent = number >= 52  # 28 of 80
        day = f"{2013 + number % 4}-06-15" if recent else f"{2007 + number % 5}-06-15"
        _instrument(teller, "signed", f"ru-{partner.lower()}-{number}", day, ["RU", partner])
        _instrument(teller, "entered", f"ru-{partner.lower()}-{number}", day)
    for number in range(5):
        day = f"{2007 + number}-12-03"
        _instrument(teller, "signed", f"cis-pgo-{number}", day, CIS)
        _instrument(teller, "entered", f"cis-pgo-{number}", day)
    fresh = [state for state in STATES if state not in (*BILATERAL, *CIS)][:6]
    for number, parties in enumerate((fresh[:2], *([state] for state in fresh[2:]))):
        kind = "memorandum" if number == 4 else "agreement"
        _instrument(teller, "signed", f"ru-later-{number}", "2019-06-15", ["RU", *parties], kind=kind)
        _instrument(teller, "entered", f"ru-later-{number}", "2019-06-15")


def _programmes(teller: Teller) -> None:
    """Since 2007: 48 programmes for one or two years signed with partners of 28 states, 40 of them carried out, 7 under
    way in July 2017 (so one had not begun); more than 130 events held under them.
    """
    others = [state for state in PARTNERS if state not in RUNNING][:21]
    meetings = 0
    for number, partner in enumerate([*islice(cycle(others), 40), *RUNNING, others[0]]):
        id_ = f"ru-{partner.lower()}-prog-{number}"
        over, later = number < 40, number == 47
        begins = "2017-07-20" if later else f"{2007 + number % 8}-02-01" if over else "2016-09-01"
        _instrument(teller, "signed", id_, begins, ["RU", partner], kind="programme")
        if later:
            continue
        until = f"{2008 + number % 8}-02-01" if over else "2018-08-31"
        _instrument(teller, "entered", id_, begins, until=until)
        for each in range(3 if over else 2):
            meetings += 1
            day = f"{begins[:4]}-{10 + each}-05"
            plan = {"place": "RU" if each else partner, "partners": [partner], "planned": day, "programme": id_}
            teller.say(f"meeting/m-{meetings}", "meeting.held", day, held_from=day, held_to=day, sort="consultation",
                       **plan)  # fmt: skip
    for sort in ("seminar", "working"):  # and others, under no programme
        meetings += 1
        teller.say(f"meeting/m-{meetings}", "meeting.held", "2016-05-05", sort=sort, partners=["BY"],
                   planned="2016-05-05", held_from="2016-05-05", held_to="2016-05-05")  # fmt: skip


_FAR_ABROAD = (
    "PE MA QA CY SG AE IN CN TR IT ES FR HU BG RO PL CZ SK LT LV EE FI MN VN KR JP TH MY ID EG IR PK GB BE SE NO US BR"
)
FAR_ABROAD = _FAR_ABROAD.split()
"""38 states."""


def kazakhstan() -> Teller:
    """83 agreements of two parties: 33 on legal assistance in criminal matters, 24 on extradition, 26 on the transfer
    of sentenced persons, with 38 states; 9 of them of last year, one with Singapore signed this year (whether these are
    among the 83 is not said: here they are); the invitation to a convention of the Council of Europe after four
    attempts, of which the former ones had been declined.
    """
    teller = Teller("KZ", "1995-01-01")
    last_year = {("PE", "mla"), ("PE", "extr"), ("PE", "sent"), ("MA", "mla"), ("MA", "extr"), ("MA", "sent"),
                 ("QA", "mla"), ("QA", "extr"), ("CY", "sent")}  # fmt: skip
    for sort, states in _sorts().items():
        for number, state in enumerate(states):
            year = 2024 if (state, sort) in last_year else 1996 + number % 25
            year = 2025 if (state, sort) == ("SG", "mla") else year
            _instrument(teller, "signed", f"kz-{state.lower()}-{sort}", f"{year}-05-15", ["KZ", state], kind="treaty")
    application = {"parties": ["KZ"], "kind": "treaty"}
    for year in (2004, 2010, 2017):
        _instrument(teller, "staged", "kz-coe-mla", f"{year}-03-01", stage="applied", **application)
        _instrument(teller, "staged", "kz-coe-mla", f"{year}-12-01", stage="declined", **application)
    _instrument(teller, "staged", "kz-coe-mla", "2024-03-01", stage="applied", **application)
    _instrument(teller, "staged", "kz-coe-mla", "2025-06-18", stage="invited", **application)
    return teller


def _sorts() -> dict[str, list[str]]:
    """With which states there is an agreement of each sort."""
    rest = [state for state in FAR_ABROAD if state not in ("PE", "MA", "QA", "CY", "SG")]
    return {
        "mla": ["PE", "MA", "QA", "SG", *rest[:29]],
        "extr": ["PE", "MA", "QA", *rest[:21]],
        "sent": ["PE", "MA", "CY", *rest[-23:]],
    }
