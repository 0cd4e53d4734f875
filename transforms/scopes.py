"""Scopes: which lines are counted together, and how much stands before each line of one."""

import numpy as np
import pandas as pd

from transforms.dated import Dated
from transforms.levers import Lever, Scope
from transforms.money import FX_UNIT, MEASURE_UNIT, QUANTITY_UNIT, integers
from transforms.periods import last_day, period_start
from transforms.programs import Program
from transforms.validity import OPEN


def codes(rows: pd.DataFrame, scope: Scope, fiscal_year_start: str) -> np.ndarray:
    """The number of each row's scope, from 0; over a transaction, a scope for each line and its refunds."""
    if scope.over == "transaction":
        return rows["family"].to_numpy()
    made = pd.factorize(period_start(rows["reference_on"], scope.over, fiscal_year_start))[0]
    for column in ("partner_id", *scope.columns):
        held = pd.factorize(rows[column])[0].astype("int64")
        made = pd.factorize(made * (held.max(initial=0) + 2) + held)[0]
    return made


def names(rows: pd.DataFrame, scope: Scope, fiscal_year_start: str) -> pd.Series:
    """What each row's scope is called within its partner: the first day of its period, and what `per` names."""
    parts = [pd.Series(period_start(rows["reference_on"], scope.over, fiscal_year_start)).astype("str")]
    parts += [rows[column].astype("str").fillna("").reset_index(drop=True) for column in scope.columns]
    return parts[0].str.cat(parts[1:], sep="|") if len(parts) > 1 else parts[0]


def places(held: pd.DataFrame, rows: pd.DataFrame, scope_names: pd.Series) -> np.ndarray:
    """For each row the place of its partner's scope among held positions, -1 where there is none."""
    known = pd.MultiIndex.from_arrays([held["partner_id"].astype("str"), held["scope"].astype("str")])
    return known.get_indexer(pd.MultiIndex.from_arrays([rows["partner_id"].astype("str"), scope_names.astype("str")]))


def running(
    values: np.ndarray, rows: pd.DataFrame, scope: Scope, fiscal_year_start: str
) -> tuple[np.ndarray, np.ndarray]:
    """What stands before each row of its scope, in the order of rows, and the scope's total.

    Over the trailing twelve months each row has a scope of its own, up to itself with its refunds: (day - 12 months, day].
    """
    if not len(values):
        return values, values
    made = codes(rows, scope, fiscal_year_start)
    if scope.over == "trailing_12_months":
        before = _trailing(values, made, rows["reference_on"])
        own = _accumulated(values, rows["family"].to_numpy())[1]
        return before, before + own
    return _accumulated(values, made)


def _trailing(values: np.ndarray, scope: np.ndarray, on: pd.Series) -> np.ndarray:
    order = np.argsort(scope, kind="stable")
    day, since = (_day_numbers(days)[order] for days in (on, on - pd.DateOffset(months=12)))
    lift = scope[order].astype("int64") << 32
    first = np.searchsorted(lift + day, lift + since, side="right")
    summed = np.concatenate([values[:1] * 0, np.cumsum(values[order])])
    before = np.empty_like(summed[1:])
    before[order] = summed[:-1] - summed[first]
    return before


def _day_numbers(days: pd.Series) -> np.ndarray:
    return days.to_numpy("datetime64[D]").astype("int64") + 2**20  # above zero for every date


