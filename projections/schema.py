"""Tables of the projection store.

==============  ==================================  =========================================================
table           one row per                         holds
==============  ==================================  =========================================================
``generations`` build of one fold over one ledger   fold, its version, ledger, ``building``/``live``/``old``
``positions``   generation, partition               next log position and the reader's chain state there
``cases``       generation, partition, subject      head, facts, columns to search by (projection ``cases``)
``history``     the same, and chunk                 256 indices of a long history, written once
``places``      generation, partition, size         the log position behind so many records, every few thousand
``poison``      generation, partition               the record that the fold cannot digest, and since when
==============  ==================================  =========================================================

and those of verdicts and figures, which ``compliance/judging.py`` makes from the rows of ``cases``:

===================  ==============================================  ==============================================
table                one row per                                     holds
===================  ==============================================  ==============================================
``verdicts``         generation, partition, subject, rule, item,     verdict from when until when, who owes it; on
                     step                                            step 0 the whole finding
``judged``           generation, partition, subject                  what it was judged from, digest of the findings
``dependency_sets``  generation, set of entries of the register      its entries, and the round that touched it last
``judging``          generation                                      the round: register seq and rulebook
``tallies``          generation, partition, rule, office, partner,   how many findings come to that rank in the end
                     rank
``postings``         generation, partition, subject, part, item      one contribution to a figure (``figures/``)
``cells``            generation, partner, part, tag, value, month    how many postings there are of these
===================  ==============================================  ==============================================

A subject's head and its facts are one row, not two: both change with every record, so two tables would double
the upserts, the dearest part of a commit.  Each projection has a table of its own name, since its columns differ;
rows of sorts that its fold passes over have no facts.  Indices of records stand in the row while they are fewer than
256 and move to ``history`` in whole chunks, so a long history is not written again with each record.

Hashes are bytes, times ms since 1970-01-01T00:00Z, JSON is text: PostgreSQL's ``jsonb`` would change its spelling,
and digests are over spellings.  Subjects compare by bytes on every database.

What stands here is the newest schema.  A database comes to it by ``migrations/``, one step a release; a change here
needs a step there, and a test holds the two against each other.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from ledger.ids import SUBJECT_MAX

REVISION = "0004"
"""The step of ``migrations/`` that makes what stands here."""
REVISIONS = "rogatory_schema"
"""The table with the step that a database stands at: one of our own name, since others use alembic too."""
CHUNK = 256
"""Indices in a chunk of history."""

metadata = sa.MetaData()

# PostgreSQL sorts by the database's locale unless told; SQLite compares bytes as it is.
_Subject = sa.String(SUBJECT_MAX).with_variant(postgresql.VARCHAR(SUBJECT_MAX, collation="C"), "postgresql")
_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers rows by itself in INTEGER only

generations = sa.Table(
    "generations",
    metadata,
    sa.Column("id", _Id, primary_key=True, autoincrement=True),
    sa.Column("fold", sa.String(64), nullable=False),
    sa.Column("fold_version", sa.Integer, nullable=False),
    sa.Column("ledger_id", sa.String(65), nullable=False),
    sa.Column("state", sa.String(8), nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sqlite_autoincrement=True,  # the number of a dropped generation is never given again
)
# Two processes that open a new store at once must not both make the first live generation.
sa.Index(
    "generations_live",
    generations.c.fold,
    generations.c.ledger_id,
    unique=True,
    sqlite_where=generations.c.state == "live",
    postgresql_where=generations.c.state == "live",
)

positions = sa.Table(
    "positions",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("next", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("frontier", sa.LargeBinary, nullable=False),
    sa.Column("admitted", sa.BigInteger, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("submission", sa.BigInteger, nullable=False),
    sa.Column("past", sa.LargeBinary, nullable=False),
    sa.Column("last_leaf", sa.LargeBinary, nullable=False),
    sa.Column("register", sa.Text, nullable=True),
)

places = sa.Table(
    "places",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("size", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("next", sa.BigInteger, nullable=False),
)

poison = sa.Table(
    "poison",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("index", sa.BigInteger, nullable=False),
    sa.Column("leaf", sa.LargeBinary, nullable=False),
    sa.Column("subject", _Subject, nullable=False),
    sa.Column("type", sa.String(128), nullable=False),
    sa.Column("reason", sa.Text, nullable=False),  # never content: what was expected, and the kind of error
    sa.Column("found_at", sa.BigInteger, nullable=False),
)

history = sa.Table(
    "history",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", _Subject, primary_key=True),
    sa.Column("chunk", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("indices", sa.Text, nullable=False),
)

_Code = sa.String(64).with_variant(postgresql.VARCHAR(64, collation="C"), "postgresql")
_Item = sa.String(256).with_variant(postgresql.VARCHAR(256, collation="C"), "postgresql")
_Set = sa.String(32)  # hex; of the entries, so that it is the same everywhere


def _projection(name: str, *columns: sa.Column[Any]) -> sa.Table:
    return sa.Table(
        name,
        metadata,
        sa.Column("generation", _Id, primary_key=True, autoincrement=False),
        sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("subject", _Subject, primary_key=True),
        sa.Column("sort", sa.String(16), nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("done", sa.LargeBinary, nullable=False),
        sa.Column("recent", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        *columns,
        sa.Column("facts", sa.Text, nullable=True),  # last: SQLite reads the columns before it without it
    )


cases = _projection(
    "cases",
    sa.Column("kind", sa.String(64)),
    sa.Column("direction", sa.String(16)),
    sa.Column("partner", sa.String(64)),
    sa.Column("state", sa.String(64)),
    sa.Column("ball", sa.String(64)),
    sa.Column("ball_office", sa.String(64)),
    sa.Column("ball_since", sa.BigInteger),
    sa.Column("opened_at", sa.BigInteger),
    sa.Column("updated_at", sa.BigInteger),
    sa.Column("remarks", sa.Integer),
    sa.Column("open_items", sa.Integer),
    sa.Column("waiting", sa.Integer),  # 1: for judgement, since its file has grown; 0: not; NULL: it has no file
)
# As few as answer the daily questions: each index is one more tree to write in every batch.
sa.Index("cases_state", cases.c.generation, cases.c.state)
sa.Index("cases_partner", cases.c.generation, cases.c.partner)
sa.Index("cases_ball", cases.c.generation, cases.c.ball, cases.c.ball_since)
sa.Index(
    "cases_waiting",
    cases.c.generation,
    cases.c.partition,
    sqlite_where=cases.c.waiting == 1,
    postgresql_where=cases.c.waiting == 1,
)

verdicts = sa.Table(
    "verdicts",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", _Subject, primary_key=True),
    sa.Column("rule", _Code, primary_key=True),
    sa.Column("item", _Item, primary_key=True),
    sa.Column("step", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("rank", sa.Integer, nullable=False),  # 0 breached, 1 undetermined, 2 open, 3 met
    sa.Column("last", sa.Integer, nullable=False),  # rank of the finding's last step
    sa.Column("since", sa.BigInteger, nullable=False),
    sa.Column("until", sa.BigInteger, nullable=True),  # NULL: for ever
    sa.Column("reason", sa.String(64), nullable=False),
    sa.Column("bound", sa.String(64), nullable=False),
    sa.Column("partner", sa.String(64), nullable=False),
    sa.Column("instrument", sa.String(64), nullable=False),
    sa.Column("expected_by", sa.BigInteger, nullable=False),  # 0: no threshold
    sa.Column("month", sa.Integer, nullable=False),  # in which the finding arose: 202503
    sa.Column("detail", sa.Text, nullable=True),
)
sa.Index("verdicts_board", verdicts.c.generation, verdicts.c.rank, verdicts.c.subject, verdicts.c.rule, verdicts.c.item)
sa.Index(
    "verdicts_bound", verdicts.c.generation, verdicts.c.bound, verdicts.c.rank, verdicts.c.subject, verdicts.c.rule,
    verdicts.c.item,
)  # fmt: skip
sa.Index("verdicts_rule", verdicts.c.generation, verdicts.c.rule, verdicts.c.rank, verdicts.c.subject, verdicts.c.item)
sa.Index(
    "verdicts_partner", verdicts.c.generation, verdicts.c.partner, verdicts.c.rank, verdicts.c.subject, verdicts.c.rule,
    verdicts.c.item,
)  # fmt: skip
# The steps that time still ends: few, and all that tells the counts of a moment from the tallies. With all columns that
# are asked for, so that no row is read.
sa.Index(
    "verdicts_until", verdicts.c.generation, verdicts.c.until, verdicts.c.since, verdicts.c.step, verdicts.c.rule,
    verdicts.c.rank, verdicts.c.last, verdicts.c.bound, verdicts.c.partner, verdicts.c.month,
    sqlite_where=verdicts.c.until.is_not(None),
    postgresql_where=verdicts.c.until.is_not(None),
)  # fmt: skip
# What may be overdue, in the order of the board.
sa.Index(
    "verdicts_overdue", verdicts.c.generation, verdicts.c.rank, verdicts.c.subject, verdicts.c.rule, verdicts.c.item,
    verdicts.c.expected_by, verdicts.c.until, verdicts.c.since, verdicts.c.step, verdicts.c.bound, verdicts.c.partner,
    verdicts.c.month,
    sqlite_where=(verdicts.c.rank == 2) & (verdicts.c.expected_by > 0),
    postgresql_where=(verdicts.c.rank == 2) & (verdicts.c.expected_by > 0),
)  # fmt: skip

judged = sa.Table(
    "judged",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", _Subject, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False),
    sa.Column("register_seq", sa.BigInteger, nullable=False),
    sa.Column("round", sa.BigInteger, nullable=False),
    sa.Column("depends", _Set, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)
sa.Index("judged_depends", judged.c.generation, judged.c.partition, judged.c.depends, judged.c.round)

dependency_sets = sa.Table(
    "dependency_sets",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("id", _Set, primary_key=True),
    sa.Column("entries", sa.Text, nullable=False),
    sa.Column("touched", sa.BigInteger, nullable=False),
)

judging = sa.Table(
    "judging",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("round", sa.BigInteger, nullable=False),
    sa.Column("register_seq", sa.BigInteger, nullable=False),
    sa.Column("rulebook", sa.String(64), nullable=False),
    sa.Column("pending", sa.Integer, nullable=False),  # 1: there may be subjects of touched sets left to judge
)

tallies = sa.Table(
    "tallies",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("rule", _Code, primary_key=True),
    sa.Column("bound", sa.String(64), primary_key=True),
    sa.Column("partner", sa.String(64), primary_key=True),
    sa.Column("rank", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
)

_Tag = sa.String(256).with_variant(postgresql.VARCHAR(256, collation="C"), "postgresql")

postings = sa.Table(
    "postings",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partition", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("subject", _Subject, primary_key=True),
    sa.Column("part", _Code, primary_key=True),
    sa.Column("item", _Item, primary_key=True),
    sa.Column("month", sa.Integer, nullable=False),  # 202503
    sa.Column("time", sa.BigInteger, nullable=False),
    sa.Column("partner", _Code, nullable=False),
    sa.Column("direction", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(64), nullable=False),
    sa.Column("office", sa.String(64), nullable=False),
    sa.Column("counterpart", sa.String(64), nullable=False),
    sa.Column("tag", _Tag, nullable=False),
    sa.Column("thing", _Item, nullable=False),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("record", sa.BigInteger, nullable=False),
    sa.Column("begun", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,  # no second tree for the key, which is most of a row
)
sa.Index("postings_part", postings.c.generation, postings.c.part, postings.c.partner, postings.c.month)
sa.Index("postings_office", postings.c.generation, postings.c.office, postings.c.part, postings.c.partner,
         postings.c.month)  # fmt: skip
# Things that are counted once whatever the number of subjects: few, and read without the rows.
sa.Index(
    "postings_things", postings.c.generation, postings.c.partner, postings.c.part, postings.c.month, postings.c.tag,
    postings.c.thing, postings.c.value, postings.c.currency, postings.c.subject,
    sqlite_where=postings.c.thing != "",
    postgresql_where=postings.c.thing != "",
)  # fmt: skip

cells = sa.Table(
    "cells",
    metadata,
    sa.Column("generation", _Id, primary_key=True, autoincrement=False),
    sa.Column("partner", _Code, primary_key=True),
    sa.Column("part", _Code, primary_key=True),
    # Months last: values of a line are added up in the order of the key, and there are few months.
    sa.Column("tag", _Tag, primary_key=True),
    sa.Column("value", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("month", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

PROJECTIONS = {"cases": cases}
"""The table of each projection, by the name of its fold."""

DERIVED = (verdicts, judged, postings)
"""Tables with rows by subject that are made from those of a projection, and go with its generation."""

OF_GENERATION = (judging, dependency_sets, tallies, cells)
"""Small tables that go with a generation as a whole."""

FIXED = frozenset({
    "generation", "partition", "subject", "sort", "seq", "leaf", "done", "recent", "digest", "facts",
})  # fmt: skip
"""Columns that every projection's table has; the others are its fold's."""

UNSHOWN = frozenset({"waiting"})
"""Columns of a projection that are no answer to anybody."""
