"""The long campaign: every service as a process of its own, as an office runs it, killed and paused at any moment.

``python -m tests.campaign --seed 7 --actions 1000`` runs one and says what it did; a short one is in ``make test``, a
long one in ``make soak``, figures are in ``docs/faults.md``.  What the smaller campaigns beside it do at chosen writes
is done here at random moments, to the real command lines, on a real broker and a real PostgreSQL that are killed too.
"""
