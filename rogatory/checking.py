"""Checking a draft against the law before it is published, with the settings that the ``rogatory`` command reads."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from pathlib import Path
from typing import Any

from infra.config import load
from infra.drafting import DraftAnswer, check
from infra.signing import choose
from infra.wiring import open_ledger
from ledger.errors import ConfigError
from producers.builder import Draft, row_of
from projections.compliance.texts import Lang

_log = logging.getLogger(__name__)


async def check_draft(
    draft: Draft,
    ledger: str | None = None,
    *,
    office: str | None = None,
    as_of: datetime | None = None,
    lang: Lang = "en",
    update: bool | None = None,
    config: str | Path | None = None,
    **settings: Any,
) -> DraftAnswer:
    """What an event would do to the obligations of its subject; nothing of it is signed, stored or sent.

    It reads the rows of the projection store, not the log: with ``update`` they are brought up to date before.

    Args:
        draft: the event, as for ``publish``; sealed fields in plain text.
        ledger: ``file:FOLDER`` or ``kafka://HOST:PORT[,HOST:PORT]/NAME``; default: environment, settings file.
        office: whose event it would be; default: that of the sign key in the keys folder.
        as_of: when it would be recorded, with a zone; default: now.
        lang: of lines and reasons.
        update: bring the rows up to date first; default: on a ledger folder.
        config: a settings file.
        settings: any other setting of ``infra/config.py``: ``store``, ``data``, ``timeout``, …

    Raises:
        FieldError: the schema refuses the draft; names the field, what was expected and found.
        ConfigError: a setting is missing or wrong, or the rulebook in use is not kept here.
        KeyFault: no office is named, and no key here says which it is.
        LogUnavailable: the log does not answer.
        StoreUnavailable: the store does not answer.
    """
    if as_of is not None and as_of.tzinfo is None:
        raise ConfigError(f"expected as_of with a zone, found {as_of.isoformat()}")
    chosen = load({**settings, "ledger": ledger, "office": office}, file=Path(config) if config else None)
    name = row_of(draft.data).name
    async with open_ledger(chosen, _log.warning) as opened:
        of = chosen.office
        if of is None:
            of = choose(chosen, await opened.register(), name, getattr(draft.data, "office", None)).office
        with opened.store() as store:
            if (opened.embedded if update is None else update) and await opened.behind(store):
                await opened.project(store)
            moment = None if as_of is None else round(as_of.timestamp() * 1000)
            return await check(opened, store, draft, of, as_of=moment, lang=lang)


def check_draft_blocking(draft: Draft, ledger: str | None = None, **settings: Any) -> DraftAnswer:
    """The same for programs without an event loop; the arguments are those of ``check_draft``."""
    return asyncio.run(check_draft(draft, ledger, **settings))
