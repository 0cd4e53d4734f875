"""What a month of days costs in one backfill, and its restatement after a rule edit: `make bench-backfill`.

Once with the programs that are shipped, once with benchmarks/tiers/, whose brackets count over a month and a year.
"""

import argparse
import csv
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.history_data import FIRST, SEED, Scale, deliver_day, deliver_first_days

RESULTS = Path(__file__).parent / "backfill.csv"
HERE = Path(__file__).parent
EDITS = {  # of one rate, for all days of the backfill
    "shipped": (HERE.parent / "programs", "rate: 0.04\n    illustrative", "rate: 0.05\n    illustrative"),
    "tiers": (HERE / "tiers", "rate: 0.03}", "rate: 0.035}"),
}


def main() -> int:
    """Deliver, ingest, backfill, explain, restate; report and append to benchmarks/backfill.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--lines", type=int, default=20_000, help="lines a day")
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder backfill/ is emptied first")
    wanted = parser.parse_args()
    console, work, scale = Console(), wanted.work.absolute() / "backfill", Scale(wanted.lines)
    shutil.rmtree(work, ignore_errors=True)
    with console.status("making deliveries"):
        deliver_first_days(work / "deliveries", scale, work / "made")
        days = [FIRST, *(deliver_day(work / "deliveries", scale, work / "made", n) for n in range(1, wanted.days))]
    found = {rules: _measured(console, work, rules, days) for rules in EDITS}
    _report(console, found, wanted)
    return 0


def _measured(console: Console, work: Path, rules: str, days: list[date]) -> dict[str, float]:
    folder, old, new = EDITS[rules]
    os.environ["INCENTIVES_HOME"] = str(work / rules)
    os.environ["INCENTIVES_PROGRAMS"] = str(shutil.copytree(folder, work / f"{rules}-programs"))
    import operations
    import pipeline
    from app.land import drop

    for delivery in sorted((work / "deliveries").glob(f"{SEED}-*")):
        drop(delivery)
    pipeline.run()
    for day in days:
        for delivery in sorted((work / "deliveries").glob(f"{day}-*")):
            drop(delivery)
    begun = time.perf_counter()
    with console.status(f"{rules}: taking {len(days)} days in"):
        pipeline.ingest()
    ingested = time.perf_counter()
    with console.status(f"{rules}: settling") as status:
        reports = pipeline.backfill(days, lambda line: status.update(f"{rules}: {line}"))
    done = time.perf_counter()
    taken = [sum(report["seconds"].values()) for report in reports]
    explained = statistics.median(_explained() for _ in range(3))
    edited = Path(os.environ["INCENTIVES_PROGRAMS"]) / "csp-indirect-reseller.yaml"
    edited.write_text(edited.read_text().replace(old, new))
    restating = time.perf_counter()
    with console.status(f"{rules}: restating"):
        operations.restate(FIRST.replace(year=FIRST.year - 1), by="anna", approved_by="ben")
    return {
        "days a minute": 60 * len(days) / (done - begun),
        "ingest, s": ingested - begun,
        "settle, s": done - ingested,
        "first days, s each": statistics.median(taken[:3]),
        "last days, s each": statistics.median(taken[-4:-1]),
        "last ÷ first": statistics.median(taken[-4:-1]) / statistics.median(taken[:3]),
        "explain, s of processor": explained,
        "restate ÷ settle": (time.perf_counter() - restating) / (done - ingested),
    }


def _explained() -> float:
    """Processor time of explaining one partner's month, with start-up."""
    command = [sys.executable, "-m", "app.cli", "explain", "--partner", "1000010", "--period", f"{FIRST:%Y-%m}"]
    before = os.times()
    subprocess.run(command, check=False, capture_output=True, cwd=HERE.parent)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _report(console: Console, found: dict[str, dict[str, float]], wanted: argparse.Namespace) -> None:
    table = Table(title=f"{wanted.days} days of {wanted.lines:,} lines")
    for column in ("measure", *found):
        table.add_column(column, justify="left" if column == "measure" else "right")
    made: list[list[Any]] = []
    for measure in next(iter(found.values())):
        values = [f"{figures[measure]:.2f}" for figures in found.values()]
        table.add_row(measure, *values)
        made.append([datetime.now(UTC).date(), wanted.days, wanted.lines, measure, *values])
    console.print(table)
    fresh = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(["measured_on", "days", "day_lines", "measure", *found])
        writer.writerows(made)


if __name__ == "__main__":
    sys.exit(main())
