"""Releases: immutable files for readers, and one pointer that is swapped when a new one is whole.

A release is a DuckDB file with the small tables and views on the parts of the others, which lie in Parquet files that
are written once and shared. Readers that hold an old release keep it.
"""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from warehouse import content, parts, store
from warehouse.tables import PUBLISHED, Published

QUERIES = Path(__file__).parent / "published"
STORAGE = "v1.2.0"  # the oldest DuckDB that analysts' tools embed
DATABASE = "published.duckdb"
POINTER = "current.json"
BATCH = 200_000
BESIDE = {  # what the views of sums look up
    "parts.closes": "SELECT period FROM derived.closes",
    "parts.reasons": "SELECT reason_code, partner_can_act FROM reasons",
}


def current() -> dict[str, Any] | None:
    """The manifest of the release that readers see, None before the first."""
    pointer = store.place("releases") / POINTER
    return json.loads(pointer.read_text()) if pointer.exists() else None


def releases() -> list[dict[str, Any]]:
    """The manifests of all releases, oldest first; a hidden folder is one that was never finished."""
    return [json.loads(path.read_text()) for path in sorted(store.place("releases").glob("[!.]*/manifest.json"))]


def database(manifest: dict[str, Any]) -> Path:
    """Where a release's database lies."""
    return store.place("releases") / manifest["release_id"] / DATABASE


def files(manifest: dict[str, Any]) -> Iterator[str]:
    """The Parquet files that a release reads; those of version 0.2.0 are named by table and month."""
    for table in manifest["tables"]:
        yield from (month["file"] for month in table.get("partitions", ()))
    for part in manifest.get("parts", ()):
        yield from (file["file"] for file in part["tables"].values())


@contextmanager
def reader(manifest: dict[str, Any]) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to a release that reaches no other file than its own partitions."""
    con = store.connect(database(manifest), read_only=True)
    con.execute("SET allowed_directories = [$folder]", {"folder": str(store.place("releases"))})
    con.execute("SET enable_external_access = false")
    con.execute("SET lock_configuration = true")
    try:
        yield con
    finally:
        con.close()


def build(con: duckdb.DuckDBPyConnection, day: date, facts: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """A release of the day from the warehouse connection, in a hidden folder; nobody sees it until `show`.

    It keeps the parts of the current release and adds one. `facts` goes into its manifest: the run's cut, rules hash,
    engine version.
    """
    before = current() or {}
    kept, first = parts.kept(con, before)
    after = kept[-1]["run_id"] if kept else None
    parts.prepare(con, after, day)
    folder, release_id = _folder(day)
    part = {"part": kept[-1]["part"] + 1 if kept else 1, "as_of_date": day.isoformat(), "run_id": facts["run_id"]}
    written: dict[str, Any] = {}
    copied: dict[str, Any] = {}
    # the second connection only writes what the warehouse's streams to it
    with store.connect(memory=store.memory_limit(4)) as out, _database(out, folder):
        for table in PUBLISHED.values():
            query = (QUERIES / f"{table.name}.sql").read_text()
            query = query.replace("$as_of", f"DATE '{day}'").replace("$first", f"DATE '{first}'")
            con.execute(f"CREATE OR REPLACE TEMP VIEW publishing AS {query}")
            if table.parts:
                written[table.name] = parts.write(con, table, part["part"], release_id)
            else:
                copied[table.name] = _whole(con, out, table)
        for target, query in BESIDE.items():
            _stream(con, out, target, query)
        part |= {"tables": written, "totals": parts.totals(kept, written)}
        parts.show(out, [*kept, part])
    tables = [table | {**copied, **part["totals"]}[table["name"]] for table in parts.described()]
    manifest = {"release_id": release_id, "as_of_date": day.isoformat(), **facts, "after": after, "tables": tables}
    return folder, _said(folder, manifest | {"parts": [*kept, part]})


def show(folder: Path, manifest: dict[str, Any]) -> None:
    """Give a built release its name and swap the pointer to it."""
    final = store.place("releases") / manifest["release_id"]
    store.sync(folder / DATABASE)
    os.replace(folder, final)
    store.reached("release named")
    point_to(manifest)


def pending(run_id: str) -> tuple[bool, dict[str, Any] | None]:
    """Whether readers wait for the release of the last run, and its manifest if it has its name already.

    They do when the process ended after the warehouse took the run over and before the pointer was swapped; after a
    rollback they do not.
    """
    now = current() or {}
    if now.get("run_id") == run_id or now.get("is_rolled_back"):
        return False, None
    return True, next((manifest for manifest in releases() if manifest.get("run_id") == run_id), None)


def point_to(manifest: dict[str, Any]) -> None:
    """Swap the pointer, by rename, to a release."""
    root = store.place("releases")
    fresh = root / f".{POINTER}"
    fresh.write_text(json.dumps(manifest, indent=2) + "\n")
    store.sync(fresh)
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
    point_to(before[-1] | {"is_rolled_back": True})
    return before[-1]


def expire(keep: int) -> tuple[int, int]:
    """Remove the data of all releases but the newest ones and the current; how many, and how many bytes that freed.

    Their manifests stay, and so do Parquet files that a kept release names.
    """
    root, held = store.place("releases"), releases()
    now = (current() or {}).get("release_id")
    kept = [m for m in held if m in held[-keep:] or m["release_id"] == now]
    named = {root / file for m in kept for file in files(m)}
    databases = [path for m in held if m not in kept and (path := database(m)).exists()]
    doomed = [*databases, *(path for path in root.glob("partitions/*/*.parquet") if path not in named)]
    freed = sum(path.stat().st_size for path in doomed)
    for path in doomed:
        path.unlink()
    return len(databases), freed


def rehome() -> None:
    """Let the releases' views find their Parquet files where these lie now, after the home has moved."""
    root = store.place("releases")
    for manifest in releases():
        if not database(manifest).exists():
            continue
        with store.connect(database(manifest)) as con:
            views = con.execute("SELECT sql FROM duckdb_views() WHERE NOT internal").fetchall()
            macros = con.execute(
                "SELECT 'CREATE MACRO ' || function_name || '(day) AS TABLE ' || macro_definition FROM duckdb_functions() "
                "WHERE function_type = 'table_macro' AND NOT internal"
            ).fetchall()
            for (text,) in (*views, *macros):
                moved = re.sub(r"'[^']*/(partitions/[^']*)'", lambda found: parts.quoted(root / found[1]), text)
                con.execute(moved.replace("CREATE ", "CREATE OR REPLACE ", 1))


