"""What a bracket pays for slices of lines: the exact value in each currency, rounded once."""

from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from transforms.dated import Dated
from transforms.levers import FixedBase, Lever
from transforms.money import (
    FX_UNIT,
    QUANTITY_UNIT,
    RATE,
    RATE_UNIT,
    decimals,
    integers,
    quotient,
    share,
    unit_shift,
)
from transforms.programs import Program
from transforms.scales import Slices

TENS = np.array([1, 10, 100, 1000], dtype=object)
AMOUNTS, EXACT = ("earning_minor", "program_earning_minor"), ("exact", "program_exact")
FRACTIONS = np.frompyfunc(Fraction, 2, 1)
Sums = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]  # own and program: numerators, denominators
TIMES, YEARS = (
    {"P1M": 12},
    {"P3Y": 3},
)  # a line billed by the month counts twelve times a year, one of three years a third


def priced(own: pd.DataFrame, found: Slices, number: int, lever: Lever, program: Program) -> pd.DataFrame:
    """The rows of one bracket of a lever: `line` (row of `own`), price, base, and what they earn in both currencies.

    A rate multiplies revenue; an amount multiplies units, or is a lump, or is paid by how far its bracket is filled.
    Amounts are in program currency and are brought into the line's own at the exchange rate.
    """
    here = found.bracket == number
    line, part, whole = found.line[here], found.part[here], found.whole[here]
    lines = own.iloc[line].reset_index(drop=True)
    price = at(lever.pricing.brackets[number - 1].price, own["reference_on"].iloc[found.priced_as[here]])
    by_amount = lever.pays_by_amount
    if lever.base == "annualised_revenue":
        part, whole = part * _of_term(lines["term"], TIMES), whole * _of_term(lines["term"], YEARS)
    none = decimals([None], RATE).take(np.zeros(len(line), "int64")).reset_index(drop=True)
    return pd.DataFrame(
        {
            "line": line,
            "bracket": number,
            "rate": none if by_amount else price,
            "unit_amount": price if by_amount else none,
            "base_minor": lines["revenue_out"].to_numpy("int64")
            if by_amount or _is_plain(part, whole, lever)
            else quotient(*_base(lines, part, whole, lever)[0], program.rounding.mode),
            "of": "lump" if lever.pricing.is_lump else lever.refunded_by,
            **_earned(lines, price, part, whole, lever, program),
        }
    )


def unpaid(own: pd.DataFrame, line: np.ndarray, lever: Lever, program: Program) -> pd.DataFrame:
    """Rows for lines that earn nothing of a lever."""
    ones = np.ones(len(line), "int64")
    return priced(own, Slices(line, ones, ones * 0, ones, line), 1, lever, program)


def below_all(own: pd.DataFrame, line: np.ndarray, lever: Lever, program: Program) -> pd.DataFrame:
    """Rows of bracket 0, without a price, for lines that reach no bracket."""
    none = decimals([None], RATE).take(np.zeros(len(line), "int64")).reset_index(drop=True)
    return unpaid(own, line, lever, program).assign(bracket=0, rate=none, unit_amount=none)


def _is_plain(part: np.ndarray, whole: np.ndarray, lever: Lever) -> bool:
    """Whether a price is for whole lines."""
    return bool((part == whole).all()) and not isinstance(lever.base, FixedBase)


def _earned(
    lines: pd.DataFrame, price: pd.Series, part: np.ndarray, whole: np.ndarray, lever: Lever, program: Program
) -> dict[str, Any]:
    """What slices earn in minor units of both currencies; where a period is rounded, cut off, and what they earn exactly."""
    rounding = program.rounding
    if not lever.pays_by_amount and rounding.at == "line" and _is_plain(part, whole, lever):
        return dict(zip(AMOUNTS, _by_rate(lines, lines["revenue_out"], price, program), strict=True))
    if not lever.pays_by_amount and rounding.at == "slice":
        return dict(zip(AMOUNTS, _by_rounded_slice(lines, price, part, whole, lever, program), strict=True))
    by = _by_amount if lever.pays_by_amount else _by_base
    sums = by(lines, price, part, whole, lever)
    earned = {amount: quotient(*exactly, rounding.of_rows) for amount, exactly in zip(AMOUNTS, sums, strict=True)}
    if rounding.at == "period":
        earned |= {
            name: np.asarray(FRACTIONS(*exactly), dtype=object) for name, exactly in zip(EXACT, sums, strict=True)
        }
    return earned


