"""The demonstration: offices, a stream of requests with some mistakes in it, and the run that shows what comes of it.

Only ``infra/cli/demo.py`` uses it.  All of it is invented but for the names of public offices.
"""
