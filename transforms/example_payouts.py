"""What a worked example's earnings pay on the days of its cycles, by the program's calendar and minimum; in program currency."""

from datetime import date
from decimal import Decimal

import pandas as pd

from transforms.adjustments import major
from transforms.payment_calendar import payment_calendar
from transforms.programs import Program
from transforms.proposed_payments import netted


def payouts(program: Program, posted: pd.DataFrame, until: date) -> dict[date, dict[str, Decimal]]:
    """What each payment cycle up to a day pays, by its day, in major units: `rebate` and `coop`.

    `posted` holds `partner_id`, `earning_month`, `posted_on` and `rebate_minor`. Co-op is paid by claims alone.
    """
    calendar = payment_calendar([program])
    for column, month in (("earned_due_on", posted["earning_month"]), ("posted_due_on", posted["posted_on"])):
        first = month.dt.to_period("M").dt.to_timestamp()
        posted = posted.assign(**{column: first.map(calendar.set_index("month")[column])})
    later = posted[["earned_due_on", "posted_due_on"]].max(axis=1)
    posted = posted.assign(due_on=later.where(posted["rebate_minor"] >= 0, posted["earned_due_on"]))
    paid = pd.Series(0, index=sorted(posted["partner_id"].unique()), dtype="int64")
    made = {}
    cycles = calendar["earned_due_on"].drop_duplicates()
    for day in cycles[cycles.between(posted["posted_on"].min(), pd.Timestamp(until))].dt.date:
        known = posted[posted["posted_on"] < pd.Timestamp(day)]
        due = known[known["due_on"] <= pd.Timestamp(day)].groupby("partner_id")["rebate_minor"].sum()
        owed = due.reindex(paid.index, fill_value=0).astype("int64") - paid
        rows = netted(_balances(owed, program), program, day)
        now = rows["payment_minor"].where(~rows["is_negative"] & ~rows["is_below"], 0).set_axis(paid.index)
        paid += now
        made[day] = {"rebate": major(int(now.sum()), program.currency), "coop": Decimal(0)}
    return made


def _balances(owed: pd.Series, program: Program) -> pd.DataFrame:
    amounts = {"due_minor": owed.to_numpy(), "program_due_minor": owed.to_numpy()}
    payee = {"partner_id": list(owed.index), "program": program.program, "earning_type": "rebate"}
    return pd.DataFrame(payee | {"currency": program.currency} | amounts)
