"""Figures M1-M36 by partner: what is counted, out of which records, and the questions asked of it.

``posting.py`` says what a posting is, ``counting.py`` makes those of one subject out of its case file, ``book.py``
keeps them and their sums in the store, ``queries.py`` answers; ``catalogue.py`` names every figure and says how its
postings come to a number.
"""
