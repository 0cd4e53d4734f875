"""When earnings are due: the payment calendar of each program."""

from datetime import date

import numpy as np
import pandas as pd

from transforms.money import MAJOR, decimals
from transforms.programs import Program, active
from transforms.terms import Due
from transforms.validity import DAY

MONTHS = np.arange("2000-01", "2100-01", dtype="datetime64[M]")  # those that a transaction may lie in
NO_DAYS = pd.DataFrame({"program": []}, dtype="str").assign(
    **dict.fromkeys(("month", "earned_due_on", "posted_due_on"), pd.Series([], dtype="datetime64[us]"))
)


def payment_calendar(programs: list[Program]) -> pd.DataFrame:
    """For each month, when what is earned in it and what is posted in it is due: the later of the two counts.

    An earning is due on `due.day` of the month that holds the last day of its month plus `due.lag_days`; what is posted
    later than that on `due.day` of the month after; both figures are those of the month's last day. Programs without
    `payout.due`, and months of which it has no figures, pay nothing here.
    """
    made = [_of(program, due) for program in active(programs) if (due := program.payout and program.payout.due)]
    return pd.concat([NO_DAYS, *made], ignore_index=True)


def payment_cycles(programs: list[Program], run_date: date) -> pd.DataFrame:
    """Each active program's next payment cycle after a day, and its smallest payment in program currency; missing if none."""
    calendar, named = payment_calendar(programs), active(programs)
    later = calendar[calendar["earned_due_on"] > pd.Timestamp(run_date)]
    following = later.groupby("program")["earned_due_on"].min()
    minimums = [program.payout.minimum if program.payout else None for program in named]
    made = pd.DataFrame({"program": [program.program for program in named]})
    return made.assign(
        next_due_on=following.reindex(made["program"]).astype("datetime64[us]").to_numpy(),
        minimum=decimals([minimum.on(run_date) if minimum else None for minimum in minimums], MAJOR),
    )


def _of(program: Program, due: Due) -> pd.DataFrame:
    ends = pd.Series((MONTHS + 1).astype("datetime64[us]")) - DAY
    made = {
        "month": MONTHS.astype("datetime64[us]"),
        "earned_due_on": due.on(ends),
        "posted_due_on": ends + due.day.length_at(ends, "D"),
    }
    return pd.DataFrame({"program": program.program, **made}).dropna()
