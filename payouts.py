"""Payouts: a batch of payments is proposed, approved by somebody else, sent to the bank once, and followed to its end.

Each act lands a delivery, as all else that the pipeline learns of; the next settled day posts what it means.
"""

import hashlib
import json
import os
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import duckdb
import pandas as pd
import pyarrow as pa
from filelock import FileLock
from schwifty import IBAN

import pipeline
import rulebook
from banking import messages
from banking.orders import Account, Order, order_file, unwritable
from transforms import people
from transforms.adjustments import major
from transforms.coop_halves import coop_halves
from transforms.payee_holds import PAYEE, payee_holds, payees_by_program
from transforms.payment_calendar import payment_calendar
from transforms.payments import payments
from transforms.programs import Program
from transforms.proposed_payments import proposed_payments
from transforms.vocabulary import FREED
from warehouse import books, due, frames, handover, store
from warehouse.columns import COLUMNS, currency_of, published_name
from warehouse.tables import FEEDS

INPUTS = ("payable", "payees", "hold_requests", "payout_rates", "tax_rates", "tax_invoices")
# banks take some ten thousand orders a file; a file of 100,000 exceeds what the check of its schema reads
ORDERS_A_FILE = 25_000
SHORT = 12  # digits of a hash that are enough to name it
EVERYTHING = date(9999, 12, 31)
WITHIN = timedelta(days=92)  # of the newest settled day, a cycle may be proposed
PAYER = ("INCENTIVES_PAYER_NAME", "INCENTIVES_PAYER_IBAN")
Approval = Literal["approved", "rejected", "expired"]


class NothingDue(LookupError):
    """A payment cycle that would pay nothing."""


@contextmanager
def _alone() -> Iterator[None]:
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
    with _alone():
        with store.locked(f"propose payments of {cycle_on}"), store.warehouse() as con:
            day = books.newest_day(con)
            if abs(cycle_on - day) > WITHIN:
                raise LookupError(
                    f"[{cycle_on}] is more than three months from [{day}], the newest settled day: settle on, or give a nearer day."
                )
            proposed = _proposed(con, cycle_on, day)
            batch = f"{cycle_on:%Y%m%d}-{_count(con, cycle_on) + 1}"
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
    with _alone():
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
        handover.rows("payout_approvals", _next_day(), [said])
    return batch_of(batch)


def _may_be_approved(found: dict[str, Any], by: str) -> None:
    """Raise LookupError for an own batch, one that is not what was proposed, and one that cannot be sent."""
    batch = found["batch_id"]
    if people.is_same(by, found["proposed_by"]):
        raise LookupError(f"[{by}] approves an own batch; somebody else must.")
    if found["is_changed"]:
        raise LookupError(f"batch [{batch}] was delivered again since it was proposed; reject it and propose anew.")
    if faulty := [one for _, currency, day, orders in _order_files(batch) for one in unwritable(currency, day, orders)]:
        raise LookupError(
            f"payments {faulty} of batch [{batch}] cannot be written as orders, by the payee's name or the amount; "
            "reject the batch and have the payees name their accounts anew."
        )


def send(batch: str, payer: Account) -> list[Path]:
    """Hand an approved batch over to the bank, once: the files put into outbox/, one or more for each payout currency.

    What was cut off is taken up where it ended; a batch that is in the bank's hands yields nothing. Raises LookupError
    for a batch that is not approved, or of which a payee has another account or is held since.
    """
    with _alone():
        found = batch_of(batch)
        if found["approval"] != "approved":
            raise LookupError(f"batch [{batch}] is {found['approval'] or 'not decided'}; only an approved one is sent.")
        if found["approved_hash"] != found["batch_hash"]:
            raise LookupError(
                f"batch [{batch}] is not what was approved: its hash is [{found['batch_hash'][:12]}], the approval's "
                f"[{found['approved_hash'][:12]}]. A delivery has changed its payments or accounts since; nothing is sent."
            )
        prepared = store.place("outbox") / f".{batch}"
        if not found["is_sent"]:
            if moved := _moved(batch):
                raise LookupError(
                    f"the payees of {moved} are held or have another account since batch [{batch}] was proposed; nothing is "
                    "sent. Reject the batch and propose anew."
                )
            if not prepared.exists():
                _prepare_orders(batch, payer, prepared)
            store.reached("orders prepared")
            _report_sent(batch)
            store.reached("orders landed")
        pipeline.ingest()
        return _hand_over(prepared)


def payer(settings: Mapping[str, str]) -> Account:
    """The account that is paid from: INCENTIVES_PAYER_NAME and INCENTIVES_PAYER_IBAN; raises LookupError without them."""
    if missing := [name for name in PAYER if not settings.get(name)]:
        raise LookupError(f"{missing} are not set; they say from which account payments are made.")
    name, iban = (settings[one] for one in PAYER)
    if not IBAN(iban, allow_invalid=True).is_valid:
        raise LookupError("INCENTIVES_PAYER_IBAN is not an IBAN; its check digits or its length are wrong.")
    return Account(name, iban)


