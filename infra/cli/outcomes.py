"""``rogatory outcomes``: submissions that became no record, and why."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any

import msgspec
import typer
from msgspec import UNSET

from infra.cli.options import Common, command
from infra.cli.render import note, plural, say, show_json, table, when
from infra.wiring import Ledger, open_ledger
from ledger.dispositions import Disposition
from ledger.errors import ConfigError, FormatError
from ledger.log import OUTCOMES, Stored
from ledger.outcome import Outcome, OutcomeKey, read_outcome

_REASONS = {d.reason for d in Disposition if d is not Disposition.ADMITTED}


class Shown(msgspec.Struct, frozen=True):
    """An outcome with what its submission says of itself, as far as that can be read."""

    key: OutcomeKey
    outcome: Outcome
    decided: int
    subject: str
    id: str
    source: str


@command(reads=True)
async def outcomes(
    common: Common,
    reason: Annotated[str | None, typer.Option(help="Only these: duplicate, unknown-key, not-allowed, …")] = None,
    subject: Annotated[str | None, typer.Option(help="Only of this subject")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many, the last of each partition")] = 50,
) -> None:
    """Submissions that were refused, or that stood in the ledger already; each once, with what to do."""
    if reason is not None and reason not in _REASONS:
        raise ConfigError(f"expected --reason as one of {', '.join(sorted(_REASONS))}, found {reason[:40]!r}")
    async with open_ledger(common.settings(), note) as ledger:
        found = await read_outcomes(ledger)
    found = [s for s in found if reason in (None, s.outcome.reason) and subject in (None, s.subject)]
    counts = Counter(s.outcome.reason for s in found)
    last = found[-limit:]
    if common.json:
        show_json({"counts": counts, "outcomes": [_json(s) for s in last]})
        return
    if not found:
        say("No submission was refused or repeated.")
        return
    rows = [[_place(s.key), s.outcome.reason, s.subject, s.id, s.outcome.expected, s.outcome.found] for s in last]
    table("", ["submission", "reason", "subject", "event", "expected", "found"], rows)
    for word, number in sorted(counts.items()):
        meaning = next(s.outcome.meaning for s in found if s.outcome.reason == word)
        say(f"{word} ({number}): {meaning}")
    if len(last) < len(found):
        say(f"The last {len(last)} of {plural(len(found), 'outcome')}; --limit shows more.")


async def read_outcomes(ledger: Ledger) -> list[Shown]:
    """All outcomes, each once, by partition and submission."""
    found: dict[OutcomeKey, Shown] = {}
    for partition in range(ledger.partitions):
        reader = ledger.log.reader(OUTCOMES, partition)
        try:
            while piece := await reader.read(1000):
                for stored in piece:
                    _take(found, stored)
        finally:
            await reader.close()
    return [found[key] for key in sorted(found)]


def _take(found: dict[OutcomeKey, Shown], stored: Stored) -> None:
    try:
        key, outcome = read_outcome(stored)
    except FormatError as error:
        note(f"outcomes, position {stored.position}: {error}; passed over")
        return
    if key not in found:
        # The event may be anything that somebody sent: only its envelope is shown, and only if it is one.
        envelope = _envelope(stored.value)
        found[key] = Shown(key, outcome, stored.timestamp, *(envelope.get(n, "") for n in ("subject", "id", "source")))


def _envelope(value: bytes | None) -> dict[str, str]:
    try:
        said = msgspec.json.decode(value or b"", type=dict[str, msgspec.Raw])
        texts = {n: msgspec.json.decode(said[n]) for n in ("subject", "id", "source") if n in said}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return {}
    return {n: text[:128] for n, text in texts.items() if isinstance(text, str) and text.isprintable()}


def _place(key: OutcomeKey) -> str:
    return f"{key.partition}/{key.epoch}/{key.offset}"


def _json(shown: Shown) -> dict[str, Any]:
    outcome = shown.outcome
    return {
        "partition": shown.key.partition, "epoch": shown.key.epoch, "offset": shown.key.offset,
        "decided": when(shown.decided), "outcome": outcome.outcome, "reason": outcome.reason,
        "expected": outcome.expected, "found": outcome.found, "meaning": outcome.meaning,
        "subject": shown.subject, "id": shown.id, "source": shown.source,
        "receipt": None if outcome.receipt is UNSET else outcome.receipt,
    }  # fmt: skip
