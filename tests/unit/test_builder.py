"""What a caller gets wrong fails at the caller, with the field's name; what is sealed never leaves in clear."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ledger.catalogue import blocks, materials, requests
from ledger.catalogue import register as family
from ledger.catalogue.base import Data, Sealed
from ledger.catalogue.own import StepTaken
from ledger.errors import FieldError
from ledger.event import MAX_EVENT_BYTES, parse_event
from ledger.ids import LedgerId
from ledger.sealing import Place, field_key, open_field
from ledger.signature import EVENT_PAYLOAD, verify
from producers.builder import Draft, Sender, Signed, build, compartment_of, format_time, row_of
from tests.keys import Signer, seed_of

LEDGER = LedgerId("test." + "0" * 32)
NOW = 1_740_974_400_123
KEY = Signer("RU-OMS")


class DictVault:
    """Content keys that follow from their place."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def key_for(self, subject: str, compartment: str) -> bytes:
        self.asked.append((subject, compartment))
        return seed_of(f"{subject} {compartment}")

    def find(self, key_id: str) -> bytes | None:
        raise AssertionError(f"building asked for {key_id}")

    def destroy(self, subject: str, compartment: str) -> list[str]:
        raise AssertionError(f"building destroyed {subject} {compartment}")


def built(data: Data, *, vault: DictVault | None = None, signers: tuple[Signer, ...] = (KEY,), **draft: Any) -> Signed:
    sender = Sender(LEDGER, "RU-OMS", signers, vault)
    return build(Draft(**{"subject": "request/1", "id": "e-1", "data": data, **draft}), sender, NOW)


def said(signed: Signed) -> dict[str, Any]:
    return json.loads(signed.value)


ACCEPTED = requests.RequestAccepted(executing="RU-OMS")
SENT = requests.RequestSent(channel="direct", from_="RU-OMS", to="KZ-MTP", means="post", translations=["kk"])


def signed_request(**changes: Any) -> requests.RequestSigned:
    fields: dict[str, Any] = {
        "kind": "mla", "direction": "out", "partner": "KZ", "requesting": "RU-OMS", "requested": "KZ-MTP",
        "substance": "установить свидетеля", "purpose_text": "цель", "grounds": "дело № 7", "purposes": [],
        "assistance": "допросить", "legal_basis": ["ru-kz-2009"], "signer": "p-1", "signer_role": "head",
        "signature": "ink", "lang": "ru",
    }  # fmt: skip
    return requests.RequestSigned(**{**fields, **changes})


# What comes out


