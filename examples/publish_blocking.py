"""Publishing from a program without an event loop: a script, a web worker, a plug-in.

::

    python publish_blocking.py --config rogatory.toml --office RU-OMS
"""

from __future__ import annotations

import argparse

import rogatory
from rogatory import Draft, SubmissionRefused, events


def main(config: str, office: str) -> None:
    """One event, several at once, and one that is refused."""
    subject = f"request/{office}-2026-B-4"
    with rogatory.connect_blocking(config=config, office=office) as publisher:
        first = publisher.publish(Draft(subject=subject, data=events.StepTaken(step="file opened")), timeout=30)
        print(f"sealed: record {first.seq} of {first.subject}, index {first.index} of partition {first.partition}")

        # Many at once: a few appends, then wait for each.
        steps = [Draft(subject=subject, data=events.StepTaken(step=f"page {n} read")) for n in range(1, 4)]
        submitted = publisher.submit_all([publisher.create(step) for step in steps])
        print("sealed: records", *(publisher.result(one, timeout=30).seq for one in submitted))

        stale = Draft(subject=subject, data=events.StepTaken(step="file closed"), expectedseq=1)
        try:
            publisher.publish(stale, timeout=30)
        except SubmissionRefused as refused:
            print(f"refused: {refused.outcome.reason}. {refused.outcome.meaning}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", default="rogatory.toml")
    parser.add_argument("--office", required=True)
    given = parser.parse_args()
    main(given.config, given.office)
