"""Rule kinds: fourteen small families of checks, each a pure function of (case, register, rule).

A profile's rule names its kind and, where a kind has several checks, the check::

    kind = "ordering"
    check = "consultation_before_refusal"

which is ``@check("ordering", "consultation_before_refusal")``.  A check yields findings, none where it has no trigger;
it knows parameters and readings from the rule, and neither article nor treaty by name.  So another treaty with a duty
of the same kind is another profile.

==================  ===============================================================================================
kind                asks
==================  ===============================================================================================
``deadline``        was it done within a term that the text numbers
``lag``             how long did it take, where the text has no number
``ordering``        did one act come before another
``required_fields`` does it say everything that it must
``routing``         did it go the way that it must
``authority``       did somebody act who may
``grade_floor``     was the degree of confidentiality kept that was asked for
``purpose_limit``   was it used for what it was given for
``closed_list``     is it one of those that the text lists
``validity``        was the instrument in force
``survival``        was a duty kept that outlives its occasion
``cost``            did the one bear a cost who must
``coverage``        was it done for every one for whom it must be
``information``     what is there to know, where the text sets no measure
==================  ===============================================================================================

Checks of a kind that are about different things stand in modules by what they are about (``contacts``, ``refusal``).
"""

from projections.compliance.kinds import (
    acts,
    answered,
    basis,
    closed_list,
    confirmation,
    contacts,
    cost,
    grade_floor,
    handling,
    imported,
    in_force,
    instruments,
    meetings,
    ordering,
    purpose_limit,
    refusal,
    required_fields,
    routing,
    signer,
    survival,
    units,
    written_form,
    yearly,
)

__all__ = [
    "acts", "answered", "basis", "closed_list", "confirmation", "contacts", "cost", "deadline",
    "grade_floor", "handling", "imported", "in_force", "instruments", "meetings", "ordering",
    "purpose_limit", "refusal", "required_fields", "routing", "signer", "survival", "units", "written_form",
    "yearly",
]  # fmt: skip
