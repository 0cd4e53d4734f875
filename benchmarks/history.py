"""What a day costs after months of history: `make bench-history`.

A warehouse is filled with copies of one settled day; the day after them is taken in and settled in a process of its own.
"""

import argparse
import csv
import os
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bench import measured
from benchmarks.history_data import DAYS_A_MONTH, FIRST, SEED, Scale, copy_days, deliver_day, deliver_first_days

RESULTS = Path(__file__).parent / "history.csv"
COLUMNS = ["measured_on", "measure", "day_lines", "months", "history_lines", "value", "unit"]


def main() -> int:
    """Settle the days that are copied, then for each length of history fill a warehouse and measure what is asked for."""
    wanted = _arguments()
    console = Console()
    work, scale = wanted.work.absolute() / "history", Scale(wanted.day_lines)
    if not wanted.keep:
        shutil.rmtree(work, ignore_errors=True)
    if not (work / "before").exists():
        with console.status("settling the day that is copied"):
            deliver_first_days(work / "deliveries", scale, work / "made")
            measured("benchmarks.settled_day", str(work / "before"), str(work / "deliveries"), str(SEED), str(FIRST))
    days = {months: _measured_day(console, work, scale, months, wanted) for months in wanted.months}
    _report(console, scale, days)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--months", type=_numbers, default=[1, 6, 12, 24], help="months of history, such as 1,6,12,24")
    parser.add_argument("--day-lines", type=int, default=200_000, help="lines of each day")
    parser.add_argument(
        "--publish", action="store_true", help="publish the history first, then the day with its release"
    )
    parser.add_argument("--keep", action="store_true", help="use the settled day and the warehouses of an earlier call")
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder history/ holds it all")
    return parser.parse_args()


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _filled(console: Console, work: Path, scale: Scale, months: int) -> Path:
    """A home with so many months of history."""
    home = work / f"months-{months}"
    if not home.exists():
        begun = time.perf_counter()
        with console.status(f"filling {months} months"):
            shutil.copytree(work / "before", home)
            copy_days(home, scale, months * DAYS_A_MONTH)
        size = (home / "warehouse.duckdb").stat().st_size
        console.print(f"{months} months: {size / 1e9:.1f} GB, filled in {time.perf_counter() - begun:.0f} s")
    return home


def _measured_day(
    console: Console, work: Path, scale: Scale, months: int, wanted: argparse.Namespace
) -> dict[str, Any]:
    """The day after the history, settled on a copy that is removed again; its report."""
    home, day = _filled(console, work, scale, months), FIRST + timedelta(days=months * DAYS_A_MONTH)
    deliveries = work / "deliveries"
    if not list(deliveries.glob(f"{day}-*")):
        deliver_day(deliveries, scale, work / "made", months * DAYS_A_MONTH)
    tried = work / "tried"
    shutil.rmtree(tried, ignore_errors=True)
    shutil.copytree(home, tried)
    os.sync()  # or the day's first commit waits until the copy is on the disk: 1.3 s of 4 GB
    if not wanted.keep:
        shutil.rmtree(home)
    with console.status(f"settling the day after {months} months"):
        publish = ["--publish"] if wanted.publish else []
        report = measured("benchmarks.settled_day", str(tried), str(deliveries), str(day), *publish)
    shutil.rmtree(tried)
    return report


def _report(console: Console, scale: Scale, days: dict[int, dict[str, Any]]) -> None:
    """The stages side by side on the console, and appended to benchmarks/history.csv."""
    table = Table(title=f"A day of {scale.day_lines:,} lines after months of such days")
    table.add_column("stage")
    for months in days:
        table.add_column(f"{months} months", justify="right")
    stages = list(dict.fromkeys(stage for report in days.values() for stage in report["seconds"]))
    for stage in stages:
        table.add_row(stage, *(f"{report['seconds'].get(stage, 0):.2f} s" for report in days.values()))
    table.add_row("lines touched", *(f"{report['lines']:,}" for report in days.values()))
    a_line = {months: report["seconds"]["total"] / report["lines"] for months, report in days.items()}
    table.add_row("a touched line", *(f"{seconds * 1e6:.0f} µs" for seconds in a_line.values()))
    table.add_row("peak memory", *(f"{report['rss_mib']:,} MiB" for report in days.values()))
    console.print(table)
    for months, report in days.items():
        rows = [(f"day, {stage}", f"{taken:.3f}", "s") for stage, taken in report["seconds"].items()]
        rows += [
            ("day, lines touched", str(report["lines"]), "lines"),
            ("day, peak memory", str(report["rss_mib"]), "MiB"),
        ]
        rows.append(("day, a touched line", f"{a_line[months] * 1e6:.1f}", "µs"))
        _append(scale, months, rows)


def _append(scale: Scale, months: int, rows: list[tuple[str, str, str]]) -> None:
    fresh = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(COLUMNS)
        made_on, history = datetime.now(UTC).date().isoformat(), scale.day_lines * DAYS_A_MONTH * months
        for measure, value, unit in rows:
            writer.writerow([made_on, measure, scale.day_lines, months, history, value, unit])


if __name__ == "__main__":
    sys.exit(main())
