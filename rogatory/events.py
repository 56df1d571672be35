"""Every event type of the catalogue by its name, for builders: ``events.RequestAccepted(executing="RU-OMS")``."""

from __future__ import annotations

from ledger.catalogue import types_by_name
from ledger.catalogue.assets import *  # noqa: F403 - the families are the public names
from ledger.catalogue.base import Money
from ledger.catalogue.blocks import *  # noqa: F403
from ledger.catalogue.materials import *  # noqa: F403
from ledger.catalogue.meetings import *  # noqa: F403
from ledger.catalogue.own import *  # noqa: F403
from ledger.catalogue.persons import *  # noqa: F403
from ledger.catalogue.register import *  # noqa: F403
from ledger.catalogue.requests import *  # noqa: F403
from ledger.catalogue.reviews import *  # noqa: F403
from ledger.catalogue.years import *  # noqa: F403

__all__ = ["Money", *sorted(row.data.__name__ for row in types_by_name().values())]  # noqa: PLE0604 - all are str
