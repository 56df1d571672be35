"""One synthetic year of an office: signed acts of requests, meetings, contacts and reports, by a seed.

The same year, seed, scale and knobs give the same bytes on every machine.  What is told is invented: persons, amounts
and texts are random, private keys are derived from the seed and so worth nothing.  Breaches of the law are planted by
knobs, and each is written beside the stream with the verdict that it deserves (``truth.py``); what a rule says of them
is not known here, so that the one can be held against the other.

::

    year = Year(Parameters.default(year=2025, seed=7))
    for signed in year.stream():        # in the order in which an office would have recorded them
        signed.value, signed.admitted

================  ======================================================================
``parameters``    the knobs, with their defaults and the ground of each
``chance``        random draws that are the same on every machine
``places``        offices, states and instruments
``keys``          signing and content keys, derived from the seed
``story``         one subject: its acts and what is planted in it
``requests``      how a request begins; kinds and their shares
``central``       requests through the Main Directorate, by kind
``exchanges``     direct exchanges, initiatives, general co-operation
``oral``          urgent requests by word of mouth
``refusals``      refusals, partial and whole
``materials``     supply, handling, access, use, conditions
``register``      offices, roles, contacts, instruments, disputes before and in the year
``calendar``      meetings, annual reports, checks, reviews
``breaches``      which breaches and near misses are planted in which cases
``truth``         the side file
``spool``         acts that are still to come, on disk
``stream``        merges the stories by time, seals and signs
================  ======================================================================
"""
