"""The whole system in one process, on a clock and a scheduler of our own: what a seed does once, it does again.

===========  ====================================================================================
module       holds
===========  ====================================================================================
``loop``     an event loop with virtual time, whose dice say which task runs next; processes that die
``faults``   which write, read or save fails, lags, or is the last one of its process
``log``      a log in memory whose appends may get lost, be there all the same, or come later
``disk``     states and rows that outlive their process, and may come back older than they were
``parts``    registrars, heralds, readers and publishers as processes, and who starts them again
``world``    one seed from the opening of a ledger until nothing moves any more
``truth``    what must hold then
``running``  one seed from its setting to its report
``mutants``  the same parts with a fault built in, each of which must be found
===========  ====================================================================================

``python -m tests.simulation --seed N --trace`` tells what happened in a seed.
"""
