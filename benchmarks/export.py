"""What an export of millions of rows takes: `make bench-export`.

A sample day is settled and published, and its release multiplied. Each report is then written in a process of its own,
which tells its peak of resident memory itself.
"""

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.dashboard import multiply, settle

RESULTS = Path(__file__).with_name("export.csv")
ASKED = (("earnings", "csv"), ("earnings", "parquet"), ("ineligible", "csv"), ("ineligible", "parquet"))
COMMAND = """
from pathlib import Path
from app.cli import app
app(standalone_mode=False)
[peak] = [line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM")]
print(peak)
"""


def main() -> int:
    """Make the release, write each report, report, append to benchmarks/export.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=360, help="how often the day's 28,000 earnings are taken")
    parser.add_argument(
        "--work", type=Path, default=Path("var"), help="its folder export/ is emptied first and holds it all"
    )
    wanted = parser.parse_args()
    console, work = Console(), wanted.work.absolute() / "export"
    shutil.rmtree(work, ignore_errors=True)
    with console.status(f"settling a sample day and taking it {wanted.copies} times"):
        release(work, wanted.copies)
    found = []
    for what, kind in ASKED:
        with console.status(f"writing {what} as {kind}"):
            found.append(measured(what, kind, work / f"report.{kind}"))
    _report(console, found)
    return 0


def release(home: Path, copies: int) -> None:
    """A home in which a day of so many times 28,000 earnings is published; INCENTIVES_HOME names it from then on."""
    os.environ["INCENTIVES_HOME"] = str(home)
    settle(home, 3_000)
    multiply(copies)


def measured(what: str, kind: str, out: Path) -> dict[str, Any]:
    """How many rows a report has, and what writing it took in time and in memory."""
    command = [sys.executable, "-c", COMMAND, "export", what, "--format", kind, "--out", str(out)]
    begun = time.monotonic()
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {
        "report": what,
        "format": kind,
        "rows": int(re.findall(r"wrote ([\d,]+) rows", said)[0].replace(",", "")),
        "seconds": round(time.monotonic() - begun, 1),
        "peak, MiB": int(said.split()[-1]) >> 10,
    }


def _report(console: Console, found: list[dict[str, Any]]) -> None:
    table = Table(title="Exports; goal 300 MiB")
    for measure in found[0]:
        table.add_column(measure, justify="right")
    for one in found:
        table.add_row(*(f"{value:,}" if isinstance(value, int) else str(value) for value in one.values()))
    console.print(table)
    is_new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if is_new:
            writer.writerow(["date", *found[0]])
        writer.writerows([f"{datetime.now(UTC):%Y-%m-%d}", *one.values()] for one in found)


if __name__ == "__main__":
    sys.exit(main())
