"""Where the time of a stage goes, as a flame graph: `make profile STAGE=ingest`, `settle` or `publish`.

The stages run one after another in processes of their own on a warehouse with history; the one asked for is sampled, with
its imports.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from benchmarks.data import DAY, HISTORY, Sizes, deliver

STAGES = ("ingest", "settle", "publish")
SAMPLES_A_SECOND = "200"


def main() -> int:
    """Make the deliveries, settle the history, run the stages up to the one asked for, and sample that one."""
    wanted = _arguments()
    console, work = Console(), wanted.work.absolute() / "profile"
    home, deliveries = work / "home", work / "deliveries"
    shutil.rmtree(home, ignore_errors=True)
    shutil.rmtree(deliveries, ignore_errors=True)
    sizes = Sizes(lines=wanted.lines, history=wanted.lines * 6 // 5, partners=wanted.partners)
    with console.status("making deliveries"):
        deliver(deliveries, sizes, work / "made")
    with console.status("settling the history"):
        _run(home, deliveries, f"{HISTORY}", *STAGES)
    for stage in STAGES[: STAGES.index(wanted.stage)]:
        with console.status(stage):
            _run(home, deliveries, f"{DAY}", stage)
    graph = work / f"{wanted.stage}.svg"
    with console.status(f"{wanted.stage}, sampled"):
        sampler = ["py-spy", "record", "--rate", SAMPLES_A_SECOND, "--output", str(graph), "--"]
        _run(home, deliveries, f"{DAY}", wanted.stage, sampler=sampler)
    console.print(
        f"{graph.relative_to(Path.cwd()) if graph.is_relative_to(Path.cwd()) else graph}: open it in a browser"
    )
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--lines", type=int, default=200_000, help="lines of the sampled day")
    parser.add_argument("--partners", type=int, default=20_000)
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder profile/ holds it all")
    return parser.parse_args()


def _run(home: Path, deliveries: Path, day: str, *stages: str, sampler: list[str] | None = None) -> None:
    command = [
        *(sampler or []),
        sys.executable,
        "-m",
        "benchmarks.staged_day",
        str(home),
        str(deliveries),
        day,
        *stages,
    ]
    subprocess.run(command, check=True, cwd=Path(__file__).parent.parent, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    sys.exit(main())
