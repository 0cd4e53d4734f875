"""Baselines: what a partner sold in the period before, with which growth and attainment compare."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms import scopes
from transforms.decisions import is_named
from transforms.levers import Lever, Scope
from transforms.periods import period_before
from transforms.programs import Program


class Baselines(NamedTuple):
    """What each line's running total is compared with, in whole numbers of `1 / unit`, and whether that is known."""

    amount: np.ndarray
    is_known: np.ndarray


def baselines(rows: pd.DataFrame, own: pd.DataFrame, lever: Lever, program: Program, unit: int) -> Baselines:
    """The baseline of each line of `own`: a fixed figure, or the total of the period before over what `per` names.

    All that the lever selects counts, of days before the lever too, and whether it earned or not. A period that is not
    held in full, or holds a line that cannot be measured or selected, is not known. A period of net credits counts as zero:
    nobody grows by more than was sold. Attainment needs a baseline above zero.
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
    over, year = lever.baseline.period, program.fiscal_year_start
    is_counted = is_named(rows["compared_by"], lever.lever)
    is_doubtful = is_named(rows["compared_by"], f"{lever.lever}?") | (
        is_counted & rows["fx_rate"].isna().to_numpy(bool)
    )
    counted, doubtful = (rows[these].reset_index(drop=True) for these in (is_counted, is_doubtful))
    measure, own_unit = scopes.measure(counted, lever, program)
    totals = pd.Series(measure.astype(object) * (unit // own_unit), index=_scopes(counted, lever, year))
    totals = totals.groupby(level=[0, 1]).sum()
    before = period_before(own["reference_on"], lever.accumulate.over, over, year)
    wanted = _scopes(own.assign(reference_on=before.astype("datetime64[us]")), lever, year)
    found = np.append(totals.to_numpy(object), 0)[totals.index.get_indexer(wanted)]
    is_held = before >= own["history_from"].to_numpy("datetime64[D]")
    return Baselines(np.maximum(found, 0), is_held & ~wanted.isin(_scopes(doubtful, lever, year)))


def _scopes(rows: pd.DataFrame, lever: Lever, fiscal_year_start: str) -> pd.MultiIndex:
    """The partner of each line, and what its scope in the baseline's period is called within the partner."""
    assert lever.baseline is not None
    names = scopes.names(rows, Scope(per=lever.accumulate.per, over=lever.baseline.period), fiscal_year_start)
    return pd.MultiIndex.from_arrays([rows["partner_id"].astype("str"), names.astype("str")])
