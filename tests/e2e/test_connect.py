"""The public face: connecting with the settings that the command line wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

import rogatory
from ledger.catalogue import types_by_name
from rogatory import Draft, events
from tests.aio import run
from tests.e2e.cli import Cli

DRAFT = Draft(subject="request/1", data=events.RequestAccepted(executing="RU-OMS"))


def kid_of(cli: Cli) -> str:
    (kid,) = (k["kid"] for k in cli.json("keys", "list")["keys"] if k["standing"] == "in force" and k["use"] == "sign")
    return str(kid)


def test_whatever_is_promised_is_there() -> None:
    assert all(hasattr(rogatory, name) for name in rogatory.__all__)
    assert {row.data.__name__ for row in types_by_name().values()} < set(events.__all__)


def test_the_key_in_force_signs_after_a_rotation(place: Path, cli: Cli) -> None:
    old = kid_of(cli)
    for _ in range(3):  # the folder's order must not decide
        new = cli.new_key("RU-OMS")
        cli("keys", "enrol", new)
        cli("keys", "revoke", old, "--reason", "superseded")
        old = new

    async def signed() -> list[str]:
        async with rogatory.connect(office="RU-OMS") as publisher:
            return [s.kid for s in publisher.create(DRAFT).signatures]

    assert run(signed()) == [old]


def test_without_a_key_that_may_sign_the_error_says_what_is_here(place: Path, cli: Cli) -> None:
    kid = kid_of(cli)
    cli("keys", "revoke", kid, "--reason", "lost")

    async def connected() -> None:
        async with rogatory.connect(office="RU-OMS"):
            pass

    with pytest.raises(rogatory.KeyFault, match="is revoked"):
        run(connected())


def test_a_blocking_publisher_gets_its_seal(place: Path, cli: Cli) -> None:
    with rogatory.connect_blocking(office="RU-OMS") as publisher:
        submitted = publisher.submit(publisher.create(DRAFT))
        cli("run", "all", "--until-idle")
        sealed = publisher.result(submitted, 30)
    assert (sealed.subject, sealed.seq, sealed.original) == ("request/1", 1, True)
    with pytest.raises(rogatory.MisuseError):
        publisher.submit(publisher.create(DRAFT))
