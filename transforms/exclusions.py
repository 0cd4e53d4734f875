"""Who may earn on a customer: levers that keep it for the first partner who earns, or earn on it once."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from transforms import scopes
from transforms.levers import PER_COLUMN, Lever, Scope
from transforms.programs import Program

FREE, TAKEN, BEYOND, UNCOMPARED = range(4)
BARS = np.array([None, "exclusive_partner", "one_earning", "baseline"], dtype=object)  # what keeps a line out, by code


def values_of(rows: pd.DataFrame, per: Sequence[str]) -> pd.Series:
    """What a lever keeps for one partner, as text: the values of the columns that it names."""
    parts = [rows[PER_COLUMN.get(name, name)].astype("str").fillna("") for name in per]
    return parts[0].str.cat(parts[1:], sep="|") if len(parts) > 1 else parts[0]


def taken_by_others(own: pd.DataFrame, lever: Lever, holders: pd.DataFrame | None) -> np.ndarray:
    """TAKEN, or BEYOND where a lever earns once, for each line whose customer another partner holds; else FREE."""
    bar = np.full(len(own), FREE)
    if not lever.kept or holders is None or not len(own):
        return bar
    here = holders[holders["lever"] == lever.lever].set_index("scope")["partner_id"]
    holder = values_of(own, lever.kept).map(here).astype("str")
    is_taken = holder.notna() & (holder != own["partner_id"].astype("str"))
    bar[is_taken.to_numpy(bool)] = TAKEN if lever.exclusive_partner else BEYOND
    return bar


def beyond_the_first(
    own: pd.DataFrame, lever: Lever, program: Program, bar: np.ndarray, is_met: np.ndarray, earns: np.ndarray
) -> np.ndarray:
    """BEYOND besides, for lines that are not of the first period in which their partner earns on their customer.

    A period is that over which the lever accumulates; per transaction, or over trailing months, it is one line
    with its refunds. `earns` says which lines earn: what is below its minimum or its first bracket that pays has not
    earned, and takes nothing from what comes later.
    """
    over = "transaction" if lever.accumulate.over == "trailing_12_months" else lever.accumulate.over
    period = scopes.codes(own, Scope(over=over), program.fiscal_year_start)
    scope = values_of(own, lever.one_earning).str.cat(own["partner_id"].astype("str"), sep="|")
    first = scope.map(pd.Series(period[earns], index=scope[earns]).groupby(level=0, sort=False).first())
    is_later = is_met & (first.notna() & (first != period)).to_numpy(bool)
    return np.where((bar == FREE) & is_later, BEYOND, bar)
