"""Rounding at the period: rows are cut off, and what that leaves of a period's exact sum goes to its last line."""

from fractions import Fraction

import numpy as np
import pandas as pd

from transforms import scopes
from transforms.levers import Lever
from transforms.money import RATE, RoundingMode, decimals, quotient
from transforms.programs import Program


def rounding_rows(priced: pd.DataFrame, rows: pd.DataFrame, program: Program) -> pd.DataFrame:
    """A row of bracket 0 on the last line of each period of a lever and transaction currency whose rows lost something.

    `priced` has what rows earn exactly (`exact`, `program_exact`); the sum of each period is rounded once by the
    program's mode. A period is that over which the lever accumulates; rows that earn nothing take no part.
    """
    pays = priced["held_by"].isna() & (priced["bracket"] > 0)
    made = [
        _of_lever(priced[pays & (priced["lever_number"] == number)], rows, lever, program)
        for number, lever in enumerate(program.levers)
    ]
    return pd.concat(made)


def _of_lever(paid: pd.DataFrame, rows: pd.DataFrame, lever: Lever, program: Program) -> pd.DataFrame:
    line = paid["line"].to_numpy("int64")
    scope = scopes.codes(rows, lever.accumulate, program.fiscal_year_start)[line]
    period = pd.factorize(pd.MultiIndex.from_arrays([scope, rows["currency"].astype("str").to_numpy()[line]]))[0]
    order = np.lexsort((paid["bracket"], line, period))
    last = np.flatnonzero(np.r_[np.diff(period[order]) != 0, True]) if len(order) else order
    first = np.r_[0, last[:-1] + 1] if len(order) else order
    chosen = paid.iloc[order[last]]
    left = {
        amount: _left(
            paid[exact].to_numpy(object)[order], paid[amount].to_numpy("int64")[order], first, program.rounding.mode
        )
        for amount, exact in (("earning_minor", "exact"), ("program_earning_minor", "program_exact"))
    }
    none = decimals([None], RATE).take(np.zeros(len(chosen), "int64")).set_axis(chosen.index)
    made = chosen.assign(bracket=0, rate=none, unit_amount=none, base_minor=0, **left)
    return made[(made["earning_minor"] != 0) | (made["program_earning_minor"] != 0)]


def _left(exact: np.ndarray, rounded: np.ndarray, first: np.ndarray, mode: RoundingMode) -> np.ndarray:
    """What rounding each group's exact sum once gives beyond the sum of its rounded rows."""
    if not len(first):
        return rounded
    sums = [Fraction(value) for value in np.add.reduceat(exact, first).tolist()]
    over, under = (np.array([getattr(s, part) for s in sums], dtype=object) for part in ("numerator", "denominator"))
    return quotient(over, under, mode) - np.add.reduceat(rounded, first)
