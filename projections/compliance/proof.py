"""One hash over all verdicts of a partition, by which two stores show that they came to the same.

It is SHA-256 over a line of JSON that says what is compared, and the digests of the subjects' findings (``rows.py``) in
the order of the subjects' bytes::

    ["rogatory-verdicts/1","assistance.9c1e…",3,42,"c0ff…",118,"7a21…"]

that is ledger, partition, size and root of the tree, seq of the register, digest of the rulebook.  It does not depend
on when and in what chunks subjects were judged, nor on the database.
"""

from __future__ import annotations

from hashlib import sha256

import msgspec
import sqlalchemy as sa

from projections.compliance.rounds import Round, count_waiting
from projections.schema import judged
from projections.store import Store
from projections.view import Generation

_encode = msgspec.json.Encoder().encode


class Verdicts(msgspec.Struct, frozen=True):
    """What a partition's verdicts amount to; ``digest`` is hex."""

    partition: int
    size: int
    root: str
    register_seq: int
    rulebook: str
    subjects: int
    waiting: int
    """Subjects of all partitions that wait: until there is none, digests of two stores may differ."""
    digest: str


def verdict_digest(store: Store, generation: Generation, partition: int) -> Verdicts:
    """The digest of a partition's verdicts. Raises StoreUnavailable."""
    wanted = sa.select(judged.c.digest).where(judged.c.generation == generation.id, judged.c.partition == partition)
    with store.reading() as connection:
        state = store.load_in(connection, generation.id, partition).state
        now = Round.read(connection, generation.id) or Round(0, 0, "", pending=False)
        root = state.root().hex()
        about = (generation.ledger_id, partition, state.size, root, now.register_seq, now.rulebook)
        total, subjects = sha256(_encode(("rogatory-verdicts/1", *about)) + b"\n"), 0
        rows = connection.execute(wanted.order_by(judged.c.subject), execution_options={"yield_per": 2000})
        for row in rows:
            total.update(bytes(row.digest))
            subjects += 1
        waiting = count_waiting(connection, generation.id)
    return Verdicts(partition, state.size, root, now.register_seq, now.rulebook, subjects, waiting, total.hexdigest())
