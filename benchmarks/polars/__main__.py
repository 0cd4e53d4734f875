"""The measured day in Polars: `python benchmarks/polars HOME DELIVERIES DAY` prints seconds by stage as JSON, imports apart.

Lazy frames on the streaming engine read the CSV files and write the Parquet files. The rows of the warehouse pass through
DuckDB as Arrow, since Polars neither reads nor writes its files; so do the release's small tables, and its views are DuckDB's.
"""

import json
import sys
import time
from pathlib import Path


def main(home: Path, deliveries: Path, day: str) -> dict[str, float]:
    """Make the day in the warehouse and in the release; seconds by stage."""
    started = time.perf_counter()
    from day import Day
    from eligibility import eligibility
    from ingest import ingest
    from lines import lines
    from publish import publish

    begun = time.perf_counter()
    seconds = {"imports": begun - started}
    today, since = Day(home, deliveries, day), begun
    made: dict = {}
    for stage in (ingest, eligibility, lines, publish):
        made |= stage(today, **made)
        since, before = time.perf_counter(), since
        seconds[stage.__name__] = since - before
    today.close()
    seconds["total"] = time.perf_counter() - begun
    return {**seconds, "with imports": seconds["total"] + seconds["imports"]}


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])))
