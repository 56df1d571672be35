"""What moves records: the registrar, the herald, and the loop that replays the ledger into projections.

May import ``ledger`` and ``projections``; knows logs and files only by their ports.
"""
