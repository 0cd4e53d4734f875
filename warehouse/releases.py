"""Releases: immutable files for readers, and one pointer that is swapped when a new one is whole.

A release is a DuckDB file with aggregates and the open month, and Parquet files of the months before it, which are
written once and shared. Views join both. Readers that hold an old release keep it.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse import store
from warehouse.columns import COLUMNS, PUBLISHED_MONEY, published_name
from warehouse.tables import FEEDS, PUBLISHED, Published

QUERIES = Path(__file__).parent / "published"
STORAGE = "v1.2.0"  # the oldest DuckDB that analysts' tools embed
POINTER = "current.json"
BATCH = 200_000


def current() -> dict[str, Any] | None:
    """The manifest of the release that readers see, None before the first."""
    pointer = store.place("releases") / POINTER
    return json.loads(pointer.read_text()) if pointer.exists() else None


def releases() -> list[dict[str, Any]]:
    """The manifests of all releases, oldest first; a hidden folder is one that was never finished."""
    return [json.loads(path.read_text()) for path in sorted(store.place("releases").glob("[!.]*/manifest.json"))]


def database(manifest: dict[str, Any]) -> Path:
    """Where a release's database lies."""
    return store.place("releases") / manifest["release_id"] / "published.duckdb"


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

    The connection has the table `unpublished`: the deliveries seen since the current release.

    `facts` goes into its manifest: the run's cut, rules hash, engine version.
    """
    number = len([m for m in releases() if m["as_of_date"] == day.isoformat()]) + 1
    release_id = f"{day.isoformat()}-{number:02d}"
    folder = store.place("releases") / f".{release_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    before = {t["name"]: t for t in (current() or {"tables": []})["tables"]}
    with store.connect(
        memory=store.memory_limit(4)
    ) as out:  # it only writes what the warehouse's connection streams to it
        store.attach(out, folder / "published.duckdb", "published", f"(STORAGE_VERSION '{STORAGE}')")
        out.execute("USE published")
        out.execute("CREATE SCHEMA parts")
        tables = [_table(con, out, table, day, before.get(table.name)) for table in PUBLISHED.values()]
        out.execute("USE memory")
        out.execute("CHECKPOINT published")
        out.execute("DETACH published")
    manifest = {"release_id": release_id, "as_of_date": day.isoformat(), **facts, "tables": tables}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return folder, manifest


def show(folder: Path, manifest: dict[str, Any]) -> None:
    """Give a built release its name and swap the pointer to it."""
    final = store.place("releases") / manifest["release_id"]
    _sync(folder / "published.duckdb")
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
    _sync(fresh)
    os.replace(fresh, root / POINTER)
    _sync(root)


def rollback() -> dict[str, Any]:
    """Point readers to the release before the current one; raises LookupError when there is none."""
    held = releases()
    if not held:
        raise LookupError("nothing is published yet; run `incentives run`.")
    now = (current() or {}).get("release_id")
    places = [place for place, manifest in enumerate(held) if manifest["release_id"] == now]
    if not places or places[0] == 0 or not database(held[places[0] - 1]).exists():
        there = [m["release_id"] for m in held if database(m).exists()]
        raise LookupError(f"no release before [{now}] with its data; there are {there}.")
    point_to(held[places[0] - 1] | {"is_rolled_back": True})
    return held[places[0] - 1]


def expire(keep: int) -> tuple[int, int]:
    """Remove the data of all releases but the newest ones and the current; how many, and how many bytes that freed.

    Their manifests stay, and so do Parquet files that a kept release names.
    """
    root, held = store.place("releases"), releases()
    now = (current() or {}).get("release_id")
    kept = [m for m in held if m in held[-keep:] or m["release_id"] == now]
    named = {root / part["file"] for m in kept for table in m["tables"] for part in table["partitions"]}
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
                moved = re.sub(r"'[^']*/(partitions/[^']*)'", lambda found: f"'{_quoted(root / found[1])}'", text)
                con.execute(moved.replace("CREATE ", "CREATE OR REPLACE ", 1))


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _table(
    con: duckdb.DuckDBPyConnection, out: duckdb.DuckDBPyConnection, table: Published, day: date, before: dict | None
) -> dict[str, Any]:
    """Write one table of the release; its line of the manifest: rows and content hash, a part for each month."""
    query = (QUERIES / f"{table.name}.sql").read_text()
    query = query.replace("$as_of", f"DATE '{day.isoformat()}'")
    versioned = table.partition == "known_from"
    seen = "WHERE known_from IS DISTINCT FROM known_to" if versioned else ""
    con.execute(f"CREATE OR REPLACE TEMP VIEW publishing AS SELECT * FROM ({query}\n) {seen}")
    opened = day.replace(day=1)
    live = f"(known_to IS NULL OR known_to > DATE '{day}') AND " if versioned else ""
    if not table.partition:
        rows = _copy(con, out, table, f"{table.name}", "true")
        return {"name": table.name, "columns": list(table.published_columns), **rows, "partitions": []}
    unchanged = before if before and before.get("columns") == list(table.published_columns) else None
    parts = _closed(con, table, opened, unchanged)
    rows = _copy(con, out, table, f"parts.{table.name}", f"{live}{table.partition} >= DATE '{opened}'")
    columns = ", ".join(table.published_columns)
    closed = f"SELECT {columns} FROM read_parquet([{_files(parts)}])"
    view = f"SELECT {columns} FROM parts.{table.name}"
    if versioned:
        _past(con, out, table, day)
        key = ", ".join((*table.key, "known_from"))
        versions = f"SELECT {columns}, CAST(NULL AS DATE) AS known_to FROM parts.{table.name} UNION ALL FROM parts.{table.name}_past"
        if parts:
            view += f" UNION ALL {closed} ANTI JOIN parts.{table.name}_superseded USING ({key})"
            versions += f" UNION ALL SELECT {columns}, known_to FROM ({closed}) LEFT JOIN parts.{table.name}_superseded USING ({key})"
        out.execute(
            f"CREATE MACRO {table.name}_known_on(day) AS TABLE SELECT * FROM ({versions}) "
            "WHERE known_from <= day AND (known_to IS NULL OR known_to > day)"
        )
    elif parts:
        view += f" UNION ALL {closed}"
    out.execute(f"CREATE VIEW {table.name} AS {view}")
    return {"name": table.name, "columns": list(table.published_columns), **rows, "partitions": parts}


def _files(parts: list[dict[str, Any]]) -> str:
    return ", ".join(f"'{_quoted(store.place('releases') / p['file'])}'" for p in parts)


def _past(con: duckdb.DuckDBPyConnection, out: duckdb.DuckDBPyConnection, table: Published, day: date) -> None:
    """Keep the versions of the open month that a newer one replaced, and name those of closed months with their end."""
    gone = f"known_to <= DATE '{day}'"
    opened = f"DATE '{day.replace(day=1)}'"
    key = ", ".join((*table.key, "known_from", "known_to"))
    for name, query in (
        ("past", _selected(table, f"{gone} AND {table.partition} >= {opened}", also=", publishing.known_to")),
        ("superseded", f"SELECT {key} FROM publishing WHERE {gone} AND known_from < {opened}"),
    ):
        out.register("arriving", con.execute(query).to_arrow_reader(BATCH))
        out.execute(f"CREATE TABLE parts.{table.name}_{name} AS SELECT * FROM arriving")
        out.unregister("arriving")


def _copy(
    con: duckdb.DuckDBPyConnection, out: duckdb.DuckDBPyConnection, table: Published, target: str, condition: str
) -> dict[str, Any]:
    selected = _selected(table, condition)
    rows = con.execute(selected)
    out.register("arriving", rows.to_arrow_reader(BATCH))
    try:
        out.execute(f"CREATE TABLE {target} AS SELECT * FROM arriving")
    finally:
        out.unregister("arriving")
    return dict(zip(("rows", "content_hash"), content_hash(out, target), strict=True))


def _closed(
    con: duckdb.DuckDBPyConnection, table: Published, opened: date, before: dict | None
) -> list[dict[str, Any]]:
    """The Parquet files of the months before the open one; a month that is written is read again only for late rows."""
    late = _first_late(con, table, opened)
    known = {part["month"]: part for part in (before or {"partitions": []})["partitions"] if part["month"] < late}
    months = con.execute(
        f"SELECT DISTINCT date_trunc('month', {table.partition})::DATE FROM publishing "
        f"WHERE {table.partition} < DATE '{opened}' ORDER BY 1"
    ).fetchall()
    return [known.get(month.isoformat()) or _month(con, table, month) for (month,) in months]


def _first_late(con: duckdb.DuckDBPyConnection, table: Published, opened: date) -> str:
    """The first closed month to which deliveries since the last release brought rows; `opened` where they did not."""
    if table.name not in FEEDS:
        return opened.isoformat()  # what a run works out is known from its own day
    [(late,)] = con.execute(
        f"SELECT date_trunc('month', min(known_from))::DATE FROM clean.{table.name} SEMI JOIN unpublished USING (delivery_id) "
        "WHERE known_from < $opened",
        {"opened": opened},
    ).fetchall()
    return (late or opened).isoformat()


def _month(con: duckdb.DuckDBPyConnection, table: Published, month: date) -> dict[str, Any]:
    folder = store.place("releases") / "partitions" / table.name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f".{month:%Y-%m}.parquet"
    in_month = f"date_trunc('month', {table.partition}) = DATE '{month}'"
    con.execute(f"COPY ({_selected(table, in_month)}) TO '{_quoted(fresh)}' (FORMAT parquet, COMPRESSION zstd)")
    rows, hashed = content_hash(con, f"read_parquet('{_quoted(fresh)}')", table)
    final = folder / f"{month:%Y-%m}-{hashed[:12]}.parquet"
    _sync(fresh)
    os.replace(fresh, final)
    return {
        "month": month.isoformat(),
        "file": str(final.relative_to(store.place("releases"))),
        "sha256": hashlib.sha256(final.read_bytes()).hexdigest(),
        "rows": rows,
        "content_hash": hashed,
    }


def _selected(table: Published, condition: str, also: str = "") -> str:
    """The published columns of `publishing`, money as decimals of the currency that it is in, in key order."""
    money = [c for c in table.columns if COLUMNS[c].kind == "money"]
    shown = ", ".join(_amount(c) if c in money else f"publishing.{c}" for c in table.columns)
    joins = "".join(
        f" JOIN meta.currencies AS {name}_unit ON {name}_unit.currency = publishing.{column}"
        for name, column in (("own", "currency"), ("program", "program_currency"))
        if any(c.startswith("program_") == (name == "program") for c in money)
    )
    return f"SELECT {shown}{also} FROM publishing{joins} WHERE {condition.replace(str(table.partition), f'publishing.{table.partition}')}"


def _amount(column: str) -> str:
    unit = "program_unit" if column.startswith("program_") else "own_unit"
    factor = f"CASE {unit}.exponent WHEN 2 THEN 0.010 WHEN 0 THEN 1.000 WHEN 3 THEN 0.001 ELSE 0.100 END"
    return (
        f"CAST(CAST(publishing.{column} AS DECIMAL(14,0)) * CAST({factor} AS DECIMAL(4,3)) AS {PUBLISHED_MONEY}) "
        f"AS {published_name(column)}"
    )


def content_hash(con: duckdb.DuckDBPyConnection, source: str, table: Published | None = None) -> tuple[int, str]:
    """Rows of a table and the sum, mod 2^128, of MD5 over each of them as text with NULLs marked, in hex.

    The order of rows does not matter. Neither run ids nor clock times are in published tables.
    """
    columns = [c[0] for c in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    canonical = ", ".join(f"coalesce({c}::VARCHAR, chr(0))" for c in columns)
    count, high, low = con.execute(
        "SELECT count(*), sum((digest >> 64)::HUGEINT), sum((digest & 18446744073709551615::UHUGEINT)::HUGEINT) "
        f"FROM (SELECT md5_number(concat_ws(chr(31), {canonical})) AS digest FROM {source})"
    ).fetchall()[0]
    return count, f"{(((high or 0) << 64) + (low or 0)) % 2**128:032x}"


def write_health(health: dict[str, Any]) -> None:
    """Swap health.json, which readers look at besides the release."""
    fresh = store.home() / ".health.json"
    fresh.write_text(json.dumps(health, indent=2, default=str) + "\n")
    os.replace(fresh, store.home() / "health.json")
