"""Fuzzing of every parser: what comes from outside is read, or refused by the domain error, in a time that stays small.

``targets`` and ``files`` name each parser with a property that must hold of any bytes, ``guided`` lets coverage lead
(atheris, on Linux x86-64), ``mutator`` makes inputs from dice alone, everywhere.  ``findings/<target>/`` keeps what was
once wrong.

``python -m tests.fuzz TARGET --seconds 600`` or ``python -m tests.fuzz --all --seconds 600``.
"""
