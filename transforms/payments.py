"""Where each payment stands, and what the ledger is owed for it."""

from datetime import date

import pandas as pd

from transforms.money import quotient
from transforms.settlements import settlements

LEFT_US = ("sent", "settled", "rejected", "reversed")
AT_BANK = {
    "sent": "sent", "accepted": "sent", "settled": "settled", "rejected": "rejected", "returned": "reversed",
}  # fmt: skip
IN_REVIEW = {"approved": "in_progress", "rejected": "rejected_during_review", "expired": "rejected_during_review"}


def payments(reported_payments: pd.DataFrame) -> pd.DataFrame:
    """Each payment with its status: by what the bank said last of it, else by what was decided on its batch."""
    bank = reported_payments["reported_status"].astype("str").map(AT_BANK)
    review = reported_payments["approval"].astype("str").map(IN_REVIEW)
    status = bank.fillna(review).fillna("upcoming")
    since = reported_payments["reported_on"].fillna(reported_payments["decided_on"])
    return reported_payments.assign(payment_status=status, status_on=since.fillna(reported_payments["cut_on"]))


def entries(payments: pd.DataFrame, posted_payments: pd.DataFrame, run_date: date) -> pd.DataFrame:
    """The ledger entries that bring each payment from what is posted of it to what it has become.

    What left us is paid, and withheld for the tax office; what came back is taken back in one entry. No line, no price.
    """
    gone = payments[payments["payment_status"].isin(LEFT_US)]
    back = payments[payments["payment_status"].isin(["rejected", "reversed"])]
    whole = ("payment_minor", "program_payment_minor")
    due = [
        _due(gone, "paid", -(gone[whole[0]] - gone["withheld_minor"]), -(gone[whole[1]] - _withheld(gone))),
        _due(gone, "withheld", -gone["withheld_minor"], -_withheld(gone)),
        _due(back, "payment_returned", back[whole[0]], back[whole[1]]),
    ]
    key = ["payment_id", "cause"]
    held = posted_payments[[*key, "amount_minor", "program_amount_minor"]].astype(dict.fromkeys(key, "str"))
    made = pd.concat(due, ignore_index=True).merge(held, on=key, how="left", suffixes=("", "_held"))
    for name in ("amount_minor", "program_amount_minor"):
        made[name] = made[name].astype("int64") - made[f"{name}_held"].fillna(0).astype("int64")
    made["earning_month"] = made["cycle_on"].dt.to_period("M").dt.to_timestamp()
    return settlements(made.rename(columns={"bank_reason": "cause_detail"}), run_date)


def _withheld(rows: pd.DataFrame) -> pd.Series:
    """Tax withheld in program currency: the same part of the payment, what is beyond a whole unit left with the payee."""
    named = (rows[name].to_numpy(object) for name in ("withheld_minor", "program_payment_minor", "payment_minor"))
    withheld, program_payment, payment = named
    return pd.Series(quotient(withheld * program_payment, payment, "truncate"), index=rows.index)


def _due(rows: pd.DataFrame, cause: str, amount: pd.Series, program_amount: pd.Series) -> pd.DataFrame:
    named = rows[
        [
            "payment_id",
            "cycle_on",
            "partner_id",
            "program",
            "earning_type",
            "currency",
            "program_currency",
            "bank_reason",
        ]
    ].astype({"payment_id": "str"})
    return named.assign(cause=cause, amount_minor=amount, program_amount_minor=program_amount)
