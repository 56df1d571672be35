"""The port to assignment: which partitions this process is to admit, out of all that are willing.

Assignment saves work, nothing rests on it.  Admission is a pure function of the submissions and every append is
compared with what stands there, so two processes that hold one partition for a while write the *same* records; a
partition that nobody holds waits.  What an adapter promises is therefore little, and all of it about time:

Liveness
    A member that died, or that was cut off for longer than the session, is left out, and what it held is given to
    others, as soon as anybody looks.  A member that leaves hands over at once.
Fairness
    ``share`` decides, from what each member says of itself.  It gives equal numbers and moves as little as it can.
Honesty
    ``holds`` turns False at the latest when this process wakes from a pause longer than the session: others have
    taken over meanwhile, so it gives up before it goes on.
Overlap
    ``ours`` may name a partition that another process is only just ending with.  ``released`` says when this one
    has ended; an adapter that can wait for that does.

Adapters live in ``infra/adapters`` (a consumer group of Kafka, locks in a ledger folder); the suite in
``tests/contracts/assignment_contract.py`` holds both to this.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import msgspec

SESSION = 15.0
"""Seconds after which a member that is silent has lost what it held, unless it is told otherwise."""
_ROUNDS = 8  # of sharing, until it settles; more than two were never seen


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """What a member says of itself."""

    id: str = ""
    where: str = ""
    """Host and process, for people."""
    log_key: bool = False
    """Whether it can attest register records; without, it never gets partition 0."""
    standby: bool = False
    """Whether it waits for others to go away, following what they hold."""
    since: int = 0
    """When it was given what it holds, as a number that grows with each sharing; the latest claim counts."""
    held: tuple[int, ...] = ()
    warm: dict[int, int] = {}
    """Partitions whose state it keeps following, with the submissions it has come to."""
    stopped: dict[int, str] = {}
    """Partitions that it holds and cannot go on with, and why."""


class Assignment(Protocol):
    """This process's part in the sharing. One task owns it; ``holds`` may be asked by any task of its loop."""

    async def join(self) -> None:
        """Become a member. Raises LogUnavailable or LogSettings."""
        ...

    async def ours(self, wait: float) -> frozenset[int]:
        """The partitions to work on now; returns when they change, or after ``wait`` seconds.

        Raises:
            LogUnavailable: whoever keeps the assignment does not answer; what was held may be worked on.
            LogSettings: the group or folder must not be used.
        """
        ...

    def holds(self, partition: int) -> bool:
        """Whether to go on with ``partition``: asked before each batch, costs nothing."""
        ...

    async def released(self, partition: int) -> None:
        """Work on a partition that is no longer ours has ended, and its state is closed."""
        ...

    async def tell(self, warm: Mapping[int, int], stopped: Mapping[int, str]) -> None:
        """What others should know of this member, from now on."""
        ...

    async def members(self) -> list[Member]:
        """Everybody who takes part, as far as it can be seen; without joining, too. Raises LogUnavailable."""
        ...

    async def leave(self) -> None:
        """Hand everything over and be no member any more; leaving twice is harmless."""
        ...


def share(members: Collection[Member], partitions: int) -> dict[str, tuple[int, ...]]:
    """Who is to hold what, by member id.

    Every member comes to the same answer from the same members.  Partition 0 goes only to who has a log key, so it
    stays unassigned if nobody has one.  Who holds a partition keeps it while it has no more than its equal part.
    A standby gets nothing as long as others hold what there is; a partition whose holder has gone goes to the one
    that follows it, and from then on it counts like the others.
    """
    present = sorted(members, key=lambda member: member.id)
    if not present:
        return {}
    last: dict[str, tuple[int, ...]] | None = None
    for _ in range(_ROUNDS):
        given = _once(present, partitions)
        if given == last:
            break
        last = given
        present = [msgspec.structs.replace(m, held=given[m.id], since=1) for m in present]
    return last or {}


def _once(members: Sequence[Member], partitions: int) -> dict[str, tuple[int, ...]]:
    claims = _claims(members, partitions)
    keeper = _keeper(members, claims)
    orphans = [p for p in range(partitions) if p not in claims and (p or keeper)]
    active = _active(members, claims, orphans, keeper)
    room = _quotas(active, claims, keeper, partitions if keeper else partitions - 1)
    given: dict[str, list[int]] = {m.id: [] for m in members}

    def give(member: Member, partition: int) -> None:
        given[member.id].append(partition)
        room[member.id] -= 1

    if keeper:
        give(keeper, 0)
    rest = []
    for partition in range(1, partitions):
        holder = claims.get(partition)
        if holder is not None and room.get(holder.id, 0) > 0:
            give(holder, partition)
        else:
            rest.append(partition)
    for partition in rest:
        free = [m for m in active if room[m.id] > 0]
        give(max(free, key=lambda m: (m.warm.get(partition, -1), room[m.id])), partition)
    return {id_: tuple(sorted(held)) for id_, held in given.items()}


def _claims(members: Sequence[Member], partitions: int) -> dict[int, Member]:
    """Who holds each partition by what they say; the latest claim counts."""
    claims: dict[int, Member] = {}
    for member in members:
        for partition in member.held:
            best = claims.get(partition)
            able = partition > 0 or member.log_key
            if able and 0 <= partition < partitions and (best is None or member.since > best.since):
                claims[partition] = member
    return claims


def _keeper(members: Sequence[Member], claims: Mapping[int, Member]) -> Member | None:
    """Who is to hold partition 0."""
    if 0 in claims:
        return claims[0]
    able = [m for m in members if m.log_key]
    if not able:
        return None
    held = [h.id for h in claims.values()]
    return max(able, key=lambda m: (m.warm.get(0, -1), not m.standby, -held.count(m.id)))


def _active(
    members: Sequence[Member], claims: Mapping[int, Member], orphans: Sequence[int], keeper: Member | None
) -> list[Member]:
    """Those who share: who is no standby, who holds something, and who follows what nobody holds."""
    chosen = {m.id for m in members if not m.standby} | {h.id for h in claims.values()}
    for partition in orphans:
        warm = [m for m in members if partition in m.warm]
        if warm and not any(m.id in chosen for m in warm):
            chosen.add(max(warm, key=lambda m: m.warm[partition]).id)
    if chosen and keeper:
        chosen.add(keeper.id)
    return [m for m in members if m.id in chosen] or list(members)


def _quotas(
    active: Sequence[Member], claims: Mapping[int, Member], keeper: Member | None, partitions: int
) -> dict[str, int]:
    """How many each of them gets: equal parts; what is over goes to who holds most already."""
    held = [h.id for h in claims.values()]
    least, over = divmod(max(0, partitions), len(active))
    order = sorted(active, key=lambda m: (least == 0 and m is not keeper, -held.count(m.id), -len(m.warm)))
    return {m.id: least + (place < over) for place, m in enumerate(order)}
