"""Parts of published tables: what each release adds, in Parquet files that are written once and shared by releases.

A part holds the versions, entries or sums that became known since the release before; nothing in an older part is
rewritten. A version that has changed since is in the newer part again, and the newest part wins. Sums are what to add
to those before. The manifest names the parts of a release; its views put them together.
"""

import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from warehouse import content, landing, store
from warehouse.tables import PUBLISHED, Published

QUERIES = Path(__file__).parent / "published"
KEPT = ("known_to", "replaces", "row_count")  # columns of parts that readers do not see
TABLES = {name: table for name, table in PUBLISHED.items() if table.parts}
# DuckDB writes filters of what it holds in dictionaries, which are small unless told otherwise; these hold a row group of
# ids that all differ, of up to 44 characters. With 16 MB a page, a day of 1,000,000 lines did not fit into 2 GiB; as they are,
# 12,000,000 entries are written within 384 MiB.
ROOM_MIB = 1024  # half of which the writing connection has
FEW = 10_000  # rows are read through sooner than the dictionaries are made, of which a small day took 0.1 s
FILTERED = ", DICTIONARY_SIZE_LIMIT 122880, STRING_DICTIONARY_PAGE_SIZE_LIMIT 6000000"
Part = dict[str, Any]


def kept(con: duckdb.DuckDBPyConnection, manifest: dict[str, Any] | None) -> tuple[list[Part], date]:
    """The parts of a release that the next one keeps, and the first day that its own part has to tell of.

    A part of a day that is published again, and all parts when the tables' columns are others, are made anew.
    """
    held = manifest.get("parts", []) if manifest and _columns(manifest) == _columns({"tables": described()}) else []
    runs = con.execute("SELECT run_id, business_date FROM derived.runs ORDER BY run_number").fetchall()
    place = {run_id: number for number, (run_id, _) in enumerate(runs)}
    for number, part in reversed(list(enumerate(held))):
        first = runs[place.get(part["run_id"], -1) + 1][1]
        if part["as_of_date"] < first.isoformat():
            return held[: number + 1], first
    return [], date.min


def described() -> list[dict[str, Any]]:
    """The tables as a manifest names them."""
    return [{"name": table.name, "columns": list(table.published_columns)} for table in PUBLISHED.values()]


def _columns(manifest: dict[str, Any]) -> dict[str, list[str]]:
    return {table["name"]: table["columns"] for table in manifest["tables"] if table["name"] in TABLES}


def prepare(con: duckdb.DuckDBPyConnection, since: str | None, day: date) -> int:
    """Make `seen` and `line_versions`: what the runs after one brought; all runs when none is named.

    How many lines and entries that is.
    """
    [(published,)] = con.execute(
        "SELECT coalesce(max(run_number), 0) FROM derived.runs WHERE run_id = $since", {"since": since}
    ).fetchall()
    query = (Path(__file__).parent / "unpublished.sql").read_text()
    con.execute(query.replace("$published", str(published)).replace("$as_of", f"DATE '{day}'"))
    [(count,)] = con.execute(
        "SELECT (SELECT count(*) FROM line_versions) + coalesce(sum(entry_count), 0) FROM derived.runs WHERE run_number > $published",
        {"published": published},
    ).fetchall()
    return int(count)


def write(con: duckdb.DuckDBPyConnection, table: Published, number: int, release_id: str, count: int) -> dict[str, Any]:
    """Write a table's rows of `publishing`, which are of so many lines and entries, as a part; its file's line of the manifest."""
    query = content.shown(con, "publishing", (*table.columns, *KEPT))
    return _write(con, table.name, f"SELECT *, {number:d} AS part FROM ({query})", release_id, count)


def _write(con: duckdb.DuckDBPyConnection, name: str, query: str, title: str, count: int) -> dict[str, Any]:
    folder = store.place("releases") / "partitions" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = folder / f".{title}.parquet"
    table = TABLES[name]
    is_versioned = table.parts == "versions"
    is_filtered = "transaction_id" in table.columns and count > FEW and store.memory_mib() >= ROOM_MIB
    filtered = FILTERED if is_filtered else ""
    con.execute("SET preserve_insertion_order = true")
    con.execute(
        f"COPY (FROM ({query}) ORDER BY {order(table)}) TO {store.quoted(fresh)} (FORMAT parquet, COMPRESSION zstd{filtered})"
    )
    con.execute("SET preserve_insertion_order = false")
    rows, hashed = content.content_hash(con, f"(SELECT * EXCLUDE (part) FROM read_parquet({store.quoted(fresh)}))")
    counted = "count(*) FILTER (replaces), count(*) FILTER (known_to IS NULL)"
    counts = counted if is_versioned else "0, count(*)"
    replacing, in_force = con.execute(
        f"SELECT {counts} FROM read_parquet({store.quoted(fresh)}) GROUP BY ()"
    ).fetchall()[0]
    final = folder / f"{title}-{hashed[:12]}.parquet"
    store.sync(fresh)
    os.replace(fresh, final)
    return {
        "file": str(final.relative_to(store.place("releases"))),
        "sha256": landing.file_hash(final),
        "rows": rows,
        "replacing": replacing,
        "in_force": in_force,
        "content_hash": hashed,
    }


def order(table: Published) -> str:
    """How the rows of a part lie: what replaces older ones at the end, and a partner's together.

    Of 100,000 partners one is then found in a row group: its statement took 1.4 s of 9,600,000 entries, and takes 0.06 s.
    """
    earner = {"partner_id": "partner_id", "reseller_id": "coalesce(reseller_id, seller_id)"}
    by = next((column for name, column in earner.items() if name in table.columns), table.key[0])
    return f"replaces, {by}" if table.parts == "versions" else by


