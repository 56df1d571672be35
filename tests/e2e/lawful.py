"""Two requests of RU-OMS for the commands that ask the law.

``ORAL`` is an urgent oral request that nobody confirmed (Agr. 6(2)); in ``GRADED`` a material was received under
confidentiality, handled, and opened by somebody who is on the list and by somebody who is not (Order 3.3, Agr. 9(1)).
"""

from __future__ import annotations

from typing import Any

ORAL = "request/2025-000201"
GRADED = "request/2025-000202"
SECRET = "s3cr3t-substance"

_CONTENT: dict[str, Any] = {
    "kind": "mla", "direction": "out", "partner": "KZ", "requesting": "RU-OMS", "requested": "KZ-PGO",
    "substance": SECRET, "purpose_text": SECRET, "grounds": SECRET, "assistance": SECRET,
    "purposes": [{"purpose": "criminal_case", "case": "c-1"}], "legal_basis": ["ru-kz-2009"],
}  # fmt: skip
_MATERIAL: dict[str, Any] = {
    "material": "m-1", "sort": "document", "supplier": "KZ-PGO", "supplied_as": "answer",
    "under_confidentiality": True, "purposes": [{"purpose": "criminal_case", "case": "c-1"}], "title": SECRET,
    "ciphertext_sha256": "00" * 32, "lang": "ru", "from": "KZ-PGO", "channel": "directorate",
}  # fmt: skip
_HELD = {"material": "m-1", "holder": "RU-OMS"}


def line(subject: str, type_: str, time: str, **data: Any) -> dict[str, Any]:
    """An event as a line of a file of events."""
    return {"subject": subject, "type": type_, "time": time, "data": data}


def opened(person: str, time: str) -> dict[str, Any]:
    """An access to the material."""
    return line(GRADED, "material.accessed", time, **_HELD, person=person, how="viewed", purpose="criminal_case")


STORY: list[dict[str, Any]] = [
    line("register", "act.issued", "2022-03-10T12:00:00+03:00", act="ru-order-136", number="136", date="2022-03-10",
         binds=["RU-OMS"], carries_out="ru-kz-2009-ap-2022"),
    line("register", "role.assigned", "2020-01-01T12:00:00+06:00", office="RU-OMS", person="p-1", role="head",
         valid_from="2020-01-01", basis=SECRET),
    line(ORAL, "request.spoken", "2025-03-03T10:00:00+06:00", **_CONTENT, channel="directorate", means="phone",
         urgency=SECRET),
    line(GRADED, "request.signed", "2025-04-01T10:00:00+06:00", **_CONTENT, signer="p-1", signer_role="head",
         signature="ink", lang="ru"),
    line(GRADED, "request.sent", "2025-04-01T11:00:00+06:00", channel="directorate", means="post",
         translations=["ru"], **{"from": "RU-OMS", "to": "KZ-PGO"}),
    line(GRADED, "material.received", "2025-04-20T10:00:00+06:00", **_MATERIAL),
    line(GRADED, "handling.set", "2025-04-20T11:00:00+06:00", **_HELD, grade="restricted", custodian="p-2",
         access=["p-2"], measures=["locked"]),
    opened("p-2", "2025-04-21T09:00:00+06:00"),
    opened("p-9", "2025-04-22T09:00:00+06:00"),
]  # fmt: skip

CONFIRMATION = line(
    ORAL, "request.confirmed", "2025-03-05T09:00:00+06:00", **_CONTENT, signer="p-1", signer_role="head", means="post",
)  # fmt: skip
"""Within three days of the oral request; its ``confirms`` has to name that."""
