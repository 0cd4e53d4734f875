"""The oracle books lumps, and takes them back."""

from datetime import date

import pytest

from tests.oracle.written import DAY, LADDER, D, figures, lever, line, per_line, program, refund, sales, scale


def test_lumps_are_booked_where_crossed_and_taken_back_where_fallen_below() -> None:
    lines = [*sales("60", "50", "-20"), line("up", "15", date(2021, 2, 4))]
    cumulative = program(lever(scale=scale("cumulative_lump_sum", ("0", "1"), ("100", "5"), word="amount")))
    assert per_line(cumulative, lines) == [1, 5, -5, 5]
    highest = program(lever(scale=scale("lump_sum", ("0", "1"), ("100", "5"), word="amount")))
    assert figures(highest, lines[:2]) == {("l0", "a", 1): 1, ("l1", "a", 1): -1, ("l1", "a", 2): 5}
    assert per_line(highest, lines) == [1, 4, -4, 4]


def moved(mode: str, threshold: object, amount: object) -> dict:
    """A program of one lump for a fiscal year, whose threshold or amount is dated."""
    steps = [{"threshold": D(100), "amount": D(1)}, {"threshold": threshold, "amount": amount}]
    return program(lever(accumulate={"over": "fiscal_year"}, scale={"mode": mode, "brackets": steps}))


@pytest.mark.parametrize(("mode", "earned"), [("lump_sum", [1, 1, 0]), ("cumulative_lump_sum", [1, 2, 0])])
def test_a_lump_that_begins_later_is_booked_on_the_first_line_that_finds_it_reached(mode: str, earned: list) -> None:
    terms = moved(mode, D(500), {date(2021, 3, 1): D(2)})
    later = [line("m1", "10", date(2021, 3, 2)), line("m2", "10", date(2021, 3, 3))]
    assert per_line(terms, [*sales("600"), *later]) == earned


@pytest.mark.parametrize(("last", "back"), [("-1", -2), ("0", 0), ("1", 0)])
def test_a_raised_threshold_alone_takes_nothing_back(last: str, back: int) -> None:
    terms = moved("cumulative_lump_sum", {DAY: D(500), date(2021, 3, 1): D(700)}, D(2))
    assert per_line(terms, [*sales("600"), line("m", last, date(2021, 3, 2))]) == [3, back]


def test_a_lump_is_not_booked_twice_as_its_threshold_rises() -> None:
    terms = moved("cumulative_lump_sum", {DAY: D(500), date(2021, 3, 1): D(700)}, D(2))
    assert per_line(terms, [*sales("600"), line("m", "200", date(2021, 3, 2))]) == [3, 0]


def test_a_lump_that_was_not_paid_is_not_taken_back_as_its_threshold_falls() -> None:
    terms = moved("cumulative_lump_sum", {DAY: D(700), date(2021, 3, 1): D(500)}, D(2))
    assert per_line(terms, [*sales("600"), line("m", "-200", date(2021, 3, 2))]) == [1, 0]


def test_a_lump_is_taken_back_as_it_was_when_it_was_reached() -> None:
    terms = moved("cumulative_lump_sum", D(500), {DAY: D(2), date(2021, 3, 1): D(3)})
    found = [line("m1", "-200", date(2021, 3, 2)), line("m2", "200", date(2021, 3, 3))]
    assert per_line(terms, [*sales("600"), *found]) == [3, -2, 3]


def test_lumps_know_neither_fraction_nor_ladder() -> None:
    terms = program(lever(scale=scale("lump_sum", ("100", "5"), word="amount")), clawback={"ladder": LADDER})
    first = [line("t", "110"), refund("r", "t", "-10"), refund("s", "t", "-1", date(2022, 8, 1))]
    assert per_line(terms, first) == [5, 0, -5]
