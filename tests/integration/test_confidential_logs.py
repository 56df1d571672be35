"""What services log when things go wrong holds nothing of what was submitted, nor a key or a password, at any level."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from consumers.replay import Limits, follow, replay
from infra.adapters.vault import VaultFile
from infra.observing import logs
from infra.projecting import open_store
from ledger.catalogue.own import StepTaken
from ledger.errors import RogatoryError
from ledger.log import LEDGER, SUBMISSIONS, Message
from ledger.submission import SEAL_HEADER
from producers.receipt import SubmissionRefused
from projections.fold import Fold
from projections.store import Store
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import FOLD
from tests.faults.world import People, changed, message_of
from tests.integration.stage import stage
from tests.integration.test_confidential import spellings

PARTITIONS = 2
PEOPLE = People(PARTITIONS, "logged")
MARK = "Wolfeschlegel-zyzzyva-4815162342"
SEALED = "Пётр Ёжиков из Кяхты"
PASSWORD = "hunter2-correct-horse"


class Clumsy:
    """A fold that fails at some records and quotes them, as a bug would."""

    def __init__(self, fold: Fold[Any]) -> None:
        self._fold = fold

    def __getattr__(self, name: str) -> Any:
        return getattr(self._fold, name)

    def evolve(self, facts: Any, record: Any) -> Any:
        if MARK.encode() in record.value:
            raise ValueError(f"cannot digest {record.value!r} {record.value.decode()}")
        return self._fold.evolve(facts, record)


@pytest.fixture(params=["text", "json"])
def written(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """Everything that any logger says, through our pipe."""
    before, level = list(logging.root.handlers), logging.root.level
    names = {name: logging.getLogger(name).level for name in logs._QUIET}
    out = io.StringIO()
    logs.set_up(logging.DEBUG, 2, request.param, stream=out)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)  # louder than any option makes them
    yield out
    logging.captureWarnings(capture=False)
    logging.root.handlers[:] = before
    logging.root.setLevel(level)
    for name, old in names.items():
        logging.getLogger(name).setLevel(old)
    logs._bound.clear()


def leaks(text: str, *secrets: str) -> list[str]:
    content = text.encode()
    return [secret for secret in secrets for spelling in spellings(secret) if spelling in content]


def key_spellings() -> list[str]:
    """Private halves of the keys at work, as they could be written."""
    seeds = [key.seed for key in (PEOPLE.log_key, *PEOPLE.offices.values())]
    return [form for seed in seeds for form in (seed.hex(), repr(seed)[2:-1])]


def test_refusals_poison_forks_and_crashes_say_nothing_of_the_content(
    place: Place, tmp_path: Path, written: io.StringIO
) -> None:
    async def story() -> None:
        vault = VaultFile(tmp_path / "vault.sqlite")
        async with stage(place, PEOPLE, tmp_path) as ledger:
            await ledger.open()
            said = PEOPLE.say("RU-OMS", "request/1", StepTaken(step=MARK, note=SEALED), vault=vault)
            await ledger.publish(said)
            await ledger.publish(said)
            at = said.partition(PARTITIONS)
            key = PEOPLE.offices["RU-OMS"]
            wrong = [
                Message(b"request/1", MARK.encode(), ()),
                Message(MARK.encode(), said.value, ()),
                Message(None, None, (("signature", MARK.encode()),)),
                message_of("request/1", changed(said.value, id=f"{MARK} x", time=MARK), key),
                message_of("request/1", changed(said.value, id="b", data={"step": [MARK]}), key),
                message_of("request/1", changed(said.value, id="c", actor=MARK * 3), key),
            ]
            for message in wrong:
                with pytest.raises(SubmissionRefused) as refused:
                    await ledger.publish_raw(at, message)
                logging.getLogger("rogatory").error("refused: %s", refused.value.outcome.reason)
            await fold_it(ledger.log)
            await forge(ledger, at)
            await fold_it(ledger.log)
        vault.close()

    async def fold_it(log: Any) -> None:
        with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
            generation = store.live(FOLD, PEOPLE.ledger_id)
            clumsy: Any = Clumsy(FOLD)
            await replay(log, store, clumsy, generation)
            stop = asyncio.Event()
            asyncio.get_running_loop().call_later(1.0, stop.set)
            outcome = await follow(log, store, clumsy, generation, stop=stop, limits=Limits(wait=0.05, look_again=0.2))
            assert outcome.stopped

    async def forge(ledger: Any, at: int) -> None:
        """Somebody writes a record of their own; registrar and readers find it."""
        await ledger.log.append(LEDGER, at, [Message(MARK.encode(), MARK.encode(), ((SEAL_HEADER, MARK.encode()),))])
        await ledger.log.append(SUBMISSIONS, at, [Message(b"request/1", MARK.encode(), ())])
        try:
            await ledger.registrars[at].recover()
            await ledger.registrars[at].drain()
        except RogatoryError as error:
            logging.getLogger("rogatory").critical("%s", error)

    run(story())
    try:
        raise ValueError(f"a crash that quotes {msgspec.json.encode({'specversion': '1.0', 'data': MARK}).decode()}")
    except ValueError:
        logging.getLogger("consumers.registrar").exception("an error inside the program")
    text = written.getvalue()
    for needed in ("stops at position", "stray message", "an error inside the program", "refused: not-json"):
        assert needed in text, needed
    assert not leaks(text, MARK, SEALED)
    assert not [one for one in key_spellings() if one in text]


def test_a_store_that_does_not_answer_is_named_without_its_password(written: io.StringIO, tmp_path: Path) -> None:
    url = f"postgresql+psycopg://rogatory:{PASSWORD}@127.0.0.1:1/store?connect_timeout=1"
    try:
        with open_store(url) as store:
            store.ping()
    except Exception as error:
        logging.getLogger("consumers.patience").warning("the store does not answer (%s)", error, exc_info=True)
    else:
        pytest.fail("there is no such store")
    text = written.getvalue()
    assert "the store does not answer" in text
    assert PASSWORD not in text


def test_the_pipe_lets_what_is_meant_to_be_seen_through(written: io.StringIO) -> None:
    """So that the other tests would find what they look for."""
    logging.getLogger("consumers.registrar").info("marker %s", MARK)
    assert leaks(written.getvalue(), MARK)
    if written.getvalue().startswith("{"):
        assert json.loads(written.getvalue())["event"] == f"marker {MARK}"
