"""Money is whole minor units (int64), rates are exact decimals, and this is the only module that rounds."""

from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

RoundingMode = Literal["half_even", "half_up", "truncate"]
ARROW_MODE = {"half_even": "half_to_even", "half_up": "half_towards_infinity", "truncate": "towards_zero"}
RATE = pa.decimal128(18, 9)
FX = pa.decimal128(28, 18)
SHIFT = pa.decimal128(7, 3)
MEASURE = pa.decimal128(38, 6)  # a running total
EXACT_MEASURE = pa.decimal128(38, 21)  # the places of an amount times an exchange rate
MAJOR = pa.decimal128(18, 3)  # major units; no currency in trade has more places
RATE_UNIT, FX_UNIT, QUANTITY_UNIT, MEASURE_UNIT = 10**9, 10**18, 10**6, 10**21


def share(amount_minor: pd.Series, *factors: pd.Series, mode: RoundingMode) -> pd.Series:
    """The product of an amount and decimal factors in whole minor units, rounded once, symmetric about zero.

    Factors are Arrow decimals of the types RATE, FX and SHIFT, at most one of each: their product with an int64 has at
    most 75 digits, so it is exact. Raises OverflowError when a result does not fit int64, ValueError where an amount or
    a factor is missing.

    >>> cents, rate = pd.Series([1050, 1150, -1050]), rates(["0.05", "0.05", "0.05"])
    >>> share(cents, rate, mode="half_even").tolist(), share(cents, rate, mode="truncate").tolist()
    ([52, 58, -52], [52, 57, -52])
    """
    exact = pc.cast(pa.array(amount_minor, pa.int64()), pa.decimal256(19, 0))
    for factor in factors:
        exact = pc.multiply(exact, _wide(factor))
    if exact.null_count:
        raise ValueError(
            f"[{exact.null_count}] of [{len(exact)}] shares lack their amount or a factor; say what each is"
        )
    whole = pc.round(exact, ndigits=0, round_mode=ARROW_MODE[mode])
    try:
        return pd.Series(pc.cast(whole, pa.int64()).to_numpy(), index=amount_minor.index)
    except pa.ArrowInvalid as fault:
        raise OverflowError(f"an amount of money does not fit 64 bits: {fault}") from fault


def quotient(numerator: np.ndarray, denominator: np.ndarray, mode: RoundingMode) -> np.ndarray:
    """Exact fractions in whole minor units as int64, rounded once, symmetric about zero; denominators are not zero.

    Both sides are whole numbers of any size (object arrays). Raises OverflowError when a result does not fit int64.

    >>> quotient(np.array([5, -5, 7], object), np.array([2, 2, 2], object), "half_even").tolist()
    [2, -2, 4]
    """
    if not len(numerator):
        return np.zeros(0, "int64")
    size, parts = np.abs(numerator.astype(object)), np.abs(denominator.astype(object))
    whole, rest = size // parts, 2 * (size % parts)
    if mode == "half_even":
        whole = whole + ((rest > parts) | ((rest == parts) & (whole % 2 == 1)))
    elif mode == "half_up":
        whole = whole + (rest >= parts)
    negative = (numerator < 0) != (denominator < 0)
    try:
        return np.where(negative, -whole, whole).astype("int64")
    except OverflowError as fault:
        raise OverflowError(f"an amount of money does not fit 64 bits: {fault}") from fault


def whole_units(exact: int | Fraction, mode: RoundingMode) -> int:
    """One exact figure in whole minor units, rounded as `quotient` rounds many.

    >>> [whole_units(Fraction(n, 2), "half_even") for n in (5, -5, 7)]
    [2, -2, 4]
    """
    if isinstance(exact, int):
        return exact
    whole, rest = divmod(abs(exact.numerator), exact.denominator)
    if mode != "truncate":
        over = 2 * rest - exact.denominator
        whole += over > 0 or (over == 0 and (mode == "half_up" or whole % 2 == 1))
    return whole if exact > 0 else -whole


def integers(values: pd.Series, unit: int) -> np.ndarray:
    """Decimals as whole numbers of `1 / unit`, of any size; a missing one is 0. Worked out once for each value."""
    codes, known = pd.factorize(values)
    whole = [int(value * unit) for value in known.tolist()]
    return np.array([*whole, 0], dtype=object)[codes]


def measures(whole: np.ndarray, unit: int) -> pd.Series:
    """Whole numbers of `1 / unit` as decimals of MEASURE, what is beyond six places cut off towards minus infinity.

    >>> measures(np.array([1250, -5]), 100).tolist()
    [Decimal('12.500000'), Decimal('-0.050000')]
    """
    if whole.dtype.hasobject:
        whole, unit = (whole * 10**6 // unit).astype("int64"), 10**6
    parts = pa.scalar(Decimal(1) / unit, pa.decimal128(18, 6))
    exact = pc.multiply(pc.cast(pa.array(whole), pa.decimal128(19, 0)), parts)
    return pd.Series(pd.array(pc.cast(exact, MEASURE), dtype=pd.ArrowDtype(MEASURE)))


def major_units(amount_minor: pd.Series, exponent: pd.Series) -> pd.Series:
    """Amounts in major units of their currencies, as decimals of MAJOR.

    >>> major_units(pd.Series([1250, -5]), pd.Series([2, 0])).tolist()
    [Decimal('12.500'), Decimal('-5.000')]
    """
    thousandths = amount_minor.to_numpy("int64") * 10 ** (3 - exponent.to_numpy("int64"))
    return measures(thousandths, 1000).astype(pd.ArrowDtype(MAJOR)).set_axis(amount_minor.index)


def exact_measures(whole: np.ndarray) -> pd.Series:
    """Whole numbers of `1 / MEASURE_UNIT` as decimals of EXACT_MEASURE; meant for few rows."""
    with localcontext(prec=60):
        values = [Decimal(value) / MEASURE_UNIT for value in whole.tolist()]
    return pd.Series(pd.array(pa.array(values, EXACT_MEASURE), dtype=pd.ArrowDtype(EXACT_MEASURE)))


def _wide(factor: pd.Series) -> pa.Array:
    narrow = pa.array(factor)
    if isinstance(narrow, pa.ChunkedArray):
        narrow = narrow.combine_chunks()
    return pc.cast(narrow, pa.decimal256(narrow.type.precision, narrow.type.scale))


def rates(texts: list) -> pd.Series:
    """Decimals, given as text or Decimal, as a series of rates.

    >>> rates(["0.06"]).tolist()
    [Decimal('0.060000000')]
    """
    return decimals(texts, RATE)


def decimals(values: list, kind: pa.Decimal128Type) -> pd.Series:
    """Decimals as an Arrow-backed series of one of our decimal types; raises when one has more places than it holds."""
    arrow = pa.array([None if v is None else str(v) for v in values], pa.string())
    return pd.Series(pd.array(arrow.cast(kind), dtype=pd.ArrowDtype(kind)))


def unit_shift(from_exponent: pd.Series, to_exponent: pd.Series) -> pd.Series:
    """What minor units of one currency are multiplied by to be counted in minor units of another: yen to cents is 100.

    >>> unit_shift(pd.Series([0, 3]), pd.Series([2, 2])).tolist()
    [Decimal('100.000'), Decimal('0.100')]
    """
    steps = (to_exponent - from_exponent).astype("int64")
    powers = decimals(["0.001", "0.01", "0.1", "1", "10", "100", "1000"], SHIFT)
    return powers.take(steps.to_numpy() + 3).set_axis(from_exponent.index)
