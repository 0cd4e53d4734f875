"""What a large day costs beside plain DuckDB SQL that makes the same tables: `make bench`.

Each run is a process of its own on a copy of the same warehouse; the sides take turns; medians are compared. A row
whose figures differ between the sides is void.
"""

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

import rulebook
from benchmarks.data import DAY, HISTORY, Sizes, deliver

RESULTS = Path(__file__).parent / "results.csv"
STAGES = ("ingest", "eligibility", "lines", "audit", "commit", "publish", "total", "imports")
SAMPLE_SECONDS = 0.05


def main() -> int:
    """Make the deliveries, settle the history, run both sides in turn and report; 1 when their figures differ."""
    wanted = _arguments()
    console = Console()
    work = wanted.work.absolute() / "bench"
    sizes = Sizes(
        lines=wanted.lines, history=wanted.lines * 6 // 5, partners=wanted.partners, customers=wanted.lines // 5
    )
    deliveries = work / "deliveries"
    shutil.rmtree(work, ignore_errors=True)
    without = shutil.ignore_patterns("csp-customer-add.yaml")  # whose windows and counts the plain side does not know
    os.environ["INCENTIVES_PROGRAMS"] = str(
        shutil.copytree(rulebook.programs_folder(), work / "programs", ignore=without)
    )
    with console.status(f"making {sizes.history:,} lines of history and a day of {sizes.lines:,}"):
        deliver(deliveries, sizes, work / "made")
    with console.status("settling the history"):
        _run("pipeline", work / "before", deliveries, HISTORY.isoformat())
    runs: dict[str, list[dict[str, Any]]] = {"pipeline": [], "plain": []}
    for number in range(1, wanted.runs + 1):
        for side in runs:
            with console.status(f"run {number} of {wanted.runs}: {side}"):
                home = work / "home"
                shutil.copytree(work / "before", home)
                runs[side].append(_run(side, home, deliveries, DAY.isoformat()))
                shutil.rmtree(home)
            console.print(
                f"run {number} {side}: {runs[side][-1]['seconds']['total']:.1f} s, {runs[side][-1]['rss_mib']:,} MiB"
            )
    differing = _differing(runs["pipeline"][-1]["figures"], runs["plain"][-1]["figures"])
    for name, ours, theirs in differing[:20]:
        console.print(f"VOID {name}: pipeline {ours}, plain {theirs}")
    _report(console, runs, sizes, void=bool(differing))
    return 1 if differing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the measured day")
    parser.add_argument("--partners", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5, help="runs a side; medians are reported")
    parser.add_argument(
        "--work", type=Path, default=Path("var"), help="its folder bench/ is emptied first and holds it all"
    )
    return parser.parse_args()


def _run(side: str, home: Path, deliveries: Path, day: str) -> dict[str, Any]:
    return measured("benchmarks.side", side, str(home), str(deliveries), day)


def measured(module: str, *arguments: str) -> dict[str, Any]:
    """What a module prints last, run in a process of its own, with the peak resident memory of its process tree."""
    command = [sys.executable, "-m", module, *arguments]
    place = Path(__file__).parent.parent
    # a file, since a pipe that nobody reads takes 64 KiB and the figures are more
    with (
        TemporaryFile("w+") as output,
        subprocess.Popen(command, stdout=output, cwd=place, env=dict(os.environ)) as process,
    ):
        peak, watched = 0, psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(watched))
            time.sleep(SAMPLE_SECONDS)
        if process.returncode:
            raise SystemExit(f"{module} ended with {process.returncode}")
        output.seek(0)
        return {**json.loads(output.read().splitlines()[-1]), "rss_mib": peak // 2**20}


def _resident(process: psutil.Process) -> int:
    try:
        return sum(p.memory_info().rss for p in (process, *process.children(recursive=True)))
    except psutil.NoSuchProcess:
        return 0


def _differing(ours: dict[str, str], theirs: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    names = sorted({*ours, *theirs})
    return [(name, ours.get(name), theirs.get(name)) for name in names if ours.get(name) != theirs.get(name)]


def _report(console: Console, runs: dict[str, list[dict[str, Any]]], sizes: Sizes, *, void: bool) -> None:
    table = Table(
        title=f"A day of {sizes.lines:,} lines after {sizes.history:,}{' (VOID: figures differ)' if void else ''}"
    )
    for column in ("stage", "pipeline", "plain SQL", "ratio"):
        table.add_column(column, justify="left" if column == "stage" else "right")
    median = {side: {s: _median(made, s) for s in STAGES} for side, made in runs.items()}
    for stage in STAGES:
        ours, theirs = median["pipeline"][stage], median["plain"][stage]
        table.add_row(stage, f"{ours:.1f} s", f"{theirs:.1f} s", f"{ours / theirs:.1f}" if theirs > 0.05 else "")
    peaks = {side: statistics.median(run["rss_mib"] for run in made) for side, made in runs.items()}
    table.add_row("peak memory", f"{peaks['pipeline']:,.0f} MiB", f"{peaks['plain']:,.0f} MiB", "")
    console.print(table)
    fresh = not RESULTS.exists()
    with RESULTS.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if fresh:
            writer.writerow(["measured_on", "lines", "runs", "is_void", "measure", "pipeline", "plain", "ratio"])
        made_on, count = datetime.now(UTC).date().isoformat(), len(runs["plain"])
        for stage in STAGES:
            ours, theirs = median["pipeline"][stage], median["plain"][stage]
            ratio = f"{ours / theirs:.2f}" if theirs > 0.05 else ""
            writer.writerow(
                [made_on, sizes.lines, count, void, f"{stage} seconds", f"{ours:.2f}", f"{theirs:.2f}", ratio]
            )
        writer.writerow([made_on, sizes.lines, count, void, "peak MiB", *(f"{peaks[s]:.0f}" for s in runs), ""])


def _median(runs: list[dict[str, Any]], stage: str) -> float:
    return statistics.median(run["seconds"].get(stage, 0.0) for run in runs)


if __name__ == "__main__":
    sys.exit(main())
