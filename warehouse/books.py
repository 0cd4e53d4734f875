"""The book of runs: what each run saw and posted, chained by hashes; and the accounting months that are closed."""

import hashlib
import json
from collections.abc import Iterable
from datetime import date
from typing import Any

import duckdb

from warehouse import content, store


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
    count, hashed = entries_of(con, run_id, day)
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


def runs_up_to(con: duckdb.DuckDBPyConnection, day: date) -> list[dict[str, Any]]:
    """The runs of the days up to one, in their order, with the deliveries that each was the first to see."""
    runs = store.rows(
        con,
        "SELECT run_number, run_id, business_date, rules_hash, engine_version, deliveries FROM derived.runs "
        "WHERE business_date <= $day ORDER BY run_number",
        day=day,
    )
    return [run | {"deliveries": json.loads(run["deliveries"])} for run in runs]


def last_run(con: duckdb.DuckDBPyConnection) -> dict[str, Any] | None:
    """The last run as recorded, with its cut; None before the first."""
    runs = store.rows(
        con,
        "SELECT run_id, business_date, rules_hash, engine_version, chain_head, deliveries AS cut FROM derived.runs "
        "ORDER BY run_number DESC LIMIT 1",
    )
    return runs[0] | {"cut": json.loads(runs[0]["cut"])} if runs else None


def closes_after(con: duckdb.DuckDBPyConnection) -> dict[int, tuple[date, str]]:
    """Run number → the newest month that was closed when it was the last run, and by whom."""
    found = con.execute(
        "SELECT run_number, max(period), any_value(closed_by) FROM derived.closes GROUP BY run_number"
    ).fetchall()
    return {number: (month, by) for number, month, by in found}


def closes(con: duckdb.DuckDBPyConnection) -> list[tuple[date, str]]:
    """Each closed month and by whom, in their order."""
    return con.execute("SELECT period, closed_by FROM derived.closes ORDER BY period").fetchall()


