"""What a day posts besides the earnings of its lines: adjustments, co-op funds, payments, what is given up."""

import shutil
from typing import Any

import duckdb
import pyarrow as pa

import rulebook
import settlement
from settlement import Run
from transforms import adjustments, coop_claims, coop_funds, forfeits, offsets, payments
from transforms.coop_halves import coop_halves
from transforms.payee_holds import payee_holds
from transforms.proposed_payments import payee_waits
from warehouse import books, commit, cuts, due, frames, staging

HOLDS = pa.schema([(name, pa.string()) for name in ("partner_id", "program", "reason_code")])


def post(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """Stage what is posted besides earnings: adjustments, funds, payments, what is given up; what to tell of it."""
    told = [*_adjust(con, run), *_foreign_reviews(con, run)]
    _follow_funds(con, run)
    _follow_payments(con, run)
    _give_up(con, run)
    return told


def rule_differences(con: duckdb.DuckDBPyConnection, plan: Run) -> list[dict[str, Any]]:
    """What a rule edit would change of what is posted, by program, partner, month, kind and currency; nothing is kept."""
    with staging.scratch(con, plan.run_id):
        settlement.work_out(con, plan, settlement.Clock())
        _stage_claims(con, plan)
        balances = frames.read_input(con, "coop_balances", plan.day)
        now, before = (
            coop_funds.entries(balances, coop_halves(rules, plan.day), plan.day)
            for rules in (plan.rules.now, plan.rules.before)
        )
        commit.stage(con, "earnings_ledger", coop_funds.rule_changes(now, before, plan.day), plan.run_id)
        return books.staged_rule_changes(con)


def _adjust(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """Stage the declared adjustments that are not posted yet; why others are not."""
    declared, told = rulebook.declared_adjustments(run.adjustments)
    held = frames.read_input(con, "posted_adjustments", run.day)
    pending = [one for one in declared if one.adjustment not in set(held["adjustment_id"])]
    refused = _refused(con, pending, run) if pending else {}  # earned.sql sums the whole ledger
    sound = [one for one in pending if one.adjustment not in refused]
    commit.stage(con, "adjustments", adjustments.adjustments(sound, run.day), run.run_id)
    commit.stage(con, "earnings_ledger", adjustments.entries(sound, run.rules.now, run.day), run.run_id)
    kept = rulebook.adjustments_archive(run.run_id)
    if kept.exists():  # from an attempt that failed
        shutil.rmtree(kept)
    for one in sound:
        kept.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copy(run.adjustments / f"{one.adjustment}.yaml", kept)
    edited = adjustments.edited([one for one in declared if one not in pending], held)
    told += [f"adjustment [{name}] is not posted: {why}." for name, why in refused.items()]
    return told + [f"adjustment [{name}] {why}." for name, why in edited.items()]


def _refused(con: duckdb.DuckDBPyConnection, pending: list[adjustments.Adjustment], run: Run) -> dict[str, str]:
    earned, partners = (frames.read_input(con, name, run.day) for name in ("earned", "partner_ids"))
    return adjustments.refusals(pending, earned, partners["partner_id"], run.rules.now, run.day)


def _foreign_reviews(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """What to tell of reviews that are in another currency than their claims."""
    return [
        f"review [{row.review_id}] does not count: it is in [{row.review_currency}], its claim [{row.request_id}] "
        f"in [{row.claim_currency}]; deliver it again in the claim's currency."
        for row in frames.read_input(con, "foreign_reviews", run.day).itertuples()
    ]


def _follow_funds(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Stage where the claims to co-op funds stand and, on the first settled day of a month or with other rules, what became of the funds."""
    _stage_claims(con, run)
    before = books.day_before(con, run.day)
    if before and (before.year, before.month) == (run.day.year, run.day.month) and not run.rules.changed:
        return
    balances = frames.read_input(con, "coop_balances", run.day)
    made = coop_funds.entries(balances, coop_halves(run.rules.now, run.day), run.day)
    commit.stage(con, "earnings_ledger", made, run.run_id)


def _stage_claims(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    claims = coop_claims.coop_claims(frames.read_input(con, "claim_requests", run.day))
    commit.stage(con, "coop_claims", claims, run.run_id)
    con.execute("CREATE OR REPLACE TEMP VIEW claims_standing AS FROM staging.derived.coop_claims")


def _follow_payments(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Stage where the payments stand that the cut tells of, and the entries that this brings."""
    cuts.touch_payments(con)
    found = payments.payments(frames.read_input(con, "reported_payments", run.day))
    commit.stage(con, "payments", found, run.run_id)
    if len(found):
        posted = frames.read_input(con, "posted_payments", run.day)  # all entries since the first of these payments
        commit.stage(con, "earnings_ledger", payments.entries(found, posted, run.day), run.run_id)


def _give_up(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Stage what becomes of what was not paid, where the day reaches a payment cycle: forfeited, escheated, or offset."""
    judged = forfeits.judged_cycles(run.rules.now, books.day_before(con, run.day), run.day)
    if judged.empty:
        return
    con.register("judged_cycles", pa.Table.from_pandas(judged, preserve_index=False))
    con.execute(due.view("(FROM derived.earnings_ledger UNION ALL BY NAME FROM staging.derived.earnings_ledger)"))
    unpaid, payees, asked = (frames.read_input(con, name, run.day) for name in ("unpaid", "payees", "hold_requests"))
    con.execute(due.view())  # of what is posted alone, as a release reads it
    held = payee_holds(payees, asked, run.rules.now, run.day)
    made = forfeits.entries(unpaid, payees, held, run.rules.now, run.day)
    commit.stage(con, "earnings_ledger", made, run.run_id)
    kept = unpaid[~unpaid["partner_id"].isin(made["partner_id"])]  # who gives up today is offset in the next cycle
    commit.stage(con, "earnings_ledger", offsets.entries(kept, run.rules.now, run.day), run.run_id)


def hold_payees(con: duckdb.DuckDBPyConnection, run: Run) -> None:
    """Make `payee_holds`: why payments to a partner wait as of the day."""
    con.execute(
        "CREATE OR REPLACE TEMP VIEW payments_reserved AS FROM derived.payments "
        "WHERE known_to IS NULL AND payment_status NOT IN (SELECT payment_status FROM freed_statuses)"
    )
    inputs = ("payees", "hold_requests", "tax_rates", "tax_invoices")
    payees, asked, taxes, invoices = (frames.read_input(con, name, run.day) for name in inputs)
    held = payee_waits(payees, asked, taxes, invoices, run.rules.now, run.day)
    con.register("payee_holds", pa.Table.from_pandas(held, schema=HOLDS, preserve_index=False))
