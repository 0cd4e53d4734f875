"""One side of the rule benchmark in a process of its own: the transforms, or plain DuckDB SQL that makes the same rows.

`python -m benchmarks.rules_side transforms|plain LINES WORK` prints one line of JSON: seconds, imports apart, and figures that
both sides must share. Both read the decided lines of a database file and write earnings: the transforms as a run stages them,
plain SQL as a table of another file.
"""

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
TYPED = "staging.derived.earnings"


def run_transforms(lines: Path, work: Path) -> dict[str, Any]:
    """Bucket by bucket as `pipeline` does: Arrow into frames, the transform, the frame as its contract has it into a file."""
    started = time.perf_counter()
    os.environ["INCENTIVES_HOME"] = str(work)
    from transforms import earnings
    from transforms.programs import load_all
    from warehouse import commit, frames, store

    seconds = {"imports": time.perf_counter() - started, "read": 0.0, "transform": 0.0, "write": 0.0}
    begun = time.perf_counter()
    programs = load_all(HERE / "six_levers")
    with store.connect() as con:
        _open(con, lines, work)
        positions, holders = (
            frames.to_pandas(con.execute(query).to_arrow_table()) for query in (NO_POSITIONS, NO_HOLDERS)
        )
        [(buckets,)] = con.execute("SELECT max(bucket) + 1 FROM decided_lines").fetchall()
        for number in range(buckets):
            query = f"SELECT * EXCLUDE (bucket) FROM decided_lines WHERE bucket = {number}"
            with _timed(seconds, "read"):
                decided = frames.to_pandas(con.execute(query).to_arrow_table())
            with _timed(seconds, "transform"):
                made = earnings.earnings(decided, positions, holders, programs)
            with _timed(seconds, "write"):
                commit.stage(con, "earnings", made, "measured")
        con.execute("CHECKPOINT staging")
        seconds["total"] = time.perf_counter() - begun
        return {"seconds": seconds, "figures": _figures(con)}


def run_plain(lines: Path, work: Path) -> dict[str, Any]:
    """All lines at once in SQL that knows the program by heart."""
    started = time.perf_counter()
    import duckdb

    from warehouse.tables import DERIVED

    seconds = {"imports": time.perf_counter() - started}
    begun = time.perf_counter()
    with duckdb.connect(config={"temp_directory": str(work / "spilled")}) as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET preserve_insertion_order = false")
        _open(con, lines, work)
        con.execute("CREATE SCHEMA staging.derived")
        table = DERIVED["earnings"].ddl.replace(" derived.", " staging.derived.", 1)
        con.execute(table.replace("known_from DATE NOT NULL", "known_from DATE"))
        con.execute((HERE / "plain" / "rules.sql").read_text())
        con.execute("CHECKPOINT staging")
        seconds["total"] = time.perf_counter() - begun
        return {"seconds": seconds, "figures": _figures(con)}


NO_POSITIONS = "SELECT program, partner_id, NULL::DATE AS cell_from, NULL::VARCHAR AS lever FROM decided_lines LIMIT 0"
NO_HOLDERS = "SELECT program, NULL::VARCHAR AS lever, NULL::VARCHAR AS scope, partner_id FROM decided_lines LIMIT 0"


def _open(con: Any, lines: Path, work: Path) -> None:
    con.execute("SET force_compression = 'uncompressed'")  # which spares plain SQL work
    con.execute(f"ATTACH '{lines}' AS given (READ_ONLY)")
    con.execute("CREATE TEMP VIEW decided_lines AS FROM given.decided_lines")
    con.execute(f"ATTACH '{work / 'made.duckdb'}' AS staging")


@contextmanager
def _timed(seconds: dict[str, float], stage: str) -> Iterator[None]:
    since = time.perf_counter()
    yield
    seconds[stage] += time.perf_counter() - since


def _figures(con: Any) -> dict[str, str]:
    return dict(con.execute((HERE / "plain" / "rules_figures.sql").read_text()).fetchall())


if __name__ == "__main__":
    side, lines, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    print(json.dumps((run_transforms if side == "transforms" else run_plain)(lines, work)))
