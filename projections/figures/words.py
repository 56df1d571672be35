"""Lines of figures in words: the title of a tag.

A tag is words divided by blanks; each is of a closed vocabulary, or a name (an instrument, an office, a state), which
stands as it is.  The same word may say different things in different figures::

    said("M1", "out extradition")       out, extradition
    said("M7", "legislation full")      legislation, in full
    said("M13", "in treaty")            in, by treaty
    said("M25.signed", "treaty")        treaty
    said("M26.days", "applied to declined")
"""

from __future__ import annotations

from collections.abc import Mapping

from projections.figures.sheet import UNKNOWN

WORDS: Mapping[str, str] = {
    "in": "in", "out": "out", UNKNOWN: "not known", "other": "other", "unnamed": "none named",
    # kinds of requests
    "extradition": "extradition", "mla": "legal assistance in criminal matters",
    "transfer_sentenced": "transfer of sentenced persons", "transfer_mental": "transfer for compulsory treatment",
    "transfer_prosecution": "transfer of prosecution", "search_person": "search for persons", "asset": "property",
    "law_enforcement": "law-enforcement assistance", "admin_offence": "administrative offences",
    "direct_exchange": "direct exchange", "general_cooperation": "general co-operation", "initiative": "initiative",
    # whose step it is
    "requesting": "the requesting side", "requested": "the requested side", "supplying": "the supplying side",
    "nobody": "nobody",
    # outcomes, refusals
    "granted": "granted", "partial": "in part", "full": "in full", "not_executed": "not executed",
    "refused": "refused", "answered": "answered", "initiative_accepted": "initiative accepted",
    "initiative_declined": "initiative declined", "sovereignty": "sovereignty", "security": "security",
    "essential_interest": "essential interests", "legislation": "legislation",
    "international_obligation": "international obligations", "consulted": "consulted before",
    "not_consulted": "not consulted before",
    # persons, prosecutions, execution
    "treaty": "by treaty", "reciprocity": "by reciprocity", "interpol": "through Interpol",
    "directorate": "through the coordinating units", "taken_over": "taken over", "concluded": "concluded",
    "convicted": "convicted", "acquitted": "acquitted", "discontinued": "discontinued", "measure": "measure",
    "interview": "interview", "search_seizure": "search or seizure", "expert": "expert opinion",
    "video_hearing": "hearing by video", "records": "records obtained", "inspection": "inspection",
    "served": "served", "not_found": "addressee not found",
    # property and costs
    "funds": "funds", "real_estate": "real estate", "movable": "movables", "digital": "digital assets",
    "state": "to a state", "company": "to companies", "person": "to persons", "agreed": "with an agreement",
    "not_agreed": "without an agreement",
    # direct contact
    "o1": "o1, information on crime", "o2": "o2, experience", "o3": "o3, working meetings",
    "o4": "o4, legislation and supervision", "p1": "p1, information on crime", "p2": "p2, experience",
    "p3": "p3, meetings", "p4": "p4, legislation", "p5": "p5, other assistance", "none": "none of the list",
    "organised_crime": "organised crime", "terrorism_extremism": "terrorism and extremism", "drugs": "drugs",
    "digital_assets": "digital assets", "ict_crime": "crime by information technology", "minors": "minors",
    "environment": "environment", "direct": "direct", "diplomatic": "diplomatic", "misrouted": "misrouted",
    "forwarded": "forwarded",
    # meetings and contacts
    "held": "held", "cancelled": "cancelled", "working": "working meeting", "consultation": "consultation",
    "conference": "conference", "seminar": "seminar", "training": "training", "visit": "visit", "own": "own",
    "partner": "the partner's", "notified": "told to the own coordinating unit",
    # treaties
    "agreement": "agreement", "protocol": "protocol", "memorandum": "memorandum", "programme": "programme",
    "principle": "principle", "proposed": "proposed", "negotiating": "in negotiation", "applied": "applied for",
    "declined": "declined", "invited": "invited", "initialled": "initialled", "signed": "signed",
    "running": "running", "finished": "finished", "to": "to",
    # materials, consent
    "sent": "sent", "received": "received", "open": "open", "restricted": "restricted",
    "confidential": "confidential", "strict": "strict", "returned": "returned", "destroyed": "destroyed",
    "asked": "asked",
    # records
    "in_time": "within 24 h", "late": "later",
}  # fmt: skip
"""What a word of a tag says, unless its figure has another use for it."""

_ELSEWHERE: Mapping[tuple[str, str], str] = {
    **{(part, "treaty"): "treaty" for part in ("M25.signed", "M25.force", "M25.new")},
    ("M21", "refused"): "acceptance refused",
    ("M24.told", "forwarded"): "told to the other Party",
}
"""What it says in some parts instead."""
_NAMED = frozenset({"M2", "M23.place", "M23.programme", "M24.changes", "M27.events", "M34"})
"""Parts whose tags are names: of acts, states, programmes, offices."""


def said(part: str, tag: str) -> str:
    """The title of a line of a part; empty where the part has one line alone."""
    if part in _NAMED or not tag:
        return tag
    words = [_ELSEWHERE.get((part, word)) or WORDS.get(word, word) for word in tag.split(" ")]
    return (" " if part == "M26.days" else ", ").join(words)


def said_state(partner: str | None) -> str:
    """A partner; None: all of them, empty: no single one."""
    if partner is None:
        return "all partners"
    return partner or "no single partner"
