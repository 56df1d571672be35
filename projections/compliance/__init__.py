"""The projection ``compliance``: what the law asked of each act, whether it was done, and what shows it.

Facts first, judgement after.  ``CaseFold`` (``fold.py``) keeps a subject's *case file* (``facts.py``) and knows no law.
``judge`` (``judge.py``) reads a case file, the register (``register.py``) and the rulebook (``rulebook.py``), and
nothing else, no clock either: what time alone will change is a timeline of steps (``verdict.py``).

The law is data: instruments as TOML profiles (``instruments/``) that bind rule kinds (``kinds/``) to parties,
articles, parameters and readings (``readings.py``).  ``docs/law.md`` says how the texts became rules.
"""
