"""The calendar of co-op: half years of earning, when they are used, claimed and given up."""

from datetime import date

import numpy as np
import pandas as pd

from transforms.adjustments import minor
from transforms.programs import Program, active
from transforms.terms import Coop

FIRST_YEAR, LAST_YEAR = 2000, 2100  # those that a transaction may lie in
DAY = np.timedelta64(1, "D")
DATES = ("half_from", "half_to", "usage_to", "claims_from", "claims_to")
NO_HALVES = pd.DataFrame({"program": []}, dtype="str").assign(
    **dict.fromkeys(DATES, pd.Series([], dtype="datetime64[us]")), minimum_minor=pd.Series([], dtype="Int64")
)
STAGES = ("accruing", "ended", "claimable", "closed")


def coop_halves(programs: list[Program], run_date: date) -> pd.DataFrame:
    """Each half year of each program with terms for co-op, half open: earned in from `half_from` to `half_to`.

    Activities lie in the usage period, from `half_to` to `usage_to`; they are claimed from `claims_from` to `claims_to`,
    the day after the grace days. Below `minimum_minor`, in program currency on the half's last day, co-op becomes
    rebate. `fund_stage` is where the half stands on the day. Programs without usage months have no claims.
    """
    made = [_of(program, program.coop) for program in active(programs) if program.coop]
    halves = pd.concat([NO_HALVES, *made], ignore_index=True)
    today = pd.Timestamp(run_date)
    begun = [halves["claims_to"] <= today, halves["claims_from"] <= today, halves["half_to"] <= today]
    return halves.assign(fund_stage=np.select(begun, STAGES[:0:-1], STAGES[0]))


def _of(program: Program, coop: Coop) -> pd.DataFrame:
    first_month, first_day = map(int, program.fiscal_year_start.split("-"))
    start = np.datetime64(f"{FIRST_YEAR}-{first_month:02d}", "M") + np.arange(-12, (LAST_YEAR - FIRST_YEAR) * 12, 6)
    end = start + 6
    on = (first_day - 1) * DAY
    usage = _days(end + coop.usage_months) + on if coop.usage_months else np.full(len(end), np.datetime64("NaT", "D"))
    opens = coop.claims_open
    claims = _days(end + opens.months) + (opens.day - 1) * DAY if opens else _days(end) + on
    days = (
        _days(start) + on,
        _days(end) + on,
        usage,
        np.where(np.isnat(usage), usage, claims),
        usage + ((coop.grace_days or 0) + 1) * DAY,
    )
    frame = pd.DataFrame({name: made.astype("datetime64[us]") for name, made in zip(DATES, days, strict=True)})
    last = [day.date() for day in frame["half_to"] - pd.Timedelta(days=1)]
    minimums = [coop.minimum.on(day) if coop.minimum else None for day in last]
    whole = [pd.NA if one is None else minor(one, program.currency) for one in minimums]
    return frame.assign(program=program.program, minimum_minor=pd.array(whole, dtype="Int64"))


def _days(months: np.ndarray) -> np.ndarray:
    return months.astype("datetime64[D]")
