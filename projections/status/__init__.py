"""The projection ``status``: where each request stands, and who owes the next step since when.

``StatusFold`` (``fold.py``) makes ``StatusFacts`` (``facts.py``).  What is expected of a request in which
state is a table, ``lifecycle.py``; what waits for an answer, ``items.py``; persons and property,
``tracks.py``; what was out of order, ``remarks.py``.  Deadlines and duties are not judged here.
"""

from __future__ import annotations

from projections.status.facts import StatusFacts
from projections.status.fold import StatusFold

__all__ = ["StatusFacts", "StatusFold"]
