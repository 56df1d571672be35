"""Writes the parts of the documentation that are made by running code; everything between two markers is replaced.

==========================  ==========  ==============================================================
file                        marker      made from
==========================  ==========  ==============================================================
``README.md``               bench       ``benchmarks/results.json``, as ``make bench`` leaves it
``docs/life-of-a-record.md`` example    a small ledger of fixed keys and times, admitted and folded here
``docs/law.md``             four        the built-in rulebook (``law_tables.py``)
``docs/figures.md``         figures     the catalogue of figures (``figure_tables.py``)
==========================  ==========  ==============================================================

``python docs/refresh.py`` rewrites them.  The keys of the example come from words that anybody can read below: never
enrol them anywhere.
"""  # noqa: INP001 - a script, not a package

from __future__ import annotations

import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from nacl.signing import SigningKey

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "docs")]

from consumers.herald import make_copy  # noqa: E402 - after the path is set
from infra.adapters.keys import KeyFile, SeedSigner  # noqa: E402
from ledger.admission import Admitted, Decision, PartitionState, admit, prepare  # noqa: E402
from ledger.catalogue import own, register, requests  # noqa: E402
from ledger.catalogue.base import Data  # noqa: E402
from ledger.catalogue.blocks import StatedPurpose  # noqa: E402
from ledger.chain import ChainState, Follower, Head, Record  # noqa: E402
from ledger.event import CONTENT_TYPE  # noqa: E402
from ledger.ids import LedgerId  # noqa: E402
from ledger.log import Message, Stored  # noqa: E402
from ledger.outcome import format_outcome, outcome_of  # noqa: E402
from ledger.partition import partition_of  # noqa: E402
from ledger.register import make_ledger_id  # noqa: E402
from ledger.seal import entry  # noqa: E402
from ledger.signature import ENTRY_PAYLOAD, encode_base64, format_signature, make_kid, sign  # noqa: E402
from ledger.submission import ATTEST_HEADER, CONTENT_TYPE_HEADER, SEAL_HEADER, Submission  # noqa: E402
from producers.builder import Draft, Sender, Signed, build  # noqa: E402
from producers.enrolment import NewKey, grant, named  # noqa: E402
from projections.status import StatusFold  # noqa: E402

import figure_tables  # noqa: E402 # isort: skip
import law_tables  # noqa: E402 # isort: skip

_NAME, _PARTITIONS, _SUBJECT = "assistance", 4, "request/2025-000123"
_START = 1_741_000_000_000  # ms: 2025-03-03T11:06:40Z
_WIDTH = 104


def main() -> None:
    """Rewrite what is between the markers."""
    results = ROOT / "benchmarks" / "results.json"
    if results.exists():
        replace(ROOT / "README.md", "bench", bench_table(json.loads(results.read_bytes())))
    replace(ROOT / "docs" / "life-of-a-record.md", "example", example())
    for marker, text in law_tables.tables().items():
        replace(ROOT / "docs" / "law.md", marker, text)
    for marker, text in figure_tables.tables().items():
        replace(ROOT / "docs" / "figures.md", marker, text)


def replace(path: Path, marker: str, text: str) -> None:
    """Put ``text`` between the markers of a file."""
    before, begin, end, after = split(path, marker)
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")


def between(path: Path, marker: str) -> str:
    """What stands between the markers of a file."""
    said, (_, begin, end, after) = path.read_text(encoding="utf-8"), split(path, marker)
    return said[said.index(begin) + len(begin) : len(said) - len(end) - len(after)].strip("\n")


def split(path: Path, marker: str) -> tuple[str, str, str, str]:
    """A file in four: what is before the markers, the two of them, and what is behind."""
    begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    before, found, rest = path.read_text(encoding="utf-8").partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise SystemExit(f"expected the markers {begin} and {end} in {path}")
    return before, begin, end, after


