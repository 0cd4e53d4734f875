"""When earnings are due: the payment calendar of each program."""

import numpy as np
import pandas as pd

from transforms.programs import Program, active

MONTHS = np.arange("2000-01", "2100-01", dtype="datetime64[M]")  # those that a transaction may lie in
DAY = np.timedelta64(1, "D")


def payment_calendar(programs: list[Program]) -> pd.DataFrame:
    """For each month, when what is earned in it and what is posted in it is due: the later of the two counts.

    An earning is due on `due.day` of the month that holds the last day of its month plus `due.lag_days`; what is posted
    later than that on `due.day` of the month after. Programs without `payout.due` pay nothing here.
    """
    made = [
        pd.DataFrame(
            {
                "program": program.program,
                "month": MONTHS.astype("datetime64[us]"),
                "earned_due_on": _on_day((MONTHS + 1).astype("datetime64[D]") - DAY + due.lag_days * DAY, due.day),
                "posted_due_on": _on_day((MONTHS + 1).astype("datetime64[D]"), due.day),
            }
        )
        for program in active(programs)
        if (due := program.payout and program.payout.due)
    ]
    columns = ["program", "month", "earned_due_on", "posted_due_on"]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame({name: [] for name in columns})


def _on_day(days: np.ndarray, day: int) -> np.ndarray:
    """The same day of the month that each day lies in."""
    return (days.astype("datetime64[M]").astype("datetime64[D]") + (day - 1) * DAY).astype("datetime64[us]")
