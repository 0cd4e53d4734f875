"""The oracle prices lines and refunds as the settled questions say: thresholds, currencies, split, minimum, stack, dates."""

from datetime import date

import pytest

from tests.oracle.written import (
    DAY,
    TWO,
    UNITS,
    D,
    figures,
    lever,
    line,
    per_line,
    program,
    refund,
    sales,
    scale,
    units,
)
from tests.pricing_oracle import Earned, price


def test_a_full_refund_reprices_what_comes_after() -> None:
    lines = [*sales("100000", "20000"), refund("back", "l0", "-100000", date(2021, 3, 9))]
    rows = figures(program(lever(scale=TWO)), lines)
    assert rows == {("l0", "a", 1): 6000, ("l1", "a", 1): 1200, ("back", "a", 1): -6000}


def test_half_a_refund_takes_half_of_every_row() -> None:
    lines = [line("t", "120000"), refund("back", "t", "-60000")]
    rows = figures(program(lever(scale=TWO)), lines)
    assert {key: amount for key, amount in rows.items() if key[0] == "back"} == {
        ("back", "a", 1): -3000,
        ("back", "a", 2): -800,
    }


def test_retroactive_with_a_refund_is_priced_at_the_net_total() -> None:
    lines = [*units("14", "12"), refund("back", "l0", quantity=D(-12))]
    rows = figures(program(lever(measure="quantity", scale=UNITS)), lines)
    assert rows == {("l0", "a", 1): D("4.20"), ("l1", "a", 1): D("3.60"), ("back", "a", 1): D("-3.60")}


def test_split_60_to_40_half_even() -> None:
    terms = program(lever(measure="quantity", scale=UNITS), split={"rebate": D("0.6"), "coop": D("0.4")})
    rows = price(terms, units("14", "12"))
    assert sum(row.rebate for row in rows.values()) == D("7.02")
    assert sum(row.coop for row in rows.values()) == D("4.68")


def test_remainder_to_coop_rounds_the_rebate() -> None:
    shares = {"rebate": {DAY: D("0.5")}, "coop": {DAY: D("0.5")}}
    terms = program(lever(rate=D(1)), split=shares, remainder_to="coop", rounding={"mode": "truncate", "at": "line"})
    [row] = price(terms, sales("0.05")).values()
    assert (row.rebate, row.coop) == (D("0.02"), D("0.03"))


def test_each_currency_is_rounded_once_from_the_exact_value() -> None:
    terms = program(lever(rate=D("0.02")), rounding={"mode": "truncate", "at": "line"})
    terms["split"] = {"rebate": D("0.6"), "coop": D("0.4")}
    [row] = price(terms, [line("t", "12345", currency="JPY", fx=D("0.0095"))]).values()
    assert row == Earned(D(246), D("2.34"), D(148), D(98), D("1.41"), D("0.93"))


def test_thresholds_are_in_program_currency() -> None:
    terms = program(lever(scale=TWO))
    rows = figures(terms, [line("t", "60000", currency="KWD", fx=D(2))])
    assert rows == {("t", "a", 1): 3000, ("t", "a", 2): 800}


def test_below_zero_the_first_bracket_continues() -> None:
    assert figures(program(lever(scale=TWO)), sales("120000", "-130000")) == {
        ("l0", "a", 1): 6000,
        ("l0", "a", 2): 1600,
        ("l1", "a", 1): -6600,
        ("l1", "a", 2): -1600,
    }


@pytest.mark.parametrize(("last", "earned"), [("150", [1, D("1.5")]), ("149.99", [0, 0])])
def test_a_minimum_reached_later_lets_all_lines_earn(last: str, earned: list) -> None:
    least = {"measure": D(250), "per": ["customer"], "over": "month"}
    assert per_line(program(lever(rate=D("0.01"), minimum=least)), sales("100", last)) == earned


def test_a_minimum_lost_takes_back() -> None:
    least = {"measure": D(250), "per": ["customer"], "over": "month"}
    lines = [*sales("100", "150"), refund("back", "l0", "-1")]
    assert per_line(program(lever(rate=D("0.01"), minimum=least)), lines) == [0, 0, 0]


