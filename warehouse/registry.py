"""The register of deliveries: what came, what became of it, which business days are complete and which are due."""

from datetime import date
from typing import Any

import duckdb

from warehouse import quarantine, store
from warehouse.intake import SMALL, Staged
from warehouse.landing import Manifest, Refused
from warehouse.tables import FEEDS
from warehouse.versions import as_of, take_over


def seen(con: duckdb.DuckDBPyConnection, delivery_ids: list[str]) -> dict[str, str]:
    """Of some deliveries those that were accepted before, by id, with the hash of the manifest that they had."""
    found = con.execute(
        "SELECT delivery_id, coalesce(manifest_hash, '') FROM clean.deliveries WHERE delivery_status = 'accepted' "
        "AND list_contains($ids, delivery_id)",
        {"ids": delivery_ids},
    ).fetchall()
    return dict(found)


def refuse(con: duckdb.DuckDBPyConnection, name: str, manifest: Manifest | None, message: str) -> dict[str, Any]:
    """Register a refused delivery with its one message, in place of what was said of the same before; the register's line."""
    line = _line(name, manifest, delivery_status="refused", message=message)
    with store.transaction(con):
        con.execute(
            "DELETE FROM clean.deliveries WHERE delivery_id = $delivery_id AND delivery_status = 'refused' "
            "AND manifest_hash IS NOT DISTINCT FROM $manifest_hash",
            {column: line[column] for column in ("delivery_id", "manifest_hash")},
        )
        return _write(con, line)


def accept(con: duckdb.DuckDBPyConnection, manifest: Manifest, staged: Staged) -> dict[str, Any]:
    """Take a staged delivery into the clean tables and register it, all in one transaction; the register's line.

    Raises Refused, changing nothing, for a snapshot that withdraws most of its feed without saying that it means to, and
    for the second of two deliveries of which one supersedes the other though that is of a later day.
    """
    _refuse_superseding_later(con, manifest)
    with store.transaction(con):
        warnings = [*staged.warnings, *_superseding(con, manifest)]
        line = _write(con, _line(manifest.delivery_id, manifest, delivery_status="accepted", message=None))
        found = take_over(
            con,
            FEEDS[manifest.feed],
            delivery_id=manifest.delivery_id,
            business_date=manifest.business_date,
            is_snapshot=manifest.mode == "snapshot",
            supersedes=manifest.supersedes,
        )
        _limit_withdrawals(con, manifest, found["withdrawn"])
        line |= {
            "rows_read": staged.rows_read,
            "rows_accepted": found["new"] + found["corrected"],
            "rows_duplicate": found["duplicate"] + staged.rows_duplicate,
            "rows_quarantined": staged.rows_quarantined,
            "rows_corrected": found["corrected"],
            "rows_withdrawn": found["withdrawn"],
            "message": "; ".join(warnings) or None,
        }
        con.execute(
            "UPDATE clean.deliveries SET rows_read = $rows_read, rows_accepted = $rows_accepted, "
            "rows_duplicate = $rows_duplicate, rows_quarantined = $rows_quarantined, rows_corrected = $rows_corrected, "
            "rows_withdrawn = $rows_withdrawn, message = $message WHERE delivery_id = $delivery_id "
            "AND delivery_status = 'accepted'",
            {k: line[k] for k in line if k.startswith("rows_")} | {k: line[k] for k in ("message", "delivery_id")},
        )
        con.execute("INSERT INTO clean.quarantine BY NAME SELECT * FROM staging.clean.quarantine")
        quarantine.note_released(con, manifest)
        if manifest.feed == "transactions":
            _amounts(con)
        _conserved(con, line)
    return line


