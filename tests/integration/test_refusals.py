"""Every refusal is reached from outside, through a real log, and says what was expected, what was found, what to do."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.catalogue.own import RulesAdopted, StepTaken
from ledger.dispositions import MEANING, Disposition
from ledger.errors import FieldError
from ledger.log import OUTCOMES, SUBMISSIONS, Stored
from ledger.outcome import read_outcome
from producers.builder import Draft, Sender, Signed, build
from producers.receipt import Sealed, SubmissionRefused, Submitted
from tests.aio import run
from tests.contracts.log_place import Place
from tests.faults.checks import check_all, everything
from tests.faults.world import COORDINATOR, T0, People, changed, message_of, office
from tests.integration.stage import SOON, Stage, lose_states, stage
from tests.keys import Signer

PARTITIONS = 2
NOW = 4_000_000_000_000  # in 2096
OMS = "RU-OMS"
LATER, OVER, GONE = Signer(OMS, "later"), Signer(OMS, "over"), Signer(OMS, "gone")


class Liar:
    """Has a key's name and not the key."""

    def __init__(self, key: Signer) -> None:
        self.kid, self.public_key = key.kid, key.public_key

    def sign(self, message: bytes) -> bytes:
        return Signer(OMS, "liar").sign(message)


class Attempt(msgspec.Struct, frozen=True):
    """Something that is refused, why, and words of what is expected and found."""

    name: str
    disposition: Disposition
    act: Callable[[Stage], Awaitable[Submitted]]
    expected: str
    found: str


ATTEMPTS: list[Attempt] = []


