"""Scales: which bracket, or which slices of which brackets, a line's measure falls in."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms.levers import Scale
from transforms.scopes import figures


class Standing(NamedTuple):
    """Where each line stands in its scope, in whole numbers of `1 / unit`.

    `before` is the sum of the lines before it, `total` that of all, `scope` the number of its scope; `is_open` says that
    lines before those that are here fill it, at the same thresholds. `bracket` is the one that a retroactive scale takes
    instead of the total's, where it is not -1. `whole` is what of the measure stands for the line's whole base, its own
    measure unless given; `parts` is what thresholds are multiplied by, as where they are shares of a baseline.
    """

    measure: np.ndarray
    before: np.ndarray
    total: np.ndarray
    scope: np.ndarray
    is_open: np.ndarray
    bracket: np.ndarray
    unit: int
    whole: np.ndarray | None = None
    parts: np.ndarray | None = None


class Slices(NamedTuple):
    """One row for each line and bracket that pays for it: the price of `bracket` (from 1) for `part / whole` of the line.

    For lumps the part is how often the lump is booked, -1 where it is taken back; interpolated, it is how much of the
    bracket the line fills, and the whole is the bracket's width. The price is that of the day of `priced_as`: the line
    itself, for lumps the line that reached the bracket.
    """

    line: np.ndarray
    bracket: np.ndarray
    part: np.ndarray
    whole: np.ndarray
    priced_as: np.ndarray


def slices(scale: Scale, on: pd.Series, lines: Standing) -> Slices:
    """What of each line falls in which bracket, at the thresholds of the line's day."""
    bounds = _thresholds(scale, on, lines)
    if scale.is_lump:
        return _lumps(scale, bounds, lines)
    if scale.mode in ("marginal", "interpolated"):
        return _sliced(scale, bounds, lines)
    found = highest(
        scale, bounds, lines.total if scale.mode == "retroactive" else lines.before + lines.measure, lines.unit
    )
    if scale.mode == "retroactive":
        found = np.where(lines.bracket >= 0, lines.bracket, found)
    line = np.flatnonzero(found)
    if lines.whole is None:
        ones = np.ones(len(line), "int64")
        return Slices(line, found[line], ones, ones, line)
    return Slices(line, found[line], lines.measure[line], np.where(lines.whole == 0, 1, lines.whole)[line], line)


def pays(scale: Scale, on: pd.Series, lines: Standing) -> np.ndarray:
    """Whether some of each line falls in a bracket that pays more than nothing on its day."""
    found = slices(scale, on, lines)
    made = np.zeros(len(on), bool)
    for number, bracket in enumerate(scale.brackets, 1):
        here = (found.bracket == number) & (found.part > 0)
        made[found.line[here]] |= bracket.price.exists_at(on.iloc[found.priced_as[here]], lambda price: price > 0)
    return made


def _thresholds(scale: Scale, on: pd.Series, lines: Standing) -> np.ndarray:
    """Brackets × lines: each threshold on the line's day, out of reach where the bracket does not exist on it."""
    kind = lines.total.dtype
    out_of_reach = 10**60 if kind.hasobject else 2**62
    parts = 1 if lines.parts is None else lines.parts
    bounds = [
        np.where(
            bracket.price.exists_at(on),
            figures(bracket.threshold, on, lines.unit, kind, missing=1) * parts,
            out_of_reach,
        )
        for bracket in scale.brackets
    ]
    return np.array(bounds, dtype=kind).reshape(len(scale.brackets), len(on))


def bracket_of(scale: Scale, on: pd.Series, totals: np.ndarray, unit: int) -> np.ndarray:
    """The bracket that totals reach at the thresholds of a day; 0 for none."""
    none = np.zeros(len(totals), bool)
    return highest(
        scale, _thresholds(scale, on, Standing(totals, totals, totals, none, none, totals, unit)), totals, unit
    )


def highest(scale: Scale, bounds: np.ndarray, totals: np.ndarray, unit: int) -> np.ndarray:
    """The number of the highest bracket that each total reaches, 0 for none; below zero the day's first one continues."""
    numbers = np.arange(1, len(bounds) + 1)[:, None]
    found = (_reached(scale, bounds, totals) * numbers).max(axis=0)
    first = bounds.min(axis=0) - (unit if scale.units == "first_unit" else 0)
    return np.where((found == 0) & (first <= 0).astype(bool), bounds.argmin(axis=0) + 1, found)


