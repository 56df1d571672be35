"""What if: what the rulebook would say if one more act were recorded. Pure; nothing is stored and nothing is sent.

::

    act = drafted(file, name="request.answered", office="RU-OMS", claimed=ms, admitted=now, data=data)
    for change in what_if(subject, file, register, rulebook, act, as_of=now):
        change.was, change.becomes        # "open", "met"

The draft goes the way of a real act: its data are kept as those of a case file (of a sealed field only whether it is
filled), and the whole subject is judged with it and without it.
"""

from __future__ import annotations

from msgspec import Raw

from projections.compliance.case import CaseAct
from projections.compliance.changes import Change, compare
from projections.compliance.facts import Act, CaseFile
from projections.compliance.judge import judge
from projections.compliance.reading import keep
from projections.compliance.register import SUBJECT, LegalRegister, touched
from projections.compliance.rulebook import Rulebook


def drafted(
    file: CaseFile,
    *,
    name: str,
    event_id: str,
    office: str,
    claimed: int,
    admitted: int,
    data: Raw,
    actor: str = "",
) -> Act:
    """A draft as the next act of a file. Its index is a guess: who knows what else the partition will have by then.

    Args:
        file: of its subject, as known.
        name: of the event type, without prefix and version.
        event_id: its id.
        office: whose event it is.
        claimed: when the act happened or shall happen, ms.
        admitted: when it would be recorded, ms.
        data: JSON of the event's data, sealed fields sealed.
        actor: person inside the office.

    Raises:
        msgspec.ValidationError: the data are not those of that event type.
    """
    index = max((act.index for act in file.acts), default=-1) + 1
    seq = max((act.seq for act in file.acts), default=0) + 1
    return Act(name, event_id, index, seq, office, claimed, admitted, (), keep(name, data), actor)


def what_if(
    subject: str, file: CaseFile, register: LegalRegister, rulebook: Rulebook, draft: Act, as_of: int
) -> list[Change]:
    """What the findings of a subject would be with one more act, where they would differ.

    Args:
        subject: its name.
        file: its case file, as known.
        register: as known.
        rulebook: the rules.
        draft: the act (``drafted``).
        as_of: the moment at which verdicts are compared, ms.
    """
    grown = CaseFile((*file.acts, draft))
    later = LegalRegister(grown, register.own) if subject == SUBJECT else register
    before = judge(subject, file, register, rulebook)
    after = judge(subject, grown, later, rulebook)
    return compare(before.findings, after.findings, as_of)


def touches(draft: Act) -> frozenset[str]:
    """The entries of the register that a draft about the register would touch (``register.py``)."""
    return touched([CaseAct(SUBJECT, draft)])
