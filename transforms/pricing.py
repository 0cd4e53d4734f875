"""What a bracket pays for slices of lines: the exact value in each currency, rounded once."""

import numpy as np
import pandas as pd

from transforms.dated import Dated
from transforms.levers import Lever
from transforms.money import (
    FX_UNIT,
    QUANTITY_UNIT,
    RATE,
    RATE_UNIT,
    RoundingMode,
    decimals,
    integers,
    quotient,
    share,
    unit_shift,
)
from transforms.programs import Program
from transforms.scales import Slices

TENS = np.array([1, 10, 100, 1000], dtype=object)


def priced(own: pd.DataFrame, found: Slices, number: int, lever: Lever, program: Program, unit: int) -> pd.DataFrame:
    """The rows of one bracket of a lever: `line` (row of `own`), price, base, and what they earn in both currencies.

    A rate multiplies revenue; an amount multiplies units, or is a lump, or is paid by how far its bracket is filled.
    Amounts are in program currency and are brought into the line's own at the exchange rate.
    """
    here = found.bracket == number
    line, part, whole = found.line[here], found.part[here], found.whole[here]
    lines = own.iloc[line].reset_index(drop=True)
    price = at(lever.pricing.brackets[number - 1].price, lines["reference_on"])
    scale = lever.pricing
    by_amount = scale.pays_amounts or (lever.measure == "quantity" and lever.base in (None, "quantity"))
    mode = program.rounding.mode
    if by_amount:
        earned = _by_amount(lines, price, part, whole, scale.mode, mode)
    elif (part == whole).all() and program.rounding.at != "slice":
        earned = _by_rate(lines, lines["revenue_out"], price, program)
    else:
        earned = _by_slice(lines, price, part, whole, program)
    none = decimals([None], RATE).take(np.zeros(len(line), "int64")).reset_index(drop=True)
    return pd.DataFrame(
        {
            "line": line,
            "bracket": number,
            "rate": none if by_amount else price,
            "unit_amount": price if by_amount else none,
            "base_minor": quotient(lines["revenue_out"].to_numpy(object) * part, whole, mode)
            if (part != whole).any() and not by_amount
            else lines["revenue_out"].to_numpy("int64"),
            "of": "lump" if scale.is_lump else _refunded_by(lever, by_amount),
            "earning_minor": earned[0],
            "program_earning_minor": earned[1],
        }
    )


def at(dated: Dated, on: pd.Series) -> pd.Series:
    """The price of each day, exact; a day before the first date has none."""
    held = decimals([*dated.values.values(), None], RATE)
    return held.take(dated.number_at(on)).reset_index(drop=True)


def _refunded_by(lever: Lever, by_amount: bool) -> str:
    """What a refund's share of an earning goes by."""
    return lever.measure if lever.pricing.mode == "interpolated" else "quantity" if by_amount else "revenue"


def currency_factors(lines: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each line's exchange rate in 1 / FX_UNIT, and minor units to the unit of program currency and of its own."""
    up, down = (TENS[lines[c].to_numpy("int64")] for c in ("program_exponent", "exponent"))
    return integers(lines["fx_rate"], FX_UNIT), up, down


def in_proportion(amounts: np.ndarray, kept: np.ndarray, of: np.ndarray) -> np.ndarray:
    """Amounts times kept ÷ of, halves to the even unit."""
    return quotient(amounts.astype(object) * kept, of.astype(object), "half_even")


def _by_rate(lines: pd.DataFrame, base: pd.Series, rate: pd.Series, program: Program) -> tuple[pd.Series, pd.Series]:
    """A rate on whole lines."""
    mode = program.rounding.mode
    own = share(base, rate, mode=mode)
    if (lines["currency"].astype("str") == program.currency).all():
        return own, own
    shift = unit_shift(lines["exponent"], lines["program_exponent"])
    return own, share(base, rate, lines["fx_rate"], shift, mode=mode)


def _by_slice(
    lines: pd.DataFrame, rate: pd.Series, part: np.ndarray, whole: np.ndarray, program: Program
) -> tuple[np.ndarray, np.ndarray]:
    """A rate on slices of lines; rounding at slices rounds each slice's base first, in each currency."""
    mode = program.rounding.mode
    base = lines["revenue_out"].to_numpy(object) * part
    whole = whole.astype(object)
    rates = integers(rate, RATE_UNIT)
    fx, up, down = currency_factors(lines)
    if program.rounding.at == "slice":
        bases = quotient(base, whole, mode), quotient(base * fx * up, whole * FX_UNIT * down, mode)
        own, program_own = (
            quotient(rounded.astype(object) * rates, _all(RATE_UNIT, rounded), mode) for rounded in bases
        )
        return own, program_own
    own = quotient(base * rates, whole * RATE_UNIT, mode)
    return own, quotient(base * fx * rates * up, whole * FX_UNIT * RATE_UNIT * down, mode)


def _by_amount(
    lines: pd.DataFrame, price: pd.Series, part: np.ndarray, whole: np.ndarray, scale_mode: str, mode: RoundingMode
) -> tuple[np.ndarray, np.ndarray]:
    """An amount of program currency times units, or a lump, or what of it an interpolated bracket is filled."""
    per_line = scale_mode in ("interpolated", "lump_sum", "cumulative_lump_sum")
    units = _all(1, part) if per_line else lines["quantity_out"].to_numpy(object)
    fx, up, down = currency_factors(lines)
    exact = integers(price, RATE_UNIT) * units * part
    parts = whole.astype(object) * RATE_UNIT * (1 if per_line else QUANTITY_UNIT)
    return quotient(exact * down * FX_UNIT, parts * fx, mode), quotient(exact * up, parts, mode)


def _all(value: int, like: np.ndarray) -> np.ndarray:
    return np.full(len(like), value, dtype=object)