def _moved(batch: str) -> list[str]:
    """The payments of a batch whose payee is held or has another account as of the newest settled day."""
    with store.locked(f"payees of {batch}"), store.warehouse() as con:
        orders = pd.DataFrame(store.rows(con, ORDERS, batch=batch))
        programs, day = rulebook.rules_of_last_run(con).now, books.newest_day(con)
        payees, asked = (frames.read_input(con, name, day) for name in ("payees", "hold_requests"))
    accounts = payees_by_program(payees, programs)[[*PAYEE, "request_id"]]
    held = payee_holds(payees, asked, programs, orders["cycle_on"].iloc[0])
    now = orders.merge(accounts, "left", PAYEE, suffixes=("", "_now"), validate="m:1")
    now = now.merge(held, "left", PAYEE, validate="m:1")
    is_moved = now["reason_code"].notna() | (now["request_id"] != now["request_id_now"])
    return sorted(now.loc[is_moved, "payment_id"])


def _prepare_orders(batch: str, payer: Account, prepared: Path) -> None:
    """Write a batch's order files where the bank does not look, whole or not at all."""
    unfinished = prepared.with_name(f"{prepared.name}.unfinished")
    unfinished.mkdir(exist_ok=True, mode=0o700)
    for name, currency, execute_on, orders in _order_files(batch):
        path = unfinished / f"{name}.xml"
        path.touch(mode=0o600)
        path.write_bytes(order_file(name, payer, currency, execute_on, orders))
        store.sync(path)
    os.replace(unfinished, prepared)


def _order_files(batch: str) -> list[tuple[str, str, date, list[Order]]]:
    """What a batch orders, file by file: its name, currency, day and orders."""
    with store.locked(f"orders of {batch}"), store.warehouse() as con:
        found = store.rows(con, ORDERS, batch=batch)
    files = groupby(found, lambda row: (row["order_file"], row["payout_currency"], row["cycle_on"]))
    return [(*named, [_order(row) for row in rows]) for named, rows in files]


def _order(row: dict[str, Any]) -> Order:
    text = f"{row['program']} {row['earning_type']} {row['payment_id']}"
    amount = major(row["payout_minor"], row["payout_currency"])
    return Order(row["payment_id"], Account(row["account_holder"], row["iban"]), amount, text)


def _report_sent(batch: str) -> None:
    """Say of each payment of a batch that it is sent, before the bank can see it: nothing can be sent twice."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with store.locked(f"send {batch}"), store.warehouse() as con:
        ids = [row["payment_id"] for row in store.rows(con, ORDERS, batch=batch)]
    _land([messages.Message(payment_id, "sent", None, now) for payment_id in ids])


def _hand_over(prepared: Path) -> list[Path]:
    """Move prepared files to where the bank looks; each moves once."""
    moved = []
    for path in sorted(prepared.glob("*.xml")) if prepared.exists() else ():
        os.replace(path, final := prepared.parent / path.name)
        moved.append(final)
        store.reached("order handed over")
    if prepared.exists():
        prepared.rmdir()
    return moved


def receive(paths: Sequence[Path]) -> list[dict[str, Any]]:
    """Take in what the bank said: a row for each thing said of one of our payments.

    Payments that are not ours or not sent, and ours that left in another amount, are named as such in `trouble` and left alone.

    Raises messages.Unreadable for the first file that cannot be used, and takes in nothing then.
    """
    read = [(path.name, message) for path in paths for message in messages.read(path)]
    with _alone():
        with store.locked("bank messages"), store.warehouse() as con:
            found = con.execute(
                f"SELECT {ORDER_FILE}, payment_id, payout_minor, payout_currency FROM {PAYMENTS}"
            ).fetchall()
            sent = {row["payment_id"] for row in store.rows(con, SENT)}
        ours = {payment: (major(amount, currency), currency) for _, payment, amount, currency in found}
        of_file = defaultdict(list)
        for file, payment, *_ in found:
            of_file[file].append(payment)
        said = {
            one.message_id: (name, one)
            for name, message in read
            for one in message.of_each(of_file.get(message.payment_id, [message.payment_id]))
        }
        if sound := [message for _, message in said.values() if not _trouble(message, ours, sent)]:
            _land(sound)
    return [
        {
            "file": name, "payment_id": one.payment_id, "bank_reason": one.bank_reason, "reported_at": one.reported_at,
            "reported_status": one.reported_status, "trouble": _trouble(one, ours, sent),
        }
        for name, one in said.values()
    ]  # fmt: skip


def _trouble(message: messages.Message, ours: Mapping[str, tuple[Decimal, str]], sent: Set[str]) -> str | None:
    """Why what the bank said is for a person to look at; what comes back may be less than what left, by the banks' fees."""
    if message.payment_id not in ours:
        return "unknown payment"
    if message.payment_id not in sent:
        return "not sent by us"
    ordered, booked = ours[message.payment_id], message.booked
    if message.reported_status == "settled" and booked and booked != ordered:
        return f"booked {booked[0]} {booked[1]}, ordered {ordered[0]} {ordered[1]}"
    if message.reported_status == "settled" and message.is_reversal:
        return "what came back is debited again; see that it is not paid twice"
    return None


