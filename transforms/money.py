"""Money is whole minor units (int64), rates are exact decimals, and this is the only module that rounds."""

from typing import Literal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

RoundingMode = Literal["half_even", "half_up", "truncate"]
ARROW_MODE = {"half_even": "half_to_even", "half_up": "half_towards_infinity", "truncate": "towards_zero"}
RATE = pa.decimal128(18, 9)
FX = pa.decimal128(28, 18)
SHIFT = pa.decimal128(7, 3)


def share(amount_minor: pd.Series, *factors: pd.Series, mode: RoundingMode) -> pd.Series:
    """The product of an amount and decimal factors in whole minor units, rounded once, symmetric about zero.

    Factors are Arrow decimals of the types RATE, FX and SHIFT, at most one of each: their product with an int64 has at
    most 75 digits, so it is exact. Raises OverflowError when a result does not fit int64.

    >>> cents, rate = pd.Series([1050, 1150, -1050]), rates(["0.05", "0.05", "0.05"])
    >>> share(cents, rate, mode="half_even").tolist(), share(cents, rate, mode="truncate").tolist()
    ([52, 58, -52], [52, 57, -52])
    """
    exact = pc.cast(pa.array(amount_minor, pa.int64()), pa.decimal256(19, 0))
    for factor in factors:
        exact = pc.multiply(exact, _wide(factor))
    whole = pc.round(exact, ndigits=0, round_mode=ARROW_MODE[mode])
    try:
        return pd.Series(pc.cast(whole, pa.int64()).to_numpy(zero_copy_only=False), index=amount_minor.index)
    except pa.ArrowInvalid as fault:
        raise OverflowError(f"an amount of money does not fit 64 bits: {fault}") from fault


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
