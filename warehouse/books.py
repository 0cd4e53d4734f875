"""The book of runs: what each run saw and posted, chained by hashes; and the accounting months that are closed."""

import hashlib
import json
from datetime import date
from typing import Any

import duckdb

from warehouse import releases


def record(
    con: duckdb.DuckDBPyConnection,
    day: date,
    *,
    run_id: str,
    rules_hash: str,
    engine_version: str,
    deliveries: list[str],
) -> str:
    """Write down what a run has seen, with which rules, and what it posted; the new head of the chain."""
    number, before = last(con)
    count, hashed = entries_of(con, run_id)
    head = link(before, run_id, count, hashed)
    con.execute(
        "INSERT INTO derived.runs BY NAME SELECT $run AS run_id, $number AS run_number, $day AS business_date, "
        "$rules AS rules_hash, $engine AS engine_version, $seen AS deliveries, (SELECT count(*) FROM touched_lines) "
        "AS rows_read, $count AS entry_count, $hashed AS entries_hash, $head AS chain_head",
        {
            "run": run_id, "number": number + 1, "day": day, "rules": rules_hash, "engine": engine_version,
            "seen": json.dumps(deliveries), "count": count, "hashed": hashed, "head": head,
        },
    )  # fmt: skip
    return head


def last(con: duckdb.DuckDBPyConnection) -> tuple[int, str]:
    """The number of the last run and the head of the chain; 0 and nothing before the first."""
    [(number, head)] = con.execute(
        "SELECT coalesce(max(run_number), 0), coalesce(arg_max(chain_head, run_number), '') FROM derived.runs"
    ).fetchall()
    return number, head


def entries_of(con: duckdb.DuckDBPyConnection, run_id: str) -> tuple[int, str]:
    """How many ledger entries a run has, and their content hash."""
    con.execute("SET VARIABLE run_of_entries = $run", {"run": run_id})
    return releases.content_hash(
        con, "(SELECT * FROM derived.earnings_ledger WHERE run_id = getvariable('run_of_entries'))"
    )


def link(before: str, run_id: str, count: int, hashed: str) -> str:
    """The head of the chain after a run: SHA-256 over the head before it, its id and its entries."""
    return hashlib.sha256(f"{before}|{run_id}|{count}|{hashed}".encode()).hexdigest()


def broken_links(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Runs whose entries are not those that were posted; runs of schema version 1 have no link."""
    runs = con.execute(
        "SELECT run_id, entry_count, entries_hash, chain_head FROM derived.runs WHERE chain_head IS NOT NULL ORDER BY run_number"
    ).fetchall()
    before, broken = "", []
    for run_id, count, hashed, head in runs:
        found = entries_of(con, run_id)
        if found != (count, hashed) or link(before, run_id, count, hashed) != head:
            broken.append(
                {"run": run_id, "posted": count, "found": found[0], "hash": hashed[:12], "found hash": found[1][:12]}
            )
        before = head
    return broken


def close(con: duckdb.DuckDBPyConnection, month: date, by: str) -> list[date]:
    """Close an accounting month and all before it that have entries; the months that this closed.

    Raises LookupError for a month that is closed, or that the newest settled day lies in or before.
    """
    [(closed,)] = con.execute("SELECT max(period) FROM derived.closes").fetchall()
    if closed and month <= closed:
        raise LookupError(f"[{month:%Y-%m}] is closed; the books are closed up to [{closed:%Y-%m}].")
    [(newest, is_over)] = con.execute(
        "SELECT max(business_date), max(business_date) + 1 >= $month + INTERVAL 1 MONTH FROM derived.runs",
        {"month": month},
    ).fetchall()
    if not is_over:
        raise LookupError(
            f"[{month:%Y-%m}] is not over: settled up to [{newest or 'nothing'}]. Settle its last day first."
        )
    months = con.execute(
        "INSERT INTO derived.closes BY NAME SELECT DISTINCT period, $newest::DATE AS closed_on, $by AS closed_by FROM "
        "(SELECT period FROM derived.earnings_ledger UNION SELECT $month::DATE) WHERE period <= $month "
        "AND period NOT IN (SELECT period FROM derived.closes) RETURNING period",
        {"newest": newest, "by": by, "month": month},
    ).fetchall()
    return sorted(period for (period,) in months)
