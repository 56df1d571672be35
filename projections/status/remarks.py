"""Remarks and marks of a request, each with the record it is about.

==================  ==================================================================================
remark              what happened
==================  ==================================================================================
no_opening          the first act opens nothing, so what is requested is not known
confirms_nothing    a written confirmation (Agr. 6(2)) of something that nobody had said
content_changed     the writing differs from what was said, as far as can be seen without keys
no_decision         a refusal told, or a person handed over, before anybody decided so
out_of_order        an act that is not expected in this state, for this kind of request
amount_exceeds      more returned of an asset, in a currency, than restrained or confiscated
after_closure       an act after the file was closed
==================  ==================================================================================

A remark is a finding of ours, with no article behind it.  Findings that have an article, and the mark of an
act claimed long before it was admitted, need a rulebook and are made elsewhere.  The one mark kept here is
``future_dated``: an event claimed later than admitted, whose effective time therefore is that of admission.
"""

from __future__ import annotations

from collections.abc import Iterable

from projections.status.facts import Code, Notes, Remark

MAX_NOTES = 64
"""Remarks (and marks) kept of one request; more are counted, so that a broken sender cannot swell the facts.

The history of the request has all of its records, so what was not kept can be found again (our choice).
"""


def noted(notes: Notes, codes: Iterable[Code], index: int, event: str) -> Notes:
    """The notes with those of one more record."""
    fresh = [Remark(code, index, event) for code in codes]
    return Notes(notes.count + len(fresh), (*notes.first, *fresh)[:MAX_NOTES]) if fresh else notes
