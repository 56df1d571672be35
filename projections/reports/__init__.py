"""Generated documents: the annual information of an office (Order 3.6) and the practice review (Order 4.3).

Pure: ``document.py`` says what a document is made of, ``annual.py`` and ``review.py`` assemble the two of them from
answers of ``projections/figures`` and ``projections/compliance``, ``notes.py`` says what each figure rests on,
``words.py`` holds their words in English and Russian, and ``imprint.py`` what a file says of itself.  HTML and DOCX are
made of a document by ``infra/documents``.
"""