def _superseding(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[str]:
    """What to warn of a delivery that supersedes one that is not here: its id may be a slip."""
    other = manifest.supersedes
    if other and not con.execute("SELECT 1 FROM clean.deliveries WHERE delivery_id = ?", [other]).fetchall():
        return [f"it supersedes [{other}], which has not come"]
    return []


def _refuse_superseding_later(con: duckdb.DuckDBPyConnection, manifest: Manifest) -> None:
    """Refuse what would withdraw nothing: what is of a later day holds over what supersedes it."""
    name, day = manifest.delivery_id, manifest.business_date
    others = con.execute(
        "SELECT delivery_id, business_date FROM clean.deliveries WHERE delivery_status = 'accepted' "
        "AND (delivery_id = $other AND business_date > $day OR supersedes = $id AND business_date < $day)",
        {"other": manifest.supersedes, "id": name, "day": day},
    ).fetchall()
    for other, other_day in others:
        if other == manifest.supersedes:
            raise Refused(
                f"[{name}] supersedes [{other}] of [{other_day}], which is after its own day [{day}]; "
                f"deliver it for [{other_day}] or a later day."
            )
        raise Refused(
            f"[{name}] is superseded by [{other}] of the earlier day [{other_day}]; "
            "if it holds nevertheless, deliver it under another id."
        )


def _limit_withdrawals(con: duckdb.DuckDBPyConnection, manifest: Manifest, withdrawn: int) -> None:
    """Refuse a snapshot that leaves out more than half of what its feed held, unless its manifest says that it is meant."""
    if manifest.mode != "snapshot" or manifest.withdraws_most or withdrawn < SMALL:
        return
    feed = manifest.feed
    [(left,)] = con.execute(
        f"SELECT count(*) FROM clean.{feed} WHERE {as_of(feed)} AND NOT is_withdrawn", {"as_of": manifest.business_date}
    ).fetchall()
    if withdrawn > left:
        raise Refused(
            f"[{manifest.delivery_id}] would withdraw [{withdrawn}] rows of feed [{feed}] and leave [{left}]; most often "
            "its export was cut off: deliver it whole, or with withdraws_most in its manifest if that is meant."
        )


def _amounts(con: duckdb.DuckDBPyConnection) -> None:
    """Register the delivery's revenue per currency by outcome; duplicates are those in the file and those known before."""
    con.execute(
        "INSERT INTO clean.delivery_amounts BY NAME SELECT staged.* REPLACE ("
        "coalesce(amount, 0) - coalesce(known_amount, 0) AS accepted_amount, "
        "duplicate_amount + coalesce(known_amount, 0) AS duplicate_amount) FROM staging.clean.delivery_amounts AS staged "
        "LEFT JOIN (SELECT currency, sum(major) AS amount, sum(major) FILTER (is_duplicate) AS known_amount FROM ("
        "SELECT currency, revenue_minor::DECIMAL(18,0) * (CASE exponent WHEN 0 THEN 1 WHEN 2 THEN 0.01 ELSE 0.001 END)"
        "::DECIMAL(4,3) AS major, coalesce(NOT known.is_other, false) AS is_duplicate FROM staging.clean.transactions "
        "JOIN meta.currencies USING (currency) LEFT JOIN known USING (transaction_id)) GROUP BY currency) "
        "USING (currency)"
    )


def _conserved(con: duckdb.DuckDBPyConnection, line: dict[str, Any]) -> None:
    """Read = accepted + quarantined + duplicate, in rows and in revenue per currency; raises AssertionError if not."""
    told = line["rows_accepted"] + line["rows_quarantined"] + line["rows_duplicate"]
    if told != line["rows_read"]:
        raise AssertionError(f"[{line['delivery_id']}] has [{line['rows_read']}] rows read but [{told}] accounted for.")
    lost = con.execute(
        "SELECT currency, read_amount - accepted_amount - duplicate_amount - quarantined_amount AS lost "
        "FROM clean.delivery_amounts WHERE delivery_id = ? AND lost <> 0",
        [line["delivery_id"]],
    ).fetchall()
    if lost:
        raise AssertionError(f"[{line['delivery_id']}] has revenue that is not accounted for: {lost}.")


def _line(name: str, manifest: Manifest | None, *, delivery_status: str, message: str | None) -> dict[str, Any]:
    number, of = manifest.part_of if manifest else (None, None)
    counts = ("read", "accepted", "duplicate", "quarantined", "corrected", "withdrawn")
    return {
        "delivery_id": name,
        "feed": manifest.feed if manifest else "unknown",
        "business_date": manifest.business_date if manifest else date(1900, 1, 1),
        "created_at": manifest.made_at if manifest else None,
        "mode": manifest.mode if manifest else None,
        "part": number,
        "parts": of,
        "supersedes": manifest.supersedes if manifest else None,
        "manifest_hash": manifest.hash if manifest else None,
        "volume_accepted_by": manifest.volume_accepted_by if manifest else None,
        "delivery_status": delivery_status,
        **{f"rows_{count}": 0 for count in counts},
        "message": message,
        "run_id": None,
    }


def _write(con: duckdb.DuckDBPyConnection, line: dict[str, Any]) -> dict[str, Any]:
    con.execute(f"INSERT INTO clean.deliveries BY NAME SELECT {', '.join(f'${n} AS {n}' for n in line)}", line)
    return line


def completeness(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Each business date that something came for: whether it is settled, passed over, or complete, and what is missing.

    A day is complete with all parts of its transactions, its agreements, and exchange rates for its month.
    """
    rows = con.execute(
        "WITH accepted AS (FROM clean.deliveries WHERE delivery_status = 'accepted'), parts AS ("
        "SELECT business_date, feed, count(DISTINCT part) = max(parts) AS is_whole FROM accepted GROUP BY business_date, feed) "
        "SELECT days.business_date, any_value(runs.business_date) IS NOT NULL, "
        "list(DISTINCT parts.feed) FILTER (parts.is_whole), list(DISTINCT parts.feed) FILTER (NOT parts.is_whole), "
        "any_value(rates.known_from) <= days.business_date "
        "FROM (SELECT DISTINCT business_date FROM accepted) AS days LEFT JOIN parts USING (business_date) "
        "LEFT JOIN derived.runs AS runs USING (business_date) LEFT JOIN ("
        "SELECT fx_month, min(known_from) AS known_from FROM clean.fx_rates WHERE NOT is_withdrawn GROUP BY fx_month"
        ") AS rates ON rates.fx_month = date_trunc('month', days.business_date) "
        "GROUP BY days.business_date ORDER BY 1"
    ).fetchall()
    [(newest,)] = con.execute("SELECT coalesce(max(business_date), DATE '1900-01-01') FROM derived.runs").fetchall()
    return [_day(*row) | {"is_passed_over": not row[1] and row[0] < newest} for row in rows]


def _day(
    day: date, is_settled: bool, whole: list[str] | None, partial: list[str] | None, has_rates: bool
) -> dict[str, Any]:
    held, halves = set(whole or []), set(partial or [])
    missing = [feed for feed in ("transactions", "agreements") if feed not in held]
    named = [f"{feed} (some parts)" if feed in halves else feed for feed in missing]
    if not has_rates:
        named.append(f"fx_rates for {day:%Y-%m}")
    absent = sorted(feed for feed in FEEDS if feed not in held and feed not in missing and feed != "fx_rates")
    return {
        "business_date": day,
        "is_settled": is_settled,
        "is_complete": not named,
        "missing": named,
        "last_known": absent,
    }


def due_days(con: duckdb.DuckDBPyConnection) -> list[date]:
    """Complete days after the newest settled one, in date order; what comes later for an older day goes into the next."""
    return [
        day["business_date"]
        for day in completeness(con)
        if day["is_complete"] and not day["is_settled"] and not day["is_passed_over"]
    ]
