"""One side of the rule benchmark in a process of its own: the transforms, or plain DuckDB SQL that makes the same rows.

`python -m benchmarks.rules_side transforms|plain|idle LINES WORK` prints one line of JSON: seconds, imports apart, and figures that
both sides must share; of `idle` the processor time of the transforms, and what
one more program adds to it. Both read the decided lines of a database file and write earnings: the transforms as a run stages them,
plain SQL as a table of another file.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # which a side without the transforms does not import
    import pandas as pd

    from transforms.programs import Program

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


def run_idle(lines: Path, work: Path) -> dict[str, Any]:
    """Processor seconds of the six levers, read, decided, earned and written, and of what a program besides adds to them.

    Programs are worked out one after the other, so that what one adds is what it takes by itself beside the same lines.
    Two runs, with and without it, differ by more than that.
    """
    os.environ["INCENTIVES_HOME"] = str(work)
    from transforms import decisions, earnings
    from transforms.programs import load_all
    from warehouse import commit, frames, store

    [own] = load_all(HERE / "six_levers")
    no_partner, no_product = _idle(own)
    seconds = dict.fromkeys(("total", no_partner.program, no_product.program), 0.0)
    with store.connect() as con:
        _open(con, lines, work)
        positions, holders = (
            frames.to_pandas(con.execute(query).to_arrow_table()) for query in (NO_POSITIONS, NO_HOLDERS)
        )

        def read(number: int, program: Program) -> pd.DataFrame:
            return frames.to_pandas(con.execute(UNDECIDED, [program.program, number]).to_arrow_table())

        def earned(given: pd.DataFrame, program: Program) -> pd.DataFrame:
            return earnings.earnings(decisions.decided_lines(given, [program]), positions, holders, [program])

        [(buckets,)] = con.execute("SELECT max(bucket) + 1 FROM decided_lines").fetchall()
        for number in range(buckets):
            with _timed(seconds, "total", time.process_time):
                given = read(number, own)
                commit.stage(con, "earnings", earned(given, own), "measured")
            with _timed(seconds, no_partner.program, time.process_time):
                earned(given, no_partner)  # looks through them, and finds none of its own
            with _timed(seconds, no_product.program, time.process_time):
                earned(read(number, no_product), no_product)  # decides on each of them
    return {"seconds": seconds}


def _idle(own: Program) -> list[Program]:
    """Programs that no line matches: one whose partner type no line's partner has, one for a product that none is of."""
    levers = [lever.model_copy(update={"select": {"product_family": "none"}}) for lever in own.levers]
    no_partner = own.model_copy(update={"program": "of no partner", "partner_types": ["direct_bill"]})
    return [no_partner, own.model_copy(update={"program": "of no product", "levers": levers})]


UNDECIDED = (
    "SELECT * EXCLUDE (bucket, decision, compared_by, levers, earning_month, rule_version) REPLACE (? AS program) "
    "FROM decided_lines WHERE bucket = ?"
)
NO_POSITIONS = "SELECT program, partner_id, NULL::DATE AS cell_from, NULL::VARCHAR AS lever FROM decided_lines LIMIT 0"
NO_HOLDERS = "SELECT program, NULL::VARCHAR AS lever, NULL::VARCHAR AS scope, partner_id FROM decided_lines LIMIT 0"


def _open(con: Any, lines: Path, work: Path) -> None:
    con.execute("SET force_compression = 'uncompressed'")  # which spares plain SQL work
    con.execute(f"ATTACH '{lines}' AS given (READ_ONLY)")
    con.execute("CREATE TEMP VIEW decided_lines AS FROM given.decided_lines")
    con.execute(f"ATTACH '{work / 'made.duckdb'}' AS staging")


@contextmanager
def _timed(seconds: dict[str, float], stage: str, clock: Callable[[], float] = time.perf_counter) -> Iterator[None]:
    since = clock()
    yield
    seconds[stage] += clock() - since


def _figures(con: Any) -> dict[str, str]:
    return dict(con.execute((HERE / "plain" / "rules_figures.sql").read_text()).fetchall())


if __name__ == "__main__":
    side, lines, work = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    sides = {"transforms": run_transforms, "plain": run_plain, "idle": run_idle}
    print(json.dumps(sides[side](lines, work)))
