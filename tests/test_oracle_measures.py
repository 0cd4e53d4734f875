"""The oracle measures a count, growth and attainment."""

from datetime import date

import pytest

from tests.oracle.written import (
    DAY,
    D,
    figures,
    lever,
    line,
    of_line,
    per_line,
    program,
    quota,
    refund,
    sales,
    scale,
    units,
)
from tests.pricing_oracle import Line, price, undecided

CUSTOMERS = {"measure": "count", "accumulate": {"per": ["customer"], "over": "quarter"}}
NEW = program(lever(**CUSTOMERS, scale=scale("marginal", ("0", "10"), ("2", "15"))))


def to(*customers: str, revenue: str = "100") -> list[Line]:
    """Lines l0, l1, … to customers in this order."""
    return [line(f"l{position}", revenue, customer=customer) for position, customer in enumerate(customers)]


def test_count_adds_one_for_each_new_customer_of_the_partners_quarter() -> None:
    assert per_line(NEW, to("c", "d", "c", "e", "e", "f")) == [10, 10, 0, 15, 0, 15]
    assert per_line(NEW, [*to("c", "d", "e"), line("q", "1", partner="q"), line("next", "1", date(2021, 4, 1))]) == [
        10, 10, 15, 10, 10,
    ]  # fmt: skip


def test_a_late_line_brings_its_customer_first() -> None:
    late = line("late", "1", date(2021, 1, 1), customer="d")
    assert per_line(NEW, [*to("c", "d", "e"), late]) == [10, 0, 15, 10]


@pytest.mark.parametrize(
    ("back", "earned"), [("-99.99", [10, 0, 0, 10]), ("-100", [10, -10, 10, 10]), ("0", [10, -10, 10, 10])]
)
def test_a_customer_counts_until_its_line_is_refunded_in_full(back: str, earned: list) -> None:
    lines = to("c", "c", "d")
    assert per_line(NEW, [lines[0], refund("r", "l0", back), *lines[1:]]) == earned


def test_the_second_half_of_a_refund_takes_the_customer_out() -> None:
    lines = [*to("c", "c"), refund("r", "l0", "-50"), refund("s", "l0", "-50", date(2021, 6, 1))]
    assert per_line(NEW, lines) == [10, 10, 0, -10]


def test_credits_and_unknown_values_count_nothing() -> None:
    terms = program(lever(measure="count", accumulate={"per": ["tenant"], "over": "month"}, rate=D(10)))
    known = {"attributes": {"tenant": "t"}}
    assert per_line(terms, [line("a", "-1", **known), line("b", "9"), line("c", "0", **known)]) == [0, 0, 10]


def test_the_count_picks_the_bracket_of_another_base() -> None:
    tiers = (("0", "0.01"), ("2", "0.02"))
    flat = program(lever(**CUSTOMERS, base="revenue", scale=scale("flat", *tiers)))
    assert per_line(flat, to("c", "d", "c")) == [1, 2, 2]
    whole = program(lever(**CUSTOMERS, base="revenue", scale=scale("retroactive", *tiers)))
    assert per_line(whole, to("c", "d", "c")) == [2, 2, 2]
    assert per_line(whole, [*to("c", "d", "c"), refund("r", "l1")]) == [1, 1, 1, -1]
    marginal = program(lever(**CUSTOMERS, base="revenue", scale=scale("marginal", *tiers)))
    assert per_line(marginal, to("c", "d", "c")) == [1, 1, 2]  # a line that adds 0 takes the running bracket


def test_a_lump_for_the_third_customer() -> None:
    terms = program(lever(**CUSTOMERS, scale=scale("lump_sum", ("3", "500"), word="amount")))
    assert per_line(terms, to("c", "d", "c", "e")) == [0, 0, 0, 500]
    assert per_line(terms, [*to("c", "d", "c", "e"), refund("r", "l1")]) == [0, 0, 0, 0, 0]


@pytest.mark.parametrize(("customers", "earned"), [("cd", [0, 0]), ("cde", [10, 10, 10])])
def test_a_minimum_of_customers(customers: str, earned: list) -> None:
    least = {"measure": D(3), "per": [], "over": "month"}
    assert per_line(program(lever(**CUSTOMERS, rate=D(10), minimum=least)), to(*customers)) == earned


