"""The calendar of co-op: half years of earning, when they are used, claimed and given up."""

from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from transforms.adjustments import minor
from transforms.dated import Dated
from transforms.programs import Program, active
from transforms.terms import Coop
from transforms.validity import DAY

FIRST_YEAR, LAST_YEAR = 2000, 2100  # those that a transaction may lie in
DATES = ("half_from", "half_to", "usage_to", "claims_from", "claims_to")
NO_HALVES = pd.DataFrame({"program": []}, dtype="str").assign(
    **dict.fromkeys(DATES, pd.Series([], dtype="datetime64[us]")), minimum_minor=pd.Series([], dtype="Int64")
)
STAGES = ("accruing", "ended", "claimable", "closed")


def coop_halves(programs: list[Program], run_date: date) -> pd.DataFrame:
    """Each half year of each program with terms for co-op, half open: earned in from `half_from` to `half_to`.

    Activities lie in the usage period, from `half_to` to `usage_to`; they are claimed from `claims_from` to `claims_to`,
    the day after the grace days. Below `minimum_minor`, in program currency, co-op becomes rebate. Each figure is that of
    the half's last day: without usage months it has no claims, without a day of opening claims open with the usage period.
    `fund_stage` is where the half stands on the day.
    """
    made = [_of(program, program.coop) for program in active(programs) if program.coop]
    halves = pd.concat([NO_HALVES, *made], ignore_index=True)
    today = pd.Timestamp(run_date)
    begun = [halves["claims_to"] <= today, halves["claims_from"] <= today, halves["half_to"] <= today]
    return halves.assign(fund_stage=np.select(begun, STAGES[:0:-1], STAGES[0]))


def _of(program: Program, coop: Coop) -> pd.DataFrame:
    first_month, first_day = map(int, program.fiscal_year_start.split("-"))
    start = np.datetime64(f"{FIRST_YEAR}-{first_month:02d}", "M") + np.arange(-12, (LAST_YEAR - FIRST_YEAR) * 12, 6)
    end, on, opens = start + 6, (first_day - 1) * DAY, coop.claims_open
    last = pd.Series(_days(end) + on - DAY)
    months, opening_months = (_figure(of, last, "M") for of in (coop.usage_months, opens.months if opens else None))
    opening_day, grace = (_figure(of, last, "D") for of in (opens.day if opens else None, coop.grace_days))
    usage_to, opening = _days(end + months) + on, _days(end + opening_months) + opening_day - DAY
    claims_to = usage_to + np.where(np.isnat(grace), 0 * DAY, grace) + DAY
    days = (_days(start) + on, _days(end) + on, usage_to, opening, claims_to)
    frame = pd.DataFrame({name: made.astype("datetime64[us]") for name, made in zip(DATES, days, strict=True)})
    claims_from = frame["claims_from"].fillna(frame["half_to"]).where(frame["usage_to"].notna())
    minimums = [coop.minimum.on(day.date()) if coop.minimum else None for day in last]
    whole = [pd.NA if one is None else minor(one, program.currency) for one in minimums]
    return frame.assign(program=program.program, claims_from=claims_from, minimum_minor=pd.array(whole, dtype="Int64"))


def _days(months: np.ndarray) -> np.ndarray:
    return months.astype("datetime64[D]")


def _figure(figure: Dated | None, last: pd.Series, unit: Literal["D", "M"]) -> np.ndarray:
    """What a figure is on the last day of each half year, NaT where there is none."""
    return (figure or Dated({})).length_at(last, unit)