def bench_table(results: list[dict[str, Any]]) -> str:
    """The figures of ``make bench`` as a table."""
    rows = ["| figure | value | n | against | ratio | goal | met |", "|---|---:|---:|---|---:|---|---|"]
    for r in results:
        ratio = "" if r["ratio"] is None else f"{r['ratio']:.2f}"
        met = {True: "yes", False: "**no**", None: ""}[r["met"]]
        goal = r["goal"].replace("<=", "≤").replace(">=", "≥").replace("<", "&lt;")
        value = f"{r['value']:,.1f}" if r["unit"] in ("µs", "ms") else f"{r['value']:,.0f}"
        rows.append(f"| {r['name']} | {value} {r['unit']} | {r['n']:,} | {r['against']} | {ratio} | {goal} | {met} |")
    return "\n".join(rows)


# The worked example


def _signer(office: str, use: str) -> SeedSigner:
    """A key that everybody knows."""
    key = SigningKey(sha256(f"documentation {office} {use}".encode()).digest())
    public = bytes(key.verify_key)
    kid = make_kid(office, "ed25519", public)
    return SeedSigner(KeyFile(kid, "ed25519", use, encode_base64(public), encode_base64(bytes(key))))


class _OneKey:
    """A vault with one content key for everything."""

    def key_for(self, subject: str, compartment: str) -> bytes:
        return sha256(f"documentation {subject} {compartment}".encode()).digest()

    def find(self, key_id: str) -> bytes | None:
        del key_id
        return None

    def destroy(self, subject: str, compartment: str) -> list[str]:
        del subject, compartment
        return []


class _Partition:
    """A partition in memory: what a registrar does, without a log and without failures."""

    def __init__(self, ledger_id: LedgerId, number: int, log_key: SeedSigner) -> None:
        self.state = PartitionState(ledger_id, number)
        self.records: list[Stored] = []
        self._log_key = log_key

    def submit(self, message: Message) -> Decision:
        at = self.state.offset + 1
        said = Submission(0, at, _START + 1000 * at, message.key, message.value, message.headers)
        prepared = prepare(said)
        decision = admit(self.state, prepared)
        self.state.advance(prepared, decision)
        if isinstance(decision, Admitted):
            headers = [(CONTENT_TYPE_HEADER, CONTENT_TYPE), (SEAL_HEADER, decision.seal_text)]
            if decision.register is not None and self.state.partition == 0:
                made = entry(decision.seal_text, message.value or b"")
                headers.append((ATTEST_HEADER, format_signature(sign(self._log_key, ENTRY_PAYLOAD, made))))
            self.records.append(
                Stored(len(self.records), decision.seal.admitted, message.key, message.value, tuple(headers))
            )
        return decision


