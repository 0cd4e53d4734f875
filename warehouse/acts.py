"""Acts: what operators did, each archived as a file with who did it."""

import json
import os
from datetime import UTC, datetime
from typing import Any

import duckdb

from warehouse import books, store


def write(kind: str, said: dict[str, Any]) -> None:
    """Archive what an operator did."""
    folder = store.place("archive") / "acts"
    folder.mkdir(exist_ok=True, mode=0o700)
    now = datetime.now(UTC)
    path = folder / f"{now:%Y%m%dT%H%M%S%f}-{kind}.json"
    fresh = folder / f".{kind}.json"  # one name, so that what was cut off is written over
    fresh.write_text(json.dumps({"act": kind, "at": now, **said}, indent=2, default=str) + "\n")
    store.reached("act written down")
    os.replace(fresh, path)


def write_missing(con: duckdb.DuckDBPyConnection) -> None:
    """Archive the closes and restatements that the warehouse has and the archive lacks: those just made, or cut off after."""
    told = {(month, act["by"]) for act in written("close") for month in act["closed"]}
    closed: dict[str, list[str]] = {}
    for month, by in books.closes(con):
        if (str(month), by) not in told:
            closed.setdefault(by, []).append(str(month))
    for by, months in closed.items():
        write("close", {"month": months[-1], "by": by, "closed": months})
    restated = written("restate")
    for made in books.restatements(con):
        said = {name: str(value) for name, value in made.items()}
        if not any(all(act.get(name, value) == value for name, value in said.items()) for act in restated):
            write("restate", said | {"plan": books.rule_changes(con, said["run_id"])})


def written(kind: str) -> list[dict[str, Any]]:
    """The archived acts of a kind."""
    return [json.loads(path.read_text()) for path in (store.place("archive") / "acts").glob(f"[!.]*-{kind}.json")]
