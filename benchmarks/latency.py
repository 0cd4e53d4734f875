"""How long a landed day waits until it is published, under Airflow: `make bench-latency`.

A real Airflow, as `make up` starts it, takes the days in one by one, each dropped once the one before is published and
Airflow is idle; then as many days at once. The medians say where the time of a day goes.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from app import land
from app.stack import Stack, running
from benchmarks.history_data import FIRST, SEED, Scale, deliver_day, deliver_first_days

RESULTS = Path(__file__).with_name("latency.csv")
WAIT = 900
PARTS = (
    "landed, until take_in starts", "take_in", "until settle_days starts", "settle_days, until published",
    "of it in the pipeline", "landed, until published",
)  # fmt: skip


def main() -> int:
    """Make the deliveries, start Airflow, measure days one by one and then at once, report and append to latency.csv."""
    wanted = _arguments()
    console, work, scale = Console(), wanted.work.absolute() / "latency", Scale(wanted.lines)
    shutil.rmtree(work, ignore_errors=True)
    count = wanted.days + wanted.at_once
    with console.status("making deliveries"):
        deliver_first_days(work / "deliveries", scale, work / "made")
        days = [deliver_day(work / "deliveries", scale, work / "made", number) for number in range(1, count + 1)]
    os.environ["INCENTIVES_HOME"] = str(work / "home")
    with running(work / "home", console.print) as stack, console.status("the first days") as status:
        for day in (SEED, FIRST):  # Airflow's first runs import what later ones have at hand
            _published(stack, work, [day])
        measured = []
        for number, day in enumerate(days[: wanted.days], 1):
            status.update(f"day {number} of {wanted.days}")
            measured.append(_parts(stack, day, _published(stack, work, [day])))
        status.update(f"{wanted.at_once} days at once")
        overhead = _overhead(stack, work, days[wanted.days :]) if wanted.at_once else None
    _report(console, wanted, measured, overhead)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=20, help="days that land one by one")
    parser.add_argument("--at-once", type=int, default=30, help="days that land at once after them")
    parser.add_argument("--lines", type=int, default=20_000, help="lines a day")
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder latency/ is emptied first")
    return parser.parse_args()


def _published(stack: Stack, work: Path, days: list[date]) -> float:
    """Land some days once Airflow is idle and wait until the last is published; when the last delivery had landed."""
    stack.wait(stack.is_idle, "Airflow is idle", WAIT)
    for day in days:
        land.deliveries(sorted((work / "deliveries").glob(f"{day}-*")))
    landed = time.time()
    stack.wait(lambda: _as_of(stack) == f"{days[-1]}", f"{days[-1]} is published", WAIT)
    return landed


def _pointer(stack: Stack) -> Path:
    return stack.home / "releases" / "current.json"


def _as_of(stack: Stack) -> str | None:
    return json.loads(_pointer(stack).read_text())["as_of_date"] if _pointer(stack).exists() else None


def _parts(stack: Stack, day: date, landed: float) -> dict[str, float]:
    """The seconds of a day that has just been published, part by part."""
    published = _pointer(stack).stat().st_mtime
    stack.wait(stack.is_idle, "the runs have ended", WAIT)
    settle = _tasks(stack, "settle", "settle_days", landed)[-1]
    take_in = [task for task in _tasks(stack, "ingest", "take_in", landed) if task["end"] <= settle["start"]][-1]
    marks = (landed, take_in["start"], take_in["end"], settle["start"], published)
    seconds = [end - start for start, end in zip(marks, marks[1:], strict=False)]
    return dict(zip(PARTS, (*seconds, _worked(stack, [day]), published - landed), strict=True))


def _tasks(stack: Stack, dag: str, task: str, since: float) -> list[dict[str, float]]:
    """When the runs of a task that ended after a moment began and ended, in that order."""
    at = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
    query = f"end_date_gte={at}&order_by=end_date&limit=100"
    found = stack.get(f"/dags/{dag}/dagRuns/~/taskInstances?{query}")
    if found["total_entries"] > len(found["task_instances"]):
        raise RuntimeError(
            f"{dag} ran [{found['total_entries']}] tasks, which are more than one answer holds: ask for fewer days."
        )
    ran = [
        one for one in found["task_instances"] if one["task_id"] == task and one["start_date"]
    ]  # what is skipped never starts
    return [{e: datetime.fromisoformat(one[f"{e}_date"]).timestamp() for e in ("start", "end")} for one in ran]


def _worked(stack: Stack, days: list[date]) -> float:
    """The seconds that the pipeline itself took to settle and publish some days, as their runs report."""
    runs = [json.loads(line) for line in (stack.home / "runs.jsonl").read_text().splitlines()]
    return sum(sum(run["seconds"].values()) for run in runs if run["business_date"] in map(str, days))


def _overhead(stack: Stack, work: Path, days: list[date]) -> float:
    """The seconds a day beyond the work when days land at once; what take_in took before the first is settled is work."""
    landed = _published(stack, work, days)
    elapsed = _pointer(stack).stat().st_mtime - landed
    begun = _tasks(stack, "settle", "settle_days", landed)[0]["start"]  # a later take_in waits for the lock meanwhile
    before = [task for task in _tasks(stack, "ingest", "take_in", landed) if task["start"] < begun]
    taken_in = sum(min(task["end"], begun) - max(task["start"], landed) for task in before)
    return (elapsed - taken_in - _worked(stack, days)) / len(days)


def _report(
    console: Console, wanted: argparse.Namespace, measured: list[dict[str, float]], overhead: float | None
) -> None:
    table = Table(title=f"A day of {wanted.lines:,} lines under Airflow, medians of {len(measured)} days")
    table.add_column("part")
    table.add_column("seconds", justify="right")
    rows: list[tuple[int, str, float]] = [
        (len(measured), part, statistics.median(day[part] for day in measured)) for part in PARTS
    ]
    if overhead is not None:
        rows.append((wanted.at_once, f"{wanted.at_once} days at once: a day beyond the work", overhead))
    for _, part, seconds in rows:
        table.add_row(part, f"{seconds:.1f}")
    console.print(table)
    fresh, measured_on = not RESULTS.exists(), datetime.now(UTC).date()
    with RESULTS.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(["measured_on", "lines", "days", "part", "seconds"])
        writer.writerows([measured_on, wanted.lines, days, part, f"{seconds:.2f}"] for days, part, seconds in rows)


if __name__ == "__main__":
    sys.exit(main())
