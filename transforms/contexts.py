"""What stands around each line of a lever: the lines before it in its scope, and what these leave it.

A line bears on others of its partner where a rule counts over several lines. Its context is the measure before it, what
growth is compared with, the bracket that a retroactive scale found, whether anything bars it, whether the minimum is
met, whether its lever wins its stack, how much a cap leaves it. Contexts are worked out from all lines, or given.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms import baselines, exclusions, scales, scopes
from transforms.decisions import is_named
from transforms.exclusions import BARS, BEYOND, FREE, TAKEN, UNCOMPARED
from transforms.levers import FixedBase, Lever, Scope
from transforms.money import MEASURE_UNIT, RATE_UNIT, integers
from transforms.programs import Program
from transforms.scales import Standing


class Context(NamedTuple):
    """What stands around each line of a lever: measures in whole numbers of `1 / unit`; a bracket that is not -1 is given."""

    before: np.ndarray
    total: np.ndarray
    scope: np.ndarray
    is_open: np.ndarray
    bracket: np.ndarray
    baseline: np.ndarray


class Allowed(NamedTuple):
    """What keeps each line out, by its place in BARS, whether its minimum is met, and what it brings to that."""

    bar: np.ndarray
    is_met: np.ndarray
    towards: np.ndarray

    @property
    def pays(self) -> np.ndarray:
        """Whether the line may earn."""
        return self.is_met & (self.bar == FREE)


class Measured(NamedTuple):
    """The lines of one lever: their row numbers, the rows, what each measures, the unit, who may earn, what stands around them."""

    line: np.ndarray
    own: pd.DataFrame
    measure: np.ndarray
    unit: int
    allowed: Allowed
    around: Context


class Known(NamedTuple):
    """What is known besides the lines themselves: given contexts, opening positions, and who holds which customers."""

    given: pd.DataFrame | None = None
    opening: pd.DataFrame | None = None
    holders: pd.DataFrame | None = None

    def of(self, program: Program) -> "Known":
        """What bears on one program."""
        if program.cell_over == "transaction":
            return NOTHING
        given, opening, holders = (None if p is None else p[p["program"] == program.program] for p in self)
        return Known(given, opening if program.goes_on else None, holders)


NOTHING = Known()


def contexts(earnings: pd.DataFrame) -> pd.DataFrame:
    """The context of each line, program and lever that earnings show."""
    held_by = earnings["held_by"].astype(object)
    rows = earnings.assign(
        is_kept=~held_by.isin([BARS[TAKEN], BARS[BEYOND]]),
        is_compared=held_by != BARS[UNCOMPARED],
        is_met=held_by != "minimum",
        is_taken=held_by != "stack",
        room_minor=earnings["program_earning_minor"].astype("Int64").where(held_by == "cap"),
    )
    lines = rows.groupby(["transaction_id", "program", "lever"], sort=False, observed=True)
    made = lines.agg(
        position=("position", "first"), baseline=("baseline", "first"), bracket=("bracket", "max"),
        is_compared=("is_compared", "first"), is_kept=("is_kept", "first"), is_met=("is_met", "first"), is_taken=("is_taken", "first"),
    )  # fmt: skip
    return made.assign(room_minor=lines["room_minor"].sum(min_count=1)).reset_index()


def measured(rows: pd.DataFrame, lever: Lever, program: Program, known: Known, *, exact: bool = False) -> Measured:
    """The lines of a lever in their scopes; `exact` counts in the finest unit, as positions are kept."""
    line = np.flatnonzero(is_named(rows["levers"], lever.lever))
    own = rows.iloc[line].reset_index(drop=True)
    measure, unit = scopes.measure(own, lever, program)
    counts = lever.accumulate.over != "transaction" or lever.minimum is not None
    is_finer = any(figure * unit % 1 for figure in lever.bounds)  # than what lines measure, such as 100.005 USD
    if exact or is_finer or lever.baseline or (known.opening is not None and len(known.opening) and counts):
        measure, unit = measure.astype(object) * (MEASURE_UNIT // unit), MEASURE_UNIT
    held = baselines.baselines(rows, own, lever, program, unit) if lever.baseline else None

    def standing_as(allowed: Allowed) -> Measured:
        brings = _brought(own, measure, unit, allowed.pays, lever, lever.accumulate, program)
        around = _around(own, brings, allowed.pays, lever, program, known, held)
        return Measured(line, own, brings, unit, allowed, around)

    allowed = _allowed(own, measure, unit, lever, program, known, held)
    lines = standing_as(allowed)
    if lever.one_earning:
        bar = exclusions.beyond_the_first(own, lever, program, allowed.bar, allowed.is_met, earning(lines, lever))
        lines = standing_as(allowed._replace(bar=bar))
    return lines


def earning(lines: Measured, lever: Lever) -> np.ndarray:
    """Whether each line is a purchase that earns on the lever, before stack and cap and however it is rounded."""
    made = np.zeros(len(lines.own), bool)
    at = np.flatnonzero(lines.allowed.pays)
    made[at] = scales.pays(
        lever.pricing, lines.own["reference_on"].iloc[at].reset_index(drop=True), standing(lines, lever, at)
    )
    return made & scopes.earns_alone(lines.own, lever)


def _allowed(
    own: pd.DataFrame,
    measure: np.ndarray,
    unit: int,
    lever: Lever,
    program: Program,
    known: Known,
    held: baselines.Baselines | None,
) -> Allowed:
    """What keeps each line out, one earning aside, and whether its minimum is met."""
    year = program.fiscal_year_start
    bar = exclusions.taken_by_others(own, lever, known.holders)
    if held is not None:
        bar = np.where((bar == FREE) & ~held.is_known, UNCOMPARED, bar)
    is_met, towards = np.ones(len(own), bool), measure
    if lever.minimum:
        towards = _towards_minimum(own, measure, unit, bar == FREE, lever, program, held)
        total = scopes.running(towards, own, lever.minimum, year)[1]
        total = total + opened(own, lever.minimum, "minimum", lever, program, known.opening, total.dtype)[0]
        if held is not None and lever.has_minimum_of_scale:
            total, unit = _compared(total, unit, lever, held)
        is_met = scopes.reached(total, unit, own, lever.minimum, lever.minimum.measure, year).astype(bool)
    return Allowed(bar, is_met, towards)


def _towards_minimum(
    own: pd.DataFrame,
    measure: np.ndarray,
    unit: int,
    is_free: np.ndarray,
    lever: Lever,
    program: Program,
    held: baselines.Baselines | None,
) -> np.ndarray:
    """What each line brings to the minimum: its measure; of growth that is summed over another scope than it is compared in,
    the growth that it adds."""
    assert lever.minimum is not None  # the caller has looked
    brings = _brought(own, measure, unit, is_free, lever, lever.minimum, program)
    filling = np.where(is_free, brings, brings * 0)
    if held is None or lever.has_minimum_of_scale:
        return filling
    before = scopes.running(filling, own, lever.accumulate, program.fiscal_year_start)[0]
    low, high = (np.maximum(reached - held.amount, 0) for reached in (before, before + filling))
    return high - low


def _brought(
    own: pd.DataFrame,
    measure: np.ndarray,
    unit: int,
    is_in: np.ndarray,
    lever: Lever,
    scope: Scope,
    program: Program,
) -> np.ndarray:
    """What each line brings to a scope: its measure; of a count what is new among the lines that are in."""
    if lever.measure != "count":
        return measure
    return scopes.counted(own, lever, scope, program.fiscal_year_start, is_in).astype(measure.dtype) * unit


def _around(
    own: pd.DataFrame,
    measure: np.ndarray,
    pays: np.ndarray,
    lever: Lever,
    program: Program,
    known: Known,
    held: baselines.Baselines | None,
) -> Context:
    """What stands around each line, from all lines of its scope; a line that does not earn does not fill the scale."""
    year = program.fiscal_year_start
    before, total = scopes.running(np.where(pays, measure, measure * 0), own, lever.scale_scope, year)
    opening, is_open = opened(own, lever.accumulate, "scale", lever, program, known.opening, total.dtype)
    scope = scopes.codes(own, lever.scale_scope, year)
    nothing = np.zeros(len(own), "int64")
    baseline = nothing if held is None else held.amount
    return Context(before + opening, total + opening, scope, is_open, nothing - 1, baseline)


def _compared(total: np.ndarray, unit: int, lever: Lever, held: baselines.Baselines) -> tuple[np.ndarray, int]:
    """Totals as the lever's minimum counts them: what lies above the baseline, or the share of it; and their unit."""
    if lever.measure == "growth":
        return np.maximum(total - held.amount, 0), unit
    above_zero = np.where((held.amount > 0).astype(bool), held.amount, 1)
    return total * RATE_UNIT // above_zero, RATE_UNIT