JANUARY = date(2021, 1, 1)
BEFORE = date(2020, 12, 31)


def growth(over: str = "quarter", per: tuple = (), **more: object) -> dict:
    """A lever from 2021 that pays 5 % on growth over the period before."""
    baseline = {"of": "revenue", "over": f"previous_{over}"}
    plain = {"measure": "growth", "accumulate": {"per": list(per), "over": over}, "baseline": baseline}
    return lever(**{"rate": D("0.05"), "effective": {"from": JANUARY}, **plain, **more})


def after(revenue: str, *revenues: str) -> list[Line]:
    """A line of the quarter before, then lines l0, l1, … of this one."""
    return [line("before", revenue, BEFORE), *sales(*revenues)]


@pytest.mark.parametrize(("revenue", "earned"), [("253.99", 0), ("254", 0), ("254.20", D("0.01")), ("434", 9)])
def test_growth_over_the_quarter_before(revenue: str, earned: object) -> None:
    assert per_line(program(growth()), after("254", revenue)) == [0, earned]  # 434 − 254 = 180, 5 % of it 9


def test_each_line_adds_what_it_moves_the_growth_by() -> None:
    assert per_line(program(growth()), after("100", "60", "60", "60")) == [0, 0, 1, 3]
    late = line("late", "60", JANUARY)
    assert per_line(program(growth()), [*after("100", "60", "60", "60"), late]) == [0, 1, 3, 3, 0]


def test_quarter_growth_is_never_negative() -> None:
    assert per_line(program(growth()), after("100", "60", "60", "-100", "-100", "220")) == [0, 0, 1, -1, 0, 2]
    assert per_line(program(growth()), after("100", "-500")) == [0, 0]


def test_a_refund_takes_out_growth() -> None:
    lines = [*after("100", "80", "50"), refund("r", "l1", "-20", date(2021, 6, 1))]
    assert per_line(program(growth()), lines) == [0, 0, D("1.50"), -1]
    assert per_line(program(growth()), [*after("100", "80", "50"), refund("r", "l0")]) == [0, 0, 0, 0]
    lines = [*after("100", "80", "50", "40"), refund("r", "l1", "-40"), refund("s", "l1")]
    assert per_line(program(growth()), lines) == [0, 0, D("1.50"), 1, D("-1.50"), 0]
    ladder = program(growth(), clawback={"ladder": [{"from_month": 0, "share": D("0.5")}]})
    lines = [*after("100", "80", "50"), refund("r", "l1", "-20")]
    assert per_line(ladder, lines) == [0, 0, D("1.50"), D("-0.50")]


def test_a_late_line_or_a_refund_of_the_quarter_before_moves_the_baseline() -> None:
    terms, lines = program(growth()), after("100", "120")
    assert per_line(terms, [*lines, line("late", "15", date(2020, 10, 1))])[1] == D("0.25")
    assert per_line(terms, [*lines, line("late", "15", date(2020, 9, 30))])[1] == 1
    assert per_line(terms, [*lines, refund("r", "before", "-60")])[1] == 4
    assert per_line(terms, [*lines, line("credit", "-120", BEFORE)])[1] == 6  # nobody grows by more than was sold


def test_the_baseline_is_what_the_partner_sold_of_the_selection() -> None:
    terms, kind = program(growth(select={"kind": "x"})), {"attributes": {"kind": "x"}}
    now = line("now", "200", **kind)
    assert per_line(terms, [now, line("before", "100", BEFORE)])[0] == 10
    assert per_line(terms, [now, line("before", "100", BEFORE, eligible=False, **kind)])[0] == 5
    assert per_line(terms, [now, line("before", "100", BEFORE, partner="q", **kind)])[0] == 10
    assert per_line(terms, [now, line("before", "50", BEFORE, fx=D(2), **kind)])[0] == 5


def test_growth_of_each_customer() -> None:
    lines = [line("a", "100", BEFORE), line("b", "150"), line("c", "40", customer="d")]
    assert per_line(program(growth(per=("customer",))), lines) == [0, D("2.50"), 2]
    assert per_line(program(growth()), lines) == [0, D("2.50"), 2]
    lines = [line("a", "100", BEFORE, customer="d"), *lines[1:]]
    assert per_line(program(growth(per=("customer",))), lines) == [0, D("7.50"), 0]


