"""The oracle tells new customers, who keeps them, and what is earned on one once."""

from datetime import date

import pytest

from tests.oracle.written import DAY, TWO, D, figures, lever, line, per_line, program, refund, sales
from tests.pricing_oracle import Line, undecided


def created(name: str, on: date, tenant: date | None, revenue: str = "100", **more: object) -> Line:
    """A line of a customer whose tenant was created on a day."""
    return line(name, revenue, on, attributes={"tenant_created_on": tenant}, **more)


FIVE = {"rate": D("0.05"), "window": {"from": "tenant_created", "months": 12}}


@pytest.mark.parametrize(
    ("tenant", "on", "earned"),
    [
        (date(2021, 2, 3), date(2021, 2, 2), 0),
        (date(2021, 2, 3), date(2021, 2, 3), 5),
        (date(2021, 2, 3), date(2022, 2, 2), 5),
        (date(2021, 2, 3), date(2022, 2, 3), 0),
        (date(2020, 3, 31), date(2021, 3, 30), 5),
        (date(2020, 2, 29), date(2021, 2, 27), 5),
        (date(2020, 2, 29), date(2021, 2, 28), 0),
        (None, date(2021, 2, 3), 0),
    ],
)
def test_a_window_from_the_tenants_creation(tenant: date | None, on: date, earned: int) -> None:
    assert per_line(program(lever(**FIVE)), [created("t", on, tenant)]) == [earned]


def test_a_refund_is_in_the_window_of_its_original() -> None:
    lines = [created("t", date(2021, 2, 3), date(2020, 2, 4)), refund("r", "t", "-40", date(2021, 9, 1))]
    assert per_line(program(lever(**FIVE)), lines) == [5, -2]


def test_a_window_from_the_first_purchase_of_any_partner() -> None:
    terms = program(lever(rate=D("0.05"), window={"from": "first_purchase", "months": 2}))
    lines = [line("a", "100", date(2021, 2, 3)), line("b", "100", date(2021, 4, 2)), line("c", "100", date(2021, 4, 3))]
    assert per_line(terms, lines) == [5, 5, 0]
    late = line("late", "0", date(2021, 1, 31), partner="other", eligible=False)  # closes on 31 March
    assert per_line(terms, [*lines, late]) == [5, 0, 0, 0]
    credit = line("late", "-1", date(2021, 1, 31), partner="other")
    assert per_line(terms, [*lines, credit]) == [5, 5, 0, 0]
    assert per_line(terms, [credit]) == [0]


def test_who_has_no_date_is_undecided() -> None:
    terms = program(lever("a", **FIVE), lever("b", rate=D(1), select={"kind": "x"}), lever("c", rate=D(1)))
    lines = [created("t", DAY, None), created("u", DAY, None, eligible=False), created("v", DAY, DAY)]
    unkind = {(name, "b"): "select" for name in "tuv"}
    assert undecided(terms, lines) == {("t", "a"): "window", **unkind}


def test_a_line_outside_the_window_fills_no_minimum_and_no_scale() -> None:
    least = {"measure": D(250), "per": ["customer"], "over": "month"}
    terms = program(lever(**FIVE, minimum=least))
    inside, outside = date(2021, 1, 1), date(2019, 1, 1)
    assert per_line(terms, [created("t", DAY, inside), created("u", DAY, outside, "150")]) == [0, 0]
    assert per_line(terms, [created("t", DAY, inside), created("u", DAY, inside, "150")]) == [5, D("7.50")]
    steps = program(lever(**{**FIVE, "scale": TWO}))
    assert per_line(steps, [created("t", DAY, outside, "100000"), created("u", DAY, inside)]) == [0, 6]


def test_modern_workplace_customer_add() -> None:
    # 5 % on monthly billed revenue of at least 250, up to 12 months
    least = {"measure": D(250), "per": ["customer"], "over": "month"}
    terms = program(lever(rate=D("0.05"), window={"from": "tenant_created", "months": 12}, minimum=least))
    bills = {
        date(2019, 10, 31): "249.99",
        date(2019, 11, 30): "250",
        date(2020, 9, 30): "400",
        date(2020, 10, 31): "400",
    }
    lines = [created(str(on), on, date(2019, 10, 10), bill) for on, bill in bills.items()]
    assert per_line(terms, lines) == [0, D("12.50"), 20, 0]
    late = created("late", date(2019, 10, 11), date(2019, 10, 10), "0.20")
    assert per_line(terms, [*lines, late]) == [D("12.50"), D("12.50"), 20, 0, D("0.01")]
    back = refund("back", "2019-11-30", "-0.01", date(2019, 12, 5))
    assert per_line(terms, [*lines, back]) == [0, 0, 20, 0, 0]


def of(partner: str, name: str, revenue: str = "100", day: int = 3, **more: object) -> Line:
    """A line of a partner on a day of February 2021."""
    return line(name, revenue, date(2021, 2, day), **{"partner": partner, **more})


EXCLUSIVE = program(lever(rate=D("0.05"), exclusive_partner=["customer"]))
ALONE = {"per": [], "over": "transaction"}
ONCE = program(lever(rate=D("0.05"), one_earning=["customer"], accumulate=ALONE))