def example() -> str:
    """One record on its way, in blocks of text."""
    authority, log_key = _signer("RU-PGO", "authority"), _signer("RU-PGO", "log")
    office, stranger = _signer("RU-OMS", "sign"), _signer("RU-OMS", "nobody enrolled it")
    genesis = _build(
        Sender(LedgerId(_NAME), "RU-PGO", (authority,)),
        "register",
        own.RegisterOpened(
            name=_NAME, partitions=_PARTITIONS, party="RU", authorities=[named(authority)], threshold=1,
            log_keys=[named(log_key)],
        ),
        0,
    )  # fmt: skip
    ledger_id = make_ledger_id(genesis.value, _NAME)
    above, sender = (
        Sender(ledger_id, "RU-PGO", (authority,)),
        Sender(ledger_id, "RU-OMS", (office,), _OneKey()),
    )
    registered = register.OfficeRegistered(
        office="RU-OMS", party="RU", sort="territorial", name_ru="Омская область", tz="Asia/Omsk", border=True,
        valid_from="2022-03-10", basis="order-136",
    )  # fmt: skip
    granted = grant(
        ledger_id, NewKey(office.kid, "ed25519", "sign", office.public_key), office, valid_from=_START - 60_000
    )
    home = _Partition(ledger_id, 0, log_key)
    there = _Partition(ledger_id, partition_of(_SUBJECT, _PARTITIONS), log_key)
    for n, signed in enumerate(
        (genesis, _build(above, "register", registered, 1), _build(above, "register", granted, 2))
    ):
        home.submit(signed.message())
        copy = make_copy(home.records[n])
        assert copy is not None
        there.submit(copy)
    there.submit(_build(sender, _SUBJECT, _received(), 3).message())
    accepted = _build(
        sender, _SUBJECT, requests.RequestAccepted(executing="RU-OMS", note="taken by the second unit"), 4
    )
    decided = there.submit(accepted.message())
    again = there.submit(accepted.message())
    refused = there.submit(
        _build(Sender(ledger_id, "RU-OMS", (stranger,)), _SUBJECT, requests.RequestWithdrawn(), 5).message()
    )
    assert isinstance(decided, Admitted)
    assert not isinstance(again, Admitted)
    assert not isinstance(refused, Admitted)
    follower, facts = _folded(ledger_id, there)
    return "\n\n".join(
        (
            f"*The event* ({len(accepted.value)} bytes; the sealed `note` takes most of them):",
            _block(accepted.value),
            f"*Its submission*, offset 4 of partition {there.state.partition}, key `{_SUBJECT}`:",
            _block(b"signature: " + format_signature(accepted.signatures[0])),
            "*Its seal*, beside the same bytes in topic `ledger`:",
            _block(b"seal: " + decided.seal_text),
            (
                f"*Its leaf* is `{decided.leaf.hex()}`; *its receipt*, stage `Sealed`, says partition "
                f"{decided.receipt.partition}, index {decided.receipt.index}, seq {decided.receipt.seq}, and that leaf."
            ),
            (
                f"*The same bytes again* (offset 5) and *the same office with a key that nobody enrolled* (offset 6), "
                f"keys `{there.state.partition}/0/5` and `{there.state.partition}/0/6` of topic `outcomes`:"
            ),
            _block(
                b"outcome: " + format_outcome(outcome_of(again)), b"outcome: " + format_outcome(outcome_of(refused))
            ),
            "*A copy of the register in the same partition*: the seal of `key.granted`, with `home`:",
            _block(b"seal: " + dict(there.records[2].headers)[SEAL_HEADER]),
            (
                f"*Read and folded*, {follower.state.size} records with the tree's root "
                f"`{follower.state.root().hex()[:16]}…`; the facts of the request, shortened to where it stands:"
            ),
            _block(msgspec.json.encode({name: facts[name] for name in ("state", "ball", "last", "records")})),
        )
    )


def _build(sender: Sender, subject: str, data: Data, number: int) -> Signed:
    return build(Draft(subject=subject, data=data, id=f"example-{number}"), sender, _START + 1000 * number)


def _received() -> requests.RequestReceived:
    return requests.RequestReceived(
        kind="direct_exchange",
        direction="in",
        partner="KZ",
        requesting="KZ-B-01",
        requested="RU-OMS",
        substance="substance of the request",
        purpose_text="what the assistance is needed for",
        grounds="grounds of the request",
        assistance="assistance that is asked for",
        purposes=[StatedPurpose(purpose="crime_analysis")],
        legal_basis=["ru-kz-2009-ap-2022"],
        channel="direct",
        from_="KZ-B-01",
        to="RU-OMS",
        translations=["ru"],
    )


def _folded(ledger_id: LedgerId, partition: _Partition) -> tuple[Follower, dict[str, Any]]:
    follower = Follower(ledger_id, ChainState(partition.state.partition), check_past=True)
    fold, facts, heads = StatusFold(), None, dict[str, Head]()
    for stored in partition.records:
        record = follower.take(stored, heads)
        assert isinstance(record, Record)
        heads[record.subject] = Head(record.seal.seq, record.leaf)
        facts = fold.evolve(facts, record) if record.subject == _SUBJECT else facts
    return follower, msgspec.to_builtins(facts)


def _block(*texts: bytes) -> str:
    """Text for a reader: long hex and base64 cut, lines broken behind commas."""
    shown = []
    for text in texts:
        line = re.sub(r"\b([0-9a-f]{8})[0-9a-f]{24,}\b", r"\1…", text.decode())
        line = re.sub(r'(?<=[" ])([A-Za-z0-9+/]{12})[A-Za-z0-9+/]{30,}={0,2}(?=["\n]|$)', r"\1…", line)
        while len(line) > _WIDTH and (cut := line.rfind(",", 0, _WIDTH)) > 0:
            shown.append(line[: cut + 1])
            line = " " + line[cut + 1 :]
        shown.append(line)
    return "```\n" + "\n".join(shown) + "\n```"


if __name__ == "__main__":
    main()
