"""An application with an outbox: ``python -m tests.campaign.app URL FOLDER``, one number of transactions a line.

Each transaction writes an entry of its own and an event; some are rolled back.  ``done <n>`` is said of each that was
committed.  Where the database goes away under a commit it asks, once that is back, whether the commit was done.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import sqlalchemy as sa

from ledger.catalogue.own import StepTaken
from producers.builder import Draft
from tests.faults.worker import people_of, say
from tests.faults.world import COORDINATOR
from tests.outboxes import Desk, desk_at

_SUBJECTS = 20
_ROLLED_BACK = 5
"""Every so many transactions one is rolled back first."""


class _Change(Exception):
    """The application changes its mind."""


def step_of(number: int) -> str:
    """What the entry and the event of a number say."""
    return f"entry {number}"


def enter(desk: Desk, connection: sa.Connection, number: int, step: str, id_: str) -> None:
    """An entry and its event, within a transaction; by the coordinating unit, whose key the stream leaves alone."""
    subject = f"request/2027-{number % _SUBJECTS:06}"
    connection.execute(desk.entries.insert().values(subject=subject, step=step))
    outbox = desk.outbox(desk.people.coordinator, office=COORDINATOR)
    outbox.put(connection, Draft(subject=subject, data=StepTaken(step=step), id=id_))


def write(desk: Desk, number: int) -> None:
    """The transaction of a number, until it is certain that it was committed."""
    while True:
        try:
            with desk.engine.connect() as connection:
                if connection.execute(sa.select(desk.entries).where(desk.entries.c.step == step_of(number))).first():
                    return
            with desk.engine.begin() as connection:
                enter(desk, connection, number, step_of(number), f"app-{number}")
        except sa.exc.DBAPIError:
            time.sleep(0.1)
        else:
            return


def roll_back(desk: Desk, number: int) -> None:
    """A transaction that never was: neither its entry nor its event may be seen by anybody."""
    try:
        with desk.engine.begin() as connection:
            enter(desk, connection, number, "never", f"never-{number}")
            raise _Change
    except (_Change, sa.exc.DBAPIError):
        return


def main(url: str, folder: Path, first: int) -> None:
    """Write as many as each line says, from ``first`` on."""
    folder.mkdir(exist_ok=True)
    number = first
    while True:
        try:
            with desk_at(url, people_of(3), folder) as desk:
                for line in iter(sys.stdin.readline, ""):
                    for _ in range(int(line)):
                        if number % _ROLLED_BACK == 0:
                            roll_back(desk, number)
                        write(desk, number)
                        say(f"done {number}")
                        number += 1
                return
        except sa.exc.DBAPIError:
            time.sleep(0.1)  # the database was away while the tables were looked at


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
