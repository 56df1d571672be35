"""Run by tests/e2e/test_cli_export.py in an environment of its own: what pm4py reads from our exports, as JSON.

pm4py is under the AGPL, so nothing of the project may import it; this script is a program of its own.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings
from typing import Any

warnings.filterwarnings("ignore")


def main(xes: str, ocel_json: str, ocel_sqlite: str) -> dict[str, Any]:
    import pm4py  # noqa: PLC0415 - prints a banner
    from pm4py.objects.ocel.validation import ocel20_rel_validation  # noqa: PLC0415 - as above

    log = pm4py.read_xes(xes)
    said: dict[str, Any] = {
        "cases": {
            case: [(row["concept:name"], row["time:timestamp"].isoformat()) for _, row in rows.iterrows()]
            for case, rows in log.groupby("case:concept:name", sort=False)
        },
        "starts": pm4py.get_start_activities(log),
        "places": len(pm4py.discover_petri_net_inductive(log)[0].places),
    }
    for name, read, path in (
        ("json", pm4py.read_ocel2_json, ocel_json), ("sqlite", pm4py.read_ocel2_sqlite, ocel_sqlite),
    ):  # fmt: skip
        ocel = read(path)
        said[name] = {
            "events": dict(zip(ocel.events["ocel:eid"], ocel.events["ocel:activity"], strict=True)),
            "objects": dict(zip(ocel.objects["ocel:oid"], ocel.objects["ocel:type"], strict=True)),
            "pairs": sorted({*zip(ocel.relations["ocel:eid"], ocel.relations["ocel:oid"], strict=True)}),
            "links": sorted(zip(ocel.o2o["ocel:oid"], ocel.o2o["ocel:oid_2"], ocel.o2o["ocel:qualifier"], strict=True)),
            "graph": len(pm4py.discover_ocdfg(ocel)["activities"]),
        }
    said["unsatisfied"] = list(ocel20_rel_validation.apply(ocel_sqlite)[1])
    return said


if __name__ == "__main__":
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        found = main(*sys.argv[1:])
    print(json.dumps(found))  # noqa: T201 - the answer
