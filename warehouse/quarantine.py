"""Rows that were set aside: looked at, repaired or accepted, and taken in again as a delivery of its own."""

import json
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from warehouse import files, landing, store
from warehouse.tables import FEEDS

SHOWN = (
    "quarantine_id", "feed", "business_date", "file_name", "line_number", "row_key", "rules_broken", "delivered", "released_by",
)  # fmt: skip


def listed(con: duckdb.DuckDBPyConnection, *, everything: bool) -> list[dict[str, Any]]:
    """Rows set aside, oldest first, with what they were about; released ones only when everything is asked for."""
    scope = "" if everything else "WHERE released_by IS NULL"
    rows = store.rows(
        con,
        f"SELECT {', '.join(SHOWN)} FROM clean.quarantine {scope} ORDER BY business_date, delivery_id, file_name, line_number",
    )
    return [row | {"delivered": _broken_values(row)} for row in rows]


def _broken_values(row: dict[str, Any]) -> str:
    """What was delivered in the columns that broken rules are about."""
    delivered = json.loads(row["delivered"] or "{}")
    columns = dict.fromkeys(rule.partition(":")[2] for rule in row["rules_broken"].split(","))
    return ", ".join(f"{column} [{delivered[column] or ''}]" for column in columns if column in delivered)


def shown(con: duckdb.DuckDBPyConnection, quarantine_id: str) -> dict[str, Any]:
    """One row with its text as delivered; raises LookupError when there is none of that id."""
    rows = store.rows(con, "SELECT * FROM clean.quarantine WHERE quarantine_id = $id", id=quarantine_id)
    if not rows:
        raise LookupError(f"no quarantined row [{quarantine_id}]; see `incentives quarantine list`.")
    row = rows[0]
    return row | {"delivered": json.loads(row["delivered"]) if row["delivered"] else None}


def release(con: duckdb.DuckDBPyConnection, quarantine_id: str, changes: dict[str, str], by: str) -> str:
    """Land the row again with some columns changed, as a delivery that names who did it; the delivery's id.

    Raises LookupError for an unknown or released row or column, and for a misshapen row that is not given whole.
    """
    row = shown(con, quarantine_id)
    if row["released_by"]:
        raise LookupError(f"row [{quarantine_id}] was released by delivery [{row['released_by']}].")
    feed = FEEDS[row["feed"]]
    if unknown := sorted(set(changes) - set(feed.delivered)):
        raise LookupError(f"feed [{feed.name}] has no columns {unknown}; it has {list(feed.delivered)}.")
    whole = {name: value for name, value in (row["delivered"] or {}).items() if name in feed.delivered} | changes
    if lacking := [n for n, c in feed.delivered.items() if c not in feed.optional and not whole.get(n)]:
        raise LookupError(f"row [{quarantine_id}] lacks {lacking}; give them with --set column=value.")
    now = datetime.now(UTC)
    delivery_id = f"{row['business_date']}-{feed.name}-release-{now:%Y%m%dT%H%M%S%f}"
    with TemporaryDirectory() as folder:
        path = Path(folder) / "released.jsonl"
        path.write_text(json.dumps(whole) + "\n")
        rows, totals = files.measure(path)
        landing.deliver(
            store.place("landing"),
            [path],
            feed=feed.name,
            business_date=row["business_date"],
            delivery_id=delivery_id,
            mode="delta",
            rows=[rows],
            control_totals=totals if feed.name == "transactions" else None,
            created_at=now,
            settings={"released": quarantine_id, "by": by},
        )
    con.execute("UPDATE clean.quarantine SET released_by = ? WHERE quarantine_id = ?", [delivery_id, quarantine_id])
    return delivery_id
