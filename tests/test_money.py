"""Money against Python's own decimals."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import ledger
from transforms.money import FX, RATE, decimals, share

PLAINLY = {"half_even": ROUND_HALF_EVEN, "half_up": ROUND_HALF_UP, "truncate": ROUND_DOWN}
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


def test_an_amount_that_does_not_fit_is_an_error():
    with pytest.raises(OverflowError):
        share(pd.Series([10**17]), decimals(["1"], RATE), decimals(["1000"], FX), mode="half_even")


@pytest.mark.parametrize(
    ("mode", "found"),
    [("half_even", [0, 2, 2, 0, -2]), ("half_up", [1, 2, 3, -1, -2]), ("truncate", [0, 1, 2, 0, -1])],
)
def test_ties_are_symmetric_about_zero(mode, found):
    assert share(pd.Series([1, 3, 5, -1, -3]), decimals(["0.5"] * 5, RATE), mode=mode).tolist() == found


def test_a_difference_is_exact_where_one_side_lacks_the_line():
    row = {name: ["x"] for name in ledger.KEY} | {name: [None] for name in ledger.SOURCE}
    one = pd.DataFrame(row | {"amount_minor": [2**53 + 1], "program_amount_minor": [-(2**53) - 1]})
    other = one.assign(transaction_id="y")
    made = ledger._differences(one, other)
    assert sorted(made["amount_minor"]) == [-(2**53) - 1, 2**53 + 1]
