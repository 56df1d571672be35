"""A ledger folder whose submissions carry the times that their sender gives: for simulated ledgers alone.

The log of a real ledger stamps submissions with its own clock, since that is what admission believes.  A simulated year
has a clock of its own, so here the message says when it came; all else is as in ``ledger_folder.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from infra.adapters.append_limits import check_append
from infra.adapters.ledger_folder import LedgerFolder
from ledger.log import SUBMISSIONS, Message


class DatedFolder(LedgerFolder):
    """A log in a folder that takes the time of a submission from the message; see ``ledger.log.Log``."""

    async def append(self, topic: str, partition: int, messages: Sequence[Message]) -> int:
        """Append all of ``messages`` or none, each with its own timestamp; returns the position of the first."""
        if topic != SUBMISSIONS:
            return await super().append(topic, partition, messages)
        self._check_open()
        check_append(topic, partition, messages, self._max_append_bytes)
        given_up = threading.Event()
        return await self._run(
            self._writing[topic],
            self._writers[topic],
            lambda connection: connection.append(partition, messages, None, given_up),
            f"append to {topic}/{partition}",
            given_up,
        )
