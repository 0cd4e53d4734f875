"""One side of the benchmark in a process of its own: the pipeline, or plain DuckDB SQL that makes the same tables.

`python -m benchmarks.side pipeline|plain HOME DELIVERIES DAY` prints one line of JSON: seconds by stage, imports apart, and
figures that both sides must share.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "plain"
STAGES = {"ingest": "ingest", "commit": "commit", "expectations": "audit", "ledger": "audit", "publish": "publish"}
ELIGIBILITY = (
    "requirements", "invitations", "enrolments_asked_for", "enrolments", "eligibility_criteria", "eligibility",
)  # fmt: skip


def run_pipeline(home: Path, deliveries: Path, day: str) -> dict:
    """Ingest and settle one day as `incentives run` does."""
    started = time.perf_counter()
    os.environ["INCENTIVES_HOME"] = str(home)
    import pipeline
    from app.land import drop
    from warehouse import releases

    for delivery in sorted(deliveries.glob(f"{day}-*")):
        drop(delivery)
    import_module("expectations.gate")  # so that no stage pays for it
    seconds = {"imports": time.perf_counter() - started}
    begun = time.perf_counter()
    pipeline.ingest()
    seconds["ingest"] = time.perf_counter() - begun
    report = pipeline.settle(pipeline.due_days()[0])
    for stage, taken in report["seconds"].items():
        name = STAGES.get(stage, "eligibility" if stage in ELIGIBILITY else "lines")
        seconds[name] = seconds.get(name, 0) + taken
    seconds["total"] = time.perf_counter() - begun
    manifest = releases.current()
    assert manifest
    with releases.reader(manifest) as con:
        figures = _figures(con)
    rejects = len(pipeline.quarantined())
    return {"seconds": seconds, "figures": {**figures, "rejects": str(rejects)}}


def run_plain(home: Path, deliveries: Path, day: str) -> dict:
    """The same day in plain SQL, on a copy of the same warehouse and release.

    It makes the rows of the same tables and what the day adds to the release. It keeps no versions, positions or history of
    criteria, stages nothing, judges nothing, hashes nothing, and a failure would leave the day half done.
    """
    started = time.perf_counter()
    import duckdb

    out = home / "plain"
    out.mkdir()
    places = {"out": out, "deliveries": deliveries, "before": home / "releases" / "partitions"}
    seconds = {"imports": time.perf_counter() - started}
    begun = time.perf_counter()
    con = duckdb.connect(str(home / "warehouse.duckdb"))
    con.execute("SET TimeZone = 'UTC'")
    for stage in ("ingest", "eligibility", "lines", "publish"):
        since = time.perf_counter()
        query = (HERE / f"{stage}.sql").read_text()
        for name, place in places.items():
            query = query.replace(f"{{{name}}}", str(place))
        con.execute(query)
        seconds[stage] = time.perf_counter() - since
    con.execute("CHECKPOINT warehouse")
    rejects = con.execute("SELECT count(*) FROM warehouse.main.rejects").fetchall()[0][0]
    con.close()
    seconds["total"] = time.perf_counter() - begun
    with duckdb.connect(str(out / "published.duckdb"), read_only=True) as con:
        figures = _figures(con)
    return {"seconds": seconds, "figures": {**figures, "rejects": str(rejects)}}


def _figures(con: Any) -> dict[str, str]:
    return dict(con.execute((HERE / "figures.sql").read_text()).fetchall())


if __name__ == "__main__":
    side, home, deliveries, day = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    print(json.dumps((run_pipeline if side == "pipeline" else run_plain)(home, deliveries, day)))