@pytest.mark.parametrize(("held_from", "earned"), [(date(2020, 10, 1), 1), (date(2020, 10, 2), 0), (None, 1)])
def test_a_baseline_period_not_held_in_full_is_undecided(held_from: date | None, earned: int) -> None:
    lines = after("100", "120")
    rows = price(program(growth()), lines, held_from=held_from)
    assert of_line(rows, "l0") == earned
    said = undecided(program(growth()), lines, held_from=held_from)
    assert said == ({} if earned else {("l0", "a"): "baseline"})


@pytest.mark.parametrize(
    ("over", "before", "earned"),
    [
        ("month", date(2021, 1, 31), 1),
        ("month", date(2020, 12, 31), 6),
        ("half_year", date(2020, 7, 1), 1),
        ("half_year", date(2020, 6, 30), 6),
        ("fiscal_year", date(2019, 7, 1), 1),
        ("fiscal_year", date(2019, 6, 30), 6),
    ],
)
def test_the_period_before(over: str, before: date, earned: int) -> None:
    assert per_line(program(growth(over)), [line("before", "100", before), *sales("120")])[1] == earned


def test_the_quarter_before_that_of_a_month() -> None:
    terms = program(growth("month", baseline={"of": "revenue", "over": "previous_quarter"}))
    lines = [line("before", "100", BEFORE), line("jan", "90", JANUARY), line("mar", "120", date(2021, 3, 31))]
    assert per_line(terms, lines) == [0, 0, 1]
    lines = [line("before", "100", BEFORE), line("apr", "120", date(2021, 4, 1))]
    assert per_line(terms, lines) == [0, 6]


def test_the_month_before_the_quarter() -> None:
    terms = program(growth(baseline={"of": "revenue", "over": "previous_month"}))
    lines = [line("dec", "100", BEFORE), line("feb", "90", DAY), line("mar", "30", date(2021, 3, 31))]
    assert per_line(terms, lines) == [0, 0, 1]


def test_growth_over_a_fixed_number_of_the_last_day() -> None:
    fixed = {JANUARY: D(100), date(2021, 3, 31): D(110)}
    lines = [line("a", "120"), line("b", "120", date(2021, 4, 1))]
    assert per_line(program(growth(baseline={"fixed": fixed})), lines) == [D("0.50"), D("0.50")]
    ended = {JANUARY: D(100), date(2021, 6, 30): None}
    assert per_line(program(growth(baseline={"fixed": ended})), lines) == [1, 0]
    assert undecided(program(growth(baseline={"fixed": ended})), lines) == {("b", "a"): "baseline"}


def test_growth_of_quantity() -> None:
    terms = program(growth(baseline={"of": "quantity", "over": "previous_quarter"}, rate=D(2)))
    lines = [line("before", "9", BEFORE, quantity=D(10)), *units("8", "7")]
    assert per_line(terms, lines) == [0, 0, 10]


def test_the_scale_runs_over_growth() -> None:
    tiers = scale("marginal", ("0", "0.01"), ("100", "0.02"))
    assert figures(program(growth(scale=tiers)), after("100", "150", "100")) == {
        ("l0", "a", 1): D("0.50"),
        ("l1", "a", 1): D("0.50"),
        ("l1", "a", 2): 1,
    }
    whole = scale("retroactive", ("0", "0.01"), ("100", "0.02"))
    assert per_line(program(growth(scale=whole)), after("100", "150", "49")) == [0, D("0.50"), D("0.49")]
    assert per_line(program(growth(scale=whole)), after("100", "150", "50")) == [0, 1, 1]
    lump = scale("lump_sum", ("100", "500"), word="amount")
    assert per_line(program(growth(scale=lump)), after("100", "150", "50", "-1")) == [0, 0, 500, -500]


def test_growth_picks_the_bracket_of_the_whole_revenue() -> None:
    tiers = scale("retroactive", ("0", "0.01"), ("100", "0.02"))
    terms = program(growth(base="revenue", scale=tiers))
    assert per_line(terms, after("100", "100", "99")) == [0, 1, D("0.99")]
    assert per_line(terms, after("100", "100", "100")) == [0, 2, 2]
    assert per_line(terms, [*after("100", "100", "100"), refund("r", "l1", "-50")]) == [0, 1, 1, D("-0.50")]


