"""Periods that lines are counted over: calendar months, and quarters, halves and years from the fiscal year's start."""

import numpy as np
import pandas as pd

from transforms.levers import Over
from transforms.validity import DAY

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "fiscal_year": 12}


def period_start(on: pd.Series, over: Over, fiscal_year_start: str) -> np.ndarray:
    """The first day (datetime64[D]) of the period that each day lies in; 1900-01-01 where the period has no bounds.

    >>> days = pd.Series(pd.to_datetime(["2021-06-30", "2021-07-01"]))
    >>> period_start(days, "half_year", "07-01").astype(str).tolist()
    ['2021-01-01', '2021-07-01']
    """
    days = on.to_numpy("datetime64[D]")
    if over not in MONTHS:
        return np.full(len(days), np.datetime64("1900-01-01"))
    first_month, first_day = (1, 1) if over == "month" else map(int, fiscal_year_start.split("-"))
    shifted = (days - (first_day - 1) * DAY).astype("datetime64[M]").astype("int64")
    start = shifted - (shifted - (first_month - 1)) % MONTHS[over]
    return start.astype("datetime64[M]").astype("datetime64[D]") + (first_day - 1) * DAY


def period_before(on: pd.Series, over: Over, before: Over, fiscal_year_start: str) -> np.ndarray:
    """The first day of the period that ends before the one of `over`, which each day lies in, begins.

    A day of a period without bounds, or of none, is itself what the period ends before.

    >>> days = pd.Series(pd.to_datetime(["2021-06-30", "2021-07-01"]))
    >>> period_before(days, "quarter", "month", "07-01").astype(str).tolist()
    ['2021-03-01', '2021-06-01']
    """
    first = pd.Series(period_start(on, over, fiscal_year_start)) if over in MONTHS else on
    return period_start(pd.Series(period_start(first, before, fiscal_year_start) - DAY), before, fiscal_year_start)


def last_day(start: np.ndarray, over: Over) -> np.ndarray:
    """The last day of periods that begin on these days."""
    months = start.astype("datetime64[M]")
    day = start - months.astype("datetime64[D]")
    return (months + MONTHS[over]).astype("datetime64[D]") + day - DAY
