"""The simulator against the signatures that it makes, and its memory at several sizes.

``python -m benchmarks.simulator year SCALE`` prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from itertools import islice
from pathlib import Path
from typing import Any

from nacl.signing import SigningKey

from ledger.signature import EVENT_PAYLOAD, pae
from producers.simulator.parameters import Parameters
from producers.simulator.stream import Year

_TURN = 2000


def year(scale: float) -> dict[str, Any]:
    """A simulated year, signed, against PyNaCl signing the same bytes, in turns of some events: CPU time, peak MB."""
    key, stream = SigningKey(bytes(32)), Year(Parameters.default(scale=scale)).stream()
    count, ours, limit = 0, 0.0, 0.0
    while True:
        begun = time.process_time()
        told = list(islice(stream, _TURN))
        ours += time.process_time() - begun
        if not told:
            break
        count += len(told)
        messages = [pae(EVENT_PAYLOAD, event.value) for event in told]
        begun = time.process_time()
        for message in messages:
            key.sign(message)
        limit += time.process_time() - begun
    return {"n": count, "ours": count / ours, "limit": count / limit, "peak": _peak_mb()}


def _peak_mb() -> float:
    """Peak resident memory of this program, MB: what ``getrusage`` says begins with that of the process before it."""
    status = Path("/proc/self/status")
    if status.exists():
        said = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(said.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """``python -m benchmarks.simulator NAME ARGS``."""
    name, scale = sys.argv[1:]
    if name != "year":
        raise SystemExit(f"expected year, found {name}")
    sys.stdout.write(json.dumps(year(float(scale))) + "\n")


if __name__ == "__main__":
    main()