def _land(said: Sequence[messages.Message]) -> None:
    rows = [
        {
            "message_id": one.message_id, "payment_id": one.payment_id, "reported_status": one.reported_status,
            "bank_reason": one.bank_reason or "", "reported_at": f"{one.reported_at:%Y-%m-%dT%H:%M:%SZ}",
        }
        for one in said
    ]  # fmt: skip
    handover.rows("bank_messages", _next_day(), rows)


NOW = "known_to IS NULL AND NOT is_withdrawn"
PAYMENTS = f"(FROM clean.payout_payments WHERE {NOW})"
ORDER_FILE = (  # its name and message id: a currency and the orders that one file carries
    "concat_ws('-', batch_id, payout_currency, (row_number() OVER (PARTITION BY batch_id, payout_currency ORDER BY payment_id) - 1) "
    f"// {ORDERS_A_FILE} + 1)"
)
ORDERS = f"""
SELECT payment_id, cycle_on, partner_id, program, request_id, earning_type, payout_currency, payout_minor, account_holder, iban, {ORDER_FILE} AS order_file
FROM {PAYMENTS} JOIN (
    SELECT request_id, arg_max(account_holder, known_from) AS account_holder, arg_max(iban, known_from) AS iban
    FROM clean.partner_requests GROUP BY request_id
) USING (request_id) WHERE batch_id = $batch ORDER BY order_file, payment_id
"""
SENT = "SELECT DISTINCT payment_id FROM clean.bank_messages WHERE reported_status = 'sent'"  # which we alone say
BATCHES = f"""
SELECT batch_id, cycle_on, cut_on, proposed_by, approval, batch_hash AS approved_hash, decided_by, note, count(*) AS payments,
    count(sent.payment_id) = count(*) AS is_sent, is_changed
FROM {PAYMENTS} JOIN (
    SELECT batch_id, count(DISTINCT delivery_id) > 1 AS is_changed FROM clean.payout_payments GROUP BY batch_id
) USING (batch_id) LEFT JOIN (FROM clean.payout_approvals WHERE {NOW}) USING (batch_id)
LEFT JOIN ({SENT}) AS sent USING (payment_id) GROUP BY ALL ORDER BY cycle_on, batch_id
"""
TOTALS = f"""
SELECT batch_id, payout_currency, sum(payout_minor)::BIGINT AS payout_minor FROM {PAYMENTS} GROUP BY ALL ORDER BY ALL
"""


def batches() -> list[dict[str, Any]]:
    """Every batch, oldest first: its cycle, who proposed it and who decided what, how many payments, and whether it is sent.

    `payouts` is what it pays by payout currency, in major units; `batch_hash` what an approval is bound to.
    `is_changed` says that payments of it were delivered again after they were proposed.
    """
    with store.locked("batches"), store.warehouse() as con:
        found, totals = store.rows(con, BATCHES), store.rows(con, TOTALS)
        payouts: dict[str, dict[str, Decimal]] = {}
        for row in totals:
            amount = major(row["payout_minor"], row["payout_currency"])
            payouts.setdefault(row["batch_id"], {})[row["payout_currency"]] = amount
        return [row | {"payouts": payouts[row["batch_id"]], "batch_hash": _hash(con, row["batch_id"])} for row in found]


def undecided(cycle_on: date) -> dict[str, Any] | None:
    """The oldest batch of a cycle that nobody has decided on, as `batches` tells of it."""
    return next((row for row in batches() if row["cycle_on"] == cycle_on and not row["approval"]), None)


def unsent() -> list[str]:
    """The approved batches that are not, or not wholly, in the bank's hands."""
    outbox = store.place("outbox")
    return [
        row["batch_id"]
        for row in batches()
        if row["approval"] == "approved" and (not row["is_sent"] or (outbox / f".{row['batch_id']}").exists())
    ]


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


def _hash(con: duckdb.DuckDBPyConnection, batch: str) -> str:
    """What an approval is bound to: every version of the batch's payments and of the accounts that they go to."""
    columns = ", ".join(FEEDS["payout_payments"].columns)
    rows = con.execute(
        f"SELECT {columns}, account_holder, iban FROM clean.payout_payments JOIN "
        "(SELECT request_id, account_holder, iban FROM clean.partner_requests) USING (request_id) "
        "WHERE batch_id = $batch ORDER BY ALL",
        {"batch": batch},
    ).fetchall()
    return hashlib.sha256(json.dumps(rows, default=str).encode()).hexdigest()


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


def _count(con: duckdb.DuckDBPyConnection, cycle_on: date) -> int:
    found = con.execute(
        "SELECT count(DISTINCT batch_id) FROM clean.payout_payments WHERE cycle_on = $day", {"day": cycle_on}
    ).fetchall()
    return found[0][0]


def _next_day() -> date:
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
