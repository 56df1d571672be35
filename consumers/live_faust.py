"""Faust as the live worker needs it: positions come from SQL, group offsets are only information, nothing else runs.

What is changed here, and why:

- *Where a partition begins.* Faust seeks to the group's committed offsets after each assignment, and what an
  assignment callback seeks to is overwritten by that. So ``seek_to_committed`` itself is replaced: it asks the
  worker.
- *Committing offsets.* Faust's count of acknowledged messages is off. The worker writes the positions of the store as
  the group's offsets, for the tools that show them; nothing begins from them, so a commit that fails is no reason to
  end the worker (Faust's own would crash it when a rebalance comes in between).
- *Slow streams.* Faust reports partitions that do not move every few seconds; ours may be paused on purpose, and the
  worker looks at the log itself (``live.py``).
- *Off*: web server, tables, leader election, topic creation, folders on disk, waiting for streams in a rebalance.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

import faust
from aiokafka.structs import OffsetAndMetadata
from aiokafka.structs import TopicPartition as KafkaPartition
from faust.auth import SASLCredentials, SSLCredentials
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

Positions = Callable[[set[TP]], Awaitable[dict[TP, int]]]
"""Told what is assigned, says where each partition begins; those it leaves out are not moved."""

_REQUEST = 90.0  # seconds; Faust's own default, which must not be below the session's
_log = logging.getLogger(__name__)
_chatter = logging.getLogger("faust")  # what Faust's services say of themselves stays under Faust's name


class _Thread(driver.AIOKafkaConsumerThread):
    logger = _chatter

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        mine = self.assignment()
        told = {KafkaPartition(*tp): OffsetAndMetadata(offset, "") for tp, offset in offsets.items() if tp in mine}
        try:
            await self._ensure_consumer().commit(told)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody begins from these offsets
            _log.info("the group's offsets were not written (%s); nothing rests on them", type(error).__name__)
            return False
        return True


class _Consumer(driver.Consumer):
    logger = _chatter

    def _new_consumer_thread(self) -> _Thread:
        return _Thread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Begin where the worker says."""
        app = cast("App", self.app)
        found = await app.begin_at(self.assignment())
        await self.seek_wait(found)
        return found

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Nothing: the worker looks at the log itself."""


class _Transport(driver.Transport):
    Consumer = _Consumer


class App(faust.App):
    """A Faust app that reads one topic and does nothing else."""

    logger = _chatter

    def __init__(
        self,
        group: str,
        bootstrap: str,
        begin_at: Positions,
        session: float,
        *,
        security: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """An app of a consumer group; ``more`` are further settings of Faust's.

        Args:
            group: the consumer group.
            bootstrap: ``host:port[,host:port]``.
            begin_at: says where partitions begin.
            session: seconds of silence after which the group goes on without us.
            security: how to log in, as aiokafka's own clients take it.
            more: settings of Faust's.
        """
        self.begin_at = begin_at
        super().__init__(
            group,
            broker=[f"kafka://{host}" for host in bootstrap.split(",")],
            broker_credentials=_credentials(security or {}),
            broker_session_timeout=session,
            broker_heartbeat_interval=min(3.0, session / 5),
            broker_request_timeout=max(_REQUEST, session),
            store="memory://",
            autodiscover=False,
            web_enabled=False,
            topic_allow_declare=False,
            topic_disable_leader=True,
            stream_wait_empty=False,
            **more,
        )

    def _new_transport(self) -> _Transport:
        return _Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Nothing: there are no tables to keep in a folder."""


def _credentials(security: Mapping[str, Any]) -> SASLCredentials | SSLCredentials | None:
    """Faust's words for how aiokafka's clients log in."""
    context = security.get("ssl_context")
    if "sasl_mechanism" in security:
        return SASLCredentials(
            mechanism=security["sasl_mechanism"],
            username=security["sasl_plain_username"],
            password=security["sasl_plain_password"],
            ssl_context=context,
        )
    return None if context is None else SSLCredentials(context)


def raw_topic(app: App, name: str) -> Any:
    """A topic whose keys and values stay the bytes that they are."""
    raw: dict[str, Any] = {"key_type": bytes, "value_type": bytes, "key_serializer": "raw", "value_serializer": "raw"}
    return app.topic(name, allow_empty=True, acks=False, **raw)


async def tell_offsets(app: App, offsets: Mapping[TP, int]) -> None:
    """Write positions as the group's offsets, for whoever looks at them."""
    if offsets:
        await cast("_Consumer", app.consumer)._commit(offsets)  # noqa: SLF001 - what Faust's own ``commit`` calls


def pause(app: App, tps: Iterable[TP]) -> None:
    """Stop fetching partitions, until ``resume`` or the next assignment."""
    app.consumer.pause_partitions(set(tps))


def resume(app: App, tps: Iterable[TP]) -> None:
    """Fetch partitions again, as far as they are still assigned."""
    app.consumer.resume_partitions(set(tps) & app.consumer.assignment())
