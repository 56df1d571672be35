"""What is said of a subject that a rule or a count fails on: where it happened and of what kind, never its content.

The words of an error may quote a record, so only its kind is kept, with the line of the program that let it out.
"""

from __future__ import annotations

from ledger.errors import JudgementFault


def fault_of(error: Exception, subject: str, seq: int, doing: str) -> JudgementFault:
    """An error as a fault in judging a subject; one that is such a fault already stays.

    Args:
        error: as it was caught.
        subject: whose file was judged.
        seq: of the last record in it.
        doing: what failed: ``rule A7.1``, ``figures``.
    """
    if isinstance(error, JudgementFault):
        return error
    kind, where = type(error).__name__, _line_of(error)
    return JudgementFault(
        f"expected to judge {subject} up to its record {seq}, found {kind} in {doing}{where}: a fault of this release",
        subject=subject, seq=seq, kind=kind, doing=doing,
    )  # fmt: skip


def _line_of(error: Exception) -> str:
    """The line of our own program that is nearest to the error."""
    found, frames = "", error.__traceback__
    while frames is not None:
        name = frames.tb_frame.f_globals.get("__name__", "")
        if name.partition(".")[0] in ("ledger", "projections"):
            found = f" ({name}:{frames.tb_lineno})"
        frames = frames.tb_next
    return found
