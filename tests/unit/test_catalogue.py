"""The catalogue has every type with exactly its fields, and takes what it should and nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ledger import catalogue, ids
from ledger.catalogue import base, blocks
from ledger.catalogue.base import Act, Data, EventType, sealed_pointers, types_by_name
from ledger.catalogue.describe import FieldNote, describe, describe_all, describe_fields
from ledger.catalogue.upcast import STEPS, upcast
from ledger.errors import FormatError, UnknownVersion

BLOCKS = {
    "RC": "kind direction partner requesting requested substance§ purpose_text§ grounds§ purposes assistance§"
    " other?§ legal_basis forms? area? topics? degree? answer_by? links? court_ruling?",
    "RC-IF-ANY": "kind? direction? partner? requesting? requested? substance?§ purpose_text?§"
    " grounds?§ purposes? assistance?§ other?§ legal_basis? forms? area? topics? degree? answer_by?"
    " links? court_ruling?",
    "MT": "material sort supplier supplied_as under_confidentiality degree? conditions? purposes title§"
    " pages? bytes? ciphertext_sha256 lang",
    "CT": "contact office surname§ name§ patronymic?§ no_patronymic? post§ phone§ email§",
    "MEETING": "sort place partners offices planned programme? topics? agenda?§",
}
"""``?`` optional, ``§`` sealed, everything else required and clear."""

REGISTER = """
office.registered: office party sort name_ru name_en? tz border direct_since? valid_from valid_to? basis
key.granted: office kid public_key alg use possession valid_from valid_to?
key.revoked: kid reason effective
role.assigned: office person role valid_from valid_to? basis§
role.ended: office person role effective
contact.designated: CT replaces? effective
contact.changed: CT changed effective
contact.notified: office contact version means
contact.forwarded: versions to means
contact.received: contacts from changes_of? effective?
coordinator.changed: party unit_old unit_new effective instrument
coordinator.notified: change to
act.issued: act number date binds carries_out?
act.published: act outlet date where
act.acquainted: act office persons?
instrument.staged: instrument stage parties kind date
instrument.signed: instrument date parties kind profile_sha256 supplements? amends? succeeds?
instrument.entered: instrument date until? between?
notice.received: instrument from received sent?
instrument.ended: instrument date between? cause
instrument.released: instrument duties date basis§
rulebook.adopted: version sha256 profiles valid_from
dispute.opened: dispute instrument article question§ requests?
dispute.resolved: dispute means outcome§
"""
REQUEST = """
request.signed: RC signer signer_role signature lang
request.spoken: RC channel means urgency§
request.confirmed: RC confirms signer signer_role means
request.scoped: scope decided_by reason§
request.sent: channel from to means translations no_translation_reason? original?
request.received: RC-IF-ANY channel from to signer? signer_role? translations
request.forwarded: from to why
request.returned: to why
information.requested: from to what§ groups?
information.supplied: answers what§ groups? translations?
authenticity.doubted: of why§ asked_of
authenticity.answered: answers authentic means
request.accepted: executing
consultation.held: about with means outcome?§
condition.proposed: condition sort detail?§ until? materials?
condition.answered: condition accepted
condition.lifted: condition
refusal.decided: scope ground parts?§ no_consultation_reason?§ decided_by
refusal.notified: decision written reason§ to
request.executed: outcome materials?
request.answered: outcome channel written to materials? final
request.withdrawn: why?§
request.closed: outcome
request.reopened: why§
cost.incurred: cost money what incurred_by borne_by
cost.agreed: costs? scope borne_by share written
person.located: person state date via
person.detained: person date state basis
person.released: person date why
decision.granted: what person? asset? date authority§
person.handedover: person date from to what
prosecution.takenover: case date state
prosecution.concluded: case date outcome
measure.performed: measure count date for_kind
document.served: documents person? date result
asset.traced: asset sort state money? holder?§
asset.restrained: asset money measure date until?
asset.released: asset money date why
asset.confiscated: asset money date court?§
asset.returned: asset money date to recipient?§
material.sent: MT to channel
material.received: MT from channel
degree.requested: materials degree by
handling.set: material holder grade custodian access measures law_limit?§ why?§
downgrade.allowed: materials to by
access.granted: material holder persons basis
access.withdrawn: material holder persons
material.accessed: material holder person how purpose
material.used: material by purpose case? public? what?§
material.disclosed: material to purpose case? public?
consent.requested: materials purposes of
consent.answered: answers? granted materials purposes by written until?
material.disposed: material holder how date
incident.reported: material holder sort discovered what§
"""
ELSEWHERE = {
    "request register": "content.erased: scope ids kids why",
    "meeting": """
        meeting.proposed: MEETING
        meeting.held: MEETING held_from held_to participants
        meeting.cancelled: why?§
        meeting.reported: report_sha256 to
    """,
    "year": """
        annualreport.submitted: office year separate_block memo_ref contacts proposals nil figures_sha256?
        annualreport.received: office report
        control.performed: offices how from to findings
    """,
    "review year": "practicereview.submitted: year to_role cites proposals sha256",
    "review": "query.asked: projection subjects? parameters§ as_of position rows export_sha256? why?§",
    " ".join(ids.SORTS): """
        finding.disposed: rule evidence disposition why§
        record.corrected: target how fields? why§
    """,
}
OWN = {
    "register.opened", "rules.adopted", "authority.replaced", "logkey.replaced", "fork.settled",
    "submissions.reopened", "partition.rebuilt", "poison.skipped", "step.taken",
}  # fmt: skip


def read_rows(text: str) -> dict[str, set[str]]:
    rows = {}
    for line in text.strip().splitlines():
        name, _, fields = line.strip().partition(": ")
        marked = [part for word in fields.split() for part in BLOCKS.get(word, word).split()]
        rows[name] = set(marked)
        assert len(rows[name]) == len(marked), name
    return rows


SORTED = {"register": REGISTER, "request": REQUEST} | ELSEWHERE
EXPECTED = {name: fields for text in SORTED.values() for name, fields in read_rows(text).items()}
COMMON = {"act_of?", "received_on?", "note?§", "doc?§"}
BOX = {"s": 1, "key": "0" * 32, "filled": True, "box": "AAAA", "commit": "A" * 43 + "="}
EMPTY_BOX = BOX | {"filled": False}
CONTENT: dict[str, Any] = {
    "kind": "mla", "direction": "out", "partner": "KZ", "requesting": "RU-OMS", "requested": "KZ-PGO",
    "substance": BOX, "purpose_text": BOX, "grounds": BOX, "assistance": BOX,
    "purposes": [{"purpose": "criminal_case", "case": "c-1"}], "legal_basis": ["cis-mla-1993"],
}  # fmt: skip
SIGNED = CONTENT | {"signer": "p-1", "signer_role": "head", "signature": "ink", "lang": "ru"}
SENT = {"channel": "direct", "from": "RU-OMS", "to": "KZ-MTP", "means": "post", "translations": ["kk"]}
ARRIVED = {"channel": "direct", "from": "KZ-MTP", "to": "RU-OMS", "translations": ["ru"]}
CONTACT = {
    "contact": "c-1", "office": "RU-OMS", "surname": BOX, "name": BOX,
    "post": BOX, "phone": BOX, "email": BOX,
}  # fmt: skip
DESIGNATED = CONTACT | {"effective": "2022-03-24"}


def row(name: str) -> EventType:
    return catalogue.known(f"rogatory.{name}.v1")


def decode(name: str, data: object) -> Data:
    return catalogue.decode_data(row(name), json.dumps(data).encode())


def refusal(name: str, data: object) -> str:
    with pytest.raises(FormatError) as by_bytes:
        decode(name, data)
    with pytest.raises(FormatError) as by_members:
        catalogue.convert_data(row(name), data)  # type: ignore[arg-type]
    assert str(by_bytes.value) == str(by_members.value)
    return str(by_bytes.value)


def marks(notes: tuple[FieldNote, ...]) -> set[str]:
    return {f"{n.name}{'' if n.required else '?'}{'§' if n.sealed else ''}" for n in notes}


def test_there_are_ninety_types_and_our_own() -> None:
    assert len(EXPECTED) == 90
    assert {r.name for r in types_by_name().values()} == set(EXPECTED) | OWN


@pytest.mark.parametrize("name", EXPECTED)
def test_type_has_exactly_its_fields(name: str) -> None:
    assert marks(describe(row(name)).fields) == EXPECTED[name] | COMMON


@pytest.mark.parametrize("sorts", SORTED)
def test_types_stand_in_their_subjects(sorts: str) -> None:
    for name in read_rows(SORTED[sorts]):
        assert row(name).sorts == tuple(sorts.split())


def test_members_of_blocks_are_exactly_these() -> None:
    found = {cls.__name__: marks(describe_fields(cls)) for cls in Data.__subclasses__() if cls is not Act}
    assert {name: fields for name, fields in found.items() if row_of(name) is None} == {
        "Money": {"amount", "currency"},
        "StatedPurpose": {"purpose", "case?"},
        "Degree": {"scale", "value"},
        "Forms": {"order?", "protocol?", "agreement?"},
        "Link": {"request", "relation"},
        "CourtRuling": {"date", "court§"},
        "PublicSource": {"evidence§", "checked"},
        "Contact": set(BLOCKS["CT"].split()),
        "ProfileDigest": {"instrument", "sha256"},
        "NamedKey": {"kid", "public_key"},
        "Predecessor": {"ledger", "checkpoints"},
    }


def row_of(class_name: str) -> EventType | None:
    return next((r for r in types_by_name().values() if r.data.__name__ == class_name), None)


def test_a_contact_has_the_same_members_alone_and_as_an_act() -> None:
    alone = {f.name: f.type for f in msgspec.structs.fields(blocks.Contact)}
    as_act = {f.name: f.type for f in msgspec.structs.fields(blocks.ContactAct)}
    assert as_act == alone | {f.name: f.type for f in msgspec.structs.fields(Act)}


def test_the_content_of_an_arrival_is_the_content_of_a_request_but_optional() -> None:
    full = {f.name: f.type for f in msgspec.structs.fields(blocks.RequestContent)}
    maybe = {f.name: f.type for f in msgspec.structs.fields(blocks.RequestContentIfAny)}
    assert maybe == {name: hint | base.UnsetType for name, hint in full.items()}


def test_every_type_cites_something_and_says_what_it_means() -> None:
    for note in describe_all():
        assert note.cites.strip(), note.name
        assert note.meaning.endswith("."), note.name
        assert note.meaning != Act.__doc__, note.name


def test_the_treaty_rows_do_not_rest_on_our_choice() -> None:
    ours = {n.name for n in describe_all() if n.cites == "our choice"} - OWN
    assert ours == {
        "key.granted", "key.revoked", "request.returned", "condition.lifted", "request.withdrawn",
        "request.closed", "request.reopened", "finding.disposed", "record.corrected", "person.released",
        "document.served", "material.disposed", "content.erased", "meeting.cancelled", "query.asked",
    }  # fmt: skip


def test_no_clear_field_takes_any_text() -> None:
    for note in describe_all():
        for field in note.fields:
            if field.form == "object" and not field.sealed:
                assert (note.name, field.name) == ("record.corrected", "fields")


def test_free_form_names_the_types_with_free_json() -> None:
    assert {n.name for n in describe_all() for f in n.fields if f.form == "object" and not f.sealed} == (
        catalogue.FREE_FORM
    )


def test_a_known_type_is_found_and_an_unknown_one_is_not() -> None:
    assert catalogue.find("rogatory.request.sent.v1") is row("request.sent")
    assert catalogue.find("rogatory.request.sent.v2") is None
    with pytest.raises(UnknownVersion):
        catalogue.known("rogatory.request.sent.v2")


def test_data_becomes_its_struct() -> None:
    data = decode("request.sent", SENT | {"original": True})
    assert isinstance(data, catalogue.requests.RequestSent)
    assert (data.from_, data.to, data.original, data.note) == ("RU-OMS", "KZ-MTP", True, base.UNSET)
    assert catalogue.convert_data(row("request.sent"), SENT | {"original": True}) == data


def test_data_inside_a_larger_event_is_read_in_place() -> None:
    raw = msgspec.Raw(json.dumps(SENT).encode())
    assert catalogue.decode_data(row("request.sent"), raw) == decode("request.sent", SENT)


@pytest.mark.parametrize("member", ["substance", "purpose_text", "grounds", "assistance"])
def test_empty_sealed_content_of_a_request_is_accepted(member: str) -> None:
    data = decode("request.signed", SIGNED | {member: EMPTY_BOX})
    assert not getattr(data, member).filled


@pytest.mark.parametrize(
    ("member", "empty"),
    [("requesting", ""), ("requested", ""), ("purposes", []), ("legal_basis", []), ("signer", "")],
)
def test_empty_clear_content_of_a_request_is_accepted(member: str, empty: object) -> None:
    assert getattr(decode("request.signed", SIGNED | {member: empty}), member) == empty


@pytest.mark.parametrize("member", CONTENT)
def test_missing_content_of_a_request_is_refused(member: str) -> None:
    data = {name: value for name, value in SIGNED.items() if name != member}
    assert f"expected the member `{member}`, found none" in refusal("request.signed", data)


def test_an_arrival_carries_all_of_the_content_or_none() -> None:
    assert not decode("request.received", ARRIVED).has_content
    assert decode("request.received", ARRIVED | CONTENT).has_content
    assert "`direction`" in refusal("request.received", ARRIVED | {"kind": "mla"})
    assert "`kind`" in refusal("request.received", ARRIVED | {"topics": ["drugs"]})


def test_a_contact_has_a_patronymic_or_says_that_there_is_none() -> None:
    decode("contact.designated", DESIGNATED | {"patronymic": BOX})
    decode("contact.designated", DESIGNATED | {"patronymic": EMPTY_BOX})
    decode("contact.designated", DESIGNATED | {"no_patronymic": True})
    for wrong in ({}, {"no_patronymic": False}, {"patronymic": BOX, "no_patronymic": True}):
        assert "found both or neither" in refusal("contact.designated", DESIGNATED | wrong)


def test_contacts_of_the_other_party_are_held_to_the_same() -> None:
    data = {"contacts": [CONTACT | {"no_patronymic": True}, CONTACT], "from": "KZ-DIC"}
    assert refusal("contact.received", data).startswith("contact.received at $.contacts[1]: expected either")


def test_empty_fields_of_a_contact_are_accepted() -> None:
    boxes = dict.fromkeys(("surname", "name", "patronymic", "post", "phone", "email"), EMPTY_BOX)
    decode("contact.designated", DESIGNATED | boxes)


def test_a_notice_of_termination_without_a_day_of_receipt_is_accepted() -> None:
    data = {"instrument": "ru-kz-2009", "from": "KZ", "received": ""}
    assert decode("notice.received", data).received == ""
    assert "`received`" in refusal("notice.received", {"instrument": "ru-kz-2009", "from": "KZ"})


def test_a_form_outside_the_lists_is_accepted() -> None:
    data = decode("request.signed", SIGNED | {"forms": {"order": ["none"], "protocol": ["p5"]}, "area": "other"})
    assert data.forms.order == ["none"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("request.sent", SENT | {"to": 7}, "request.sent at $.to: expected `str`, found `int`"),
        ("request.sent", SENT | {"note": "told"}, "request.sent at $.note: expected `object`, found `str`"),
        ("request.sent", SENT | {"note": None}, "request.sent at $.note: expected `object`, found `null`"),
        (
            "request.sent",
            SENT | {"original": None},
            "request.sent at $.original: expected `bool`, found `null`",
        ),
        ("request.sent", SENT | {"original": 1}, "request.sent at $.original: expected `bool`, found `int`"),
        ("request.sent", [], "request.sent at $: expected `object`, found `array`"),
        (
            "request.sent",
            SENT | {"channel": "pigeon"},
            "request.sent at $.channel: expected one of direct, directorate, interpol, diplomatic, ",
        ),
        (
            "request.sent",
            SENT | {"Ivanov": 1},
            "request.sent at $: expected only members of its type, found another",
        ),
        (
            "consent.requested",
            {"materials": [], "purposes": [{"purpose": "training"}, {"purpose": "fun"}], "of": "KZ-PGO"},
            "consent.requested at $.purposes[1].purpose: expected one of criminal_case, extradition,",
        ),
        (
            "annualreport.received",
            {"office": "ru-oms", "report": "e-1"},
            "annualreport.received at $.office: expected `str` matching regex",
        ),
        (
            "request.reopened",
            {"why": BOX | {"s": 2}},
            "request.reopened at $.why.s: expected one of 1, found another value",
        ),
    ],
)
def test_a_refusal_says_where_what_was_expected_and_what_kind_was_found(name: str, data: object, message: str) -> None:
    assert refusal(name, data).startswith(message)


@pytest.mark.parametrize(
    "data",
    [
        SENT | {"Ivan Ivanov": 1},
        SENT | {"x - at `$.Ivanov`": 1},
        SENT | {"channel": "Ivanov"},
        SENT | {"channel": "x' - at `$.Ivanov`"},
        SENT | {"means": "Ivan Ivanov"},
        SENT | {"note": "Ivanov"},
        SENT | {"note": BOX | {"Ivanov": "Ivanov"}},
        SENT | {"note": BOX | {"box": "Ivanov "}},
        SENT | {"translations": ["ru", "Ivan Ivanov"]},
    ],
)
def test_a_refusal_never_repeats_what_it_found(data: object) -> None:
    assert "Ivan" not in refusal("request.sent", data)


@pytest.mark.parametrize("box", ["A", "AA", "AAA", "AAAAA", "AB==", "AAB=", "A===", "AA=A", "AAAA\n", "AA AA", "я"])
def test_a_box_that_is_not_canonical_base64_is_refused(box: str) -> None:
    assert "$.note" in refusal("request.sent", SENT | {"note": BOX | {"box": box}})


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b'{"to":"\xff"}', b'{"to":"\\ud800"}', b"{}x", b"null", b"nan"])
def test_bytes_that_are_no_json_object_are_refused(raw: bytes) -> None:
    with pytest.raises(FormatError, match=r"^request\.accepted at \$"):
        catalogue.decode_data(row("request.accepted"), raw)


def test_free_json_nested_without_end_is_refused() -> None:
    raw = b'{"target":"e","how":"replace","why":' + json.dumps(BOX).encode() + b',"fields":' + b'{"a":' * 100_000
    with pytest.raises(FormatError):
        catalogue.decode_data(row("record.corrected"), raw)


@pytest.mark.parametrize("name", ["Прокуратура Омской области", "№ 136", "Генеральная прокуратура РФ (ГП)"])
def test_public_names_may_be_in_any_script(name: str) -> None:
    assert msgspec.convert(name, base.PublicText) == name


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "\u202egnp", "a\u2028b", "\ud800", "\x85", "x" * 257])
def test_public_names_have_no_control_characters_and_an_end(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(name, base.PublicText)


@pytest.mark.parametrize("subject", ["register", "request/2025-1", "year/2025", "review/RU-PGO/2025-01-01", "ledger/0"])
def test_queries_name_subjects_of_every_sort(subject: str) -> None:
    assert msgspec.convert(subject, base.SubjectText) == subject


@pytest.mark.parametrize(
    "subject", ["", "request/", "request/a/b", "year/25", "other/1", "register/1", "request/" + "a" * 121]
)
def test_queries_name_no_other_subjects(subject: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(subject, base.SubjectText)


def test_sealed_fields_inside_blocks_are_known_as_sealed() -> None:
    assert ("court_ruling", "court") in sealed_pointers(row("request.signed").data)
    assert ("public", "evidence") in sealed_pointers(row("material.used").data)
    assert ("contacts", "*", "surname") in sealed_pointers(row("contact.received").data)


def test_a_note_on_a_type_names_forms_words_and_members() -> None:
    note = describe(row("material.used"))
    assert (note.type, note.cites, note.sorts) == ("rogatory.material.used.v1", "Agr. 9(3)", ("request",))
    fields = {f.name: f for f in note.fields}
    assert fields["by"] == FieldNote("by", required=True, sealed=False, form="office")
    assert fields["what"] == FieldNote("what", required=False, sealed=True, form="text", plain=str)
    assert "criminal_case" in fields["purpose"].words
    assert [(m.name, m.sealed) for m in fields["public"].members] == [("evidence", True), ("checked", False)]
    lists = {f.name: f.form for f in describe(row("consent.answered")).fields}
    assert (lists["materials"], lists["purposes"]) == ("list of opaque id", "list of StatedPurpose")


# A type gets a second version: request.returned says "reason" for "why", and whether papers came back too.


class RequestReturnedV2(Act):
    to: base.OfficeText
    reason: base.Token
    papers: bool


NEWER = EventType("request.returned", 2, RequestReturnedV2, ("request",), "our choice")


def reason_for_why(data: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in data.items() if name != "why"}
    return rest | {"reason": data["why"], "papers": False}


def test_an_older_version_becomes_the_newer_one() -> None:
    older = {"to": "KZ-PGO", "why": "language"}
    newest, data = upcast(
        row("request.returned"),
        older,
        steps={("request.returned", 1): reason_for_why},
        types={NEWER.type: NEWER},
    )
    assert newest is NEWER
    assert catalogue.convert_data(newest, data) == RequestReturnedV2(to="KZ-PGO", reason="language", papers=False)
    assert older == {"to": "KZ-PGO", "why": "language"}


def test_the_newest_version_stays_as_it_is() -> None:
    data = {"to": "KZ-PGO", "reason": "language", "papers": True}
    assert upcast(NEWER, data, steps={("request.returned", 1): reason_for_why}) == (NEWER, data)


def test_a_step_to_a_version_that_is_not_declared_is_our_own_fault() -> None:
    with pytest.raises(AssertionError, match="not declared"):
        upcast(row("request.returned"), {"why": "language"}, steps={("request.returned", 1): reason_for_why})


def test_no_type_has_a_second_version_yet() -> None:
    assert not STEPS
    assert {r.version for r in types_by_name().values()} == {1}