def _accumulated(values: np.ndarray, scope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(scope, kind="stable")
    summed = np.cumsum(values[order])
    begins = np.r_[True, scope[order][1:] != scope[order][:-1]]
    first = np.flatnonzero(begins)
    group = np.cumsum(begins) - 1
    carried = np.concatenate([summed[:1] * 0, summed[first[1:] - 1]])
    ends = summed[np.r_[first[1:] - 1, len(summed) - 1]] - carried
    before, total = np.empty_like(summed), np.empty_like(summed)
    before[order] = summed - values[order] - carried[group]
    total[order] = ends[group]
    return before, total


def measure(rows: pd.DataFrame, lever: Lever, program: Program) -> tuple[np.ndarray, int]:
    """What each row measures, as whole numbers of `1 / unit`, and the unit.

    Revenue in program currency, or quantity; what is counted is found by `counted`. Exact: int64 where all rows are in
    program currency, else whole numbers of any size.
    """
    if lever.counts == "count":
        return np.zeros(len(rows), "int64"), 1  # which lines may earn is not known yet
    if lever.counts == "quantity":
        return _small(rows["quantity_out"].to_numpy(), QUANTITY_UNIT)
    revenue, exponent = rows["revenue_out"].to_numpy(), rows["exponent"].to_numpy("int64")
    if (rows["currency"].astype("str") == program.currency).all():
        return _small(revenue, 10 ** int(exponent[0]) if len(rows) else 1)
    places = MEASURE_UNIT // FX_UNIT // np.array([1, 10, 100, 1000], dtype=object)[exponent]
    return revenue.astype(object) * integers(rows["fx_rate"], FX_UNIT) * places, MEASURE_UNIT


def is_purchase(rows: pd.DataFrame) -> np.ndarray:
    """Whether each line sells something: neither a refund nor a credit."""
    sells = (rows["revenue_minor"] >= 0) & (rows["quantity_micro"] >= 0)
    return rows["root_id"].isna().to_numpy(bool) & sells.to_numpy(bool)


def earns_alone(rows: pd.DataFrame, lever: Lever) -> np.ndarray:
    """Whether each line is a purchase of more than nothing of what the lever pays on, units or revenue."""
    amount = rows["quantity_micro" if lever.earned_on == "quantity" else "revenue_minor"]
    return is_purchase(rows) & (amount > 0).to_numpy(bool)


def counted(rows: pd.DataFrame, lever: Lever, scope: Scope, fiscal_year_start: str, is_in: np.ndarray) -> np.ndarray:
    """1 for the first purchase of each counted value in a scope, taken out by the refund that leaves nothing of it; else 0.

    Only the lines that are in count: one that earns nothing does not stand for those after it.
    A purchase that comes when those before it are taken out whole counts anew; credits, and lines that lack a value, count nothing.
    """
    if not len(rows):
        return np.zeros(0, "int64")
    family = rows["family"].to_numpy()
    is_head = rows["root_id"].isna().to_numpy(bool)
    has_revenue = (
        pd.Series(rows["revenue_minor"].to_numpy() != 0).where(is_head).groupby(family).transform("first").astype(bool)
    )
    amount = np.where(has_revenue, rows["revenue_out"].to_numpy(object), rows["quantity_out"].to_numpy(object))
    before, _ = _accumulated(amount, family)
    is_end = ~is_head & (before + amount == 0).astype(bool) & (before != 0).astype(bool)
    is_whole = pd.Series(is_end).groupby(family).transform("any").to_numpy(bool)
    sells = is_in & is_purchase(rows) & rows[lever.accumulate.columns].notna().all(axis=1).to_numpy(bool)
    named = list(dict.fromkeys([*lever.accumulate.per, *scope.per]))
    value = pd.Series(codes(rows, Scope(per=named, over=scope.over), fiscal_year_start))
    stays = pd.Series(sells & ~is_whole).astype("int64")
    is_new = sells & (stays.groupby(value).cumsum() - stays == 0).to_numpy(bool)
    counts = pd.Series(is_new).groupby(family).transform("any").to_numpy(bool)
    return is_new.astype("int64") - (is_end & counts).astype("int64")


def _small(values: np.ndarray, unit: int) -> tuple[np.ndarray, int]:
    """Whole numbers as int64 where their sum fits, else of any size."""
    fits = np.abs(values).astype("float64").sum() < 2.0**62
    return (values if fits else values.astype(object)), unit


def reached(totals: np.ndarray, unit: int, rows: pd.DataFrame, scope: Scope, figure: Dated, year: str) -> np.ndarray:
    """Whether scopes reach a dated figure, at its value on the period's last day; where it has none, they do."""
    return totals >= figures(figure, last_days(rows["reference_on"], scope, year), unit, totals.dtype, missing=-1)


def last_days(on: pd.Series, scope: Scope, fiscal_year_start: str) -> pd.Series:
    """The last day of the period that each day lies in, on which a number of the whole period is taken."""
    if scope.over in ("transaction", "trailing_12_months"):
        return on
    if scope.over == "all":
        return on.mask(on.notna(), OPEN)
    return pd.Series(last_day(period_start(on, scope.over, fiscal_year_start), scope.over))


def figures(figure: Dated, on: pd.Series, unit: int, kind: np.dtype, *, missing: int) -> np.ndarray:
    """A dated figure on each day as whole numbers of `1 / unit`; out of reach, on the side of `missing`, where none is."""
    out_of_reach = missing * (10**60 if kind.hasobject else 2**62)
    held = [out_of_reach if value is None else int(value * unit) for value in figure.values.values()]
    return np.array([*held, out_of_reach], dtype=kind)[figure.number_at(on)]
