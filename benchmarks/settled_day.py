"""Days ingested and settled in a process of its own: `python -m benchmarks.settled_day HOME DELIVERIES DAY… [--publish]`.

Prints one line of JSON: seconds by stage and lines worked out, summed over the days.
"""

import json
import os
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any


def settle(home: Path, deliveries: Path, days: list[str], *, publish: bool) -> dict[str, Any]:
    """Take the days in and settle them; nothing is published unless asked for, and then with the last day."""
    os.environ["INCENTIVES_HOME"] = str(home)
    import pipeline
    from app import land

    for day in days:
        land.deliveries(sorted(deliveries.glob(f"{day}-*")))
    import_module("expectations.gate")  # so that no stage pays for it
    begun = time.perf_counter()
    pipeline.ingest()
    seconds = {"ingest": time.perf_counter() - begun}
    due = pipeline.due_days()
    if publish:
        reports = pipeline.backfill(due)
    else:
        reports = [pipeline._settle(day, lambda line: None, publish=False) for day in due]
    for report in reports:
        for stage, taken in report["seconds"].items():
            seconds[stage] = seconds.get(stage, 0) + taken
    seconds["total"] = time.perf_counter() - begun
    return {"seconds": seconds, "lines": sum(report["lines"] for report in reports), "days": len(reports)}


if __name__ == "__main__":
    home, deliveries, *days = [word for word in sys.argv[1:] if word != "--publish"]
    print(json.dumps(settle(Path(home), Path(deliveries), days, publish="--publish" in sys.argv)))
