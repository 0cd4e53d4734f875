"""Six levers on many lines: the transforms beside plain DuckDB SQL for the same rows, in the same run.

flat, marginal over a month, retroactive over a quarter, amounts a unit, and two caps, of which one binds for one customer in
a hundred, spread over all partners or those of a few. Sides alternate; medians are reported and added to results.csv, as is
what share of the transforms' processor time one more program costs that no line matches.
"""

import argparse
import statistics
import sys
from pathlib import Path
from shutil import rmtree
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bench import measured, record
from benchmarks.rules_data import make

SIDES = ("transforms", "plain")


def main() -> int:
    """Measure and report; exit 1 when the two sides do not share their figures."""
    given = _arguments()
    work = given.work / "bench-rules"
    differing = False
    for bound in ("all", "few"):
        rmtree(work, ignore_errors=True)
        make(work / "lines.duckdb", given.lines, bound)
        runs: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
        for number in range(given.runs):
            for side in SIDES:
                runs[side].append(_measured(side, work))
                print(
                    f"caps bind for customers of {bound}, run {number + 1}, {side}: {runs[side][-1]['seconds']['total']:.1f} s"
                )
        idle = _measured("idle", work)["seconds"]
        is_void = any(a["figures"] != b["figures"] for a, b in zip(*runs.values(), strict=True))
        differing |= is_void
        _report(given.lines, bound, runs, idle, is_void)
    rmtree(work, ignore_errors=True)
    return int(differing)


def _measured(side: str, work: Path) -> dict[str, Any]:
    place = work / side
    place.mkdir()
    found = measured("benchmarks.rules_side", side, str(work / "lines.duckdb"), str(place))
    rmtree(place)
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3, help="runs a side; medians are reported")
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder bench-rules/ is emptied first")
    return parser.parse_args()


def _report(
    lines: int, bound: str, runs: dict[str, list[dict[str, Any]]], idle: dict[str, float], is_void: bool
) -> None:
    ours, theirs = (statistics.median(run["seconds"]["total"] for run in runs[side]) for side in SIDES)
    peaks = [statistics.median(run["rss_mib"] for run in runs[side]) for side in SIDES]
    table = Table(title=f"{lines:,} lines × 6 levers, caps bind for customers of {bound}{' (VOID)' if is_void else ''}")
    for column in ("measure", "transforms", "plain SQL", "ratio"):
        table.add_column(column, justify="left" if column == "measure" else "right")
    table.add_row("seconds", f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}")
    table.add_row("peak MiB", *(f"{peak:,.0f}" for peak in peaks), "")
    shares = {name: 100 * added / idle["total"] for name, added in idle.items() if name != "total"}
    for named, share in shares.items():
        table.add_row(f"% more for a program {named}", f"{share:.1f}", "", "")
    Console().print(table)
    name = f"rules, caps of {bound}"
    memory = dict(zip(("pipeline", "plain"), peaks, strict=True))
    measures = {f"{name}: seconds": {"pipeline": ours, "plain": theirs}, f"{name}: peak MiB": memory}
    measures |= {f"{name}: % more for a program {named}": {"pipeline": share} for named, share in shares.items()}
    record(lines, len(runs["plain"]), measures, void=is_void)


if __name__ == "__main__":
    sys.exit(main())
