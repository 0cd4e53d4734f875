"""Payouts: a batch of payments is proposed and approved by somebody else; remittance.py has it paid.

Each act lands a delivery, as all else that the pipeline learns of; the next settled day posts what it means.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any, Literal

import duckdb
import pandas as pd
import pyarrow as pa
from filelock import FileLock

import pipeline
import rulebook
from banking.orders import Account, Order, unwritable
from transforms import people
from transforms.adjustments import major
from transforms.coop_halves import coop_halves
from transforms.payment_calendar import payment_calendar
from transforms.payments import payments
from transforms.programs import Program
from transforms.proposed_payments import proposed_payments
from transforms.vocabulary import FREED
from warehouse import books, due, frames, handover, payout_batches, store
from warehouse.columns import COLUMNS, currency_of, published_name
from warehouse.tables import FEEDS

INPUTS = ("payable", "payees", "hold_requests", "payout_rates", "tax_rates", "tax_invoices")
SHORT = 12  # digits of a hash that are enough to name it
EVERYTHING = date(9999, 12, 31)
WITHIN = timedelta(days=92)  # of the newest settled day, a cycle may be proposed
Approval = Literal["approved", "rejected", "expired"]


class NothingDue(LookupError):
    """A payment cycle that would pay nothing."""


@contextmanager
def alone() -> Iterator[None]:
    """One payout act at a time, from what it reads to what it has the pipeline take in."""
    store.home().mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(store.home() / "payouts.lock", timeout=store.LOCK_SECONDS):
        pipeline.ingest()
        yield
        pipeline.ingest()


def plan(cycle_on: date) -> pd.DataFrame:
    """What a payment cycle would pay as of the newest settled day, and why it would not pay the rest; nothing is kept.

    The rows are those of `transforms.proposed_payments`. Raises LookupError before the first settled day.
    """
    with store.locked(f"plan payments of {cycle_on}"), store.warehouse() as con:
        return _proposed(con, cycle_on, books.newest_day(con))


def propose(cycle_on: date, by: str) -> dict[str, Any]:
    """Propose all payments that are due as one batch, which reserves them; the batch as `batches` tells of it.

    Raises LookupError before the first settled day and for a day too far from it, NothingDue when nothing is to be paid.
    """
    with alone():
        with store.locked(f"propose payments of {cycle_on}"), store.warehouse() as con:
            day = books.newest_day(con)
            if abs(cycle_on - day) > WITHIN:
                raise LookupError(
                    f"[{cycle_on}] is more than three months from [{day}], the newest settled day: settle on, or give a nearer day."
                )
            proposed = _proposed(con, cycle_on, day)
            batch = f"{cycle_on:%Y%m%d}-{payout_batches.count(con, cycle_on) + 1}"
        paid = proposed[proposed["reason_code"].isna()].sort_values(
            ["partner_id", "program", "earning_type", "currency"]
        )
        if paid.empty:
            raise NothingDue(
                f"nothing is to be paid on [{cycle_on}]: `incentives payouts plan` says what waits and why."
            )
        paid = paid.assign(
            batch_id=batch, cycle_on=cycle_on, cut_on=day, proposed_by=people.named(by),
            payment_id=[f"{batch}-{number:06d}" for number in range(1, len(paid) + 1)],
        )  # fmt: skip
        handover.rows("payout_payments", day + timedelta(days=1), _delivered(paid))
    return batch_of(batch)


def decide(batch: str, approval: Approval, by: str, batch_hash: str, note: str = "") -> dict[str, Any]:
    """Write down what was decided on a batch as it was shown; rejected and expired ones free what they reserved.

    An approval may be taken back by a rejection until the batch is sent.

    Raises LookupError for a batch that is unknown, is decided, or is not what was shown, and for approving an own batch or
    one that is not what was proposed or cannot be written as orders.
    """
    with alone():
        found = batch_of(batch)
        is_taken_back = approval == "rejected" and found["approval"] == "approved" and not found["is_sent"]
        if found["approval"] and not is_taken_back:
            raise LookupError(f"batch [{batch}] is {found['approval']} already, by [{found['decided_by']}].")
        if len(batch_hash) < SHORT or not found["batch_hash"].startswith(batch_hash):
            raise LookupError(
                f"batch [{batch}] has hash [{found['batch_hash'][:12]}], not [{batch_hash[:12]}]; look again."
            )
        if approval == "approved":
            _may_be_approved(found, by)
        if is_taken_back:
            shutil.rmtree(store.place("outbox") / f".{batch}", ignore_errors=True)
        said = {
            "batch_id": batch, "batch_hash": found["batch_hash"], "approval": approval, "decided_by": people.named(by),
            "decided_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}", "note": note,
        }  # fmt: skip
        handover.rows("payout_approvals", next_day(), [said])
    return batch_of(batch)


def _may_be_approved(found: dict[str, Any], by: str) -> None:
    """Raise LookupError for an own batch, one that is not what was proposed, and one that cannot be sent."""
    batch = found["batch_id"]
    if people.is_same(by, found["proposed_by"]):
        raise LookupError(f"[{by}] approves an own batch; somebody else must.")
    if found["is_changed"]:
        raise LookupError(f"batch [{batch}] was delivered again since it was proposed; reject it and propose anew.")
    if faulty := [one for _, currency, day, orders in order_files(batch) for one in unwritable(currency, day, orders)]:
        raise LookupError(
            f"payments {faulty} of batch [{batch}] cannot be written as orders, by the payee's name or the amount; "
            "reject the batch and have the payees name their accounts anew."
        )


def order_files(batch: str) -> list[tuple[str, str, date, list[Order]]]:
    """What a batch orders, file by file: its name, currency, day and orders."""
    with store.locked(f"orders of {batch}"), store.warehouse() as con:
        found = payout_batches.orders(con, batch)
    files = groupby(found, lambda row: (row["order_file"], row["payout_currency"], row["cycle_on"]))
    return [(*named, [_order(row) for row in rows]) for named, rows in files]


def _order(row: dict[str, Any]) -> Order:
    text = f"{row['program']} {row['earning_type']} {row['payment_id']}"
    amount = major(row["payout_minor"], row["payout_currency"])
    return Order(row["payment_id"], Account(row["account_holder"], row["iban"]), amount, text)


def batches() -> list[dict[str, Any]]:
    """Every batch, oldest first: its cycle, who proposed it and who decided what, how many payments, and whether it is sent.

    `payouts` is what it pays by payout currency, in major units; `batch_hash` what an approval is bound to.
    `is_changed` says that payments of it were delivered again after they were proposed.
    """
    with store.locked("batches"), store.warehouse() as con:
        found, totals = payout_batches.batches(con), payout_batches.totals(con)
        payouts: dict[str, dict[str, Decimal]] = {}
        for row in totals:
            amount = major(row["payout_minor"], row["payout_currency"])
            payouts.setdefault(row["batch_id"], {})[row["payout_currency"]] = amount
        return [row | {"payouts": payouts[row["batch_id"]]} for row in found]


def undecided(cycle_on: date) -> dict[str, Any] | None:
    """The oldest batch of a cycle that nobody has decided on, as `batches` tells of it."""
    return next((row for row in batches() if row["cycle_on"] == cycle_on and not row["approval"]), None)


def unfinished() -> list[str]:
    """The batches of which some payment is neither settled nor to be paid again."""
    with store.locked("unfinished batches"), store.warehouse() as con:
        known = _known(con)
    return sorted(set(known.loc[~known["payment_status"].isin(["settled", *FREED]), "batch_id"]))


def batch_of(batch: str) -> dict[str, Any]:
    """One batch as `batches` tells of it; raises LookupError for one that does not exist."""
    found = {row["batch_id"]: row for row in batches()}
    if batch not in found:
        raise LookupError(f"no batch [{batch}]; there are {list(found)}.")
    return found[batch]


def payments_of(batch: str) -> list[dict[str, Any]]:
    """The payments of a batch and where each stands, amounts in minor units; raises LookupError for one that does not exist."""
    batch_of(batch)
    with store.locked(f"payments of {batch}"), store.warehouse() as con:
        found = _known(con)
    return found[found["batch_id"] == batch].to_dict("records")


def _proposed(con: duckdb.DuckDBPyConnection, cycle_on: date, day: date) -> pd.DataFrame:
    programs = rulebook.rules_of_last_run(con).now
    _reserve(con, programs, cycle_on)
    read = {name: frames.read_input(con, name, day) for name in INPUTS}
    return proposed_payments(**read, programs=programs, cycle_on=cycle_on)


def _reserve(con: duckdb.DuckDBPyConnection, programs: list[Program], cycle_on: date) -> None:
    """Make `payment_calendar`, the variable `cycle_on`, and `payments_reserved`: payments that keep what they pay."""
    con.register("payment_calendar", pa.Table.from_pandas(payment_calendar(programs), preserve_index=False))
    con.register("coop_halves", pa.Table.from_pandas(coop_halves(programs, cycle_on), preserve_index=False))
    con.execute(due.view())
    con.execute("SET VARIABLE cycle_on = $day::DATE", {"day": cycle_on})
    known = _known(con)
    kept = known[~known["payment_status"].isin(FREED)]
    columns = [
        "partner_id", "program", "earning_type", "currency", "program_currency", "payment_minor", "program_payment_minor",
        "invoice_number",
    ]  # fmt: skip
    con.register("payments_reserved", pa.Table.from_pandas(kept[columns], preserve_index=False))


def _known(con: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    """All payments with where they stand by all that has come in, settled or not."""
    con.execute("CREATE OR REPLACE TEMP TABLE touched_payments AS SELECT payment_id FROM clean.payout_payments")
    return payments(frames.read_input(con, "reported_payments", EVERYTHING))


def next_day() -> date:
    """The business day after the newest settled one, for which acts land what they say."""
    with store.locked("newest day"), store.warehouse() as con:
        return books.newest_day(con) + timedelta(days=1)


def _delivered(made: pd.DataFrame) -> list[dict[str, Any]]:
    """Payments as their feed is delivered: money in major units."""
    columns = FEEDS["payout_payments"].columns
    held = made[list(columns)].astype(object)
    return [
        {
            published_name(c): major(int(row[c]), row[currency_of(c)]) if COLUMNS[c].kind == "money" else row[c]
            for c in columns
        }
        for row in held.where(held.notna(), "").to_dict("records")
    ]