def test_the_first_partner_keeps_the_customer() -> None:
    lines = [of("p", "a", day=3), of("q", "b", day=4), of("p", "c", day=5), of("q", "d", customer="other")]
    assert per_line(EXCLUSIVE, lines) == [5, 0, 5, 5]
    assert per_line(EXCLUSIVE, [*lines, of("q", "late", day=2)]) == [0, 5, 0, 5, 5]
    assert per_line(EXCLUSIVE, [*lines, of("q", "0", day=3)]) == [0, 5, 0, 5, 5]  # at the same time, by its id
    assert per_line(EXCLUSIVE, [*lines, of("q", "e", day=3)]) == [5, 0, 5, 5, 0]


def test_a_customer_refunded_in_full_is_kept() -> None:
    lines = [of("p", "a"), refund("r", "a", "-100", DAY, partner="p"), of("q", "b", day=4)]
    assert per_line(EXCLUSIVE, lines) == [5, -5, 0]


def test_only_an_eligible_purchase_in_the_window_takes_the_customer() -> None:
    inside = {"tenant_created_on": date(2021, 1, 1), "kind": "x"}
    terms = program(lever(**FIVE, select={"kind": "x"}, exclusive_partner=["customer"]))
    after = of("p", "z", day=9, attributes=inside)
    assert per_line(terms, [of("q", "a", attributes=inside), after]) == [5, 0]
    for attributes in ({**inside, "tenant_created_on": date(2019, 1, 1)}, {**inside, "kind": "y"}, {"kind": "x"}):
        assert per_line(terms, [of("q", "a", attributes=attributes), after]) == [0, 5]
    assert per_line(terms, [of("q", "a", attributes=inside, eligible=False), after]) == [0, 5]
    assert per_line(terms, [of("q", "a", "-100", attributes=inside), after]) == [0, 5]
    assert per_line(terms, [of("q", "a", "-100", attributes=inside)]) == [-5]


@pytest.mark.parametrize(("last", "earned"), [("249.99", [0, 50]), ("250", [D("12.50"), 0])])
def test_who_is_below_the_minimum_has_not_earned_and_keeps_no_customer(last: str, earned: list) -> None:
    least = {"measure": D(250), "per": ["customer"], "over": "month"}
    terms = program(lever(rate=D("0.05"), exclusive_partner=["customer"], minimum=least))
    assert per_line(terms, [of("p", "a", last), of("q", "b", "1000", day=4)]) == earned


def test_the_lines_of_other_partners_fill_no_minimum() -> None:
    least = {"measure": D(250), "per": [], "over": "month"}
    terms = program(lever(rate=D("0.05"), exclusive_partner=["customer"], minimum=least))
    lines = [of("p", "a", "1000"), of("q", "b", "100", day=4), of("q", "c", "150", customer="other")]
    assert per_line(terms, lines) == [50, 0, 0]
    assert per_line(terms, lines[1:]) == [5, D("7.50")]


def test_one_earning_ever() -> None:
    lines = [of("p", "a", day=3), of("p", "b", day=4), of("q", "c", day=5), of("p", "d", customer="other")]
    assert per_line(ONCE, lines) == [5, 0, 0, 5]
    assert per_line(ONCE, [*lines, line("next", "100", date(2029, 1, 1))]) == [5, 0, 0, 5, 0]
    assert per_line(ONCE, [*lines, of("q", "late", day=2)]) == [0, 0, 0, 5, 5]


def test_one_earning_is_that_of_a_whole_period() -> None:
    monthly = program(lever(rate=D("0.05"), one_earning=["customer"]))
    lines = [
        of("p", "a", day=3),
        of("p", "b", day=4),
        of("q", "c", day=5),
        line("d", "100", date(2021, 3, 1), partner="p"),
    ]
    assert per_line(monthly, lines) == [5, 5, 0, 0]


def test_a_refund_belongs_to_the_one_earning_and_opens_no_other() -> None:
    lines = [of("p", "a"), refund("r", "a", "-20"), of("p", "b", day=4), refund("s", "b", "-20")]
    assert per_line(ONCE, lines) == [5, -1, 0, 0]
    assert per_line(ONCE, [of("p", "a"), refund("r", "a"), of("p", "b", day=4)]) == [5, -5, 0]


def test_a_credit_is_no_earning() -> None:
    assert per_line(ONCE, [of("p", "a", "-100"), of("p", "b", day=4), of("p", "c", "-50", day=5)]) == [0, 5, 0]


def test_one_earning_in_all_its_brackets() -> None:
    terms = program(lever(scale=TWO, one_earning=["customer"], accumulate=ALONE))
    assert figures(terms, sales("120000", "50000")) == {("l0", "a", 1): 6000, ("l0", "a", 2): 1600}


@pytest.mark.parametrize(("first", "earned"), [("999.99", [0, 250]), ("1000", [50, 0])])
def test_what_is_below_the_minimum_is_not_the_one_earning(first: str, earned: list) -> None:
    least = {"measure": D(1000), "per": ["customer"], "over": "month"}
    terms = program(lever(rate=D("0.05"), one_earning=["customer"], minimum=least))
    assert per_line(terms, [line("a", first), line("b", "5000", date(2021, 3, 3))]) == earned


def test_the_one_earning_is_of_the_partner_that_keeps_the_customer() -> None:
    terms = program(lever(rate=D("0.05"), exclusive_partner=["customer"], one_earning=["customer"], accumulate=ALONE))
    assert per_line(terms, [of("p", "a"), of("q", "b", day=4), of("p", "c", day=5)]) == [5, 0, 0]
