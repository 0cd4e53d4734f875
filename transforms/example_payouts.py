"""What a worked example's earnings pay on the days of its cycles, by the program's calendar and minimum; in program currency."""

from datetime import date
from decimal import Decimal

import pandas as pd

from transforms.adjustments import major
from transforms.forfeits import judged_cycles, unreached
from transforms.payment_calendar import payment_calendar
from transforms.programs import Program
from transforms.proposed_payments import netted


def payouts(program: Program, posted: pd.DataFrame, until: date) -> dict[date, dict[str, Decimal]]:
    """What each payment cycle up to a day pays, by its day, in major units: `rebate` and `coop`; and `given_up` of the rest.

    `posted` holds `partner_id`, `earning_month`, `posted_on` and `rebate_minor`. Co-op is paid by claims alone.
    """
    calendar = payment_calendar([program])
    posted = _due(posted, calendar)
    paid = pd.Series(0, index=sorted(posted["partner_id"].unique()), dtype="int64")
    made = {}
    cycles = calendar["earned_due_on"].drop_duplicates()
    for day in cycles[cycles.between(posted["posted_on"].min(), pd.Timestamp(until))].dt.date:
        known = posted[posted["posted_on"] < pd.Timestamp(day)]
        due = known[known["due_on"] <= pd.Timestamp(day)].groupby("partner_id")["rebate_minor"].sum()
        owed = due.reindex(paid.index, fill_value=0).astype("int64") - paid
        balances = _balances(owed, program)
        rows = netted(balances, program, day)
        now = rows["payment_minor"].where(~rows["is_negative"] & ~rows["is_below"], 0).set_axis(paid.index)
        [cycle] = judged_cycles([program], None, day).drop(columns="program").to_dict("records")
        gone = -unreached(balances.assign(**cycle, program_cycle_minor=0), program).set_index("partner_id")[
            "program_amount_minor"
        ]
        paid += now + gone.reindex(paid.index, fill_value=0)
        made[day] = {
            "rebate": major(int(now.sum()), program.currency),
            "coop": Decimal(0),
            "given_up": major(int(gone.sum()), program.currency),
        }
    return made


def _due(posted: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """What was posted with the day on which it is `due_on`, as warehouse/due.py has it."""
    for column, month in (("earned_due_on", posted["earning_month"]), ("posted_due_on", posted["posted_on"])):
        first = month.dt.to_period("M").dt.to_timestamp()
        posted = posted.assign(**{column: first.map(calendar.set_index("month")[column])})
    later = posted[["earned_due_on", "posted_due_on"]].max(axis=1)
    moved = posted.groupby(["partner_id", "earning_month", "posted_on"])["rebate_minor"].transform("sum")
    return posted.assign(due_on=later.where((moved >= 0) & posted["earned_due_on"].notna(), posted["earned_due_on"]))


def _balances(owed: pd.Series, program: Program) -> pd.DataFrame:
    amounts = {"due_minor": owed.to_numpy(), "program_due_minor": owed.to_numpy()}
    payee = {"partner_id": list(owed.index), "program": program.program, "earning_type": "rebate", "due_month": pd.NaT}
    return pd.DataFrame(payee | dict.fromkeys(("currency", "program_currency"), program.currency) | amounts)