@pytest.mark.parametrize(("take", "earned"), [("sum", [5, 3]), ("highest", [4, 2]), ("first", [1, 2])])
def test_stack(take: str, earned: list) -> None:
    group = {"group": "g", "take": take}
    small = lever("small", rate=D("0.01"), stack=group)
    large = lever("large", rate=D("0.04"), stack=group, select={"kind": {"not": ["x"]}})
    other = lever("other", rate=D("0.02"), stack=group, select={"kind": "x"})
    lines = [line("l0", "100", attributes={"kind": "y"}), line("l1", "100", attributes={"kind": "x"})]
    levers = (small, large, other) if take != "first" else (other, small, large)
    assert per_line(program(*levers), lines) == earned


@pytest.mark.parametrize(
    ("select", "earned"),
    [
        ({"product_family": "azure", "customer_segment": "commercial"}, 1),  # two keys beat one, even the product
        ({"product_family": "azure"}, 2),
        ({"product_id": "vm"}, 1),  # as narrow as the other: the first in the file
        ({"product_id": "sql"}, 2),  # does not select
        ({"product_id": "vm", "is_strategic": {"not": [True]}}, 2),  # undecided: the line lacks is_strategic
    ],
)
def test_most_specific(select: dict, earned: int) -> None:
    group = {"group": "g", "take": "most_specific"}
    levers = lever("one", rate=D("0.01"), stack=group, select=select), lever("two", rate=D("0.02"), stack=group)
    narrow = {**levers[1], "select": {"product_id": ["vm"]}}
    where = {"product_id": "vm", "product_family": "azure", "customer_segment": "commercial"}
    lines = [line("t", "100", attributes=where), refund("r", "t", "-50", date(2021, 5, 1))]
    assert per_line(program(levers[0], narrow), lines) == [earned, D(-earned) / 2]


def test_the_most_specific_lever_keeps_its_place_when_it_earns_nothing() -> None:
    group = {"group": "g", "take": "most_specific"}
    least = {"measure": D(101), "per": [], "over": "month"}
    narrow = lever("narrow", rate=D(1), stack=group, select={"product_id": "vm"}, minimum=least)
    terms = program(narrow, lever("wide", rate=D("0.5"), stack=group))
    vm = {"product_id": "vm"}
    assert per_line(terms, [line("t", "100", attributes=vm), line("u", "100")]) == [0, 50]
    assert per_line(terms, [line("t", "100", attributes=vm), line("late", "1", date(2021, 2, 1), attributes=vm)]) == [
        100,
        1,
    ]


def test_undecided_matches_neither_the_value_nor_its_not() -> None:
    levers = lever("one", rate=D(1), select={"kind": "x"}), lever("two", rate=D(1), select={"kind": {"not": "x"}})
    assert per_line(program(*levers), [line("t", "9"), line("u", "9", attributes={"kind": None})]) == [0, 0]


def test_effective_is_half_open() -> None:
    terms = program(lever(rate=D(1), effective={"from": date(2021, 2, 1), "to": date(2021, 3, 1)}))
    days = [date(2021, 1, 31), date(2021, 2, 1), date(2021, 2, 28), date(2021, 3, 1)]
    assert per_line(terms, [line(str(day), "1", day) for day in days]) == [0, 1, 1, 0]


def test_quarters_count_from_the_fiscal_year() -> None:
    terms = program(lever(accumulate={"over": "quarter"}, scale=TWO), fiscal_year_start="02-01")
    lines = [
        line("a", "100000", date(2021, 2, 1)),
        line("b", "100", date(2021, 4, 30)),
        line("c", "100", date(2021, 5, 1)),
    ]
    assert per_line(terms, lines) == [6000, 8, 6]


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"base": {"fixed": 100000}}, "fixed"),
        ({"base": "count"}, "count"),
        ({"measure": "growth"}, "without baseline"),
        ({"measure": "attainment"}, "without baseline"),
        ({"measure": "attainment", "baseline": {"fixed": 1}, "minimum": {"measure": 1, "over": "quarter"}}, "minimum"),
        (
            {
                "measure": "growth",
                "accumulate": {"over": "all"},
                "baseline": {"of": "revenue", "over": "previous_month"},
            },
            "baseline",
        ),
        ({"measure": "count", "accumulate": {"over": "quarter"}}, "count"),
        (
            {"accumulate": {"over": "trailing_12_months"}, "scale": scale("lump_sum", ("1", "1"), word="amount")},
            "trailing_12_months",
        ),
        ({"minimum": {"measure": 1, "over": "trailing_12_months"}}, "trailing_12_months"),
    ],
)
def test_what_is_not_done_is_named(more: dict, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        price(program(lever(rate=D(1), **more)), [])
