"""What must hold of a world at rest, whatever happened in it."""

from __future__ import annotations

from hashlib import sha256

from ledger.admission import Admitted, PartitionState, admit, prepare
from ledger.chain import ChainState, Record
from ledger.event import CONTENT_TYPE
from ledger.log import LEDGER, OUTCOMES, SUBMISSIONS, Message, header
from ledger.outcome import outcome_message, read_outcome
from ledger.seal import entry, leaf_hash, read_seal
from ledger.signature import ENTRY_PAYLOAD, format_signature, sign
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, SEAL_HEADER, Receipt, Submission
from producers.receipt import Sealed
from projections.view import PartitionView, Saved
from tests.faults.checks import Told, told
from tests.simulation.disk import FOLD, Rows
from tests.simulation.faults import Faults
from tests.simulation.world import World


class Truth:
    """A partition as admission alone makes it of its submissions, one after the other, by the strict pass."""

    def __init__(self, world: World, partition: int) -> None:
        self.state = PartitionState(world.people.ledger_id, partition)
        self.history: list[Told] = []
        self.outcomes: dict[tuple[int, int], Told] = {}
        self.leaves: list[bytes] = []
        for stored in world.shelf.topics[SUBMISSIONS][partition]:
            prepared = prepare(Submission.of(stored, 0), strict=True)
            decision = admit(self.state, prepared)
            self.state.advance(prepared, decision)
            if isinstance(decision, Admitted):
                self.history.append(_record(world, partition, decision, stored.value or b""))
                self.leaves.append(decision.leaf)
            else:
                message = outcome_message(partition, prepared.submission, decision, max(stored.timestamp, 0))
                self.outcomes[0, stored.position] = _told(message)


def _record(world: World, partition: int, decision: Admitted, value: bytes) -> Told:
    headers = [(CONTENT_TYPE_HEADER, CONTENT_TYPE), (SEAL_HEADER, decision.seal_text)]
    if partition == 0 and decision.subject == "register":
        attest = sign(world.people.log_key, ENTRY_PAYLOAD, entry(decision.seal_text, value))
        headers.append((ATTEST_HEADER, format_signature(attest)))
    return _told(Message(decision.subject.encode(), value, tuple(headers), decision.seal.admitted))


def _told(message: Message) -> Told:
    return message.timestamp, message.key, message.value, message.headers


def check(world: World) -> None:
    """Raises AssertionError with what does not hold."""
    partitions = range(world.setting.partitions)
    truths = [Truth(world, p) for p in partitions]
    for partition, truth in enumerate(truths):
        _check_history(world, partition, truth)
        _check_outcomes(world, partition, truth)
    registers = [truth.state.register for truth in truths]
    assert registers[0] is not None
    assert all(register == registers[0] for register in registers), "the register differs between partitions"
    assert registers[0].version == (2 if world.setting.upgrades else 1), "the adoption was not admitted"
    _check_senders(world, truths)
    _check_rows(world)


def _check_history(world: World, partition: int, truth: Truth) -> None:
    """The first record at each next index is what admission gives; all others are the same again."""
    found: list[Told] = []
    for stored in world.shelf.topics[LEDGER][partition]:
        text = header(stored.headers, SEAL_HEADER) or b""
        index, leaf = read_seal(text).index, leaf_hash(entry(text, stored.value or b""))
        where = f"partition {partition}, position {stored.position}, index {index}"
        assert index <= len(found), f"{where}: ahead of {len(found)}"
        assert index < len(truth.leaves), f"{where}: admission makes no such record"
        assert leaf == truth.leaves[index], f"{where}: another leaf than admission gives"
        if index == len(found):
            found.append(told(stored))
    assert found == truth.history, f"partition {partition}: other records than admission makes"


def _check_outcomes(world: World, partition: int, truth: Truth) -> None:
    """Every submission that did not become a record has its outcome, and no other one has any."""
    found: dict[tuple[int, int], Told] = {}
    for stored in world.shelf.topics[OUTCOMES][partition]:
        key, _ = read_outcome(stored)
        said = found.setdefault((key.epoch, key.offset), told(stored))
        assert said == told(stored), f"partition {partition}: two answers to {key}"
    assert found == truth.outcomes, f"partition {partition}: other outcomes than admission gives"


def _check_senders(world: World, truths: list[Truth]) -> None:
    """What was acknowledged is there; what was answered is true."""
    for case in world.cases:
        assert case.answers, f"{case.ready.id} was never answered"
        for place in case.acknowledged:
            stored = world.shelf.topics[SUBMISSIONS][place.partition][place.offset]
            assert sha256(stored.value or b"").hexdigest() == place.digest, f"{case.ready.id} is not at {place}"
        for place, answer in case.answers:
            truth = truths[place.partition]
            if isinstance(answer, Sealed):
                text = dict(truth.history[answer.index][3])[SEAL_HEADER]
                seal = read_seal(text)
                right = Receipt(
                    place.partition, seal.epoch, seal.offset, seal.index, seal.seq, truth.leaves[seal.index].hex()
                )
                given = Receipt(answer.partition, answer.epoch, answer.offset, answer.index, answer.seq, answer.leaf)
                assert given == right, f"{case.ready.id}: a receipt that is not the record's"
                assert truth.history[answer.index][2] == case.ready.value, f"{case.ready.id}: another's receipt"
            else:
                assert (0, place.offset) in truth.outcomes, f"{case.ready.id} was told of an outcome that is none"


def _check_rows(world: World) -> None:
    """Rows that were followed are the rows that one reader makes anew from the ledger, by digest."""
    made = Rows(Faults.quiet(), world.people.ledger_id)
    for partition in range(world.setting.partitions):
        view: PartitionView[object] = PartitionView(
            FOLD, made.generation, partition, Saved(0, ChainState(partition)), capacity=1000
        )
        messages = world.shelf.topics[LEDGER][partition]
        view.learn(view.missing(messages), {})
        for stored in messages:
            if not isinstance(view.take(stored), Record):
                view.skip(stored)
        batch = view.cut()
        assert batch is not None
        made.commit(batch)
        right = made.digest(partition)
        for number, rows in enumerate(world.rows):
            assert rows.saved(partition) == made.saved(partition), (
                f"rows {number} of partition {partition} stand elsewhere"
            )
            assert rows.digest(partition) == right, f"rows {number} of partition {partition} are not those of a rebuild"
        if world.sqlite is not None:
            digests = world.sqlite.digests(world.setting.partitions)
            assert digests[partition] == right, f"the store's rows of partition {partition} are not those of a rebuild"
