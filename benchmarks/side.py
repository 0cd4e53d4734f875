"""One side of the benchmark in a process of its own: the pipeline, or what makes the same tables by other means.

`python -m benchmarks.side SIDE HOME DELIVERIES DAY` prints one line of JSON: seconds by stage, and figures that all sides must
share. Imports are apart: of dbt and SQLMesh all before their first node.
"""

import json
import os
import re
import subprocess
import sys
import time
from datetime import datetime
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
NAMED = re.compile(r"^  name (.+),$", re.MULTILINE)
LOGGED = re.compile(r"^(\S+ \S+) - .* (Evaluating|Auditing) snapshot SnapshotId<(.+): \d+>", re.MULTILINE)
STAGES = {"ingest": "ingest", "commit": "commit", "expectations": "audit", "ledger": "audit", "publish": "publish"}
ELIGIBILITY = (
    "requirements", "invitations", "enrolments_asked_for", "enrolments", "eligibility_criteria", "eligibility",
)  # fmt: skip


def run_pipeline(home: Path, deliveries: Path, day: str) -> dict:
    """Ingest and settle one day as `incentives run` does."""
    started = time.perf_counter()
    os.environ["INCENTIVES_HOME"] = str(home)
    import operations
    import pipeline
    from app import land
    from warehouse import releases

    import_module("expectations.gate")  # so that no stage pays for it
    seconds = {"imports": time.perf_counter() - started}
    land.deliveries(sorted(deliveries.glob(f"{day}-*")))
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
    rejects = len(operations.quarantined())
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
        query = (HERE / "plain" / f"{stage}.sql").read_text()
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

    It makes what the plain side makes, in tables that stay, and tests it by the rules that expectations/ has for it; the
    pipeline also judges spans, positions, statements and funds. What it parsed before is at hand. Exits when a test fails,
    which leaves the day half done.
    """
    project, out = HERE / "dbt", home / "dbt"
    out.mkdir()
    told = {"INCENTIVES_HOME": home, "INCENTIVES_DELIVERIES": deliveries, "DBT_PROJECT_DIR": project}
    told |= {"DBT_PROFILES_DIR": project, "DBT_TARGET_PATH": out / "target", "DBT_LOG_PATH": out}
    of_day = ("--vars", json.dumps({"day": day}))
    _ran("dbt", "dbt", "--quiet", "parse", *of_day, **told)  # what it parsed stands with whoever runs it daily
    begun = time.perf_counter()
    _ran("dbt", "dbt", "--quiet", "build", *of_day, **told)
    total = time.perf_counter() - begun
    seconds = _node_seconds(out / "target", total)
    seconds |= {"total": total - seconds["imports"], "with imports": total}
    return {"seconds": seconds, "figures": _made(home, out)}


def run_sqlmesh(home: Path, deliveries: Path, day: str) -> dict:
    """The same day by SQLMesh: `sqlmesh run` of benchmarks/sqlmesh, on a copy of the same warehouse and release.

    Unmeasured before it, as it stands with whoever runs it daily: the plan is applied until that day, its state is in a database
    beside the warehouse, what it parsed is in its cache, and the tables of the warehouse are its snapshots, under their names.
    It makes what the plain side makes, in tables that stay, and audits it as dbt tests it. Its peak memory is of what is done
    before, too. Exits when an audit that blocks fails, which leaves the day half done.
    """
    project, out = HERE / "sqlmesh", home / "sqlmesh"
    out.mkdir()
    told = {"INCENTIVES_HOME": home, "INCENTIVES_DELIVERIES": deliveries}
    _ran("sqlmesh", "python", project / "prepare.py", project, day, **told)
    begun = time.perf_counter()
    _ran("sqlmesh", "sqlmesh", "--paths", project, "--log-file-dir", out, "run", "--end", day, **told)
    total = time.perf_counter() - begun
    [log] = out.glob("*.log")
    seconds = _snapshot_seconds(log.read_text(), total)
    seconds |= {"total": total - seconds["imports"], "with imports": total}
    return {"seconds": seconds, "figures": _made(home, out)}


def run_polars(home: Path, deliveries: Path, day: str) -> dict:
    """The same day by Polars: benchmarks/polars, on a copy of the same warehouse and release; it judges no more than plain SQL."""
    out = home / "polars"
    out.mkdir()
    printed = _ran("polars", "python", HERE / "polars", home, deliveries, day)
    return {"seconds": json.loads(printed.splitlines()[-1]), "figures": _made(home, out)}


def run_floor(home: Path, deliveries: Path, day: str) -> dict:
    """What nobody who makes these tables goes below: the day's files scanned once, and what the pipeline made written once.

    The home is the pipeline's after the day. Of the warehouse it is what the day brought, of the release its own part and
    the tables that each release has whole.
    """
    started = time.perf_counter()
    import duckdb

    out = home / "floor"
    out.mkdir()
    seconds = {"imports": time.perf_counter() - started}
    begun = time.perf_counter()
    with duckdb.connect(str(out / "floor.duckdb")) as con:
        con.execute(f"ATTACH '{home / 'warehouse.duckdb'}' AS warehouse (READ_ONLY)")
        for file in deliveries.glob(f"{day}-*/*.csv"):
            con.execute("SELECT max(COLUMNS(*)) FROM read_csv(?, all_varchar = true)", [str(file)])
        seconds["ingest"] = time.perf_counter() - begun
        for schema, table, of_day in _brought(con, day):
            con.execute(f"CREATE TABLE {schema}_{table} AS FROM warehouse.{schema}.{table} WHERE {of_day}")
        con.execute("CHECKPOINT floor")
        seconds["commit"] = time.perf_counter() - begun - seconds["ingest"]
        _write_release(con, home / "releases", out)
    seconds["total"] = time.perf_counter() - begun
    seconds["publish"] = seconds["total"] - seconds["ingest"] - seconds["commit"]
    return {"seconds": {**seconds, "with imports": seconds["total"] + seconds["imports"]}, "figures": {}}


def _brought(con: Any, day: str) -> list[tuple[str, str, str]]:
    """The tables of a warehouse that keep what a day brought, each with the condition of such rows."""
    brought = {
        "delivery_id": f"delivery_id LIKE '{day}-%'",
        "known_from": f"known_from = '{day}'",
        "posted_on": f"posted_on = '{day}'",
    }
    columns = con.execute(
        "SELECT schema_name, table_name, list(column_name) FROM duckdb_columns() WHERE database_name = 'warehouse' "
        "AND schema_name IN ('clean', 'derived') GROUP BY ALL"
    ).fetchall()
    return [
        (schema, table, next(brought[column] for column in brought if column in held))
        for schema, table, held in columns
        if set(brought) & set(held)
    ]


def _write_release(con: Any, releases: Path, out: Path) -> None:
    """Write the newest part of the current release, and what its database holds, once more."""
    manifest = json.loads((releases / "current.json").read_text())
    for name, file in manifest["parts"][-1]["tables"].items():
        target = f"'{out / name}.parquet' (FORMAT parquet, COMPRESSION zstd)"
        con.execute(f"COPY (FROM read_parquet('{releases / file['file']}')) TO {target}")
    con.execute(f"ATTACH '{releases / manifest['release_id'] / 'published.duckdb'}' AS published (READ_ONLY)")
    tables = "SELECT table_name FROM duckdb_tables() WHERE database_name = 'published' AND schema_name = 'main'"
    for (table,) in con.execute(tables).fetchall():
        con.execute(f"CREATE TABLE {table} AS FROM published.main.{table}")


def _ran(side: str, command: str, *arguments: str | Path, **told: Path) -> str:
    """What a command of a side's own environment prints; all of it is shown when it fails."""
    place = Path(os.environ["INCENTIVES_ENVIRONMENTS"], side, "bin", command)
    ran = subprocess.run(
        [place, *arguments], env={**os.environ, **told}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ran.returncode:
        raise SystemExit(ran.stdout)
    return ran.stdout


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


def _snapshot_seconds(log: str, total: float) -> dict[str, float]:
    """Seconds by stage: that of a model is its folder, that of audits the audit; what goes by before the first is imports.

    Snapshots run one at a time, so each goes on until the next.
    """
    models = HERE / "sqlmesh" / "models"
    folders = {NAMED.findall(path.read_text())[0]: path.relative_to(models).parts[0] for path in models.rglob("*.sql")}
    begun = [
        (datetime.fromisoformat(moment), act, name.replace('"', "").removeprefix("warehouse."))
        for moment, act, name in LOGGED.findall(log)
    ]
    ended = datetime.fromisoformat(log.splitlines()[-1][:23])
    seconds = {"imports": total - (ended - begun[0][0]).total_seconds()}
    for (since, act, name), (until, *_) in pairwise([*begun, (ended,)]):
        stage = "audit" if act == "Auditing" else folders[name]
        seconds[stage] = seconds.get(stage, 0) + (until - since).total_seconds()
    return seconds


def _made(home: Path, out: Path) -> dict[str, str]:
    import duckdb

    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as con:
        [(rejects,)] = con.execute("SELECT count(*) FROM main.rejects").fetchall()
    with duckdb.connect(str(out / "published.duckdb"), read_only=True) as con:
        return {**_figures(con), "rejects": str(rejects)}


def _figures(con: Any) -> dict[str, str]:
    return dict(con.execute((HERE / "plain" / "figures.sql").read_text()).fetchall())


SIDES = {
    "pipeline": run_pipeline,
    "plain": run_plain,
    "dbt": run_dbt,
    "sqlmesh": run_sqlmesh,
    "polars": run_polars,
    "floor": run_floor,
}


if __name__ == "__main__":
    side, home, deliveries, day = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    print(json.dumps(SIDES[side](home, deliveries, day)))
