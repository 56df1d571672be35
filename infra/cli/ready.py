"""``rogatory ready``: ask a service whether it can do its work now, for health checks of containers and scripts."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import Annotated, Any

import msgspec
import typer

from infra.cli.options import NO, UNAVAILABLE, fail, reported
from infra.cli.render import plural, say, show_json
from infra.config import parse_endpoint

_ANY = {"", "0.0.0.0", "::"}  # noqa: S104 - compared with, not bound to


def ready(
    observe: Annotated[
        str,
        typer.Option(
            metavar="HOST:PORT",
            envvar="ROGATORY_OBSERVE",
            help="Where the service shows itself, as it was told by its own --observe",
        ),
    ],
    timeout: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="Until it must answer")] = 3.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print what it says as JSON")] = False,
) -> None:
    """Whether a service is ready: exit 0 if it is, 1 if it is not and says why, 3 if it does not answer."""
    with reported():
        found = _ask(observe, timeout)
        if as_json:
            show_json(found)
        elif found["ready"]:
            waiting = found.get("judgement_waiting")
            left = f", {plural(waiting, 'subject')} to be judged" if waiting else ""
            degraded = f", degraded: {_faults(found)}" if found["degraded"] else ""
            say(f"{found['service']} is ready{left}{degraded}.")
        else:
            say(f"{found['service']} is not ready: {'; '.join(found['reasons'])}.")
        if not found["ready"]:
            raise typer.Exit(NO)


def _ask(address: str, timeout: float) -> dict[str, Any]:
    host, port = parse_endpoint(address)
    host = "127.0.0.1" if host in _ANY else f"[{host}]" if ":" in host else host
    url = f"http://{host}:{port}/readyz"
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:  # 503: it is there, and is not ready
        body = error.read()
    except OSError as error:
        why = getattr(error, "reason", None) or error
        fail(f"expected a service that answers at {url}, found: {why}", UNAVAILABLE)
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.MsgspecError:
        found = {}
    if not {"ready", "service", "reasons", "degraded"} <= found.keys():
        fail(f"expected a service of Rogatory at {url}, found something else", UNAVAILABLE)
    return found


def _faults(found: dict[str, Any]) -> str:
    return ", ".join(f"{f['worker']} {f['partition']} ({f['kind']})" for f in found["degraded"])
