"""What is not paid in time is given up: below the minimum at a fiscal year's end, or to a payee that stays unknown."""

from datetime import date

import numpy as np
import pandas as pd

from transforms.adjustments import minor
from transforms.payment_calendar import payment_calendar
from transforms.programs import Program, active
from transforms.settlements import settlements

MISSING = ("PAYACCT", "PAYBANK", "PAYTAX")  # reasons for which a payee is not known
CAUSE = {"forfeit": "forfeited", "escheat": "escheated"}
PAYEE = ["partner_id", "program", "earning_type"]


def judged_cycles(programs: list[Program], previous: date | None, run_date: date) -> pd.DataFrame:
    """The payment cycles that a day is the first settled one to reach, a row a program: `cycle_on`, the newest of them.

    `held_since` is the day by which a payment must have been due to have waited too long for its payee; missing where a
    program knows no such time. `is_year_end` says that the last month of a fiscal year fell due.
    """
    calendar = payment_calendar(programs)
    reached = calendar[calendar["earned_due_on"].between(_first(previous, run_date), pd.Timestamp(run_date))]
    rows = []
    for program in active(programs):
        here = reached[reached["program"] == program.program]
        if here.empty:
            continue
        last_month = (int(program.fiscal_year_start[:2]) - 2) % 12 + 1
        cycle_on, hold = here["earned_due_on"].max(), program.payout.hold if program.payout else None
        days = hold.missing_payee_days.on(cycle_on.date()) if hold else None
        since = cycle_on - pd.Timedelta(days=days) if days else pd.NaT
        is_year_end = bool((here["month"].dt.month == last_month).any())
        rows.append((program.program, cycle_on, since, is_year_end))
    made = pd.DataFrame(rows, columns=["program", "cycle_on", "held_since", "is_year_end"])
    return made.astype({"cycle_on": "datetime64[us]", "held_since": "datetime64[us]"})


def _first(previous: date | None, run_date: date) -> pd.Timestamp:
    return pd.Timestamp(previous or run_date) + pd.Timedelta(days=1 if previous else 0)


def entries(
    unpaid: pd.DataFrame, payees: pd.DataFrame, payee_holds: pd.DataFrame, programs: list[Program], run_date: date
) -> pd.DataFrame:
    """The entries that give up balances: `unpaid` holds, by balance, what is due and what was due by `held_since`.

    A balance that is above zero and, with what the cycle pays, below the minimum at a fiscal year's end is forfeited where
    the program says so.
    One that was due at `held_since` and is not below the minimum is forfeited, or escheated by the payee's country, when
    the payee is not known and has not been since.
    """
    made = [unreached(unpaid, program) for program in active(programs)]
    missing = payee_holds[payee_holds["reason_code"].isin(MISSING)]
    known = unpaid.astype({"partner_id": "str", "program": "str"})
    for unit in ("", "program_"):  # what was paid or taken back since is not held
        held, due = known[f"{unit}held_minor"], known[f"{unit}due_minor"]
        known[f"{unit}held_minor"] = held.clip(lower=0).clip(upper=due)
    held = known.merge(missing[["partner_id", "program"]].astype("str"), on=["partner_id", "program"])
    of_partner = payees[["partner_id", "country", "known_until"]].drop_duplicates()
    of_partner = of_partner.astype({"partner_id": "str", "country": "str"})
    held = held.merge(of_partner, on="partner_id", how="left", validate="m:1")
    held = held[~(held["known_until"] > held["held_since"])]
    made += [_unknown(held, program) for program in active(programs)]
    return settlements(pd.concat(made, ignore_index=True), run_date).assign(payment_id=None)


def _minimum(program: Program, rows: pd.DataFrame) -> int:
    minimum = program.payout.minimum if program.payout else None
    value = minimum.on(rows["cycle_on"].iloc[0].date()) if minimum and len(rows) else None
    return minor(value, program.currency) if value else 0


def _of(rows: pd.DataFrame, program: Program, part: str) -> pd.DataFrame:
    """A program's balances with the payee's total in program currency, all currencies together."""
    here = rows[rows["program"].astype("str") == program.program].reset_index(drop=True)
    payee = [here[name].astype("str") for name in PAYEE]
    return here.assign(total=here[f"program_{part}_minor"].astype("int64").groupby(payee).transform("sum"))


def unreached(unpaid: pd.DataFrame, program: Program) -> pd.DataFrame:
    """What a program gives up of balances, as `entries` has them, that are below its minimum at a fiscal year's end."""
    here = _of(unpaid, program, "due")
    reached = here["total"] + here["program_cycle_minor"].astype("int64")
    rule = program.payout.unreached if program.payout else None
    given_up = here["is_year_end"].astype(bool) & (here["total"] > 0) & (reached < _minimum(program, here))
    here = here[given_up if rule and rule.then == "forfeit" else given_up & False]
    return _given_up(here, "due", "forfeited", "below the minimum at the fiscal year's end")


def _unknown(held: pd.DataFrame, program: Program) -> pd.DataFrame:
    here = _of(held, program, "held")
    hold = program.payout.hold if program.payout else None
    here = here[(here["total"] > 0) & (here["total"] >= _minimum(program, here))] if hold else here[:0]
    what = here["country"].map(hold.then).fillna(hold.then["default"]).map(CAUSE) if hold else here["country"]
    days = hold.missing_payee_days.on(here["cycle_on"].iloc[0].date()) if hold and len(here) else 0
    return _given_up(here, "held", what, f"no payee known for {days} days")


def _given_up(rows: pd.DataFrame, part: str, cause: object, why: str) -> pd.DataFrame:
    return rows[[*PAYEE, "currency", "program_currency"]].assign(
        earning_month=rows[f"{part}_month"], cause=cause, cause_detail=why,
        amount_minor=-rows[f"{part}_minor"].astype(np.int64),
        program_amount_minor=-rows[f"program_{part}_minor"].astype(np.int64),
    )  # fmt: skip
