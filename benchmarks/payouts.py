"""What a payment run costs over many partners and a year of ledger: `make bench-payouts`.

The ledger is written as it would stand after twelve months of settled days; planning, proposing (with the delivery that
reserves the payments), approving and sending are then run once each, in a process of their own.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("payouts.csv")
DAY, CYCLE = date(2021, 6, 14), date(2021, 6, 15)
PROGRAM = "csp-indirect-reseller"
FEEDS = {  # what the partners are paid by
    "partners": "p AS partner_id, 'g' AS global_partner_id, 'Partner ' || p AS partner_name, 'DE' AS country, 't' AS tenant_id, "
    "'DE' AS tenant_country, 'indirect_reseller' AS partner_type, 'active' AS reseller_status",
    "payee_profiles": "p AS partner_id, 'approved' AS bank_status, 'approved' AS tax_status, 'EUR' AS payout_currency",
    "partner_requests": "p AS request_id, TIMESTAMP '2020-07-01' AS requested_at, 'a' AS requested_by, p AS partner_id, "
    "'*' AS program, 'payee_profile' AS request_kind, 'Partner ' || p AS account_holder, 'DE89370400440532013000' AS iban, "
    "'EUR' AS payout_currency",
}
KNOWN = (
    "DATE '2020-07-01' AS business_date, 'd' AS delivery_id, 'f' AS file_name, i AS line_number, DATE '2020-07-01' AS known_from, "
    "false AS is_withdrawn"
)
LEDGER = """
INSERT INTO derived.earnings_ledger BY NAME SELECT i || '-' || m || '-' || e AS entry_id, 'r' AS run_id,
    (DATE '2020-07-01' + to_months(m::INT) + to_days((e % 28)::INT))::DATE AS posted_on,
    (DATE '2020-07-01' + to_months(m::INT))::DATE AS period, 't' || i || m || e AS transaction_id, $program AS program, 'azure' AS lever,
    1 AS bracket, 'p' || i AS partner_id, CASE WHEN e % 2 = 0 THEN 'rebate' ELSE 'coop' END AS earning_type,
    (DATE '2020-07-01' + to_months(m::INT))::DATE AS earning_month, 'EUR' AS currency, 5000 + i % 100 AS amount_minor,
    'USD' AS program_currency, 6000 + i % 100 AS program_amount_minor, 'new_line' AS cause
FROM range($partners) AS a(i), range(12) AS b(m), range($entries) AS c(e)
"""


def main() -> int:
    """Make the ledger, run the acts, report, append to benchmarks/payouts.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--partners", type=int, default=100_000)
    parser.add_argument("--entries", type=int, default=20, help="ledger entries of a partner a month")
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder payouts/ is emptied first")
    parser.add_argument("--measured", action="store_true", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.measured:
        print(json.dumps(_acts()))
        return 0
    console, home = Console(), wanted.work.absolute() / "payouts"
    shutil.rmtree(home, ignore_errors=True)
    with console.status("writing a year of ledger"):
        _fill(home, wanted.partners, wanted.entries)
    found, peak = _measured(home)
    _report(console, wanted, found, peak)
    return 0


def _fill(home: Path, partners: int, entries: int) -> None:
    import rulebook
    from warehouse import books, store

    with store.at(home), store.locked("bench"), store.warehouse() as con:
        for feed, columns in FEEDS.items():
            con.execute(f"INSERT INTO clean.{feed} BY NAME SELECT {columns}, {KNOWN} FROM (SELECT i, 'p' || i AS p FROM range({partners:d}) AS r(i))")  # fmt: skip
        con.execute(
            "INSERT INTO derived.answered_requests BY NAME SELECT request_id, partner_id, program, request_kind, "
            "'accepted' AS outcome, known_from AS answered_on FROM clean.partner_requests"
        )
        con.execute(LEDGER, {"program": PROGRAM, "partners": partners, "entries": entries})
        rules = rulebook.edited_rules(con)
        con.execute("CREATE TEMP TABLE touched_lines (i INT)")
        books.record(con, DAY, run_id="r", rules_hash=rules.hash, engine_version="bench", deliveries=[])


def _measured(home: Path) -> tuple[dict[str, float], int]:
    """What the acts took, and the peak of resident memory in MiB."""
    command = [sys.executable, "-m", "benchmarks.payouts", "--measured"]
    process = psutil.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "INCENTIVES_HOME": str(home)})
    peak = 0
    while process.poll() is None:
        peak = max(peak, process.memory_info().rss)
        time.sleep(0.05)
    return json.loads(process.stdout.read()), peak >> 20


def _acts() -> dict[str, float]:
    import payouts
    import remittance
    from banking.orders import Account

    seconds, begun = {}, time.perf_counter()

    def done(act: str) -> None:
        nonlocal begun
        seconds[act], begun = time.perf_counter() - begun, time.perf_counter()

    payouts.plan(CYCLE)
    done("plan")
    batch = payouts.propose(CYCLE, "anna")
    done("propose")
    payouts.decide(batch["batch_id"], "approved", "ben", batch["batch_hash"])
    done("approve")
    remittance.send(batch["batch_id"], Account("Publisher B.V.", "DE89370400440532013000"))
    done("send")
    return seconds | {"payments": batch["payments"]}


def _report(console: Console, wanted: argparse.Namespace, found: dict[str, float], peak: int) -> None:
    entries = wanted.partners * wanted.entries * 12
    console.print(f"{wanted.partners:,} partners, {entries:,} ledger entries, {found['payments']:,.0f} payments")
    table = Table()
    table.add_column("act")
    table.add_column("seconds", justify="right")
    for act in ("plan", "propose", "approve", "send"):
        table.add_row(act, f"{found[act]:.1f}")
    console.print(table, f"peak {peak:,} MiB; goal for plan and propose: 60 s and 3,072 MiB")
    is_new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as stream:
        writer = csv.writer(stream)
        if is_new:
            writer.writerow(["date", "partners", "entries", "payments", "plan, s", "propose, s", "approve, s", "send, s", "peak, MiB"])  # fmt: skip
        acts = [f"{found[act]:.1f}" for act in ("plan", "propose", "approve", "send")]
        writer.writerow(
            [f"{datetime.now(UTC):%Y-%m-%d}", wanted.partners, entries, int(found["payments"]), *acts, peak]
        )


if __name__ == "__main__":
    sys.exit(main())
