"""The oracle multiplies what is billed in a year."""

from datetime import date

import pytest

from tests.oracle.written import DAY, TWO, D, lever, line, per_line, program, refund, sales
from tests.pricing_oracle import Line, undecided


def billed(name: str, revenue: str, months: int | None, on: date = DAY, **more: object) -> Line:
    """A line that pays for some months."""
    return line(name, revenue, on, attributes={"term_months": months}, **more)


YEARLY = {"base": "annualised_revenue", "rate": D("0.20")}


@pytest.mark.parametrize(
    ("months", "earned"), [(1, 240), (12, 20), (36, D("6.67")), (7, D("34.29")), (None, 0), (0, 0)]
)
def test_annualised_revenue(months: int | None, earned: object) -> None:
    lines = [billed("t", "100", months)]
    assert per_line(program(lever(**YEARLY)), lines) == [earned]
    assert undecided(program(lever(**YEARLY)), lines) == ({} if months else {("t", "a"): "base"})


def test_annualised_revenue_is_refunded_by_the_originals_term() -> None:
    lines = [billed("t", "100", 3), refund("r", "t", "-25"), refund("s", "t", "-75")]
    assert per_line(program(lever(**YEARLY)), lines) == [80, -20, -60]


def test_the_measure_stays_what_is_billed() -> None:
    terms = program(lever(base="annualised_revenue", scale=TWO))
    lines = [billed("t", "100000", 12), billed("u", "100", 1)]
    assert per_line(terms, lines) == [6000, 96]
    least = program(lever(**YEARLY, minimum={"measure": D(1000), "over": "month"}))
    assert per_line(least, [billed("t", "999.99", 1)]) == [0]
    assert per_line(least, [billed("t", "999.99", 1), billed("u", "0.01", None)]) == [0, 0]  # undecided, fills nothing


def test_slices_of_an_annual_base_are_rounded() -> None:
    terms = program(lever(base="annualised_revenue", rate=D("0.5")), rounding={"mode": "half_up", "at": "slice"})
    lines = [billed("t", "0.02", 36), billed("u", "0.01", 36)]
    assert per_line(terms, lines) == [D("0.01"), 0]  # 0.0067 → 0.01, 0.005 → 0.01; 0.0033 → 0


def biz_apps() -> dict:
    """20 % of the annual bill once, from 1,000 a month; then 20 % of monthly growth; 100,000 a customer at most."""
    month = {"per": ["customer"], "over": "month"}
    asks = {"rate": D("0.20"), "accumulate": month, "minimum": {**month, "measure": D(1000)}}
    asks["stack"] = {"group": "biz-apps", "take": "highest"}
    before = {"of": "revenue", "over": "previous_month"}
    most = {"per": ["customer"], "over": "all", "amount": D(100000), "excess": "forfeit"}
    once = lever("once", **asks, base="annualised_revenue", one_earning=["customer"])
    return program(once, lever("growth", **asks, base="growth", baseline=before), cap=[most])


@pytest.mark.parametrize(
    ("bills", "earned"),
    [
        (("1000", "1000", "1500", "1400", "1600"), [2400, 0, 100, 0, 40]),
        (("999.99", "999.99", "1500"), [0, 0, 3600]),
        (("41666.66", "41666.67"), [D("99999.98"), 0]),
        (("41600", "42000", "50000"), [99840, 80, 80]),
        (("50000", "60000"), [100000, 0]),
    ],
)
def test_biz_apps_once_and_then_on_growth(bills: tuple, earned: list) -> None:
    lines = [billed(f"m{month}", bill, 1, date(2019, 10 + month, 28)) for month, bill in enumerate(bills[:3])]
    lines += [billed(f"m{month}", bill, 1, date(2020, month - 2, 28)) for month, bill in enumerate(bills) if month > 2]
    assert per_line(biz_apps(), lines) == earned


def test_a_refund_of_the_annual_bill_makes_room_for_growth() -> None:
    lines = [billed("a", "50000", 1, date(2019, 10, 28)), billed("b", "60000", 1, date(2019, 11, 28))]
    back = refund("r", "a", "-25000", date(2019, 12, 5))
    # of 120,000 the cap kept 20,000; half of both goes, and the room pays the other half of what it kept
    assert per_line(biz_apps(), [*lines, back]) == [110000, 7000, -50000]


def test_a_late_bill_takes_the_one_earning() -> None:
    lines = [billed("a", "1000", 1, date(2019, 11, 28)), billed("late", "1200", 1, date(2019, 10, 28))]
    assert per_line(biz_apps(), lines) == [0, 2880]


def test_a_booster_with_a_most() -> None:
    most = {"per": [], "over": "all", "amount": D(12000), "excess": "forfeit"}
    terms = program(lever(rate=D("0.025"), cap=[most]))
    assert per_line(terms, sales("479999.60", "100")) == [D("11999.99"), D("0.01")]
    assert per_line(terms, sales("480000", "100")) == [12000, 0]
    assert per_line(terms, [*sales("480000", "100"), refund("r", "l0", "-400")]) == [12000, D("2.50"), -10]