def test_a_minimum_of_growth() -> None:
    least = {"measure": D(20), "over": "quarter"}
    assert per_line(program(growth(minimum=least)), after("100", "60", "59")) == [0, 0, 0]
    assert per_line(program(growth(minimum=least)), after("100", "60", "60")) == [0, 0, 1]


def test_growth_is_paid_in_the_lines_currency() -> None:
    lines = [line("before", "100", BEFORE), line("t", "75", currency="KWD", fx=D(4))]
    [row] = price(program(growth()), lines).values()
    assert (row.program_earning, row.earning) == (10, D("2.500"))


@pytest.mark.parametrize(
    ("revenue", "earned"),
    [
        ("250000", 50000),
        ("500000", 100000),
        ("500050", 100015),
        ("650000", 145000),
        ("650050", 145020),
        ("750000", 185000),
    ],
)
def test_attainment_of_a_quota(revenue: str, earned: int) -> None:
    assert per_line(program(quota()), sales(revenue)) == [earned]


def test_lines_fill_the_attainment_in_turn() -> None:
    lines = sales("400000", "200000", "100000")
    assert per_line(program(quota()), lines) == [80000, 50000, 35000]  # the last: 10 % at 1.5, 10 % at 2.0
    late = line("late", "100000", JANUARY)
    assert per_line(program(quota()), [*lines, late]) == [80000, 65000, 40000, 20000]
    back = refund("r", "l1", "-100000")
    assert per_line(program(quota()), [*lines, back]) == [80000, 50000, 30000, -25000]
    assert sum(per_line(program(quota()), [lines[0], lines[1], refund("r", "l1")])) == 80000


def test_attainment_of_the_whole_quarter() -> None:
    tiers = (("0", "1.0"), ("1.0", "1.5"), ("1.3", "2.0"))
    assert per_line(program(quota(*tiers, mode="retroactive")), sales("499995", "4.99")) == [99999, 1]
    assert per_line(program(quota(*tiers, mode="retroactive")), sales("400000", "100000")) == [120000, 30000]
    assert per_line(program(quota(*tiers, mode="retroactive")), [*sales("400000", "100000"), refund("r", "l1", "-1")]) == [
        80000, 20000, D("-0.20"),
    ]  # fmt: skip
    lower = quota(scale=scale("retroactive", *tiers, on_threshold="lower"))
    assert per_line(program(lower), sales("400000", "100000")) == [80000, 20000]


def test_attainment_picks_the_rate_on_revenue() -> None:
    terms = program(quota(("0", "0.01"), ("1", "0.02"), mode="flat", base="revenue"))
    assert per_line(terms, sales("400000", "99999", "1", "100")) == [4000, D("999.99"), D("0.02"), 2]


def test_attainment_of_the_quarter_before() -> None:
    terms = program(quota(baseline={"of": "revenue", "over": "previous_quarter"}, effective={"from": JANUARY}))
    assert per_line(terms, after("1000", "1300")) == [0, 145000]
    for lines in (after("0", "1300"), after("-5", "1300"), sales("1300")):
        assert price(terms, lines) == {}
        assert undecided(terms, lines) == {(lines[-1].id, "a"): "baseline"}


def test_a_lump_for_the_quota() -> None:
    terms = program(quota(scale=scale("lump_sum", ("1", "1000"), word="amount")))
    assert per_line(terms, sales("499999.99", "0.01", "-0.01")) == [0, 1000, -1000]


def test_a_minimum_of_attainment() -> None:
    least = {"measure": D("0.5"), "over": "quarter"}
    assert per_line(program(quota(minimum=least)), sales("249999.99")) == [0]
    assert per_line(program(quota(minimum=least)), sales("100000", "150000")) == [20000, 30000]


def test_the_fixed_sum_is_in_program_currency() -> None:
    [row] = price(program(quota()), [line("t", "62500", currency="KWD", fx=D(4))]).values()
    assert (row.program_earning, row.earning) == (50000, 12500)
