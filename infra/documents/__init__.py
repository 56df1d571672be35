"""Documents of ``projections/reports`` as files: HTML (jinja2) and DOCX (python-docx); reading a file's imprint again.

The same document gives the same bytes on every machine, so that the digest that an event states can be made again:
nothing is stamped with the time of its making.
"""
