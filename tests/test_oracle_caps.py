"""The oracle pays what caps leave, and what waits as room appears."""

from datetime import date

import pytest

from tests.oracle.written import CAP, TWO, D, figures, lever, line, per_line, program, refund, sales
from tests.pricing_oracle import Line, price


def test_freed_room_pays_forfeited_excess_oldest_first_on_its_own_line() -> None:
    terms = program(lever(rate=D(1), cap=[CAP]))
    assert per_line(terms, sales("80", "30", "30")) == [80, 20, 0]
    assert per_line(terms, sales("80", "30", "30", "-15")) == [80, 30, 5, -15]


def test_a_refunded_line_leaves_no_excess_behind() -> None:
    terms = program(lever(rate=D(1), cap=[CAP]))
    assert per_line(terms, [line("a", "150"), refund("r", "a")]) == [100, -100]
    assert sum(per_line(terms, [line("a", "500"), refund("r", "a", "-250"), line("b", "9")])) == 100


def test_lower_brackets_are_paid_first() -> None:
    terms = program(lever(scale=TWO), cap=[{**CAP, "amount": D(6500)}])
    assert figures(terms, sales("120000")) == {("l0", "a", 1): 6000, ("l0", "a", 2): 500}


def test_lowering_a_cap_takes_nothing_back_and_raising_it_pays_the_oldest() -> None:
    dated = {date(2021, 1, 1): D(100), date(2021, 2, 10): D(50), date(2021, 2, 20): D(130)}
    terms = program(lever(rate=D(1), cap=[{**CAP, "amount": dated}]))
    lines = [line("a", "120"), line("b", "10", date(2021, 2, 12)), line("c", "30", date(2021, 2, 21))]
    assert per_line(terms, lines[:2]) == [100, 0]
    assert per_line(terms, lines) == [120, 10, 0]


def test_forfeited_excess_revives_in_its_own_period_only() -> None:
    terms = program(lever(rate=D(1), cap=[CAP]))
    assert per_line(terms, [line("a", "150"), line("b", "-20")]) == [120, -20]
    assert per_line(terms, [line("a", "150"), line("b", "-20", date(2021, 3, 3))]) == [100, -20]


LATER = program(lever(rate=D(1), cap=[{**CAP, "excess": "defer"}]))


def monthly(*revenues: str) -> list[Line]:
    """Lines m2, m3, … of February, March, …"""
    return [line(f"m{month}", revenue, date(2021, month, 3)) for month, revenue in enumerate(revenues, start=2)]


@pytest.mark.parametrize(("revenue", "paid"), [("99", 99), ("100", 100), ("101", 101), ("200", 200), ("201", 200)])
def test_deferred_excess_is_paid_on_its_line_as_far_as_the_next_month_has_room(revenue: str, paid: int) -> None:
    assert per_line(LATER, monthly(revenue)) == [min(paid, 100)]
    assert per_line(LATER, monthly(revenue, "0"))[0] == paid


def test_deferred_excess_is_paid_before_the_line_that_brings_room() -> None:
    assert per_line(LATER, monthly("150", "30")) == [150, 30]
    assert per_line(LATER, monthly("150", "60")) == [150, 50]
    assert per_line(LATER, monthly("150", "60", "0")) == [150, 60, 0]
    assert per_line(LATER, monthly("350", "10", "10")) == [300, 0, 0]
    assert per_line(LATER, monthly("350", "10", "10", "10")) == [350, 10, 10, 10]


def test_first_in_first_out() -> None:
    lines = [line("a", "120"), line("b", "50"), line("c", "50", date(2021, 3, 3))]
    assert per_line(LATER, lines) == [120, 50, 30]
    late = line("late", "70", date(2021, 2, 1))
    assert per_line(LATER, [*lines, late]) == [120, 10, 0, 70]  # in March a gets 90, b 10
    assert per_line(LATER, [*lines, line("other", "1", date(2021, 4, 3), customer="d")]) == [120, 50, 30, 1]
    assert per_line(LATER, [*lines, line("next", "1", date(2021, 4, 3))]) == [120, 50, 50, 1]


def test_a_refund_takes_its_part_of_what_waits_and_makes_room() -> None:
    assert per_line(LATER, [line("a", "200"), refund("r", "a", "-100")]) == [150, -50]
    assert per_line(LATER, [line("a", "200"), refund("r", "a"), *monthly("0")]) == [100, -100, 0]
    lines = [line("a", "80"), line("b", "50"), refund("r", "a", "-20")]
    assert per_line(LATER, lines) == [80, 40, -20]
    assert per_line(LATER, [*lines, line("c", "0", date(2021, 3, 3))]) == [80, 50, -20, 0]


def test_a_cap_holds_in_program_currency() -> None:
    terms = program(lever(rate=D(1), cap=[CAP]))
    [row] = price(terms, [line("t", "20000", currency="JPY", fx=D("0.0095"))]).values()
    assert (row.program_earning, row.earning) == (100, 10526)


def test_every_cap_of_the_list_holds() -> None:
    whole = {"per": [], "over": "fiscal_year", "amount": D(120), "excess": "forfeit"}
    terms = program(lever("a", rate=D(1), cap=[CAP]), cap=[whole])
    lines = [line("x", "150"), line("y", "50", customer="d"), line("z", "-30")]
    assert per_line(terms, lines[:2]) == [100, 20]
    assert per_line(terms, lines) == [130, 20, -30]  # the room goes to the older line: its customer nets 100 again
