"""What a publication writes: a release of the day, which adds one part to each large table and copies the small ones."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from warehouse import content, parts, releases, store
from warehouse.erasure import NOBODY, Person
from warehouse.tables import PUBLISHED, Published

QUERIES = Path(__file__).parent / "published"
STORAGE = "v1.2.0"  # the oldest DuckDB that analysts' tools embed
BATCH = 200_000
BESIDE = {  # what the views of sums look up
    "parts.closes": "SELECT period FROM derived.closes",
    "parts.reasons": "SELECT reason_code, partner_can_act, reason, what_to_do FROM reasons",
    "parts.coop_halves": "FROM coop_halves",
    "parts.payment_calendar": "FROM payment_calendar",
    "parts.payment_calendar_before": "FROM payment_calendar_before",  # by which the day's new payments were proposed
    "parts.payment_cycles": "FROM payment_cycles",
    "parts.payee_holds": "FROM payee_holds",
    "parts.new_payments": "SELECT payment_id FROM derived.payments GROUP BY ALL "
    "HAVING min(known_from) = (SELECT max(business_date) FROM derived.runs)",
}


def build(con: duckdb.DuckDBPyConnection, day: date, facts: dict[str, Any]) -> tuple[Path, dict[str, Any]]:
    """A release of the day from the warehouse connection, in a hidden folder; nobody sees it until `show`.

    It keeps the parts of the current release and adds one. `facts` goes into its manifest: the run's cut, rules hash,
    engine version.
    """
    before = releases.current() or {}
    kept, first = parts.kept(con, before)
    after = kept[-1]["run_id"] if kept else None
    count = parts.prepare(con, after, day)
    folder, release_id = _folder(day)
    part = {"part": kept[-1]["part"] + 1 if kept else 1, "as_of_date": day.isoformat(), "run_id": facts["run_id"]}
    written: dict[str, Any] = {}
    copied: dict[str, Any] = {}
    # the second connection only writes what the warehouse's streams to it
    with store.widened(con), store.connect(within=store.limits(4)) as out, _database(out, folder):
        for table in PUBLISHED.values():
            query = (QUERIES / f"{table.name}.sql").read_text()
            query = query.replace("$as_of", f"DATE '{day}'").replace("$first", f"DATE '{first}'")
            con.execute(f"CREATE OR REPLACE TEMP VIEW publishing AS {query}")
            if table.parts:
                written[table.name] = parts.write(con, table, part["part"], release_id, count)
            else:
                copied[table.name] = _whole(con, out, table)
        for target, query in BESIDE.items():
            _stream(con, out, target, query)
        part |= {"tables": written, "totals": parts.totals(kept, written)}
        held = con.execute((QUERIES / "held.sql").read_text()).fetchall()
        out.execute("CREATE TABLE parts.counts (name VARCHAR, released BIGINT, held BIGINT)")
        out.executemany(
            "INSERT INTO parts.counts VALUES (?, ?, ?)",
            [(name, part["totals"][name]["in_force"], n) for name, n in held],
        )
        parts.show(out, [*kept, part])
    tables = [table | {**copied, **part["totals"]}[table["name"]] for table in parts.described()]
    manifest = {"release_id": release_id, "as_of_date": day.isoformat(), **facts, "after": after, "tables": tables}
    return folder, _said(folder, manifest | {"parts": [*kept, part]})


def merge() -> int:
    """Publish the current release again with one part for each past month of parts; how many files fewer it reads.

    Nothing that readers see changes. A release that was rolled back to stays as it is.
    """
    now = releases.current()
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
    shutil.copy(releases.database(now), folder / releases.DATABASE)
    with store.connect(folder / releases.DATABASE) as out:
        parts.show(out, held)
    releases.show(folder, _said(folder, now | {"release_id": release_id, "parts": held}))
    return len(list(releases.files(now))) - len(held) * len(parts.TABLES)


def without(who: Person) -> None:
    """Publish the current release again without a person, in a file that holds no trace; remove all other releases."""
    now = releases.current()
    if not now:
        return
    folder, release_id = _folder(date.fromisoformat(now["as_of_date"]))
    changed = folder / "changed.duckdb"
    shutil.copy(releases.database(now), changed)
    with store.connect() as con:
        store.attach(con, changed, "changed")
        store.attach(con, folder / releases.DATABASE, "fresh", f"(STORAGE_VERSION '{STORAGE}')")
        con.execute(
            "UPDATE changed.main.users SET user_email = $token, user_name = $nobody WHERE lower(user_email) = $email",
            {"token": who.token, "nobody": NOBODY, "email": who.email},
        )
        con.execute(
            "ALTER TABLE changed.main.partner_requests ADD COLUMN IF NOT EXISTS requested_by VARCHAR"  # until 0.17.0 it was left out
        )
        con.execute(
            "UPDATE changed.main.partner_requests SET requested_by = $token WHERE lower(requested_by) = $email",
            {"token": who.token, "email": who.email},
        )
        con.execute("COPY FROM DATABASE changed TO fresh")  # the changed file still has what was overwritten
    for left in folder.glob("changed.duckdb*"):
        left.unlink()
    releases.show(folder, _said(folder, now | {"release_id": release_id}))
    releases.expire(0)


def _folder(day: date) -> tuple[Path, str]:
    """A fresh hidden folder for a release of a day, and the release's id."""
    number = len([m for m in releases.releases() if m["as_of_date"] == day.isoformat()]) + 1
    release_id = f"{day.isoformat()}-{number:02d}"
    folder = store.place("releases") / f".{release_id}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    return folder, release_id


@contextmanager
def _database(out: duckdb.DuckDBPyConnection, folder: Path) -> Iterator[None]:
    """A release's database, to be filled."""
    store.attach(out, folder / releases.DATABASE, "published", f"(STORAGE_VERSION '{STORAGE}')")
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
