"""What is owed back in one currency is recovered from what is due to the same payee in others, oldest first."""

from datetime import date

import pandas as pd

from transforms.money import quotient
from transforms.programs import Program, active
from transforms.settlements import settlements

PAYEE = ["partner_id", "program", "earning_type"]


def entries(unpaid: pd.DataFrame, programs: list[Program], run_date: date) -> pd.DataFrame:
    """The entries that offset balances below zero against those above: `unpaid` holds what is due and not paid of each.

    Of one partner, program and earning type, in a program that says `offset_negative: fifo`; balances take their turn by
    the month that they are due for. What is taken equals what is recovered in program currency, to the cent, so that the
    entries of a payee sum to nothing there.
    """
    fifo = [p.program for p in active(programs) if p.payout and p.payout.offset_negative == "fifo"]
    here = unpaid[unpaid["program"].isin(fifo)].sort_values([*PAYEE, "due_month", "currency"], ignore_index=True)
    due, program_due = here["due_minor"].astype("int64"), here["program_due_minor"].astype("int64")
    payee = [here[name].astype("str") for name in PAYEE]
    above, below = program_due.where(due > 0, 0).clip(lower=0), (-program_due).where(due < 0, 0).clip(lower=0)
    moved = _taken(below, above, payee) - _taken(above, below, payee)  # what is owed back rises, what is due falls
    part = quotient(
        due.to_numpy(object) * moved.abs().to_numpy(object),
        program_due.abs().replace(0, 1).to_numpy(object),
        "truncate",
    )
    made = here[[*PAYEE, "currency", "program_currency"]].assign(
        earning_month=here["due_month"], cause="offset", cause_detail="against a balance in another currency",
        amount_minor=-pd.Series(part, index=here.index), program_amount_minor=moved,
    )  # fmt: skip
    return settlements(made, run_date).assign(payment_id=None)


def _taken(sizes: pd.Series, others: pd.Series, payee: list[pd.Series]) -> pd.Series:
    """How much of each size the others of its payee take up, in the order of the rows."""
    wanted = others.groupby(payee).transform("sum")
    before = sizes.groupby(payee).cumsum() - sizes
    return (wanted - before).clip(lower=0).clip(upper=sizes)
