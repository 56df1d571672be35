"""``python -m tests.fuzz.guided TARGET SECONDS CORPUS ARTIFACTS``: one target under atheris, in a process of its own.

libFuzzer ends its process when it finds something; ``__main__`` starts this and looks at what it left.
"""

from __future__ import annotations

import sys

import atheris

_PARSERS = ["ledger", "producers.importers", "infra.config", "infra.adapters", "defusedxml"]

with atheris.instrument_imports(include=_PARSERS):
    from tests.fuzz.mutator import MAX_BYTES
    from tests.fuzz.running import run
    from tests.fuzz.targets import TARGETS


def main() -> None:
    """Fuzz until the time is over or something is found."""
    name, seconds, corpus, artifacts = sys.argv[1:5]
    found = TARGETS[name]
    options = [
        f"-max_total_time={seconds}",
        f"-max_len={MAX_BYTES}",
        "-timeout=30",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={artifacts}/",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *options, corpus], lambda raw: run(found, raw))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
