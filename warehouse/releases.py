"""Releases: immutable files for readers, and one pointer that is swapped when a new one is whole.

A release is a DuckDB file with the small tables and views on the parts of the others, which lie in Parquet files that
are written once and shared. Readers that hold an old release keep it.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from warehouse import parts, store

DATABASE = "published.duckdb"
POINTER = "current.json"


def current() -> dict[str, Any] | None:
    """The manifest of the release that readers see, None before the first."""
    pointer = store.place("releases") / POINTER
    return json.loads(pointer.read_text()) if pointer.exists() else None


def published() -> dict[str, Any]:
    """The manifest of the release that readers see; raises LookupError before the first."""
    if not (manifest := current()):
        raise LookupError("nothing is published yet; run `incentives run`.")
    return manifest


def releases() -> list[dict[str, Any]]:
    """The manifests of all releases, oldest first; a hidden folder is one that was never finished."""
    return [json.loads(path.read_text()) for path in sorted(store.place("releases").glob("[!.]*/manifest.json"))]


def database(manifest: dict[str, Any]) -> Path:
    """Where a release's database lies."""
    return store.place("releases") / manifest["release_id"] / DATABASE


def files(manifest: dict[str, Any]) -> Iterator[str]:
    """The Parquet files that a release reads; those of an older layout are named by table and month."""
    for table in manifest["tables"]:
        yield from (month["file"] for month in table.get("partitions", ()))
    for part in manifest.get("parts", ()):
        yield from (file["file"] for file in part["tables"].values())


def opened(manifest: dict[str, Any], within: dict[str, str] | None = None) -> duckdb.DuckDBPyConnection:
    """A read-only connection to a release that reaches no other file than its own partitions; `within` has its limits."""
    con = store.connect(database(manifest), read_only=True, within=within)
    con.execute(f"SET allowed_directories = [{store.quoted(store.place('releases'))}]")
    con.execute("SET enable_external_access = false")
    con.execute("SET GLOBAL parquet_metadata_cache = true")  # each cursor would read it anew for each query
    con.execute("SET lock_configuration = true")
    return con


@contextmanager
def reader(manifest: dict[str, Any], within: dict[str, str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A release, open for as long as the block lasts; `within` has the connection's limits."""
    con = opened(manifest, within)
    try:
        yield con
    finally:
        con.close()


def show(folder: Path, manifest: dict[str, Any]) -> None:
    """Give a built release its name and swap the pointer to it."""
    final = store.place("releases") / manifest["release_id"]
    store.sync(folder / DATABASE)
    os.replace(folder, final)
    store.reached("release named")
    point_to(manifest)


def pending(run_id: str) -> tuple[bool, dict[str, Any] | None]:
    """Whether readers wait for the release of the last run, and its manifest if it has its name already.

    They do when the process ended after the warehouse took the run over and before the pointer was swapped; for the run
    that was rolled back from they do not.
    """
    now = current() or {}
    rolled_back_from = (
        now.get("rolled_back_from", run_id) if now.get("is_rolled_back") else None
    )  # before 0.16.0 not told
    if run_id in (now.get("run_id"), rolled_back_from):
        return False, None
    return True, next((manifest for manifest in releases() if manifest.get("run_id") == run_id), None)


def point_to(manifest: dict[str, Any]) -> None:
    """Swap the pointer, by rename, to a release."""
    root = store.place("releases")
    fresh = root / f".{POINTER}"
    fresh.write_text(json.dumps(manifest, indent=2) + "\n")
    store.sync(fresh)
    store.reached("pointer written")
    os.replace(fresh, root / POINTER)
    store.sync(root)


def rollback() -> dict[str, Any]:
    """Point readers to what they saw before the current release's run; raises LookupError when there is nothing."""
    held = releases()
    if not held:
        raise LookupError("nothing is published yet; run `incentives run`.")
    now = current() or {}
    ids = [m["release_id"] for m in held]
    place = ids.index(now["release_id"]) if now.get("release_id") in ids else 0
    before = [m for m in held[:place] if m.get("run_id") != now.get("run_id")]
    if not before or not database(before[-1]).exists():
        there = [m["release_id"] for m in held if database(m).exists()]
        raise LookupError(f"no release before [{now.get('release_id')}] with its data; there are {there}.")
    newest = now.get("rolled_back_from", now.get("run_id"))
    point_to(before[-1] | {"is_rolled_back": True, "rolled_back_from": newest})
    return before[-1]


def expire(keep: int) -> tuple[int, int]:
    """Remove the data of all releases but the newest ones and the current; how many, and how many bytes that freed.

    Their manifests stay, and so do Parquet files that a kept release names.
    """
    root, held = store.place("releases"), releases()
    now = (current() or {}).get("release_id")
    kept = [m for m in held if m in held[max(len(held) - keep, 0) :] or m["release_id"] == now]
    named = {root / file for m in kept for file in files(m)}
    databases = [path for m in held if m not in kept and (path := database(m)).exists()]
    doomed = [*databases, *(path for path in root.glob("partitions/*/*.parquet") if path not in named)]
    freed = sum(path.stat().st_size for path in doomed)
    for path in doomed:
        path.unlink()
        store.reached("release file removed")
    return len(databases), freed


def rehome() -> None:
    """Let the releases' views find their Parquet files where these lie now, after the home has moved."""
    for manifest in releases():
        if not database(manifest).exists():
            continue
        with store.connect(database(manifest)) as con:
            if "parts" in manifest:
                parts.show(con, manifest["parts"])
            else:
                _rehome_months(con)
        store.reached("release rehomed")


def _rehome_months(con: duckdb.DuckDBPyConnection) -> None:
    """A release of the older layout, whose manifest says less than its views."""
    views = con.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall()
    macros = con.execute(
        "SELECT 'CREATE MACRO ' || function_name || '(day) AS TABLE ' || macro_definition FROM duckdb_functions() "
        "WHERE function_type = 'table_macro' AND NOT internal"
    ).fetchall()
    root = store.place("releases")
    for (text,) in (*views, *macros):
        moved = re.sub(r"'[^']*/(partitions/[^']*)'", lambda found: store.quoted(root / found[1]), text)
        con.execute(moved.replace("CREATE ", "CREATE OR REPLACE ", 1))


def write_health(health: dict[str, Any]) -> None:
    """Swap health.json, which readers look at besides the release."""
    fresh = store.home() / ".health.json"
    fresh.write_text(json.dumps(health, indent=2, default=str) + "\n")
    os.replace(fresh, store.home() / "health.json")