def totals(held: list[Part], written: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Rows and content hash of all that was ever written of each table, merged since or not, with what is written now.

    `in_force` is how many versions have no end, in a table of which a part says only what began or ended.
    """
    before = held[-1]["totals"] if held else {}
    made = {}
    for name, file in written.items():
        was = before.get(name, {"rows": 0, "content_hash": "0", "in_force": 0})
        hashed = content.together(was["content_hash"], file["content_hash"])
        in_force = was["in_force"] + file["in_force"] - file["replacing"]
        made[name] = {"rows": was["rows"] + file["rows"], "content_hash": hashed, "in_force": in_force}
    return made


def show(out: duckdb.DuckDBPyConnection, parts: list[Part]) -> None:
    """Let a release's database read its tables from their parts, and the rows of the newest part by themselves.

    `parts.<table>` has all versions, `added.<table>` what the newest part adds to the table.
    """
    for schema in ("parts", "added"):
        out.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for name, table in TABLES.items():
        held = [part["tables"][name] for part in parts]
        newest = f"(FROM {_read(held[-1:])} WHERE part = {parts[-1]['part']})"
        columns = ", ".join(table.published_columns)
        if table.parts == "versions":
            _show_versions(out, table, columns, held, newest)
        elif table.parts == "entries":
            out.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM {_read(held)}")
            out.execute(f"CREATE OR REPLACE VIEW added.{name} AS SELECT {columns} FROM {newest}")
        else:
            out.execute(f"CREATE OR REPLACE VIEW {name} AS {_summed(table, _read(held))} WHERE row_count > 0")
            out.execute(f"CREATE OR REPLACE VIEW added.{name} AS {_summed(table, newest)}")


def _show_versions(
    out: duckdb.DuckDBPyConnection, table: Published, columns: str, held: list[dict[str, Any]], newest: str
) -> None:
    name = table.name
    known = "known_from <= day AND (known_to IS NULL OR known_to > day)"
    out.execute(f"CREATE OR REPLACE VIEW parts.{name} AS SELECT {columns}, known_to FROM {versions(table, held)}")
    out.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT {columns} FROM parts.{name} WHERE known_to IS NULL")
    out.execute(f"CREATE OR REPLACE MACRO {name}_known_on(day) AS TABLE SELECT * FROM parts.{name} WHERE {known}")
    out.execute(f"CREATE OR REPLACE VIEW added.{name} AS SELECT {columns} FROM {newest} WHERE known_to IS NULL")
    out.execute(f"CREATE OR REPLACE VIEW added.{name}_ended AS SELECT {columns} FROM {newest} WHERE replaces")


def versions(table: Published, held: Sequence[dict[str, Any]]) -> str:
    """The versions in some files, in the order of their parts: of each only what the newest part says of it."""
    replacing = [file for file in held if file["replacing"]]
    if not replacing:
        return _read(held)
    key = (*table.key, "known_from")
    same = " AND ".join(f"held.{c} = newer.{c}" for c in key)
    newer = f"SELECT {', '.join(key)}, part FROM {_read(replacing)} WHERE replaces"
    return (
        f"(SELECT held.* FROM {_read(held)} AS held ANTI JOIN ({newer}) AS newer ON {same} AND newer.part > held.part)"
    )


def _summed(table: Published, source: str) -> str:
    """A query of a table's sums over the rows of its parts, in the types that readers are owed."""
    typed = ", ".join(f"CAST({c} AS {kind}) AS {c}" for c, kind in table.published_columns.items())
    query = (QUERIES / "sums" / f"{table.name}.sql").read_text().replace("$parts", source)
    return f"SELECT {typed} FROM ({query})"


def merge(con: duckdb.DuckDBPyConnection, parts: list[Part], title: str) -> Part:
    """One part that says what several successive ones say; raises RuntimeError unless its content is found equal."""
    tables = {}
    for name, table in TABLES.items():
        held = [part["tables"][name] for part in parts]
        said = _merged(con, table, held)
        made = tables[name] = _write(con, name, said, title, sum(file["rows"] for file in held))
        if content.content_hash(con, said) != content.content_hash(con, _merged(con, table, [made])):
            raise RuntimeError(f"[{made['file']}] does not say what the parts say that it was merged from.")
    return parts[-1] | {"tables": tables}


def _merged(con: duckdb.DuckDBPyConnection, table: Published, held: list[dict[str, Any]]) -> str:
    if table.parts == "versions":
        return f"(FROM {versions(table, held)})"
    if table.parts == "entries":
        return f"(FROM {_read(held)})"
    columns = {name: kind for name, kind, *_ in con.execute(f"DESCRIBE FROM {_read(held)}").fetchall()}
    amounts = [name for name, kind in columns.items() if kind.startswith(("BIGINT", "HUGEINT", "DECIMAL"))]
    selected = [
        f"CAST(sum({name}) AS {kind}) AS {name}" if name in amounts else "max(part) AS part" if name == "part" else name
        for name, kind in columns.items()
    ]
    some = " OR ".join(f"sum({name}) <> 0" for name in amounts)
    return f"(SELECT {', '.join(selected)} FROM {_read(held)} GROUP BY ALL HAVING {some})"


def _read(files: Sequence[dict[str, Any]]) -> str:
    paths = ", ".join(store.quoted(store.place("releases") / file["file"]) for file in files)
    return f"read_parquet([{paths}])"
