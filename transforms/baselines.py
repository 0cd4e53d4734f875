"""Baselines: what a partner sold in the period before, with which growth and attainment compare."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms import scopes
from transforms.decisions import is_named
from transforms.levers import Lever
from transforms.periods import period_start
from transforms.programs import Program

DAY = np.timedelta64(1, "D")


class Baselines(NamedTuple):
    """What each line's running total is compared with, in whole numbers of `1 / unit`, and whether that is known."""

    amount: np.ndarray
    is_known: np.ndarray


def baselines(rows: pd.DataFrame, own: pd.DataFrame, lever: Lever, program: Program, unit: int) -> Baselines:
    """The baseline of each line of `own`: a fixed figure, or the total of the period before over what `per` names.

    All that the lever selects counts, of days before the lever too, and whether it earned or not. A period that is not
    held in full, or holds a line that cannot be measured or selected, is not known. Attainment needs one above zero.
    """
    assert lever.baseline is not None  # the caller has looked
    made = _fixed(own, lever, program, unit) if lever.baseline.fixed else _before(rows, own, lever, program, unit)
    if lever.measure == "attainment":
        made = made._replace(is_known=made.is_known & (made.amount > 0).astype(bool))
    return made


def _fixed(own: pd.DataFrame, lever: Lever, program: Program, unit: int) -> Baselines:
    assert lever.baseline is not None and lever.baseline.fixed is not None
    on = scopes.last_days(own["reference_on"], lever.accumulate, program.fiscal_year_start)
    amount = scopes.figures(lever.baseline.fixed, on, unit, np.dtype(object), missing=1)
    return Baselines(amount, lever.baseline.fixed.exists_at(on))


def _before(rows: pd.DataFrame, own: pd.DataFrame, lever: Lever, program: Program, unit: int) -> Baselines:
    assert lever.baseline is not None
    over, year, per = lever.baseline.period, program.fiscal_year_start, ["partner_id", *lever.accumulate.columns]
    counted = rows[is_named(rows["compared_by"], lever.lever)].reset_index(drop=True)
    doubtful = rows.loc[is_named(rows["compared_by"], f"{lever.lever}?") | rows["fx_rate"].isna().to_numpy(bool)]
    measure, own_unit = scopes.measure(counted, lever, program)
    amounts = counted[per].assign(
        period=period_start(counted["reference_on"], over, year), amount=measure.astype(object) * (unit // own_unit)
    )
    totals = amounts.groupby([*per, "period"], observed=True)["amount"].sum()
    start = period_start(own["reference_on"], over, year)
    before = period_start(pd.Series(start - DAY), over, year)
    wanted = pd.MultiIndex.from_frame(own[per].assign(period=before))
    place = totals.index.get_indexer(wanted)
    found = np.append(totals.to_numpy(object), 0)[place]
    unsure = pd.MultiIndex.from_frame(
        doubtful[per].assign(period=period_start(doubtful["reference_on"], over, year))
    ).drop_duplicates()
    is_held = before >= own["history_from"].to_numpy("datetime64[D]")
    return Baselines(found, is_held & (unsure.get_indexer(wanted) < 0))