def opened(
    own: pd.DataFrame,
    scope: Scope,
    part: str,
    lever: Lever,
    program: Program,
    opening: pd.DataFrame | None,
    kind: np.dtype,
) -> tuple[np.ndarray, np.ndarray]:
    """What the opening positions hold of each line's scope, in 1 / MEASURE_UNIT, and whether a line has filled it."""
    nothing = np.zeros(len(own), kind), np.zeros(len(own), bool)
    if opening is None or not len(opening) or scope.over == "transaction":
        return nothing
    here = opening[(opening["lever"] == lever.lever) & (opening["rule_part"] == part)]
    place = scopes.places(here, own, scopes.names(own, scope, program.fiscal_year_start))
    amounts = np.append(integers(here["measure"], MEASURE_UNIT), 0)
    return amounts[place], ~np.append(here["is_waiting"].to_numpy(bool), True)[place]  # the last one is of no place


def as_given(lines: Measured, lever: Lever, program: Program, given: pd.DataFrame) -> Measured:
    """The lines with the contexts that are given for them; a line without one stands as if alone, or unknown."""
    here = given[given["lever"] == lever.lever].set_index("transaction_id")
    place = here.index.get_indexer(lines.own["transaction_id"])
    known = place >= 0
    held = here.iloc[place[known]]
    now, count = lines.around, len(lines.own)
    before, baseline, bracket = now.before * 0, now.baseline.copy(), now.bracket.copy()
    is_met, bar = np.ones(count, bool), np.where(lines.allowed.bar == UNCOMPARED, UNCOMPARED, FREE)
    before[known] = integers(held["position"], lines.unit).astype(before.dtype)
    is_met[known] = held["is_met"].to_numpy(bool)
    bar[known] = np.where(
        ~held["is_compared"].to_numpy(bool), UNCOMPARED, np.where(held["is_kept"].to_numpy(bool), FREE, TAKEN)
    )
    if lever.baseline:
        baseline[known] = integers(held["baseline"], lines.unit).astype(baseline.dtype)
    if lever.pricing.mode == "retroactive":
        bracket[known] = held["bracket"].to_numpy("int64")
    allowed = lines.allowed._replace(bar=bar, is_met=is_met)
    around = now._replace(before=before, bracket=bracket, baseline=baseline)
    brings = _brought(lines.own, lines.measure, lines.unit, allowed.pays, lever, lever.accumulate, program)
    return lines._replace(measure=brings, allowed=allowed, around=around)


def growth(around: Context, measure: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What lies above the baseline before each line, and after it."""
    low, high = (np.maximum(reached - around.baseline, 0) for reached in (around.before, around.before + measure))
    return low, high


def standing(lines: Measured, lever: Lever, at: np.ndarray) -> Standing:
    """Where some lines stand on the lever's scale: growth is what lies above the baseline, attainment in parts of it."""
    around, unit, parts = lines.around, lines.unit, None
    measure, before, total, baseline = (of[at] for of in (lines.measure, around.before, around.total, around.baseline))
    whole = None
    if lever.measure == "growth":
        whole = measure if lever.grows_base else None
        low, high = (of[at] for of in growth(around, lines.measure))
        measure, before, total = high - low, low, np.maximum(total - baseline, 0)
    if lever.measure == "attainment":
        measure, before, total = measure * RATE_UNIT, before * RATE_UNIT, total * RATE_UNIT
        unit, parts = RATE_UNIT, baseline
    if isinstance(lever.base, FixedBase):
        whole = np.full(len(at), unit, dtype=object) * (1 if parts is None else parts)
    scope, is_open, bracket = (of[at] for of in (around.scope, around.is_open, around.bracket))
    return Standing(measure, before, total, scope, is_open, bracket, unit, whole, parts)
