"""Several threads may be the first to read a type: none sees it half prepared, which would end the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FIRST_USE = """
import sys, threading
sys.setswitchinterval(1e-6)
from ledger import catalogue
from ledger.errors import FormatError
from projections.fold import facts_decoder
from projections.status import StatusFacts
import msgspec

rows = list(catalogue.types_by_name().values())
together = threading.Barrier(4)
raw = b'{"note": {"s": 1}, "state": "x"}'

def read():
    for row in rows:
        together.wait()
        for take in (lambda: catalogue.decode_data(row, raw), lambda: catalogue.convert_data(row, {"note": {"s": 1}})):
            try:
                take()
            except FormatError:
                pass
    together.wait()
    try:
        facts_decoder(StatusFacts).decode(raw)
    except msgspec.ValidationError:
        pass

threads = [threading.Thread(target=read) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


@pytest.mark.parametrize("attempt", range(4))
def test_types_are_first_read_by_several_threads(attempt: int) -> None:
    done = subprocess.run([sys.executable, "-c", FIRST_USE], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
