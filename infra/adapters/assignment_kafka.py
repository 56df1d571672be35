"""Assignment on Kafka: a consumer group that carries no data, only who is there and who gets what.

The group ``<name>.registrar`` is subscribed to the submissions, all of its partitions are paused and nothing is
ever committed: registrars read by themselves, from where their own state says.  What each member says of itself
travels as the user data of its join request; ``ledger.assignment.share`` decides, in the member that the broker
elects.

A rebalance stops nobody.  Members go on with what they hold until the new sharing is there, and then end with what
is no longer theirs: two holders for a while are harmless.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

from infra.adapters import kafka_settings
from infra.adapters.kafka_errors import bounded, quietly
from ledger.assignment import SESSION, Member, share
from ledger.errors import LogError
from ledger.log import SUBMISSIONS

_LONG = (1 << 31) - 1  # ms; the longest that the protocol can say
_log = logging.getLogger(__name__)


class KafkaAssignment:
    """``ledger.assignment.Assignment`` by a consumer group. Belongs to the event loop it is made in.

    Args:
        client: how to reach the brokers, as aiokafka takes it.
        name: of the log.
        partitions: how many it has.
        me: what this process says of itself.
        session: seconds; brokers take from 6 to 1800 unless they are set up otherwise.
        timeout: seconds that a call may take.
    """

    def __init__(
        self,
        client: Mapping[str, Any],
        name: str,
        partitions: int,
        me: Member,
        *,
        session: float = SESSION,
        timeout: float = 30.0,
    ) -> None:
        self._client = dict(client)
        self._topic = kafka_settings.names(name)[SUBMISSIONS]
        self._group = f"{name}.registrar"
        self._partitions = partitions
        self._me = msgspec.structs.replace(me, id=me.id or uuid.uuid4().hex)
        self._session = session
        self._timeout = timeout
        self._consumer: AIOKafkaConsumer | None = None
        self._ours: frozenset[int] = frozenset()
        self._seen: frozenset[int] = frozenset()  # what ``ours`` returned last
        self._changed = asyncio.Event()
        self._alive = 0.0
        """When this process was last seen to run (s, monotonic): by its own ticking, or by being asked."""
        self._expired = False
        self._ticking: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Join the group; what it gives comes with ``ours``."""
        self._alive = time.monotonic()
        await self._enter()
        self._ticking = asyncio.create_task(self._tick())

    async def ours(self, wait: float) -> frozenset[int]:
        """The partitions to work on now; returns when they change, or after ``wait`` seconds."""
        if self._is_expired():
            if self._seen:  # its owner ends with these before it may get them again
                self._seen = frozenset()
                return self._seen
            await self._return()
        if self._consumer is not None:
            # Hands out nothing, since all is paused; says what went wrong in the group, and that we are there.
            await bounded(self._consumer.getmany(timeout_ms=0), self._timeout, f"look at the group {self._group}")
        if self._ours == self._seen:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), wait)
        self._changed.clear()
        self._seen = self._ours
        return self._seen

    def holds(self, partition: int) -> bool:
        """Whether to go on with it; no longer after a pause that has cost us the membership."""
        return not self._is_expired() and partition in self._ours

    async def released(self, partition: int) -> None:
        """Nobody waits for it."""

    async def tell(self, warm: Mapping[int, int], stopped: Mapping[int, str]) -> None:
        """What others should know: with the next sharing, which is asked for if a partition stopped or goes on."""
        news = set(stopped) != set(self._me.stopped)
        self._me = msgspec.structs.replace(self._me, warm=dict(warm), stopped=dict(stopped))
        if news and self._consumer is not None:
            self._consumer.subscribe([self._topic], listener=_Listener(self))

    async def members(self) -> list[Member]:
        """Everybody in the group. What they say of themselves is as of the last sharing."""
        admin = AIOKafkaAdminClient(**self._client)
        doing = f"describe the group {self._group}"
        try:
            await bounded(admin.start(), self._timeout, doing)
            (answer,) = await bounded(admin.describe_consumer_groups([self._group]), self._timeout, doing)
        finally:
            await quietly(admin.close(), 1.0)
        return [found for group in answer.groups for one in group[5] if (found := _told(one)) is not None]

    async def leave(self) -> None:
        """Leave the group; the others share anew at once."""
        ticking, self._ticking = self._ticking, None
        if ticking is not None:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)
        self._give_up()
        await self._exit()

    # What the group says

    def sharing(self) -> bytes:
        """What to say of ourselves in a join request."""
        held = () if self._is_expired() else tuple(sorted(self._ours))
        return msgspec.json.encode(msgspec.structs.replace(self._me, held=held))

    def shared(self, assigned: Iterable[int], since: int) -> None:
        """A sharing gave us these."""
        self._me = msgspec.structs.replace(self._me, since=since)
        self._ours = frozenset(assigned)
        if self._ours != self._seen:
            _log.info("assigned partitions %s", sorted(self._ours) or "none")
            self._changed.set()

    def pause(self) -> None:
        """Let no data through."""
        if self._consumer is not None:
            self._consumer.pause(*self._consumer.assignment())

    # Coming, going, sleeping

    async def _enter(self) -> None:
        consumer = AIOKafkaConsumer(
            **self._client,
            group_id=self._group,
            client_id=f"rogatory-{self._me.where}".replace(" ", "-"),
            enable_auto_commit=False,
            auto_offset_reset="latest",
            session_timeout_ms=int(self._session * 1000),
            heartbeat_interval_ms=max(100, int(self._session * 1000 / 6)),
            max_poll_interval_ms=_LONG,  # the group is not polled for data, and so is always idle
            rebalance_timeout_ms=int(self._session * 1000),
            partition_assignment_strategy=(_Assignor(self, self._topic, self._partitions),),
        )
        consumer.subscribe([self._topic], listener=_Listener(self))
        self._consumer = consumer
        try:
            await bounded(consumer.start(), self._timeout, f"join the group {self._group}")
        except BaseException:
            await self._exit()
            raise

    async def _exit(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await quietly(consumer.stop(), min(5.0, self._timeout))

    async def _return(self) -> None:
        """Become a member again after a pause, as one that holds nothing."""
        await self._exit()
        self._alive = time.monotonic()
        self._expired = False
        await self._enter()

    async def _tick(self) -> None:
        while True:
            self._is_expired()
            await asyncio.sleep(self._session / 20)

    def _is_expired(self) -> bool:
        """Whether this process has slept for longer than the session, and others may hold what it held."""
        now = time.monotonic()
        slept, self._alive = now - self._alive, now
        if slept > self._session and not self._expired and self._ticking is not None:
            _log.warning("woke after %.0f s: giving partitions %s up", slept, sorted(self._ours) or "none")
            self._expired = True
            self._give_up()
        return self._expired

    def _give_up(self) -> None:
        self._ours = frozenset()
        if self._seen:
            self._changed.set()


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    def __init__(self, assignment: KafkaAssignment) -> None:
        self._assignment = assignment

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Nothing ends before the new sharing is known."""

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Nothing is to be fetched."""
        del assigned
        self._assignment.pause()


class _Assignor:
    """What the group's protocol asks of an assignor, for one member.

    aiokafka's own are classes without state; what it calls are these four names, and an object has them as well.
    """

    name = "rogatory.1"

    def __init__(self, assignment: KafkaAssignment, topic: str, partitions: int) -> None:
        self._assignment = assignment
        self._topic = topic
        self._partitions = partitions

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What to say when joining."""
        return ConsumerProtocolMemberMetadata(0, sorted(topics), self._assignment.sharing())

    def assign(
        self, cluster: object, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """The sharing, made by the member that leads."""
        del cluster
        told = [msgspec.structs.replace(_said(m.user_data), id=id_) for id_, m in members.items()]
        given = share(told, self._partitions)
        since = str(1 + max((m.since for m in told), default=0)).encode()
        if not any(0 in held for held in given.values()):
            _log.error("partition 0 waits: no member of the group has a log key")
        return {
            id_: ConsumerProtocolMemberAssignment(0, [(self._topic, list(held))], since) for id_, held in given.items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """What the sharing gave to this member."""
        since = assignment.user_data or b"0"
        self._assignment.shared((tp.partition for tp in assignment.partitions()), int(since))


def _said(user_data: bytes | None) -> Member:
    """What a member says of itself; who says nothing that we understand gets its part like anybody."""
    try:
        return msgspec.json.decode(user_data or b"{}", type=Member)
    except msgspec.MsgspecError:
        return Member()


def _told(described: tuple[Any, ...]) -> Member | None:
    """A member of a described group: id, (instance,) client, host, what it said, what it was given."""
    id_, host, metadata, assigned = described[0], *described[-3:]
    try:
        said = _said(ConsumerProtocolMemberMetadata.decode(metadata).user_data)
        given = ConsumerProtocolMemberAssignment.decode(assigned).partitions()
    except (ValueError, IndexError, LogError):
        return None  # it is only just joining
    held = tuple(sorted(tp.partition for tp in given))
    return msgspec.structs.replace(said, id=id_, where=said.where or host.lstrip("/"), held=held)
