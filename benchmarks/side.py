"""One side of the benchmark in a process of its own: the pipeline, plain DuckDB SQL that makes the same tables, or dbt.

`python -m benchmarks.side pipeline|plain|dbt HOME DELIVERIES DAY` prints one line of JSON: seconds by stage, and figures that
all sides must share. Imports are apart, but for dbt, whose total is that of a process.
"""

import json
import os
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "plain"
PROJECT = Path(__file__).parent / "dbt"
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
    seconds["with imports"] = seconds["total"] + seconds["imports"]
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
    con.close()
    seconds["total"] = time.perf_counter() - begun
    seconds["with imports"] = seconds["total"] + seconds["imports"]
    return {"seconds": seconds, "figures": _made(home, out)}


def run_dbt(home: Path, deliveries: Path, day: str) -> dict:
    """The same day by dbt: `dbt build` of benchmarks/dbt, on a copy of the same warehouse and release.

    It makes what the plain side makes, in tables that stay, and tests it as expectations/ judges it. Its total is of the whole
    process, imports included. Raises CalledProcessError when a test fails, which leaves the day half done.
    """
    out = home / "dbt"
    out.mkdir()
    told = {"INCENTIVES_HOME": home, "INCENTIVES_DELIVERIES": deliveries, "DBT_PROJECT_DIR": PROJECT}
    told |= {"DBT_PROFILES_DIR": PROJECT, "DBT_TARGET_PATH": out / "target", "DBT_LOG_PATH": out}
    command = [os.environ["INCENTIVES_DBT"], "--quiet", "build", "--vars", json.dumps({"day": day})]
    begun = time.perf_counter()
    subprocess.run(command, env={**os.environ, **told}, stdout=sys.stderr, check=True)
    total = time.perf_counter() - begun
    seconds = _node_seconds(out / "target", total) | {"total": total, "with imports": total}
    return {"seconds": seconds, "figures": _made(home, out)}


def _node_seconds(target: Path, total: float) -> dict[str, float]:
    """Seconds by stage: that of a model is its folder, that of tests the audit; what goes by before the first is imports.

    Nodes run two at a time, so each has its share of the time that goes by.
    """
    nodes = json.loads((target / "manifest.json").read_text())["nodes"]
    ran = json.loads((target / "run_results.json").read_text())
    seconds = {"imports": total - ran["elapsed_time"]}
    share = ran["elapsed_time"] / sum(result["execution_time"] for result in ran["results"])
    for result in ran["results"]:
        node = nodes[result["unique_id"]]
        stage = "audit" if node["resource_type"] == "test" else node["fqn"][1]
        seconds[stage] = seconds.get(stage, 0) + result["execution_time"] * share
    return seconds


def _made(home: Path, out: Path) -> dict[str, str]:
    import duckdb

    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
        [(rejects,)] = con.execute("SELECT count(*) FROM main.rejects").fetchall()
    with duckdb.connect(str(out / "published.duckdb"), read_only=True) as con:
        return {**_figures(con), "rejects": str(rejects)}


def _figures(con: Any) -> dict[str, str]:
    return dict(con.execute((HERE / "figures.sql").read_text()).fetchall())


if __name__ == "__main__":
    side, home, deliveries, day = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    run = {"pipeline": run_pipeline, "plain": run_plain, "dbt": run_dbt}[side]
    print(json.dumps(run(home, deliveries, day)))
