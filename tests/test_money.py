"""Money against Python's own decimals and fractions."""

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import money
from transforms.money import (
    EXACT_MEASURE,
    FX,
    MAJOR,
    MEASURE,
    RATE,
    SHIFT,
    RoundingMode,
    decimals,
    exact_measures,
    integers,
    major_units,
    measures,
    quotient,
    share,
    unit_shift,
    whole_units,
)
from warehouse.columns import DUCKDB, PUBLISHED_MONEY

PLAINLY = {"half_even": ROUND_HALF_EVEN, "half_up": ROUND_HALF_UP, "truncate": ROUND_DOWN}
WHOLE = {
    "half_even": round,
    "half_up": lambda exact: math.trunc(exact + Fraction(1, 2) * (1 if exact > 0 else -1)),
    "truncate": math.trunc,
}
amounts = st.integers(-(10**14), 10**14)
rates = st.decimals("-1", "1", places=9)
fx = st.decimals("0.000001", "5000", places=17)


@pytest.mark.parametrize("mode", PLAINLY)
@given(cases=st.lists(st.tuples(amounts, rates, fx), min_size=1, max_size=20))
def test_a_share_is_rounded_once_from_the_exact_product(mode, cases):
    minor, rate, exchange = zip(*cases, strict=True)
    found = share(pd.Series(minor), decimals(list(rate), RATE), decimals(list(exchange), FX), mode=mode).tolist()
    with localcontext(prec=80):
        assert found == [int((a * r * x).quantize(Decimal(1), PLAINLY[mode])) for a, r, x in cases]


@pytest.mark.parametrize(
    "made",
    [
        lambda: share(pd.Series([10**17]), decimals(["1"], RATE), decimals(["1000"], FX), mode="half_even"),
        lambda: quotient(np.array([2**63], object), np.array([1], object), "half_even"),
    ],
)
def test_an_amount_that_does_not_fit_is_an_error(made):
    with pytest.raises(OverflowError) as raised:
        made()
    assert str(raised.value) == f"an amount of money does not fit 64 bits: {raised.value.__cause__}"


@pytest.mark.parametrize(
    ("minor", "rate", "exchange"),
    [([7, None], ["1", "1"], ["2", "2"]), ([7, 7], ["1", None], ["2", "2"]), ([7, 7], ["1", "1"], [None, "2"])],
)
def test_a_share_of_what_is_not_known_is_an_error(minor, rate, exchange):
    with pytest.raises(ValueError, match=r"^\[1\] of \[2\] shares lack their amount or a factor; say what each is$"):
        share(pd.Series(minor, dtype="Int64"), decimals(rate, RATE), decimals(exchange, FX), mode="half_even")


@pytest.mark.parametrize(("mode", "found"), [("truncate", 899999999100000000), ("half_up", 899999999100000001)])
def test_a_share_of_the_widest_figures_is_exact(mode, found):
    factors = decimals(["0.999999999"], RATE), decimals(["1.000000000000000001"], FX), decimals(["0.1"], SHIFT)
    # 9 × 10^18 × 0.999999999 = 8999999991000000000, × 1.000000000000000001 = …0008.999999991, × 0.1 = …00.8999999991
    assert share(pd.Series([9 * 10**18]), *factors, mode=mode).tolist() == [found]


def test_a_share_keeps_the_order_of_its_amounts_however_they_are_held():
    amount = pd.Series([100, 300], index=[7, 5])
    rate = pd.Series(pd.array(pa.chunked_array([pa.array([Decimal("0.5")], RATE)] * 2), dtype=pd.ArrowDtype(RATE)))
    pd.testing.assert_series_equal(share(amount, rate, mode="half_up"), pd.Series([50, 150], index=[7, 5]))


@pytest.mark.parametrize("mode", PLAINLY)
def test_a_quotient_is_rounded_as_python_rounds(mode):
    pairs = [(over, under) for over in range(-30, 31) for under in range(-7, 8) if under]
    over, under = (np.array(side, object) for side in zip(*pairs, strict=True))
    wanted = [WHOLE[mode](Fraction(*pair)) for pair in pairs]
    assert quotient(over, under, mode).tolist() == wanted
    assert [whole_units(Fraction(*pair), mode) for pair in pairs] == wanted


def test_a_quotient_is_of_whole_numbers_of_any_size():
    assert quotient(np.array([25 * 10**40, 7]), np.array([10**41, 1]), "half_even").tolist() == [2, 7]
    least = np.array([-(2**63)])
    assert quotient(least, np.array([1]), "half_even").tolist() == [-(2**63)]
    assert quotient(least, least, "half_even").tolist() == [1]
    assert quotient(least + 1, least, "half_even").dtype == "int64"