def merge() -> int:
    """Publish the current release again with one part for each past month of parts; how many files fewer it reads.

    Nothing that readers see changes. A release that was rolled back to stays as it is.
    """
    now = current()
    if not now or now.get("is_rolled_back") or "parts" not in now:
        return 0
    months = [list(held) for _, held in groupby(now["parts"], lambda part: part["as_of_date"][:7])]
    past = [held for held in months if len(held) > 1 and held[0]["as_of_date"][:7] < now["as_of_date"][:7]]
    if not past:
        return 0
    folder, release_id = _folder(date.fromisoformat(now["as_of_date"]))
    with store.connect() as con:
        merged = [parts.merge(con, held, held[-1]["as_of_date"][:7]) if held in past else held for held in months]
    held = [part for month in merged for part in (month if isinstance(month, list) else [month])]
    shutil.copy(database(now), folder / DATABASE)
    with store.connect(folder / DATABASE) as out:
        parts.show(out, held)
    show(folder, _said(folder, now | {"release_id": release_id, "parts": held}))
    return len(list(files(now))) - len(held) * len(parts.TABLES)


def _folder(day: date) -> tuple[Path, str]:
    """A fresh hidden folder for a release of a day, and the release's id."""
    number = len([m for m in releases() if m["as_of_date"] == day.isoformat()]) + 1
    release_id = f"{day.isoformat()}-{number:02d}"
    folder = store.place("releases") / f".{release_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder, release_id


@contextmanager
def _database(out: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[None]:
    """A release's database, to be filled."""
    store.attach(out, folder / DATABASE, "published", f"(STORAGE_VERSION '{STORAGE}')")
    out.execute("USE published")
    out.execute("CREATE SCHEMA parts")
    yield
    out.execute("USE memory")
    out.execute("CHECKPOINT published")
    out.execute("DETACH published")


def _said(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return manifest


def _whole(con: duckdb.DuckDBPyConnection, out: duckdb.DuckDBPyConnection, table: Published) -> dict[str, Any]:
    """Copy a table into the release whole; how many rows, and their content hash."""
    _stream(con, out, table.name, content.shown(con, "publishing", table.columns))
    return dict(zip(("rows", "content_hash"), content.content_hash(out, table.name), strict=True))


def _stream(con: duckdb.DuckDBPyConnection, out: duckdb.DuckDBPyConnection, target: str, query: str) -> None:
    out.register("arriving", con.execute(query).to_arrow_reader(BATCH))
    try:
        out.execute(f"CREATE TABLE {target} AS SELECT * FROM arriving")
    finally:
        out.unregister("arriving")


def write_health(health: dict[str, Any]) -> None:
    """Swap health.json, which readers look at besides the release."""
    fresh = store.home() / ".health.json"
    fresh.write_text(json.dumps(health, indent=2, default=str) + "\n")
    os.replace(fresh, store.home() / "health.json")
