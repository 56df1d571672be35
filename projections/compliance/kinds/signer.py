"""Who signed a request in writing (kind ``authority``).

The roles that may sign, and those of which the text is silent, are the profile's (``signers``,
``signers_undetermined``).  Whether the person held such a role at the requesting body on the day of signing (in that
body's zone) is the register's: of the own Party it is complete, so a role that is not there was not held; of another it
may simply not be known.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from projections.compliance.case import CaseAct, evidence
from projections.compliance.kinds.base import Asked, check
from projections.compliance.register import RoleEntry, local_day
from projections.compliance.requests import PENDING, day, is_written, requesting, written_text
from projections.compliance.takes import Takes
from projections.compliance.verdict import Finding, Verdict

_DOUBTFUL: tuple[Verdict, str] = ("undetermined", "role_doubtful")
_WRONG: tuple[Verdict, str] = ("breached", "wrong_role")


@check("authority", "signer", takes=Takes(requests=("signers",)))
def signer(asked: Asked) -> Iterator[Finding]:
    """A request in writing is signed by one who may; one that is only spoken awaits its signature."""
    case = asked.case
    text = written_text(case, asked.register)
    spoken = case.first("request.spoken")
    if text is not None and is_written(text.act):
        yield _signed(asked, text.act)
    elif text is None and spoken is not None:
        if case.closed is None and case.withdrawn is None:
            yield asked.finding(
                "open", "only_spoken", rests_on=spoken, bound=requesting(case, spoken), values=_shown(asked, None)
            )
    elif case.acts:
        act = case.acts[0] if text is None else text.act
        yield asked.finding(
            "undetermined", "signature_unknown", rests_on=act, bound=requesting(case, act), values=_shown(asked, None),
            missing="signature of the request",
        )  # fmt: skip


def _signed(asked: Asked, act: CaseAct) -> Finding:
    requests = asked.profile.requests
    office, person, role = requesting(asked.case, act), act.get("signer"), act.get("signer_role")
    values = _shown(asked, act)
    if role is None or (not person and role in requests["signers"]):
        return asked.finding(
            "undetermined", "signer_unknown", rests_on=act, bound=office, values=values, missing="signer of the request"
        )
    if role not in requests["signers"]:
        doubtful = role in requests.get("signers_undetermined", ())
        verdict, reason = _DOUBTFUL if doubtful else _WRONG
        return asked.finding(verdict, reason, rests_on=act, bound=office, values=values)
    return _by_role(asked, act, values)


def _by_role(asked: Asked, act: CaseAct, values: dict[str, str]) -> Finding:
    register, signers = asked.register, asked.profile.requests["signers"]
    office, person, role = requesting(asked.case, act), act.data.signer, act.data.signer_role
    entries = register.roles(office, person)
    signed_on = local_day(register, act, office)
    held = _held(entries, role, signers, signed_on)
    own = register.party(office) == register.own
    if held is None and not entries and not own:
        return asked.finding(
            "undetermined", "role_unknown", rests_on=act, bound=office, values=values,
            missing=f"role of {person} at {office}",
        )  # fmt: skip
    if held is None:
        records = [record for entry in entries for record in entry.acts]
        return asked.finding(
            "breached", "role_not_held", rests_on=evidence(act, records), bound=office, values=values, at=act.time
        )
    acts = evidence(act, held.acts)
    if act.get("signature") == "electronic" and not own:
        return asked.finding("undetermined", "electronic", rests_on=acts, bound=office, values=values, at=act.time)
    late = any(record.admitted > act.admitted for record in held.acts[:1])
    return asked.finding(
        "met", "role_held", rests_on=acts, bound=office, values={**values, "role": held.role},
        marks=("retroactive",) if late else (), at=act.time,
    )  # fmt: skip


def _held(entries: list[RoleEntry], role: str, allowed: list[str], on: date) -> RoleEntry | None:
    """An entry by which the person held a role that may sign: the stated one, else another such."""
    held = [entry for entry in entries if entry.role in allowed and entry.held_on(on)]
    return next((entry for entry in held if entry.role == role), held[0] if held else None)


def _shown(asked: Asked, act: CaseAct | None) -> dict[str, str]:
    if act is None:
        return {"role": PENDING, "office": PENDING, "signed": PENDING}
    office, role = requesting(asked.case, act), act.get("signer_role")
    return {"role": str(role or PENDING), "office": office, "signed": day(asked.register, act, office)}