def at(dated: Dated, on: pd.Series) -> pd.Series:
    """The price of each day, exact; a day before the first date has none."""
    held = decimals([*dated.values.values(), None], RATE)
    return held.take(dated.number_at(on)).reset_index(drop=True)


def _of_term(terms: pd.Series, numbers: dict[str, int]) -> np.ndarray:
    return terms.astype("str").map(numbers).fillna(1).to_numpy("int64")


def currency_factors(lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each line's exchange rate in 1 / FX_UNIT, and minor units to the unit of program currency and of its own."""
    up, down = (TENS[lines[c].to_numpy("int64")] for c in ("program_exponent", "exponent"))
    return integers(lines["fx_rate"], FX_UNIT), up, down


def in_proportion(amounts: np.ndarray, kept: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Amounts times kept ÷ of, halves to the even unit."""
    return quotient(amounts.astype(object) * kept, of.astype(object), "half_even")


def _by_rate(lines: pd.DataFrame, base: pd.Series, rate: pd.Series, program: Program) -> tuple[Any, Any]:
    """A rate on whole lines."""
    mode = program.rounding.mode
    own = share(base, rate, mode=mode)
    if (lines["currency"].astype("str") == program.currency).all():
        return own, own
    shift = unit_shift(lines["exponent"], lines["program_exponent"])
    return own, share(base, rate, lines["fx_rate"], shift, mode=mode)


def _base(lines: pd.DataFrame, part: np.ndarray, whole: np.ndarray, lever: Lever) -> Sums:
    """What of its base each slice has: of revenue, or of a fixed sum of program currency for each unit of the measure."""
    fx, up, down = currency_factors(lines)
    whole = whole.astype(object)
    if isinstance(lever.base, FixedBase):
        fixed = integers(at(lever.base.fixed, lines["reference_on"]), RATE_UNIT) * part
        return (fixed * down * FX_UNIT, whole * RATE_UNIT * fx), (fixed * up, whole * RATE_UNIT)
    revenue = lines["revenue_out"].to_numpy(object) * part
    return (revenue, whole), (revenue * fx * up, whole * FX_UNIT * down)


def _by_base(lines: pd.DataFrame, rate: pd.Series, part: np.ndarray, whole: np.ndarray, lever: Lever) -> Sums:
    """A rate on slices of lines, exactly."""
    rates = integers(rate, RATE_UNIT)
    own, program = ((n * rates, d * RATE_UNIT) for n, d in _base(lines, part, whole, lever))
    return own, program


def _by_rounded_slice(
    lines: pd.DataFrame, rate: pd.Series, part: np.ndarray, whole: np.ndarray, lever: Lever, program: Program
) -> tuple[Any, Any]:
    """A rate on slices whose bases are rounded first, in each currency."""
    mode, rates = program.rounding.mode, integers(rate, RATE_UNIT)
    bases = (quotient(*exactly, mode) for exactly in _base(lines, part, whole, lever))
    own, program_own = (quotient(base.astype(object) * rates, _all(RATE_UNIT, base), mode) for base in bases)
    return own, program_own


def _by_amount(lines: pd.DataFrame, price: pd.Series, part: np.ndarray, whole: np.ndarray, lever: Lever) -> Sums:
    """An amount of program currency times units, or a lump, or what of it an interpolated bracket is filled, exactly."""
    per_line = lever.pricing.mode in ("interpolated", "lump_sum", "cumulative_lump_sum")
    units = _all(1, part) if per_line else lines["quantity_out"].to_numpy(object)
    fx, up, down = currency_factors(lines)
    exact = integers(price, RATE_UNIT) * units * part
    parts = whole.astype(object) * RATE_UNIT * (1 if per_line else QUANTITY_UNIT)
    return (exact * down * FX_UNIT, parts * fx), (exact * up, parts)


def _all(value: int, like: np.ndarray) -> np.ndarray:
    return np.full(len(like), value, dtype=object)