def _reached(scale: Scale, bounds: np.ndarray, totals: np.ndarray) -> np.ndarray:
    return (bounds <= totals if scale.on_threshold == "higher" else bounds < totals).astype(bool)


def _sliced(scale: Scale, bounds: np.ndarray, lines: Standing) -> Slices:
    """The parts of each line between thresholds; a line that measures nothing is one part of its running bracket."""
    running = highest(scale, bounds, lines.before, lines.unit)
    if scale.units == "first_unit":
        bounds = np.where(bounds > 0, bounds - lines.unit, bounds)
    after = lines.before + lines.measure
    low, high = np.minimum(lines.before, after), np.maximum(lines.before, after)
    sign = np.where(lines.measure < 0, -1, 1)
    is_interpolated = scale.mode == "interpolated"
    base = lines.measure if lines.whole is None else lines.whole
    first = bounds.argmin(axis=0) + 1  # of the brackets that exist: the others are out of reach
    made = []
    for number, bound in enumerate(bounds, 1):
        bottom = np.where((first == number) & (bound <= 0), np.minimum(bound, low), bound)
        top = bounds[number:].min(axis=0) if number < len(bounds) else high
        part = np.maximum(np.minimum(top, high) - np.maximum(bottom, low), 0) * sign
        is_last = number == len(bounds)  # interpolated, it pays nothing, however wide
        whole = base if not is_interpolated else np.ones_like(top) if is_last else top - bound
        line = np.flatnonzero(part)
        made.append(Slices(line, np.full(len(line), number), part[line], whole[line], line))
    still = np.flatnonzero((lines.measure == 0).astype(bool) & (running > 0))
    ones = np.ones(len(still), "int64")
    is_nothing = is_interpolated or lines.whole is not None
    made.append(Slices(still, running[still], ones * 0 if is_nothing else ones, ones, still))
    return Slices(*(np.concatenate(parts) for parts in zip(*made, strict=True)))


def _lumps(scale: Scale, bounds: np.ndarray, lines: Standing) -> Slices:
    """Lumps on the lines that reach them, taken back on those that fall below.

    A line that changes nothing has a row of the bracket where it stands, whose part is 0.
    """
    stood, stands = _held(scale, bounds, lines)
    reached_by = _latest(~stood, lines.scope)
    numbers = np.arange(1, len(bounds) + 1)[:, None]
    if scale.mode == "lump_sum":  # the highest alone is booked
        stood, stands = (numbers == (held * numbers).max(axis=0) for held in (stood, stands))
    change = stands.astype("int64") - stood
    change_at, line = np.nonzero(change)
    still = np.flatnonzero(~change.any(axis=0))
    number = np.concatenate([change_at + 1, np.maximum((stands * numbers).max(axis=0), 1)[still]])
    part = np.concatenate([change[change_at, line], np.zeros(len(still), "int64")])
    by = reached_by[change_at, line]
    priced_as = np.concatenate([np.where(by >= 0, by, line), still])
    return Slices(np.concatenate([line, still]), number, part, np.ones(len(part), "int64"), priced_as)


def _held(scale: Scale, bounds: np.ndarray, lines: Standing) -> tuple[np.ndarray, np.ndarray]:
    """Brackets × lines: whether each bracket is reached before the line, and after it, as docs/adr/0019 has it.

    It is reached by the first line that finds it so, and no longer by one that takes from the measure and finds it not so.
    """
    found_before, found = (
        (_reached(scale, bounds, totals) | (bounds == 0)) & (totals >= 0)
        for totals in (lines.before, lines.before + lines.measure)
    )
    decides = _latest(found | (lines.measure < 0), lines.scope)
    after = np.take_along_axis(found, decides, axis=1) & (decides >= 0)
    previous = pd.Series(np.arange(len(lines.scope))).groupby(lines.scope).shift(fill_value=-1)
    return np.where(previous >= 0, after[:, previous], found_before & lines.is_open), after


def _latest(is_so: np.ndarray, scope: np.ndarray) -> np.ndarray:
    """Brackets × lines: the last line of the scope, up to this one, of which something is so; -1 for none."""
    places = pd.DataFrame(np.where(is_so, np.arange(len(scope)), -1).T)
    return places.groupby(scope).cummax().to_numpy().T
