"""What the last runs made of the data, for a person: rows, reasons, partners, earnings, time, where to look."""

import json
from io import StringIO

import duckdb
from rich.console import Console
from rich.table import Table

from warehouse import releases, store


def summary() -> str:
    """The summary of the current release as text."""
    manifest = releases.current()
    if not manifest:
        return "Nothing is published yet."
    out = StringIO()
    console = Console(file=out, width=110, highlight=False)
    with releases.reader(manifest) as con, store.locked("summary"), store.warehouse() as warehouse:
        console.print(f"Release {manifest['release_id']}, as of {manifest['as_of_date']}\n")
        _show(console, "Deliveries", warehouse.execute(DELIVERIES))
        _show(console, "Rows set aside, by rule", warehouse.execute(REJECTS))
        _show(console, "Partners", con.execute(PARTNERS))
        _show(console, "Lines", con.execute(LINES))
        _show(console, "Earnings (~: illustrative rates)", con.execute(EARNINGS))
    _seconds(console)
    database = releases.database(manifest)
    console.print(f"Published tables: {database}", soft_wrap=True)
    console.print("Look further: incentives query --shell · incentives quarantine list · incentives status")
    return out.getvalue()


DELIVERIES = """
SELECT feed, count(*) FILTER (delivery_status = 'accepted') AS accepted, count(*) FILTER (delivery_status = 'refused') AS refused,
    sum(rows_read)::BIGINT AS "rows read", sum(rows_accepted)::BIGINT AS "taken in", sum(rows_duplicate)::BIGINT AS duplicate,
    sum(rows_quarantined)::BIGINT AS quarantined
FROM clean.deliveries GROUP BY feed ORDER BY feed
"""
REJECTS = """
SELECT rule, count(*) AS rows FROM (SELECT unnest(string_split(rules_broken, ',')) AS rule FROM clean.quarantine)
GROUP BY rule ORDER BY 2 DESC, 1
"""
PARTNERS = """
SELECT program, count(*) FILTER (eligibility = 'eligible') AS eligible,
    count(*) FILTER (eligibility = 'almost_eligible') AS "one short", count(*) FILTER (eligibility = 'ineligible') AS ineligible,
    count(*) FILTER (eligibility = 'unknown') AS unknown
FROM eligibility_status GROUP BY program ORDER BY program
"""
LINES = """
SELECT program, count(*) FILTER (decision = 'eligible') AS earning, count(*) FILTER (decision = 'ineligible') AS ineligible,
    count(*) FILTER (decision = 'undecided') AS undecided
FROM decisions GROUP BY program ORDER BY program
"""
EARNINGS = """
SELECT program || CASE WHEN bool_or(is_illustrative) THEN ' ~' ELSE '' END AS program, currency,
    printf('%,.2f', sum(rebate)) AS rebate, printf('%,.2f', sum(coop)) AS "co-op",
    any_value(program_currency) || ' ' || printf('%,.2f', sum(program_earning)) AS "in program currency"
FROM earnings_monthly GROUP BY program, currency ORDER BY 1, 2
"""


def _show(console: Console, title: str, found: duckdb.DuckDBPyConnection) -> None:
    names = [column[0] for column in found.description]
    rows = found.fetchall()
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, title_style="bold")
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place == 0 or name == "currency" else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row))
    console.print(table if rows else f"{title}: none")
    console.print()


def _seconds(console: Console) -> None:
    path = store.home() / "runs.jsonl"
    if not path.exists():
        return
    table = Table(title="Seconds a stage", title_justify="left", box=None, pad_edge=False, title_style="bold")
    runs = [json.loads(line) for line in path.read_text().splitlines()][-5:]
    table.add_column("stage")
    for run in runs:
        table.add_column(run["business_date"], justify="right")
    for stage in runs[-1]["seconds"]:
        table.add_row(stage, *(f"{run['seconds'].get(stage, 0):.2f}" for run in runs))
    console.print(table)
    console.print()
