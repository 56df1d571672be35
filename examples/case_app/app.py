"""A small case management: incoming requests of an office, in its own database, with an outbox to the ledger.

Every action changes a case and says so to the ledger.  Both are one transaction: a case is never accepted here and
unknown there, nor the other way round.  The action itself needs neither the ledger nor its broker:
``rogatory run relay`` carries what was committed, and the case's journal shows what became of it.

::

    python app.py --database postgresql+psycopg://localhost/cases create-tables
    python app.py --database … receive --from KZ-MTP --substance "what is asked for" 2026-R-7
    python app.py --database … accept 2026-R-7
    python app.py --database … answer --material m-1 2026-R-7
    python app.py --database … list

Settings (``ledger_id``, keys, vault, office) come from ``rogatory.toml`` or the file that ``--config`` names.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

import rogatory
from rogatory import Draft, Outbox, events

metadata = sa.MetaData()

cases = sa.Table(
    "cases",
    metadata,
    sa.Column("number", sa.String(60), primary_key=True),
    sa.Column("requesting", sa.String(60), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
)

journal = sa.Table(
    "journal",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("number", sa.ForeignKey("cases.number"), nullable=False),
    sa.Column("what", sa.String(60), nullable=False),
    sa.Column("outbox_id", sa.BigInteger, nullable=False),  # no foreign key: settled rows of the outbox are purged
)

# Part of the application's schema like any other table: its migrations make it.
outbox_table = rogatory.make_outbox(metadata)


class WrongState(Exception):
    """The case is not where this action begins."""


class CaseApp:
    """The actions; each is one transaction."""

    def __init__(self, engine: sa.Engine, outbox: Outbox) -> None:
        self._engine = engine
        self._outbox = outbox
        self._office = outbox.sender.office

    def receive(self, number: str, requesting: str, substance: str, purpose: str, grounds: str) -> None:
        """Register an incoming request."""
        data = events.RequestReceived(
            channel="direct",
            from_=requesting,
            to=self._office,
            translations=["ru"],
            kind="direct_exchange",
            direction="in",
            partner=requesting[:2],
            requesting=requesting,
            requested=self._office,
            # Texts are sealed before they leave this process; the outbox never holds them in clear.
            substance=substance,
            purpose_text=purpose,
            grounds=grounds,
            assistance=substance,
            purposes=[events.StatedPurpose(purpose="criminal_case")],
            legal_basis=["ru-kz-2009-ap-2022"],
        )
        with self._engine.begin() as connection:
            connection.execute(cases.insert().values(number=number, requesting=requesting, state="received"))
            self._say(connection, number, "request received", data)

    def accept(self, number: str) -> None:
        """Take the request up for execution."""
        with self._engine.begin() as connection:
            self._move(connection, number, "accepted", after=["received"])
            self._say(connection, number, "accepted", events.RequestAccepted(executing=self._office))

    def refuse(self, number: str, ground: Any, reason: str) -> None:
        """Refuse it, and tell the requesting side: two events, one transaction."""
        with self._engine.begin() as connection:
            requesting = self._move(connection, number, "refused", after=["received", "accepted"])
            decision = str(uuid4())
            decided = events.RefusalDecided(scope="full", ground=ground, decided_by=self._office)
            self._say(connection, number, "refusal decided", decided, decision)
            notified = events.RefusalNotified(decision=decision, written=True, reason=reason, to=requesting)
            self._say(connection, number, "refusal notified", notified)

    def answer(self, number: str, materials: Sequence[str]) -> None:
        """Send what was found."""
        with self._engine.begin() as connection:
            requesting = self._move(connection, number, "answered", after=["accepted"])
            listed: Any = {"materials": list(materials)} if materials else {}
            self._say(connection, number, "executed", events.RequestExecuted(outcome="full", **listed))
            answered = events.RequestAnswered(
                outcome="granted", channel="direct", written=True, to=requesting, final=True, **listed
            )
            self._say(connection, number, "answer sent", answered)

    def _move(self, connection: sa.Connection, number: str, state: str, after: Sequence[str]) -> str:
        # The update comes first: it locks the case, so that actions on one case follow each other, and with them
        # their events. That is all that the outbox needs to keep their order.
        moved = connection.execute(
            cases.update().where(cases.c.number == number, cases.c.state.in_(after)).values(state=state)
        )
        if moved.rowcount != 1:
            raise WrongState(f"expected a case {number} that is {' or '.join(after)}, found none")
        requesting: str = connection.execute(sa.select(cases.c.requesting).where(cases.c.number == number)).scalar_one()
        return requesting

    def _say(self, connection: sa.Connection, number: str, what: str, data: Any, event_id: str | None = None) -> None:
        draft = Draft(subject=f"request/{self._office}-{number}", data=data, id=event_id)
        outbox_id = self._outbox.put(connection, draft)
        connection.execute(journal.insert().values(number=number, what=what, outbox_id=outbox_id))


def overview(engine: sa.Engine) -> list[dict[str, Any]]:
    """Every case with its journal, and what became of each entry at the ledger."""
    out = outbox_table.c
    query = (
        sa.select(cases, journal.c.what, out.state.label("at_ledger"), out.seq, out.reason)
        .join_from(cases, journal)
        .outerjoin(outbox_table, out.id == journal.c.outbox_id)
        .order_by(cases.c.number, journal.c.id)
    )
    found: dict[str, dict[str, Any]] = {}
    with engine.connect() as connection:
        for row in connection.execute(query):
            case = found.setdefault(row.number, {"number": row.number, "state": row.state, "journal": []})
            # A row that is gone was sealed and purged.
            entry = {"what": row.what, "at_ledger": row.at_ledger or "sealed", "seq": row.seq, "reason": row.reason}
            case["journal"].append(entry)
    return list(found.values())


@contextmanager
def opened(
    engine: sa.Engine, config: str | None, office: str | None, *, relay_signs: bool = False
) -> Iterator[CaseApp]:
    """The application on its database."""
    sign: Any = "relay" if relay_signs else "put"
    with rogatory.open_outbox(outbox_table, office=office, sign=sign, config=config) as outbox:
        yield CaseApp(engine, outbox)


def main(words: Sequence[str] | None = None) -> None:
    """The command line."""
    given = _parser().parse_args(words)
    engine = sa.create_engine(given.database)
    try:
        if given.action == "create-tables":
            metadata.create_all(engine)
        elif given.action == "list":
            _show(overview(engine), as_json=given.json)
        else:
            _act(engine, given)
    finally:
        engine.dispose()


def _act(engine: sa.Engine, given: argparse.Namespace) -> None:
    with opened(engine, given.config, given.office, relay_signs=given.relay_signs) as app:
        match given.action:
            case "receive":
                app.receive(given.number, given.requesting, given.substance, given.purpose, given.grounds)
            case "accept":
                app.accept(given.number)
            case "refuse":
                app.refuse(given.number, given.ground, given.reason)
            case "answer":
                app.answer(given.number, given.material)


def _show(found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found, indent=2))
        return
    for case in found:
        print(f"{case['number']}  {case['state']}")
        for entry in case["journal"]:
            remark = f"record {entry['seq']}" if entry["seq"] else entry["reason"] or ""
            print(f"    {entry['what']:<18} {entry['at_ledger']:<10} {remark}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", required=True, help="postgresql+psycopg://… or sqlite:///FILE")
    parser.add_argument("--config", help="settings of Rogatory; default: ./rogatory.toml")
    parser.add_argument("--office", help="whose cases these are; default: as in the settings")
    parser.add_argument("--relay-signs", action="store_true", help="no key here: the relay signs")
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("create-tables", help="make the tables; an application in use has migrations for that")
    receive = actions.add_parser("receive", help="register an incoming request")
    receive.add_argument("--from", dest="requesting", required=True, help="the requesting body, such as KZ-MTP")
    receive.add_argument("--substance", required=True, help="what is asked for; sealed")
    receive.add_argument("--purpose", default="", help="what it is needed for; sealed")
    receive.add_argument("--grounds", default="", help="the grounds of the request; sealed")
    accept = actions.add_parser("accept", help="take it up for execution")
    refuse = actions.add_parser("refuse", help="refuse it and tell the requesting side")
    grounds = ["sovereignty", "security", "essential_interest", "legislation", "international_obligation", "other"]
    refuse.add_argument("--ground", choices=grounds, required=True)
    refuse.add_argument("--reason", required=True, help="as the requesting side is told; sealed")
    answer = actions.add_parser("answer", help="send what was found")
    answer.add_argument("--material", action="append", default=[], help="what goes with it; may be repeated")
    for action in (receive, accept, refuse, answer):
        action.add_argument("number", help="of the case, such as 2026-R-7")
    shown = actions.add_parser("list", help="all cases, and what became of each entry at the ledger")
    shown.add_argument("--json", action="store_true")
    return parser


if __name__ == "__main__":
    try:
        main()
    except (WrongState, rogatory.RogatoryError) as error:
        sys.exit(str(error))
    except sa.exc.IntegrityError:
        sys.exit("expected the number of a new case, found one that is taken")
