"""A reporting year: the annual information of each office and the checks of the Main Directorate."""

from __future__ import annotations

from typing import Literal

from msgspec import field

from ledger.catalogue.base import (
    UNSET,
    Act,
    Count,
    Date,
    Digest,
    EventRef,
    OfficeText,
    Opaque,
    UnsetType,
    Year,
    event,
)


@event("annualreport.submitted", sorts="year", cites="Order 3.6")
class AnnualReportSubmitted(Act):
    """An office submits its annual information, as a block of its yearly memorandum."""

    office: OfficeText
    year: Year
    separate_block: bool
    memo_ref: Opaque
    contacts: Count
    proposals: Count
    nil: bool
    figures_sha256: Digest | UnsetType = UNSET


@event("annualreport.received", sorts="year", cites="Order 3.6")
class AnnualReportReceived(Act):
    """The annual information of an office reaches the Main Directorate."""

    office: OfficeText
    report: EventRef


@event("control.performed", sorts="year", cites="Order 4.1")
class ControlPerformed(Act):
    """The Main Directorate checks how offices keep to the Order."""

    offices: list[OfficeText]
    how: Literal["desk", "visit", "data"]
    from_: Date = field(name="from")
    to: Date
    findings: Count
