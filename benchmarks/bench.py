"""What a large day costs beside plain DuckDB SQL and dbt that make the same tables: `make bench`.

`make bench-all` adds SQLMesh and Polars; `make bench-backlog` settles a quarter's lines at once, on whose days nobody's
standing moves, since plain SQL judges partners as of one day. The floor is no way to make the tables: it scans the input once and
writes once what the pipeline made. Each run is a process of its own on a copy of the same warehouse; the sides take turns; medians
are compared. A row whose figures differ between the sides is void. A side with a lock has an environment of its own, made here
and pinned by hash. Totals compare; rows by stage do so roughly, since the pipeline judges deliveries as it takes them in, and
dbt and SQLMesh, which also test what they make, at the end. The pipeline keeps to 2 GiB for DuckDB, the others may take four
fifths of the machine. `imports` of dbt and SQLMesh are all before their first node.
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
from benchmarks.side import SIDES

RESULTS = Path(__file__).parent / "results.csv"
STAGES = ("ingest", "eligibility", "lines", "audit", "commit", "publish", "total", "imports", "with imports")
SAMPLE_SECONDS = 0.05


def main() -> int:
    """Make the deliveries, settle the history, run the sides in turn and report; 1 when their figures differ."""
    wanted = _arguments()
    console = Console()
    work = wanted.work.absolute() / "bench"
    sizes = Sizes(
        wanted.lines,
        wanted.history or wanted.lines * 6 // 5,
        wanted.partners,
        customers=wanted.lines // 5,
        days=wanted.days,
    )
    deliveries = work / "deliveries"
    shutil.rmtree(work, ignore_errors=True)
    without = shutil.ignore_patterns("csp-customer-add.yaml")  # whose windows and counts the plain side does not know
    os.environ["INCENTIVES_PROGRAMS"] = str(
        shutil.copytree(rulebook.programs_folder(), work / "programs", ignore=without)
    )
    os.environ["INCENTIVES_ENVIRONMENTS"] = str(work / "environments")
    for side in wanted.sides:
        lock = Path(__file__).parent / side / "requirements.lock"
        if lock.exists():
            with console.status(f"making the environment of {side}"):
                _make_environment(work / "environments" / side, lock)
    with console.status(f"making {sizes.history:,} lines of history and a day of {sizes.lines:,}"):
        deliver(deliveries, sizes, work / "made")
    with console.status("settling the history"):
        _run("pipeline", work / "before", deliveries, HISTORY.isoformat())
    runs: dict[str, list[dict[str, Any]]] = {side: [] for side in wanted.sides}
    for number in range(1, wanted.runs + 1):
        for side in runs:
            with console.status(f"run {number} of {wanted.runs}: {side}"):
                home = work / ("after" if side == "floor" else "home")
                if side != "floor":
                    shutil.copytree(work / "before", home)
                    os.sync()  # or the first commit waits until the copy is on the disk
                runs[side].append(_run(side, home, deliveries, DAY.isoformat()))
                if side == "pipeline":  # whose tables the floor writes
                    shutil.rmtree(work / "after", ignore_errors=True)
                    home.rename(work / "after")
                else:
                    shutil.rmtree(home)
            console.print(
                f"run {number} {side}: {runs[side][-1]['seconds']['total']:.1f} s, {runs[side][-1]['rss_mib']:,} MiB"
            )
    differing = _differing({side: made[-1]["figures"] for side, made in runs.items() if side != "floor"})
    for name, figures in differing[:20]:
        console.print(f"VOID {name}: {', '.join(f'{side} {figure}' for side, figure in figures.items())}")
    _report(console, runs, sizes, void=bool(differing))
    return 1 if differing else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=1_000_000, help="lines of the measured day")
    parser.add_argument("--days", type=int, default=1, help="days over which these are spread, such as 365")
    parser.add_argument("--history", type=int, help="lines settled before; 1.2 times as many unless given")
    parser.add_argument("--partners", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5, help="runs a side; medians are reported")
    parser.add_argument(
        "--sides",
        type=_sides,
        default=["pipeline", "plain", "dbt", "floor"],
        help="with commas; the others are compared with the first",
    )
    parser.add_argument(
        "--work", type=Path, default=Path("var"), help="its folder bench/ is emptied first and holds it all"
    )
    return parser.parse_args()


def _sides(named: str) -> list[str]:
    sides = named.split(",")
    if unknown := set(sides) - set(SIDES):
        raise argparse.ArgumentTypeError(f"no such side: {sorted(unknown)}; there are {list(SIDES)}")
    if "floor" in sides and "pipeline" not in sides[: sides.index("floor")]:
        raise argparse.ArgumentTypeError("floor writes what the pipeline made: name pipeline before it")
    return sides


def _make_environment(place: Path, lock: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, place], check=True)
    install = [uv, "pip", "install", "--quiet", "--python", place / "bin" / "python", "--compile-bytecode"]
    subprocess.run([*install, "--require-hashes", "-r", lock], check=True)


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


def _differing(figures: dict[str, dict[str, str]]) -> list[tuple[str, dict[str, str | None]]]:
    names = sorted({name for shown in figures.values() for name in shown})
    found = ((name, {side: shown.get(name) for side, shown in figures.items()}) for name in names)
    return [(name, shown) for name, shown in found if len(set(shown.values())) > 1]


def _report(console: Console, runs: dict[str, list[dict[str, Any]]], sizes: Sizes, *, void: bool) -> None:
    first, *others = runs
    measures = {
        name: {side: statistics.median(_measures(run)[name] for run in made) for side, made in runs.items()}
        for name in _measures(runs[first][0])
    }
    spread = "a day" if sizes.days == 1 else f"{sizes.days} days"
    title = f"Seconds of {spread} of {sizes.lines:,} lines after {sizes.history:,}{' (VOID: figures differ)' if void else ''}"
    table = Table(title=title, box=None, collapse_padding=True, pad_edge=False)
    for column in ("stage", first, *(column for side in others for column in (side, "ratio"))):
        table.add_column(column, justify="left" if column == "stage" else "right")
    for name, taken in measures.items():
        cells = (cell for side in others for cell in (_shown(taken[side]), _ratio(taken[first], taken[side])))
        table.add_row(name.removesuffix(" seconds"), _shown(taken[first]), *cells)
    console.print(table)
    record(sizes.lines, len(runs[first]), measures, days=sizes.days, void=void)


def _measures(run: dict[str, Any]) -> dict[str, float]:
    seconds = {f"{stage} seconds": run["seconds"].get(stage, 0.0) for stage in STAGES}
    return {**seconds, "peak MiB": run["rss_mib"]}


def _shown(figure: float) -> str:
    return f"{figure:,.1f}" if figure < 1000 else f"{figure:,.0f}"


def _ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.1f}" if theirs > 0.05 else ""


def record(lines: int, runs: int, measures: dict[str, dict[str, float]], *, void: bool, days: int = 1) -> None:
    """Add measures to results.csv: each by side, as far as measured."""
    told = {"measured_on": datetime.now(UTC).date(), "lines": lines, "days": days, "runs": runs, "is_void": void}
    columns = RESULTS.read_text().partition("\n")[0].split(",")
    with RESULTS.open("a", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        for measure, taken in measures.items():
            writer.writerow({**told, "measure": measure, **{side: round(value, 2) for side, value in taken.items()}})


if __name__ == "__main__":
    sys.exit(main())
