"""Another system, with cases of its own, that publishes what happens to them.

The system keeps a table of entries; each is published once and remembers what became of it.  Three things make that
safe:

- an entry always becomes the same event: its id and time come from the entry, so publishing it again after a crash gets
  the receipt of the first time;
- while the log does not answer, the same signed bytes are submitted again, later;
- a refusal is an answer: it is kept with the entry, for a person, and the rest goes on.

::

    python publish_from_case_system.py --config rogatory.toml --office RU-OMS
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import uuid
from dataclasses import dataclass, field
from typing import Any

import rogatory
from rogatory import Draft, LogUnavailable, Publisher, Sealed, Signed, SubmissionRefused, events

NAMESPACE = uuid.UUID("6e1f0a52-6f0c-4a86-9d63-0c9f8f3b7a11")
"""Of this system's entries: ids made in it are nobody else's."""
ATTEMPTS = 5


@dataclass
class Entry:
    """A line of a case's file; ``seq`` is how many records it takes the request to have."""

    number: int
    time: str
    step: str
    seq: int | None = None
    state: str = "new"
    remark: str = ""


@dataclass
class Case:
    """A case of this system."""

    number: str
    partner: str
    entries: list[Entry] = field(default_factory=list)


def table() -> list[Case]:
    """What a database would hold."""
    return [
        Case(
            "2026-A-17",
            "KZ-B-01",
            [
                Entry(1, "2026-03-02T09:30:00+06:00", "drafted and signed"),
                Entry(2, "2026-03-02T15:00:00+06:00", "sent"),
                Entry(3, "2026-03-09T11:20:00+06:00", "asked about by telephone"),
                # Written down in a hurry, from an old print-out: the request has more records by now.
                Entry(4, "2026-03-09T11:25:00+06:00", "withdrawn", seq=1),
            ],
        ),
        Case("2026-A-18", "KZ-MTP", [Entry(1, "2026-03-03T10:00:00+06:00", "drafted and signed")]),
    ]


def draft(case: Case, entry: Entry, office: str) -> Draft:
    """What an entry says in the words of the catalogue; a step of the system's own where there is none."""
    data: Any
    if entry.step == "drafted and signed":
        data = events.RequestSigned(
            kind="direct_exchange",
            direction="out",
            partner="KZ",
            requesting=office,
            requested=case.partner,
            substance="substance of the request",  # sealed before it leaves this process, as are the next ones
            purpose_text="what it is needed for",
            grounds="grounds of the request",
            assistance="what is asked for",
            purposes=[events.StatedPurpose(purpose="crime_analysis", case=case.number)],
            legal_basis=["ru-kz-2009-ap-2022"],
            signer="p-4f1d2c",
            signer_role="head",
            signature="ink",
            lang="ru",
        )
    elif entry.step == "sent":
        data = events.RequestSent(channel="direct", from_=office, to=case.partner, means="courier", translations=["kk"])
    elif entry.step == "withdrawn":
        data = events.RequestWithdrawn(why="why it is not needed any more")
    else:
        data = events.StepTaken(step=entry.step)
    return Draft(
        subject=f"request/{office}-{case.number}",
        data=data,
        time=entry.time,
        id=str(uuid.uuid5(NAMESPACE, f"{office} {case.number} {entry.number}")),
        expectedseq=entry.seq,
    )


async def publish(publisher: Publisher, signed: Signed) -> Sealed:
    """Submit until it is known what became of it; the same bytes again do no harm."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await publisher.result(await publisher.submit(signed), timeout=20)
        except (LogUnavailable, TimeoutError) as error:
            if attempt == ATTEMPTS:
                raise
            print(f"  no answer yet ({type(error).__name__}); again in {2**attempt} s", file=sys.stderr)
            await asyncio.sleep(2**attempt)
    raise AssertionError("the last attempt returns or raises")


async def main(config: str, office: str) -> int:
    """Publish every entry that is new; the number of those that a person must look at."""
    cases = table()
    async with rogatory.connect(config=config, office=office) as publisher:
        for case in cases:
            for entry in case.entries:
                try:
                    sealed = await publish(publisher, publisher.create(draft(case, entry, office)))
                except SubmissionRefused as refused:
                    entry.state, entry.remark = "refused", f"{refused.outcome.reason}: {refused.outcome.meaning}"
                else:
                    entry.state = "sealed" if sealed.original else "sealed before"
                    entry.remark = f"record {sealed.seq}, leaf {sealed.leaf[:12]}"
    for case in cases:
        print(case.number)
        for entry in case.entries:
            print(f"  {entry.number} {entry.step:<26} {entry.state:<14} {entry.remark}")
    return sum(entry.state == "refused" for case in cases for entry in case.entries)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="rogatory.toml")
    parser.add_argument("--office", required=True, help="whose cases these are; its key is in the keys folder")
    given = parser.parse_args()
    left = asyncio.run(main(given.config, given.office))
    if left:
        print(f"{left} refused: for a person to look at")
