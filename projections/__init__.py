"""What is known: folds of the ledger's records and the store that keeps their rows.

Folds are pure; ``store.py`` alone speaks SQL.  May import ``ledger``.
"""
