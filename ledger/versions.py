"""Admission versions: what each decides otherwise than the one before it, in one table.

::

    version  what is new
    1        the rules as the ledger opens with
    2        a date in ``data`` that is not in the calendar (31 February) is ``bad-data``

The register says which version is in force; ``rules.adopted`` moves it to the next one, never back.  The adoption is
sealed under the old version, the record behind it under the new one, in each partition at its own copy.

A row that was released never changes: each registrar must decide an old submission as it was decided then, or two of
them would write two histories.  Whatever decides differently gets a row of its own, event types included (``since`` in
``ledger/catalogue/base.py``), and frozen vectors of its own in ``tests/conformance``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import msgspec

from ledger.errors import UnknownVersion


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What one admission version decides in its own way."""

    calendar: bool
    """Dates in ``data`` must be in the calendar; else their form alone counts."""


FIRST_VERSION = 1
"""What every ledger opens with."""

RULES: Mapping[int, Rules] = MappingProxyType(
    {
        1: Rules(calendar=False),
        2: Rules(calendar=True),
    }
)

KNOWN_VERSIONS = frozenset(RULES)
"""Admission and catalogue versions that this release can execute."""


def check_known(version: int, known: Collection[int], who: str) -> None:
    """Stop before a version whose rules nobody here can execute.

    Args:
        version: the one in force.
        known: those that can be executed; fewer than ``KNOWN_VERSIONS`` in tests of an older release only.
        who: what stops, for the message: "partition 3".

    Raises:
        UnknownVersion: ``version`` is not in ``known``.
    """
    if version not in known:
        shown = ", ".join(map(str, sorted(known)))
        raise UnknownVersion(
            f"{who}: expected an adopted version that this release knows ({shown}), found version {version}; "
            "upgrade this release (no ledger goes back to an older version)"
        )
