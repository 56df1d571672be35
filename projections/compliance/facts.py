"""A case file: the acts of one subject in the order of the ledger, with everything about them that is clear.

An act of a request, as it is stored (data shortened)::

    ["refusal.decided","e-7",412,7,"RU-PGO",1741000000000,1741000060000,["RU-PGO#5f…"],{"scope":"full",…}]

Of a sealed field only ``{"filled":true}`` is kept: that something was said, not what.  So the file can answer for
every moment (``known_at``) without the log, and an erased content changes nothing in it.

It grows by some 200 bytes an act and is written whole with each batch that touches the subject.
"""

from __future__ import annotations

import msgspec


class Act(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One record; times in ms since 1970-01-01T00:00Z."""

    name: str
    """Of the event, without prefix and version: ``refusal.decided``."""
    id: str
    index: int
    """Leaf index in its partition."""
    seq: int
    source: str
    """The office that signed it."""
    claimed: int
    admitted: int
    kids: tuple[str, ...]
    data: msgspec.Raw
    """JSON of the clear members (``reading.py``)."""
    actor: str = ""


class CaseFile(msgspec.Struct, frozen=True, gc=False):
    """Everything that the ledger has about one subject."""

    acts: tuple[Act, ...] = ()

    def known_at(self, index: int | None = None, admitted: int | None = None) -> CaseFile:
        """What was known when a partition had ``index`` records, or at a moment (ms, inclusive)."""
        kept = self.acts
        if index is not None:
            kept = tuple(act for act in kept if act.index < index)
        if admitted is not None:
            kept = tuple(act for act in kept if act.admitted <= admitted)
        return self if kept == self.acts else CaseFile(kept)


NOTHING = CaseFile()
