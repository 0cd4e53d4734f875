"""The oracle prices a line by its own twelve months."""

from datetime import date

import pytest

from tests.oracle.written import DAY, D, lever, line, per_line, program, quota, refund, scale


def trailing(mode: str, *brackets: tuple, **more: object) -> dict:
    """A program over the trailing twelve months."""
    return program(lever(accumulate={"over": "trailing_12_months"}, scale=scale(mode, *brackets), **more))


RISING = (("0", "0.01"), ("1000", "0.02"))


@pytest.mark.parametrize(
    ("on", "earned"), [(date(2021, 2, 3), 2), (date(2022, 2, 2), 2), (date(2022, 2, 3), 1), (date(2022, 2, 4), 1)]
)
def test_a_window_is_open_on_the_day_twelve_months_before(on: date, earned: int) -> None:
    lines = [line("a", "900"), line("b", "100", on)]
    assert per_line(trailing("flat", *RISING), lines) == [9, earned]
    assert per_line(trailing("flat", *RISING), [line("a", "899.99"), line("b", "100", on)]) == [9, 1]


def test_twelve_months_before_the_last_of_february() -> None:
    lines = [
        line("a", "950", date(2019, 2, 28)),
        line("b", "950", date(2019, 3, 1)),
        line("c", "50", date(2020, 2, 29)),
    ]
    assert per_line(trailing("flat", *RISING), lines) == [D("9.50"), 19, 1]
    assert per_line(trailing("flat", *RISING), [lines[0], lines[2]]) == [D("9.50"), D("0.50")]


def test_each_line_is_priced_on_its_own_window() -> None:
    lines = [line("a", "600"), line("b", "600", date(2021, 8, 3)), line("c", "600", date(2022, 2, 3))]
    assert per_line(trailing("marginal", *RISING), lines) == [6, 8, 8]
    assert per_line(trailing("retroactive", *RISING), lines) == [6, 12, 12]  # a keeps its 1 %
    far = [line("a", "600"), line("b", "600", date(2022, 2, 3))]
    assert per_line(trailing("retroactive", *RISING), far) == [6, 6]


def test_a_later_line_of_the_day_does_not_reprice() -> None:
    lines = [line("b", "600"), line("a", "600", at=f"{DAY}T11:00:00")]
    assert per_line(trailing("retroactive", *RISING), lines) == [6, 12]


def test_a_late_line_and_a_refund_change_the_windows_after_them() -> None:
    lines = [line("a", "600", date(2021, 3, 1)), line("b", "600", date(2021, 8, 3))]
    assert per_line(trailing("flat", *RISING), [*lines, line("late", "400", date(2021, 2, 1))]) == [12, 12, 4]
    back = refund("r", "a", "-200.01", date(2022, 8, 1))
    assert per_line(trailing("flat", *RISING), [*lines, back]) == [6, 6, -2]
    assert per_line(trailing("retroactive", *RISING), [line("a", "1000"), refund("r", "a", "-1")]) == [10, D("-0.01")]
    assert per_line(trailing("flat", *RISING), [line("a", "1000"), refund("r", "a", "-1")]) == [20, D("-0.02")]


def test_windows_of_each_customer() -> None:
    scopes = {"over": "trailing_12_months", "per": ["customer"]}
    terms = program(lever(accumulate=scopes, scale=scale("flat", *RISING)))
    lines = [line("a", "900"), line("b", "900", customer="d"), line("c", "100"), line("p", "100", partner="q")]
    assert per_line(terms, lines) == [9, 9, 2, 1]


def test_count_and_attainment_over_windows() -> None:
    over = {"over": "trailing_12_months", "per": ["customer"]}
    terms = program(lever(measure="count", accumulate=over, rate=D(10)))
    days = [date(2021, 2, 3), date(2022, 2, 2), date(2023, 2, 2), date(2024, 2, 1)]
    assert per_line(terms, [line(str(day), "1", day) for day in days]) == [10, 0, 10, 0]
    half = {date(2021, 1, 1): D(1000), date(2021, 8, 1): D(500)}
    terms = program(
        quota(("0", "1.0"), ("1.0", "1.5"), baseline={"fixed": half}, accumulate={"over": "trailing_12_months"})
    )
    assert per_line(terms, [line("a", "250"), line("b", "500", date(2021, 8, 3))]) == [25000, 125000]
