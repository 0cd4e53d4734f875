"""Stages of a day in a process of their own: `python -m benchmarks.staged_day HOME DELIVERIES DAY STAGE…`."""

import os
import sys
from pathlib import Path


def run(home: Path, deliveries: Path, day: str, stages: list[str]) -> None:
    """Take a day's deliveries in, settle what is due without publishing it, publish what is not; as the stages say."""
    os.environ["INCENTIVES_HOME"] = str(home)
    import pipeline
    from app import land

    if "ingest" in stages:
        land.deliveries(sorted(deliveries.glob(f"{day}-*")))
        pipeline.ingest()
    if "settle" in stages:
        for due in pipeline.due_days():
            pipeline._settle(due, lambda line: None, publish=False)
    if "publish" in stages:
        pipeline.publish_pending()


if __name__ == "__main__":
    home, deliveries, day, *stages = sys.argv[1:]
    run(Path(home), Path(deliveries), day, stages)
