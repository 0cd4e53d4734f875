"""Remittance: an approved batch is sent to the bank once, and what the bank says of its payments is taken in."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
from schwifty import IBAN

import payouts
import pipeline
import rulebook
from banking import messages
from banking.orders import Account, order_file
from transforms.adjustments import major
from transforms.payee_holds import PAYEE, payee_holds, payees_by_program
from warehouse import books, frames, handover, payout_batches, store

PAYER = ("INCENTIVES_PAYER_NAME", "INCENTIVES_PAYER_IBAN")


def payer(settings: Mapping[str, str]) -> Account:
    """The account that is paid from: INCENTIVES_PAYER_NAME and INCENTIVES_PAYER_IBAN; raises LookupError without them."""
    if missing := [name for name in PAYER if not settings.get(name)]:
        raise LookupError(f"{missing} are not set; they say from which account payments are made.")
    name, iban = (settings[one] for one in PAYER)
    if not IBAN(iban, allow_invalid=True).is_valid:
        raise LookupError("INCENTIVES_PAYER_IBAN is not an IBAN; its check digits or its length are wrong.")
    return Account(name, iban)


def unsent() -> list[str]:
    """The approved batches that are not, or not wholly, in the bank's hands."""
    outbox = store.place("outbox")
    return [
        row["batch_id"]
        for row in payouts.batches()
        if row["approval"] == "approved" and (not row["is_sent"] or (outbox / f".{row['batch_id']}").exists())
    ]


def send(batch: str, payer: Account) -> list[Path]:
    """Hand an approved batch over to the bank, once: the files put into outbox/, one or more for each payout currency.

    What was cut off is taken up where it ended; a batch that is in the bank's hands yields nothing. Raises LookupError
    for a batch that is not approved, or of which a payee has another account or is held since.
    """
    with payouts.alone():
        found = payouts.batch_of(batch)
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


def _moved(batch: str) -> list[str]:
    """The payments of a batch whose payee is held or has another account as of the newest settled day."""
    with store.locked(f"payees of {batch}"), store.warehouse() as con:
        orders = pd.DataFrame(payout_batches.orders(con, batch))
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
    for name, currency, execute_on, orders in payouts.order_files(batch):
        path = unfinished / f"{name}.xml"
        path.touch(mode=0o600)
        path.write_bytes(order_file(name, payer, currency, execute_on, orders))
        store.sync(path)
    os.replace(unfinished, prepared)


def _report_sent(batch: str) -> None:
    """Say of each payment of a batch that it is sent, before the bank can see it: nothing can be sent twice."""
    now = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    with store.locked(f"send {batch}"), store.warehouse() as con:
        ids = [row["payment_id"] for row in payout_batches.orders(con, batch)]
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
    with payouts.alone():
        with store.locked("bank messages"), store.warehouse() as con:
            found = payout_batches.order_files(con)
            sent = payout_batches.sent(con)
        ours = {
            row["payment_id"]: (major(row["payout_minor"], row["payout_currency"]), row["payout_currency"])
            for row in found
        }
        of_file = defaultdict(list)
        for row in found:
            of_file[row["order_file"]].append(row["payment_id"])
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
    handover.rows("bank_messages", payouts.next_day(), rows)