def test_no_numbers_have_no_quotients():
    found = quotient(np.zeros(0, object), np.zeros(0, object), "half_even")
    assert (found.dtype, len(found)) == ("int64", 0)


def test_a_whole_figure_stays_as_it_is():
    assert [whole_units(figure, "half_up") for figure in (5, -5, 0)] == [5, -5, 0]


@pytest.mark.parametrize(
    ("mode", "found"),
    [("half_even", [0, 2, 2, 0, -2]), ("half_up", [1, 2, 3, -1, -2]), ("truncate", [0, 1, 2, 0, -1])],
)
def test_ties_are_symmetric_about_zero(mode, found):
    assert share(pd.Series([1, 3, 5, -1, -3]), decimals(["0.5"] * 5, RATE), mode=mode).tolist() == found


def test_the_modes_are_those_that_round():
    assert set(get_args(RoundingMode)) == set(money.ARROW_MODE) == set(PLAINLY)


def test_decimals_are_as_wide_as_the_warehouse_keeps_them():
    widths = {"rate": RATE, "fx": FX, "measure": MEASURE, "exact_measure": EXACT_MEASURE}
    held = {kind: f"DECIMAL({width.precision},{width.scale})" for kind, width in widths.items()}
    assert held == {kind: DUCKDB[kind] for kind in widths}
    assert f"DECIMAL({MAJOR.precision},{MAJOR.scale})" == PUBLISHED_MONEY


def test_units_are_the_last_places_of_their_decimals():
    units = (money.RATE_UNIT, money.FX_UNIT, money.QUANTITY_UNIT, money.MEASURE_UNIT)
    assert units == tuple(10**kind.scale for kind in (RATE, FX, MEASURE, EXACT_MEASURE))


def test_decimals_are_exact_or_an_error():
    found = decimals(["0.123456789", Decimal(1), None], RATE)
    assert found.tolist()[:2] == [Decimal("0.123456789"), Decimal("1.000000000")] and found.isna().tolist() == [
        False,
        False,
        True,
    ]
    assert found.dtype == pd.ArrowDtype(RATE)
    with pytest.raises(pa.ArrowInvalid):
        decimals(["0.1234567891"], RATE)


def test_decimals_become_whole_numbers_of_their_unit_and_none_becomes_nothing():
    assert integers(decimals(["0.05", None, "-1.5", "0.05"], RATE), 100).tolist() == [5, 0, -150, 5]
    assert integers(decimals(["123456789.123456789"], RATE), 10**21).tolist() == [123456789123456789 * 10**12]


@pytest.mark.parametrize("kind", ["int64", "object"])
def test_measures_are_cut_off_at_six_places_towards_minus_infinity(kind):
    found = measures(np.array([1250, -5], kind), 100)
    assert found.tolist() == [Decimal("12.500000"), Decimal("-0.050000")] and found.dtype == pd.ArrowDtype(MEASURE)
    tiny = measures(np.array([12345678, -12345678], object), 10**7)
    assert tiny.tolist() == [Decimal("1.234567"), Decimal("-1.234568")]


def test_measures_hold_any_amount():
    assert measures(np.array([2**63 - 1]), 100).tolist() == [Decimal("92233720368547758.070000")]
    assert measures(np.array([9 * 10**33], object), 10**21).tolist() == [Decimal("9000000000000.000000")]
    assert measures(np.zeros(0, object), 10**21).dtype == pd.ArrowDtype(MEASURE)
    with pytest.raises(OverflowError):
        measures(np.array([10**34], object), 10**21)


def test_amounts_in_major_units_have_the_places_of_their_currency():
    amounts = pd.Series([1250, -5, 1], index=[3, 1, 2], dtype="Int64")
    found = major_units(amounts, pd.Series([2, 0, 3], dtype="Int64"))
    assert found.to_dict() == {3: Decimal("12.500"), 1: Decimal("-5.000"), 2: Decimal("0.001")}
    assert found.dtype == pd.ArrowDtype(MAJOR)


def test_exact_measures_lose_no_place():
    found = exact_measures(np.array([12345678901234567890123456789012345678, -1, 0], object))
    assert found.tolist() == [Decimal("12345678901234567.890123456789012345678"), Decimal(-1).scaleb(-21), 0]
    assert found.dtype == pd.ArrowDtype(EXACT_MEASURE)
    assert exact_measures(np.array([10**18])).tolist() == [Decimal("0.001")]


def test_a_shift_is_a_power_of_ten_between_any_two_currencies():
    pairs = [(from_, to) for from_ in range(4) for to in range(4)]
    index = range(16, 0, -1)
    from_, to = (pd.Series(side, index=index, dtype="Int64") for side in zip(*pairs, strict=True))
    found = unit_shift(from_, to)
    assert found.tolist() == [Decimal(10) ** (to - from_) for from_, to in pairs]
    assert list(found.index) == list(index)