def test_an_event_is_built_signed_and_ready_to_submit() -> None:
    made = built(ACCEPTED, actor="p-7", expectedseq=3, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    assert said(made) == {
        "specversion": "1.0",
        "id": "e-1",
        "source": "office/RU-OMS",
        "type": "rogatory.request.accepted.v1",
        "subject": "request/1",
        "time": "2025-03-03T04:00:00.123Z",
        "datacontenttype": "application/json",
        "ledger": LEDGER,
        "data": {"executing": "RU-OMS"},
        "actor": "p-7",
        "expectedseq": 3,
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
    }
    parse_event(made.value)
    (signature,) = made.signatures
    assert verify(KEY.public_key, signature.value, EVENT_PAYLOAD, made.value)


def test_a_message_has_the_subject_as_key_and_a_header_for_each_signature() -> None:
    made = built(ACCEPTED, signers=(KEY, Signer("RU-OMS", "2")))
    message = made.message()
    assert (message.key, message.value) == (b"request/1", made.value)
    assert [name for name, _ in message.headers] == ["content-type", "signature", "signature"]
    assert message.headers[0] == ("content-type", b"application/cloudevents+json")
    assert message.headers[1][1].startswith(KEY.kid.encode() + b" ")
    assert made.partition(1) == 0


def test_time_and_id_have_defaults() -> None:
    one, two = built(ACCEPTED, id=None), built(ACCEPTED, id=None)
    assert one.id != two.id
    assert one.id[14] == "7"  # UUIDv7, RFC 9562 5.7
    assert said(one)["id"] == one.id
    assert said(built(ACCEPTED, time="2025-03-03T10:00:00+06:00"))["time"] == "2025-03-03T10:00:00+06:00"
    assert format_time(0) == "1970-01-01T00:00:00.000Z"


def test_building_again_gives_the_same_bytes() -> None:
    assert built(signed_request(), vault=DictVault()) == built(signed_request(), vault=DictVault())


def test_members_have_their_names_of_the_wire() -> None:
    data = said(built(SENT))["data"]
    assert data["from"] == "RU-OMS"
    assert "from_" not in data
    assert set(data) == {"channel", "from", "to", "means", "translations"}


# What is sealed


SEALED_FIELDS = {
    "substance": "установить свидетеля",
    "purpose_text": "цель",
    "grounds": "дело № 7",
    "assistance": "допросить",
}


def test_sealed_fields_leave_as_boxes_that_open_in_their_place() -> None:
    vault = DictVault()
    made = built(signed_request(), vault=vault)
    for name, text in SEALED_FIELDS.items():
        assert text.encode() not in made.value
        box = msgspec.convert(said(made)["data"][name], Sealed)
        place = Place(LEDGER, "office/RU-OMS", "e-1", "request/1", "rogatory.request.signed.v1", f"/data/{name}")
        assert open_field(seed_of("request/1 general"), place, box) == text
    assert vault.asked == [("request/1", "general")]


def test_empty_sealed_fields_are_sealed_and_say_so() -> None:
    data = said(built(signed_request(grounds=""), vault=DictVault()))["data"]
    assert data["grounds"]["filled"] is False
    assert data["substance"]["filled"] is True


def test_pointers_of_nested_fields_name_their_index() -> None:
    contacts = [
        blocks.Contact(
            contact=f"c-{n}", office="KZ-MTP", surname=f"surname {n}", name="a", no_patronymic=True, post="b",
            phone="c", email="d",
        )
        for n in range(2)
    ]  # fmt: skip
    data = family.ContactReceived(contacts=contacts, from_="KZ-MTP")
    made = built(data, vault=DictVault(), subject="register")
    for n in range(2):
        box = msgspec.convert(said(made)["data"]["contacts"][n]["surname"], Sealed)
        pointer = f"/data/contacts/{n}/surname"
        place = Place(LEDGER, "office/RU-OMS", "e-1", "register", "rogatory.contact.received.v1", pointer)
        assert open_field(seed_of("register general"), place, box) == f"surname {n}"


def test_members_beside_sealed_ones_are_clear_and_objects_can_be_sealed() -> None:
    data = StepTaken(step="draft created", attributes={"n": 1, "text": "тайна"})
    made = built(data, vault=DictVault())
    assert said(made)["data"]["step"] == "draft created"
    assert "тайна".encode() not in made.value
    box = msgspec.convert(said(made)["data"]["attributes"], Sealed)
    place = Place(LEDGER, "office/RU-OMS", "e-1", "request/1", "rogatory.step.taken.v1", "/data/attributes")
    assert open_field(seed_of("request/1 general"), place, box) == {"n": 1, "text": "тайна"}


def test_a_box_that_is_sealed_already_stays_as_it_is() -> None:
    box = Sealed(s=1, key="0" * 32, filled=True, box="AAAA", commit="A" * 43 + "=")
    made = built(signed_request(**dict.fromkeys(SEALED_FIELDS, box)))
    assert said(made)["data"]["grounds"] == msgspec.to_builtins(box)


def test_materials_and_contacts_have_compartments_of_their_own() -> None:
    assert compartment_of(ACCEPTED) == "general"
    accessed = materials.MaterialAccessed.__struct_fields__
    assert "material" in accessed
    withdrawn = requests.RecordCorrected(target="e-1", how="disown", why="x")
    assert compartment_of(withdrawn) == "general"
    notified = family.ContactNotified(office="RU-OMS", contact="c-1", version="e-1", means="post")
    assert compartment_of(notified) == "contact/c-1"
    vault = DictVault()
    built(
        family.ContactDesignated(
            office="RU-OMS", contact="c-1", surname="a", name="b", no_patronymic=True, post="c", phone="d", email="e",
            effective="2025-01-01",
        ),
        vault=vault,
        subject="register",
    )  # fmt: skip
    assert vault.asked == [("register", "contact/c-1")]


# What is wrong


WRONG_FIELDS: dict[str, tuple[Data, str]] = {
    "a word outside its vocabulary": (
        msgspec.structs.replace(SENT, channel="pigeon"),
        r"request\.sent at \$\.channel: expected one of direct",
    ),
    "an office in lower case": (requests.RequestAccepted(executing="ru-oms"), r"\$\.executing"),
    "a number for text": (requests.RequestAccepted(executing=7), r"\$\.executing: expected `str`, found `int`"),  # type: ignore[arg-type]
    "null": (requests.RequestAccepted(executing=None), r"\$\.executing"),  # type: ignore[arg-type]
    "a wrong item of a list": (msgspec.structs.replace(SENT, translations=["kk", "?"]), r"\$\.translations"),
    "a wrong field of the wire's own name": (msgspec.structs.replace(SENT, from_="x y"), r"\$\.from"),
    "a float in free JSON": (
        requests.RecordCorrected(
            target="e-1", how="replace", fields={"x": 1.5},
            why=Sealed(s=1, key="0" * 32, filled=True, box="", commit="A" * 43 + "=")
        ),
        r"record\.corrected: expected integers",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("data", "match"), WRONG_FIELDS.values(), ids=WRONG_FIELDS)
def test_a_wrong_field_is_named_before_anything_is_signed(data: Data, match: str) -> None:
    with pytest.raises(FieldError, match=match):
        built(data)


WRONG_DRAFTS: dict[str, tuple[dict[str, Any], str]] = {
    "a subject of an unknown sort": ({"subject": "case/1"}, "expected a subject request, found 'case/1'"),
    "a subject of another sort": ({"subject": "register"}, "expected a subject request, found 'register'"),
    "a subject with a blank": ({"subject": "request/a b"}, "well-formed subject"),
    "a long subject": ({"subject": "request/" + "x" * 121}, "well-formed subject"),
    "an id with a blank": ({"id": "a b"}, "well-formed id"),
    "a long id": ({"id": "x" * 65}, "well-formed id"),
    "a time without offset": ({"time": "2025-03-03T10:00:00"}, "well-formed time"),
    "an actor's name": ({"actor": "Иванов И. И."}, "well-formed actor"),
    "a sequence beyond any": ({"expectedseq": 2**70}, "integers within"),
    "a negative sequence": ({"expectedseq": -1}, "well-formed expectedseq"),
    "a trace of another form": ({"traceparent": "x"}, "well-formed traceparent"),
}


@pytest.mark.parametrize(("draft", "match"), WRONG_DRAFTS.values(), ids=WRONG_DRAFTS)
def test_a_wrong_attribute_is_named(draft: dict[str, Any], match: str) -> None:
    with pytest.raises(FieldError, match=f"request.accepted: .*{match}"):
        built(ACCEPTED, **draft)


def test_a_missing_required_field_is_named_by_its_struct() -> None:
    with pytest.raises(TypeError, match="executing"):
        requests.RequestAccepted()  # type: ignore[call-arg]


@pytest.mark.parametrize("count", [0, 5])
def test_one_to_four_keys_sign(count: int) -> None:
    keys = tuple(Signer("RU-OMS", str(n)) for n in range(count))
    with pytest.raises(FieldError, match=f"expected 1 to 4 signers, found {count}"):
        built(ACCEPTED, signers=keys)


def test_a_sealed_field_needs_a_vault_and_its_own_type() -> None:
    with pytest.raises(FieldError, match=r"request\.signed: substance is sealed and needs a vault"):
        built(signed_request())
    with pytest.raises(FieldError, match=r"request\.signed: expected text for grounds, found int"):
        built(signed_request(grounds=7), vault=DictVault())
    with pytest.raises(FieldError, match=r"step\.taken: expected an object for attributes, found str"):
        built(StepTaken(step="x", attributes="text"), vault=DictVault())  # type: ignore[arg-type]


def test_a_text_that_is_too_long_says_what_to_do() -> None:
    with pytest.raises(FieldError, match=f"at most {MAX_EVENT_BYTES} bytes.*give their SHA-256"):
        built(signed_request(substance="я" * 18_000), vault=DictVault())


def test_what_is_no_event_is_refused() -> None:
    assert row_of(SENT).type == "rogatory.request.sent.v1"
    with pytest.raises(FieldError, match="the data of an event type of the catalogue, found Degree"):
        built(blocks.Degree(scale="a", value="b"))


def test_the_field_key_of_one_field_opens_no_other() -> None:
    places = [Place(LEDGER, "office/RU-OMS", "e-1", "request/1", "t", f"/data/{n}") for n in ("a", "b")]
    assert field_key(bytes(32), places[0]) != field_key(bytes(32), places[1])


# What an encoder raises, or a registrar would refuse, fails here with the field's name as well.


@pytest.mark.parametrize("value", ["\ud800", "\ufdd0"])
def test_text_that_json_cannot_say_is_a_field_error_when_sealed(value: str) -> None:
    with pytest.raises(FieldError, match="grounds"):
        built(signed_request(grounds=value), vault=DictVault())


@pytest.mark.parametrize("value", [1.5, 2**60, float("nan")])
def test_numbers_that_json_cannot_say_are_a_field_error_when_sealed(value: Any) -> None:
    with pytest.raises(FieldError, match="attributes"):
        built(StepTaken(step="x", attributes={"n": value}), vault=DictVault())


@pytest.mark.parametrize("draft", [{"actor": "\ud800"}, {"subject": "request/\ud800"}])
def test_attributes_that_json_cannot_say_are_a_field_error(draft: dict[str, Any]) -> None:
    with pytest.raises(FieldError):
        built(ACCEPTED, **draft)


def test_a_value_of_no_json_type_is_a_field_error() -> None:
    with pytest.raises(FieldError, match="executing"):
        built(requests.RequestAccepted(executing=object()))  # type: ignore[arg-type]


@pytest.mark.parametrize("subject", ["request/", "request/a/b", "request/a+b", "request"])
def test_a_subject_that_admission_refuses_is_a_field_error(subject: str) -> None:
    with pytest.raises(FieldError):
        built(ACCEPTED, subject=subject)


def test_a_text_far_too_long_says_what_to_do_as_well() -> None:
    with pytest.raises(FieldError, match="give their SHA-256"):
        built(signed_request(substance="я" * 30_000), vault=DictVault())
