"""The steps by which a store's database comes to the newest schema; run by ``projections/migrating.py``.

A step is a module in ``versions/`` that stands by itself: it names its tables as they were then, and never changes.
"""