def restatements(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The last run that restated each rule edit, from which day, and who wrote and approved the edit."""
    return store.rows(
        con,
        'SELECT arg_max(run_id, run_number) AS run_id, rules_hash, restated_from AS "from", written_by AS "by", approved_by '
        "FROM derived.runs JOIN derived.rule_edits USING (rules_hash) "
        "WHERE approved_by IS NOT NULL AND contains(run_id, '-restate-') GROUP BY ALL ORDER BY max(run_number)",
    )


def rule_changes(con: duckdb.DuckDBPyConnection, run_id: str) -> list[dict[str, Any]]:
    """What a run posted because of rules, of funds too, by program, partner, month, kind and currency, in minor units."""
    return store.rows(
        con,
        "SELECT program, partner_id, earning_month, earning_type, currency, count(DISTINCT transaction_id) AS line_count, "
        "sum(amount_minor)::BIGINT AS amount_minor FROM derived.earnings_ledger "
        "WHERE run_id = $run AND cause IN ('rule_change', 'split_change', 'coop_converted', 'forfeited') GROUP BY ALL ORDER BY ALL",
        run=run_id,
    )


def last_rules(con: duckdb.DuckDBPyConnection) -> str | None:
    """The hash of the rules that the last run worked with, None before the first."""
    [(rules_hash,)] = con.execute("SELECT arg_max(rules_hash, run_number) FROM derived.runs").fetchall()
    return rules_hash


def held_entries(con: duckdb.DuckDBPyConnection, rules_hash: str) -> int | None:
    """How many posted sums a rule edit that is held would change; None for one to be counted.

    An approval holds for the run that takes the edit over; one that is put back later is counted anew.
    """
    found = con.execute(
        "SELECT entry_count FROM derived.rule_edits WHERE rules_hash = $hash AND edit_status = 'held'",
        {"hash": rules_hash},
    ).fetchall()
    return found[0][0] if found else None


def note_edit(con: duckdb.DuckDBPyConnection, rules_hash: str, day: date, entries: int) -> None:
    """Write a rule edit down anew: held when it would change what is posted, else approved."""
    con.execute("DELETE FROM derived.rule_edits WHERE rules_hash = $hash", {"hash": rules_hash})
    con.execute(
        "INSERT INTO derived.rule_edits BY NAME SELECT $hash AS rules_hash, $day::DATE AS noted_on, $entries AS entry_count, "
        "CASE $entries WHEN 0 THEN 'approved' ELSE 'held' END AS edit_status",
        {"hash": rules_hash, "day": day, "entries": entries},
    )


def approve_edit(con: duckdb.DuckDBPyConnection, rules_hash: str, *, by: str, approved_by: str, first: date) -> None:
    """Say who wrote and who approved a rule edit that a restatement posts, and from which day."""
    con.execute(
        "UPDATE derived.rule_edits SET edit_status = 'approved', written_by = $by, approved_by = $approver, "
        "restated_from = $first WHERE rules_hash = $hash",
        {"by": by, "approver": approved_by, "first": first, "hash": rules_hash},
    )


def staged_rule_changes(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """What staged entries change because of rules, by program, partner, month, kind and currency, in minor units."""
    return store.rows(
        con,
        "SELECT entry.program, entry.partner_id, entry.earning_month, earning_type, entry.currency, exponent, "
        "min(coalesce(now.reference_on, before.reference_on, entry.earning_month)) AS first_on, count(DISTINCT entry.transaction_id) AS line_count, "
        "sum(amount_minor)::BIGINT AS amount_minor FROM staging.derived.earnings_ledger AS entry "
        "LEFT JOIN staging.derived.decisions AS now USING (transaction_id, program) "  # none where a line leaves a program
        "LEFT JOIN (FROM derived.decisions WHERE known_to IS NULL) AS before USING (transaction_id, program) "
        "JOIN meta.currencies AS unit ON unit.currency = entry.currency "
        "WHERE cause IN ('rule_change', 'split_change') GROUP BY ALL ORDER BY ALL",
    )


def entries_of(con: duckdb.DuckDBPyConnection, run_id: str, day: date | None = None) -> tuple[int, str]:
    """How many ledger entries a run has, or has on one day, and their content hash."""
    con.execute("SET VARIABLE run_of_entries = $run", {"run": run_id})
    on = f" AND posted_on = DATE '{day}'" if day else ""
    return content.content_hash(
        con, f"(SELECT * FROM derived.earnings_ledger WHERE run_id = getvariable('run_of_entries'){on})"
    )


def link(before: str, run_id: str, count: int, hashed: str) -> str:
    """The head of the chain after a run: SHA-256 over the head before it, its id and its entries."""
    return hashlib.sha256(f"{before}|{run_id}|{count}|{hashed}".encode()).hexdigest()


def broken_links(con: duckdb.DuckDBPyConnection, manifests: Iterable[dict[str, Any]] = ()) -> list[dict[str, Any]]:
    """Runs whose entries are not those that were posted, or whose head is not the one in a manifest of theirs.

    Entries of a run that was never recorded are told under its id. Runs of schema version 1 have no link.
    """
    runs = con.execute(
        "SELECT run_id, entry_count, entries_hash, chain_head FROM derived.runs WHERE chain_head IS NOT NULL ORDER BY run_number"
    ).fetchall()
    before, broken, heads = "", {}, {}
    for run_id, count, hashed, head in runs:
        found = entries_of(con, run_id)
        if found != (count, hashed) or link(before, run_id, count, hashed) != head:
            broken[run_id] = _broken(run_id, count, found[0], hashed, found[1])
        before = heads[run_id] = head
    unknown = con.execute(
        "SELECT run_id, count(*) FROM derived.earnings_ledger ANTI JOIN derived.runs USING (run_id) GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    broken |= {run_id: _broken(run_id, 0, count, "", "") for run_id, count in unknown}
    for manifest in manifests:
        run_id, head = manifest.get("run_id", ""), manifest.get("chain_head")
        if head and head != heads.get(run_id):
            count, _ = entries_of(con, run_id)
            broken.setdefault(run_id, _broken(run_id, count, count, head, heads.get(run_id, "")))
    return list(broken.values())


def _broken(run_id: str, posted: int, found: int, hashed: str, found_hash: str) -> dict[str, Any]:
    return {"run": run_id, "posted": posted, "found": found, "hash": hashed[:12], "found hash": found_hash[:12]}


def newest_day(con: duckdb.DuckDBPyConnection) -> date:
    """The newest business day settled; raises LookupError before the first."""
    [(day,)] = con.execute("SELECT max(business_date) FROM derived.runs").fetchall()
    if day is None:
        raise LookupError("nothing is settled yet; run `incentives run`.")
    return day


def day_before(con: duckdb.DuckDBPyConnection, day: date) -> date | None:
    """The newest business day settled before a day; None before the first."""
    return con.execute(
        "SELECT max(business_date) FROM derived.runs WHERE business_date < $day", {"day": day}
    ).fetchall()[0][0]


def staged_differences(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Staged entries that no delivery of the cut touched, by line or by partner of a cell: what the ledger should hold.

    Without a delivery in the cut these are all.
    """
    waits = "(EXISTS (FROM cut) AND (at_line OR at_reference OR at_fx OR at_eligibility))"
    return store.rows(
        con,
        "SELECT transaction_id, program, lever, entry.partner_id, earning_month, earning_type, currency, "
        "sum(amount_minor)::BIGINT AS amount_minor, sum(program_amount_minor)::BIGINT AS program_amount_minor "
        "FROM staging.derived.earnings_ledger AS entry JOIN worked_lines USING (transaction_id, program) "
        f"ANTI JOIN (FROM worked_lines WHERE cell_from IS NOT NULL AND {waits}) AS waiting "
        "ON waiting.program = entry.program AND waiting.partner_id = worked_lines.partner_id "
        f"WHERE NOT {waits} GROUP BY ALL HAVING sum(amount_minor) <> 0 OR sum(program_amount_minor) <> 0 ORDER BY ALL",
    )


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
        "INSERT INTO derived.closes BY NAME SELECT DISTINCT period, $newest::DATE AS closed_on, $by AS closed_by, "
        "(SELECT max(run_number) FROM derived.runs) AS run_number FROM "
        "(SELECT period FROM derived.earnings_ledger UNION SELECT $month::DATE) WHERE period <= $month "
        "AND period NOT IN (SELECT period FROM derived.closes) RETURNING period",
        {"newest": newest, "by": by, "month": month},
    ).fetchall()
    return sorted(period for (period,) in months)
