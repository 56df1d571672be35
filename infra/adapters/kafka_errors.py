"""What keeps aiokafka inside the adapter: its errors become ours, and each of its calls ends in time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import Any, TypeVar

from aiokafka import errors as kafka

from ledger.errors import AppendTooLarge, LogError, LogSettings, LogUnavailable, RogatoryError

T = TypeVar("T")

_TOO_LARGE = (kafka.MessageSizeTooLargeError, kafka.RecordListTooLargeError)
_SETTINGS = (
    kafka.UnknownTopicOrPartitionError,
    kafka.InvalidTopicError,
    kafka.TopicAuthorizationFailedError,
    kafka.ClusterAuthorizationFailedError,
    kafka.AuthenticationFailedError,
    kafka.AuthenticationMethodNotSupported,
    kafka.UnsupportedSaslMechanismError,
    kafka.InvalidTimestampError,
    kafka.InvalidReplicationFactorError,
    kafka.InvalidConfigurationError,
    kafka.PolicyViolationError,
    kafka.UnsupportedVersionError,
    kafka.IncompatibleBrokerVersion,
    kafka.UnsupportedCodecError,
    kafka.RecordTooLargeError,
    # A header whose name is not UTF-8: any client can send it, and to try again does not help. The reader goes
    # round it (kafka_lenient.py); elsewhere it must not look like an outage.
    UnicodeDecodeError,
)


def translated(error: BaseException, doing: str) -> LogError:
    """Our error for one of aiokafka's; whatever is not plainly a refusal leaves the outcome unknown."""
    what = f"{doing}: {error or type(error).__name__}"
    if isinstance(error, _TOO_LARGE):
        return AppendTooLarge(what)
    if isinstance(error, _SETTINGS):
        return LogSettings(what)
    return LogUnavailable(what)


async def bounded(call: Awaitable[T], seconds: float, doing: str) -> T:
    """The result of ``call``, or an error of ours when it fails or takes longer than ``seconds``.

    Several calls of aiokafka wait for ever on a dead broker, and some swallow the cancellation that
    ``asyncio.wait_for`` relies on; so the call runs beside us and is left behind if it must be.
    """
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=max(0.0, seconds))
    finally:
        if not task.done():
            task.cancel()
            task.add_done_callback(_retrieve)
    if not task.done():
        raise LogUnavailable(f"{doing}: Kafka gave no answer in {max(0.0, seconds):.1f} s")
    try:
        return task.result()
    except RogatoryError:
        raise
    except asyncio.CancelledError as error:  # not us, but the call, by its client being closed
        raise LogUnavailable(f"{doing}: the connection was closed") from error
    except Exception as error:
        raise translated(error, doing) from error


async def quietly(call: Awaitable[Any], seconds: float) -> None:
    """Clean up; what cannot be cleaned up in time is left to the garbage collector."""
    with contextlib.suppress(LogError):
        await bounded(call, seconds, "closing")


def _retrieve(task: asyncio.Future[Any]) -> None:
    """Take the result of a call that was left behind, so that asyncio does not report it as forgotten."""
    if not task.cancelled():
        task.exception()
