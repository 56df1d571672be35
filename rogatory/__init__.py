"""Rogatory's public face: what another system imports to publish to a ledger.

::

    import rogatory
    from rogatory import Draft, events

    async with rogatory.connect("file:./assistance", office="RU-OMS") as publisher:
        draft = Draft(subject="request/2025-000123", data=events.RequestAccepted(executing="RU-OMS"))
        sealed = await publisher.publish(draft, timeout=10)

What a draft would do to the obligations of its request, before it is signed::

    answer = await rogatory.check_draft(draft, "file:./assistance", office="RU-OMS")
    for effect in answer.would("breached"):
        print(effect.cites, effect.after.why)

Whatever stands in ``__all__`` is kept stable; everything else in the other packages may change without notice.
"""

from __future__ import annotations

from infra.drafting import DraftAnswer, Effect
from ledger.errors import (
    ConfigError,
    FieldError,
    FormatError,
    IntegrityError,
    KeyFault,
    LogError,
    LogUnavailable,
    MisuseError,
    OutboxUnavailable,
    RogatoryError,
)
from producers.blocking import BlockingPublisher
from producers.builder import Draft, Signed
from producers.outbox import Outbox, OutboxId
from producers.outbox_schema import make_outbox
from producers.publisher import Publisher
from producers.receipt import Sealed, SubmissionRefused, Submitted
from rogatory.checking import check_draft, check_draft_blocking
from rogatory.connection import connect, connect_blocking, open_outbox

__all__ = [
    "BlockingPublisher",
    "ConfigError",
    "Draft",
    "DraftAnswer",
    "Effect",
    "FieldError",
    "FormatError",
    "IntegrityError",
    "KeyFault",
    "LogError",
    "LogUnavailable",
    "MisuseError",
    "Outbox",
    "OutboxId",
    "OutboxUnavailable",
    "Publisher",
    "RogatoryError",
    "Sealed",
    "Signed",
    "SubmissionRefused",
    "Submitted",
    "check_draft",
    "check_draft_blocking",
    "connect",
    "connect_blocking",
    "make_outbox",
    "open_outbox",
]