def refused(disposition: Disposition, expected: str, found: str) -> Callable[[Any], Any]:
    """An attempt of that end; ``expected`` and ``found`` are patterns."""

    def add(act: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
        ATTEMPTS.append(Attempt(act.__name__.strip("_"), disposition, act, expected, found))
        return act

    return add


def step(code: str = OMS, *signers: Any, subject: str = "request/1", **stated: Any) -> Signed:
    """An ordinary event, built by the SDK."""
    return PEOPLE.say(code, subject, StepTaken(step="a step"), *signers, **stated)


PEOPLE = People(PARTITIONS, "refusals")


async def sdk(ledger: Stage, signed: Signed) -> Submitted:
    (submitted,) = await ledger.submit(signed)
    return submitted


async def raw(
    ledger: Stage, value: bytes | None, *signers: Any, key: str | None = "request/1", partition: int | None = None
) -> Submitted:
    made = message_of("request/1", value or b"", *signers)
    home = step().partition(PARTITIONS) if partition is None else partition
    return await ledger.submit_raw(
        home, msgspec.structs.replace(made, key=None if key is None else key.encode(), value=value)
    )


# 2 to 4: what cannot be read


@refused(Disposition.TOO_LARGE, "at most 49152 bytes", "49153 bytes")
async def _more_than_48_kib(ledger: Stage) -> Submitted:
    return await raw(ledger, b" " * 49153)


@refused(Disposition.NOT_JSON, "", "")
async def _half_a_text(ledger: Stage) -> Submitted:
    return await raw(ledger, b'{"specversion":"1.0",')


@refused(Disposition.NOT_JSON, "", "")
async def _no_value_at_all(ledger: Stage) -> Submitted:
    return await raw(ledger, None)


@refused(Disposition.NOT_JSON, "", "")
async def _a_member_twice(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value[:-1] + b',"id":"other"}', PEOPLE.offices[OMS])


@refused(Disposition.NOT_AN_EVENT, "attribute", "")
async def _json_that_is_no_event(ledger: Stage) -> Submitted:
    return await raw(ledger, b"{}")


@refused(Disposition.NOT_AN_EVENT, "only known attributes", "dataschema")
async def _an_attribute_too_many(ledger: Stage) -> Submitted:
    return await raw(ledger, changed(step().value, dataschema="x"), PEOPLE.offices[OMS])


# 5 to 8: what belongs elsewhere


@refused(Disposition.UNKNOWN_TYPE, "catalogue version 1", r"rogatory\.never\.heard\.v1")
async def _a_type_that_nobody_adopted(ledger: Stage) -> Submitted:
    return await raw(ledger, changed(step().value, type="rogatory.never.heard.v1"), PEOPLE.offices[OMS])


@refused(Disposition.WRONG_LEDGER, PEOPLE.ledger_id, "other")
async def _an_event_for_another_ledger(ledger: Stage) -> Submitted:
    other = People(PARTITIONS, "other")
    return await sdk(ledger, other.say(OMS, "request/1", StepTaken(step="x")))


@refused(Disposition.BAD_SUBJECT, "the subject request/1 as the record's key", "request/2")
async def _another_key_than_the_subject(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value, PEOPLE.offices[OMS], key="request/2")


@refused(Disposition.BAD_SUBJECT, "as the record's key", "no key")
async def _no_key(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value, PEOPLE.offices[OMS], key=None)


@refused(Disposition.BAD_SUBJECT, "a subject of the sorts", "thing/1")
async def _a_subject_of_no_sort(ledger: Stage) -> Submitted:
    return await raw(ledger, changed(step().value, subject="thing/1"), PEOPLE.offices[OMS], key="thing/1")


@refused(Disposition.BAD_SUBJECT, r"step\.taken in a subject request", "year/2025")
async def _a_type_in_the_wrong_sort_of_subject(ledger: Stage) -> Submitted:
    return await raw(ledger, changed(step().value, subject="year/2025"), PEOPLE.offices[OMS], key="year/2025")


@refused(Disposition.WRONG_PARTITION, "request/1 in partition [01]", "[01]")
async def _a_client_with_another_partitioner(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value, PEOPLE.offices[OMS], partition=1 - step().partition(PARTITIONS))


# 9 and 10: what is there already, and copies (more of these in test_register_copies.py)


@refused(Disposition.IDENTITY_REUSED, "the same bytes or a new id", "other bytes under this id")
async def _an_id_for_two_events(ledger: Stage) -> Submitted:
    await sdk(ledger, step(subject="request/1", id="used"))
    return await sdk(ledger, PEOPLE.say(OMS, "request/1", StepTaken(step="another step"), id="used"))


@refused(Disposition.BAD_HOME, "register events go to partition 0", "0 home headers")
async def _a_register_event_sent_to_another_partition(ledger: Stage) -> Submitted:
    event = PEOPLE.say(COORDINATOR, "register", office("KZ-A", "other", "KZ"))
    return await ledger.submit_raw(1, event.message())


# 11 to 16: who signs


@refused(Disposition.NO_SIGNATURE, "1 to 4 signatures", "0")
async def _nobody_signs(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value)


@refused(Disposition.NO_SIGNATURE, "1 to 4 signatures", "5")
async def _five_sign(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value, *[PEOPLE.offices[OMS]] * 5)


@refused(Disposition.NO_SIGNATURE, "each kid once", "twice")
async def _one_signs_twice(ledger: Stage) -> Submitted:
    return await raw(ledger, step().value, *[PEOPLE.offices[OMS]] * 2)


@refused(Disposition.UNKNOWN_KEY, "a key of the register", "RU-OMS#")
async def _a_key_that_was_never_enrolled(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(OMS, Signer(OMS, "never")))


@refused(Disposition.FOREIGN_KEY, "a key of RU-SAR", "RU-OMS#")
async def _an_office_that_speaks_for_another(ledger: Stage) -> Submitted:
    return await sdk(ledger, step("RU-SAR", PEOPLE.offices[OMS]))


@refused(Disposition.KEY_NOT_VALID, r"a key valid at \d+", r"RU-OMS#\w+, revoked at \d+")
async def _a_revoked_key(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(OMS, GONE))


@refused(Disposition.KEY_NOT_VALID, r"a key valid at \d+", rf"RU-OMS#\w+, valid from {NOW} to any time")
async def _a_key_before_its_time(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(OMS, LATER))


@refused(Disposition.KEY_NOT_VALID, r"a key valid at \d+", rf"RU-OMS#\w+, valid from {T0} to {T0 + 1}")
async def _a_key_after_its_time(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(OMS, OVER))


@refused(Disposition.BAD_SIGNATURE, "a signature by RU-OMS#.* over these bytes", "another")
async def _a_forger(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(OMS, Liar(PEOPLE.offices[OMS])))


@refused(Disposition.BAD_SIGNATURE, "a signature by RU-OMS#.* over these bytes", "another")
async def _bytes_that_were_changed_on_the_way(ledger: Stage) -> Submitted:
    said = step()
    changed_on_the_way = said.value.replace(b"a step", b"b step")
    return await sdk(ledger, msgspec.structs.replace(said, value=changed_on_the_way))


@refused(Disposition.NOT_ALLOWED, "a sign key of RU-PGO", "a key for another use")
async def _an_authority_that_meddles_with_a_request(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(COORDINATOR, PEOPLE.authorities[0]))


@refused(Disposition.NOT_ALLOWED, "an authority key or one of a coordinating unit", "RU-OMS")
async def _an_office_that_grants_itself_a_key(ledger: Stage) -> Submitted:
    return await sdk(ledger, PEOPLE.say(OMS, "register", PEOPLE.granting(Signer(OMS, "own"))))


@refused(Disposition.NOT_ALLOWED, "2 authority keys", "1")
async def _one_authority_alone(ledger: Stage) -> Submitted:
    return await sdk(ledger, PEOPLE.say(COORDINATOR, "register", RulesAdopted(version=2), PEOPLE.authorities[0]))


# 17 to 19: what it says


@refused(Disposition.BAD_DATA, "", "")
async def _data_of_another_schema(ledger: Stage) -> Submitted:
    return await raw(ledger, changed(step().value, data={"stepp": "x"}), PEOPLE.offices[OMS])


@refused(Disposition.CONTRADICTS_REGISTER, "the kid of an enrolled key", "RU-OMS#")
async def _a_revocation_of_nothing(ledger: Stage) -> Submitted:
    return await sdk(ledger, PEOPLE.say(COORDINATOR, "register", PEOPLE.revoking(Signer(OMS, "never"))))


@refused(Disposition.CONTRADICTS_REGISTER, "a registered office", "BY-MOG")
async def _a_key_for_an_office_that_is_not_there(ledger: Stage) -> Submitted:
    return await sdk(ledger, PEOPLE.say(COORDINATOR, "register", PEOPLE.granting(Signer("BY-MOG"))))


@refused(Disposition.CONTRADICTS_REGISTER, "a key that was never enrolled", "the known kid RU-OMS#")
async def _a_key_granted_twice(ledger: Stage) -> Submitted:
    return await sdk(ledger, PEOPLE.say(COORDINATOR, "register", PEOPLE.granting(PEOPLE.offices[OMS])))


@refused(Disposition.CONTRADICTS_REGISTER, "version 2, the next", "3")
async def _a_version_left_out(ledger: Stage) -> Submitted:
    event = PEOPLE.say(COORDINATOR, "register", RulesAdopted(version=3), *PEOPLE.authorities[:2])
    return await sdk(ledger, event)


@refused(Disposition.SEQUENCE_CONFLICT, r"\d+, the subject's head", "77")
async def _a_decision_on_an_outdated_view(ledger: Stage) -> Submitted:
    return await sdk(ledger, step(expectedseq=77))


# The tests


class Answers(msgspec.Struct, frozen=True):
    """What became of all attempts, made one behind the other on one ledger."""

    refusals: dict[str, SubmissionRefused]
    submissions: dict[tuple[int, int], Stored]
    outcomes: dict[tuple[int, int], Stored]


@pytest.fixture(scope="module")
def answers(shared_place: Place, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return run(_answers(shared_place, tmp_path_factory.mktemp("states")))


async def _answers(place: Place, folder: Path) -> Answers:
    async with stage(place, PEOPLE, folder) as ledger:
        await ledger.open()
        granting = [
            PEOPLE.granting(LATER, valid_from=NOW), PEOPLE.granting(OVER, valid_to=T0 + 1), PEOPLE.granting(GONE)
        ]  # fmt: skip
        await ledger.submit(*(PEOPLE.say(COORDINATOR, "register", data) for data in granting))
        await ledger.settle()
        await ledger.publish(step(OMS, GONE))
        await ledger.publish(PEOPLE.say(COORDINATOR, "register", PEOPLE.revoking(GONE)))
        submitted = {attempt.name: await attempt.act(ledger) for attempt in ATTEMPTS}
        await ledger.settle()
        refusals = {}
        for name, one in submitted.items():
            with pytest.raises(SubmissionRefused) as caught:
                await ledger.publisher.result(one, SOON)
            refusals[name] = caught.value
        topics: dict[str, dict[tuple[int, int], Stored]] = {SUBMISSIONS: {}, OUTCOMES: {}}
        for partition in range(PARTITIONS):
            for stored in await everything(ledger.log, SUBMISSIONS, partition):
                topics[SUBMISSIONS][partition, stored.position] = stored
            for stored in await everything(ledger.log, OUTCOMES, partition):
                topics[OUTCOMES][partition, read_outcome(stored)[0].offset] = stored
        await check_all(ledger.log, PEOPLE.ledger_id, PARTITIONS)
        return Answers(refusals, topics[SUBMISSIONS], topics[OUTCOMES])


def test_no_reason_is_left_out() -> None:
    reached = {attempt.disposition for attempt in ATTEMPTS}
    assert reached == set(Disposition) - {Disposition.ADMITTED, Disposition.DUPLICATE}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda attempt: attempt.name)
class TestARefusal:
    def test_it_names_its_reason_and_number(self, answers: Answers, attempt: Attempt) -> None:
        outcome = answers.refusals[attempt.name].outcome
        assert (outcome.outcome, outcome.n) == ("refused", attempt.disposition)
        assert outcome.reason == attempt.disposition.name.lower().replace("_", "-")

    def test_a_person_reads_what_was_expected_and_found_and_what_to_do(
        self, answers: Answers, attempt: Attempt
    ) -> None:
        error = answers.refusals[attempt.name]
        assert re.search(attempt.expected, error.outcome.expected)
        assert re.search(attempt.found, error.outcome.found)
        assert error.outcome.expected
        said = str(error)
        assert f"refused as {error.outcome.reason}: expected {error.outcome.expected}" in said
        assert f", found {error.outcome.found}. " in said
        assert said.endswith(MEANING[attempt.disposition])

    def test_the_log_keeps_it_with_all_that_was_submitted(self, answers: Answers, attempt: Attempt) -> None:
        error = answers.refusals[attempt.name]
        place = (error.submitted.partition, error.submitted.offset)
        submission, kept = answers.submissions[place], answers.outcomes[place]
        key, outcome = read_outcome(kept)
        assert (key.partition, key.epoch, key.offset) == (place[0], 0, place[1])
        assert outcome == error.outcome
        assert kept.value == submission.value
        assert kept.headers[:-1] == submission.headers
        assert kept.headers[-1][0] == "outcome"


def test_an_identity_reused_names_the_record_that_used_it(answers: Answers) -> None:
    outcome = answers.refusals["an_id_for_two_events"].outcome
    receipt = outcome.receipt
    assert not isinstance(receipt, msgspec.UnsetType)
    original = answers.submissions[receipt.partition, receipt.offset]
    assert b'"used"' in (original.value or b"")
    assert b"a step" in (original.value or b"")


def test_the_sdk_refuses_at_once_what_it_can(tmp_path: Path) -> None:
    sender = Sender(PEOPLE.ledger_id, OMS, (PEOPLE.offices[OMS],))
    for subject, data, signers, words in (
        ("year/2025", StepTaken(step="x"), sender.signers, "expected a subject request, found 'year/2025'"),
        ("request/1", StepTaken(step="x" * 200), sender.signers, "step.taken"),
        ("request/1", StepTaken(step="x"), (), "expected 1 to 4 signers, found 0"),
    ):
        with pytest.raises(FieldError, match=re.escape(words)):
            build(Draft(subject=subject, data=data), msgspec.structs.replace(sender, signers=signers), T0)


def test_before_the_opening_everything_is_refused(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with stage(place, PEOPLE, tmp_path) as ledger:
            await ledger.log.create(PARTITIONS)
            early = step()
            (submitted,) = await ledger.submit(early)
            home = early.partition(PARTITIONS)
            await ledger.registrars[home].drain()
            with pytest.raises(SubmissionRefused, match=r"wrong-ledger.*found an event before register\.opened"):
                await ledger.publisher.result(submitted, SOON)
            await ledger.submit(*PEOPLE.opening())
            await ledger.settle()
            assert (await ledger.publish(early)).original  # what is refused is not reserved
            await check_all(ledger.log, PEOPLE.ledger_id, PARTITIONS)

    run(story())


def test_a_duplicate_gets_the_original_receipt_whatever_happened_since(place: Place, tmp_path: Path) -> None:
    async def first() -> tuple[Sealed, list[Submitted]]:
        async with stage(place, PEOPLE, tmp_path) as ledger:
            await ledger.open()
            original = await ledger.publish(event)
            assert original.original
            await ledger.publish(step(id="later"))
            assert await ledger.publish(event) == again(original)
            revocation = PEOPLE.say(COORDINATOR, "register", PEOPLE.revoking(PEOPLE.offices[OMS]))
            await ledger.publish(revocation)
            assert await ledger.publish(event) == again(original)
            # Not even a signature is looked at: the bytes stand there already.
            unsigned = msgspec.structs.replace(event, signatures=())
            assert await ledger.publish(unsigned) == again(original)
            with pytest.raises(SubmissionRefused, match="key-not-valid"):
                await ledger.publish(step(id="after-the-revocation"))
            return original, await ledger.submit(event, event)

    async def later(original: Sealed) -> None:
        async with stage(place, PEOPLE, tmp_path) as ledger:
            assert await ledger.publish(event) == again(original)
            await check_all(ledger.log, PEOPLE.ledger_id, PARTITIONS)

    event = step(id="the-event")
    original, _ = run(first())
    run(later(original))
    lose_states(tmp_path)
    run(later(original))


def again(original: Sealed) -> Sealed:
    """The same receipt, for a submission that did not become the record itself."""
    return msgspec.structs.replace(original, original=False)
