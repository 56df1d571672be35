"""The confidentiality of materials: who holds what since when, how it is kept, who opened and used it, what outlives.

One *region* per material and holder, in the request in which the material was supplied.  It begins when the holder
sends or receives the material, and goes ``unhandled`` → ``handled`` → ``disposed`` (returned, destroyed) or ``erased``
(content key destroyed).  Closing the request and the end of an instrument change nothing in it::

    for access in accesses(case, "m-1"):
        access.verdict, access.reason      # "not_allowed", "not_listed"

==================  ===================================================================================
module              says
==================  ===================================================================================
``region.py``       what was done with a material at a holder, and how it was kept at a moment
``opening.py``      whether each access was allowed, and why (not)
``holding.py``      the degree asked and the degree held, over time
``using.py``        whether a use had the purpose it was given for, or consent
``conditions.py``   conditions of the supplying side, and whether each was kept
``summary.py``      a material as one flat row, for a table
==================  ===================================================================================

The texts fix no scale, no measures and no end (Agr. 9, 7(2), 15(3); Order 3.3; Prot. 4): what is our choice is said
where it is made.  Nothing here reads sealed content.
"""

from projections.compliance.materials.opening import Access, accesses
from projections.compliance.materials.region import Region, regions
from projections.compliance.materials.summary import Holding, Material, summaries

__all__ = ["Access", "Holding", "Material", "Region", "accesses", "regions", "summaries"]
