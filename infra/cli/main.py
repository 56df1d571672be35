"""``rogatory``: the command, put together. Exit codes are in ``options.py``.

Commands are imported when they are run (``lazy.py``): a health check that runs every few seconds shall not wait for a
database driver that it does not use.  ``tests/unit/test_startup.py`` says what may be imported before.
"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from infra.cli.lazy import Entry, LazyGroup

_HELP = """A signed, append-only ledger of acts in international legal co-operation.

Begin with `rogatory demo`, or with `rogatory ledger open NAME`.
Settings come from the options, else from ROGATORY_… in the environment, else from ./rogatory.toml.
Exit codes: 0 done, 1 the answer is no, 2 wrong usage or settings, 3 log or store do not answer, 4 call a person.
"""

_BEGIN, _SAY, _RUN, _ASK = "Begin", "Say", "Run", "Ask"


class _Commands(LazyGroup):
    """All commands of the first level, in the order of the help."""

    table = {  # noqa: RUF012 - declared as a class variable by the base
        "demo": Entry(
            "infra.cli.demo:demo",
            "Open a ledger, publish a stream of signed requests with some wrong ones, and show what comes of it.",
            _BEGIN,
        ),
        "simulate": Entry(
            "infra.cli.simulate:simulate",
            "Tell one year of an office as a signed stream, the same for the same seed, with breaches planted and "
            "noted.",
            _BEGIN,
        ),
        "ledger": Entry(
            "infra.cli.ledger:app", "Open a ledger, and show what it is.", _BEGIN, beside=("infra.cli.epoch",)
        ),
        "keys": Entry(
            "infra.cli.keys:app",
            "Make, enrol, rotate, replace, revoke and list keys. Private keys are never printed.",
            _BEGIN,
            beside=("infra.cli.rotation",),
        ),
        "register": Entry("infra.cli.register:app", "Offices and roles; every change is a signed event.", _BEGIN),
        "authority": Entry(
            "infra.cli.authority:app",
            "Decisions of the authorities, signed one after the other in a file: draft, sign, publish.",
            _BEGIN,
        ),
        "broker": Entry(
            "infra.cli.broker:app",
            "A real Kafka on this machine, without Docker: for trials, not for production.",
            _BEGIN,
        ),
        "publish": Entry("infra.cli.publish:publish", "Sign and submit an event, and wait for its seal.", _SAY),
        "check-draft": Entry(
            "infra.cli.draft:check_draft",
            "What an event would do to the obligations of its subject, before it is signed. Nothing of it is stored or "
            "sent.",
            _SAY,
        ),
        "catalogue": Entry("infra.cli.publish:catalogue", "List the event types, or the fields of one.", _SAY),
        "schema": Entry(
            "infra.cli.schema:schema",
            "The JSON Schema of an event type, or the topics as AsyncAPI: for systems that do not use this code.",
            _SAY,
        ),
        "import": Entry(
            "infra.cli.importing:app", "Import other systems' logs; importing one again adds nothing.", _SAY
        ),
        "outbox": Entry(
            "infra.cli.outbox:app", "Look into an application's outbox, and settle what is stuck in it.", _SAY
        ),
        "run": Entry(
            "infra.cli.running:app", "Run what moves records: registrar, herald, projections, or all of it.", _RUN
        ),
        "fork": Entry(
            "infra.cli.fork:app", "Two records at one index: what there is, and how the authorities settle it.", _RUN
        ),
        "state": Entry(
            "infra.cli.state:app", "Registrars' state files: show, back up, restore, derive from an archive.", _RUN
        ),
        "ready": Entry(
            "infra.cli.ready:ready",
            "Whether a service is ready: exit 0 if it is, 1 if it is not and says why, 3 if it does not answer.",
            _RUN,
        ),
        "rebuild": Entry(
            "infra.cli.rebuild:rebuild",
            "Make the projections again from the ledger, compare them with those that answer, and switch.",
            _RUN,
        ),
        "lag": Entry(
            "infra.cli.lag:lag",
            "How far each partition is behind: submissions that wait, register events, projections; and who holds it.",
            _RUN,
        ),
        "store": Entry("infra.cli.store:app", "The projection store: its schema and what stands in it.", _RUN),
        "poison": Entry(
            "infra.cli.poison:app", "Records that a projection cannot digest; their partitions stand still.", _RUN
        ),
        "status": Entry(
            "infra.cli.status:status",
            "Where requests stand: state, who owes the next step since when, what is open, and the records it rests "
            "on.",
            _ASK,
        ),
        "compliance": Entry(
            "infra.cli.compliance:compliance",
            "What the law asked, whether it was done, and the records that show it: of one request, or the board of "
            "all.",
            _ASK,
        ),
        "partners": Entry(
            "infra.cli.partners:partners",
            "Co-operation in figures: what was asked, answered, handed over, restrained, kept, and the records behind "
            "it.",
            _ASK,
        ),
        "materials": Entry(
            "infra.cli.materials:materials",
            "How the materials of a request are kept: degree asked and held, custody, access list, consents, uses, "
            "conditions.",
            _ASK,
        ),
        "rulebook": Entry(
            "infra.cli.rulebook:app",
            "The rules: what they ask, where they stand, which rulebook is in use, and how that changes.",
            _ASK,
        ),
        "report": Entry(
            "infra.cli.report:app",
            "The annual information of an office and the practice review as HTML and DOCX; filing one is an event.",
            _ASK,
        ),
        "outcomes": Entry(
            "infra.cli.outcomes:outcomes",
            "Submissions that were refused, or that stood in the ledger already; each once, with what to do.",
            _ASK,
        ),
        "export": Entry("infra.cli.exporting:app", "The ledger as event logs for process mining: XES and OCEL.", _ASK),
        "digest": Entry(
            "infra.cli.rebuild:digest",
            "The digest of the projections, per partition and index: two stores that show the same hold the same.",
            _ASK,
        ),
        "check": Entry(
            "infra.cli.checking:check",
            "Check chain, seals, signatures and tree of every record; exit 1 and the first bad record if anything is "
            "wrong.",
            _ASK,
        ),
    }


app = typer.Typer(
    name="rogatory",
    cls=_Commands,
    help=_HELP,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - used here alone

        try:
            sys.stdout.write(f"rogatory {version('rogatory')}\n")
        except PackageNotFoundError:
            sys.stdout.write("rogatory, not installed\n")
        raise typer.Exit


@app.callback()
def rogatory(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is")
    ] = False,
) -> None:
    """The entry of all commands; its help is the application's."""


def main() -> None:
    """Run the command line."""
    app(prog_name="rogatory")


if __name__ == "__main__":
    main()
