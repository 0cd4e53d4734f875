"""The oracle answers what published examples say.

They are named after the ids of the worked examples, whose figures and sources are in tests/cases/worked_examples.json.
"""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tests.oracle.written import (
    LADDER,
    QUARTERS,
    UNITS,
    D,
    each_alone,
    figures,
    lever,
    line,
    per_line,
    program,
    quota,
    refund,
    running,
    sales,
    scale,
    units,
)
from tests.pricing_oracle import Line

CASES = Path(__file__).parent / "cases" / "worked_examples.json"
STEPS = (("0", "0.01"), ("1000", "0.02"), ("3000", "0.03"), ("8000", "0.05"))
A01 = sales("200", "300", "1500", "1200", "2000", "4500")
PER_LINE = {"per": [], "over": "transaction"}


def a14() -> dict:
    """One scale, three dated versions; the third bracket exists from 2017."""
    first, second, third = date(2013, 1, 1), date(2015, 1, 1), date(2017, 1, 1)
    moved = {first: D(12000), date(2014, 1, 1): D(12100), second: D(12200), date(2016, 1, 1): D(12300), third: D(6000)}
    steps = [
        {"threshold": D(0), "rate": {first: D("0.03"), second: D("0.04"), third: D("0.02")}},
        {"threshold": moved, "rate": {first: D("0.10"), second: D("0.12"), third: D("0.06")}},
        {"threshold": {third: D(12400)}, "rate": {third: D("0.12")}},
    ]
    return program(lever(scale={"mode": "marginal", "brackets": steps}))


def a14_lines(*years: int) -> list[Line]:
    """A line of 2,000 and one of 15,000 in January of each year, every one of another partner."""
    found = [(year, revenue) for year in years for revenue in ("2000", "15000")]
    return [line(f"{year}-{amount}", amount, date(year, 1, 5), partner=f"{year}-{amount}") for year, amount in found]


def f01(on: date, kind: str = "cancellation") -> Decimal:
    """What a whole refund of a line that earned 2,133,000 takes back."""
    terms = program(lever(rate=D(1)), currency="KRW", clawback={"ladder": LADDER, "base": "net_earned"})
    paid = line("paid", "2133000", date(2021, 1, 5), currency="KRW")
    return per_line(terms, [paid, refund("back", "paid", on=on, attributes={"kind": kind})])[1]


def f02() -> Decimal:
    """What a second refund in month 7 takes back of what the first left."""
    terms = program(lever(rate=D(1)), currency="KRW", clawback={"ladder": LADDER})
    paid, month = line("paid", "2133000", date(2021, 1, 5), currency="KRW"), date(2021, 8, 5)
    return per_line(terms, [paid, refund("back", "paid", on=month), refund("more", "paid", on=month)])[2]


def f04() -> list[Decimal]:
    """What is paid under the cap of a month, and what of the rest the next month pays."""
    cap = {"per": [], "over": "month", "amount": D(3600000), "excess": "defer"}
    lines = sales("1890000", "1000000", "40500", "800000")
    now = per_line(program(lever(rate=D(1), cap=[cap])), lines)[3]
    later = per_line(program(lever(rate=D(1), cap=[cap])), [*lines, line("next", "1", date(2021, 3, 1))])[3]
    return [now, later - now]


def f05() -> list[Decimal]:
    """What is left under a full cap after 600,000 are taken back, and what the next line gets of it."""
    cap = {"per": [], "over": "month", "amount": D(3600000), "excess": "forfeit"}
    terms = program(lever(rate=D(1)), cap=[cap])
    full = sales("3600000", "-600000")
    return [per_line(terms, [*full, line("z", "9999999")])[2], per_line(terms, [*full, line("z", "400000")])[2]]


def d06() -> list[Decimal]:
    """A unit before its amount is in force, and one after."""
    terms = program(lever(measure="quantity", amount={date(2015, 12, 1): D(600)}))
    return each_alone(terms, [line("t", on=date(2015, 11, 30)), line("t", on=date(2015, 12, 1))])


def d01() -> list[Decimal]:
    """What a line of 1,000 earns as levers come in that select it by segment, by family, by product."""
    group = {"group": "g", "take": "most_specific"}
    where = {"product_segment": "commercial", "product_family": "azure", "product_id": "vm"}
    levels = [
        lever("all", amount=D(10), stack=group),
        lever("segment", amount=D(20), stack=group, select={"product_segment": "commercial"}),
        lever("family", rate=D("0.05"), stack=group, select={"product_family": ["azure", "other"]}),
        lever("product", rate=D("0.15"), stack=group, select={"product_id": {"not": ["sql"]}}),
    ]
    sold = [line("t", "1000", attributes=where)]
    return [per_line(program(*levels[: level + 1]), sold)[0] for level in range(4)]


def by_bracket(terms: dict, lines: list[Line]) -> list[Decimal]:
    """The rows' earnings by line and bracket."""
    return list(dict(sorted(figures(terms, lines).items())).values())


B12 = program(lever(scale=scale("marginal", ("0", "0.10"), ("100", "0.20"), ("300", "0.30"))))
B16 = program(lever(scale=scale("flat", *QUARTERS)))
EXAMPLES = {
    "A01": lambda: per_line(program(lever(accumulate=PER_LINE, scale=scale("marginal", *STEPS))), A01),
    "A02": lambda: [sum(per_line(program(lever(accumulate=PER_LINE, scale=scale("marginal", *STEPS))), A01))],
    "A04": lambda: per_line(
        program(lever(scale=scale("marginal", ("0", "0.06"), ("3000", "0.08"), ("8000", "0.10")))), sales("9000")
    ),
    "A09": lambda: by_bracket(
        program(
            lever(
                accumulate={"over": "quarter"},
                scale=scale("marginal", ("0", "0.05"), ("100000", "0.06"), ("125000", "0.07")),
            )
        ),
        sales("150000"),
    ),
    "A12": lambda: per_line(
        program(
            lever(measure="quantity", scale=scale("marginal", ("0", "0"), ("500", "2"), ("1000", "3"), word="amount"))
        ),
        units("1200"),
    ),
    "A14": lambda: per_line(a14(), a14_lines(2013, 2015, 2017)),
    "A16": lambda: each_alone(
        program(lever(scale=scale("marginal", ("0", "0"), ("1", "0.1"), ("2", "0.2"), ("3", "0")))),
        sales("1", "1.5", "2", "2.5", "3", "4"),
    ),
    "A17": lambda: each_alone(
        program(
            lever(scale=scale("marginal", ("0", "0"), ("100", "0.1"))), rounding={"mode": "half_even", "at": "slice"}
        ),
        sales("200", "200.2", "200.002", "200.6", "200.006", "200.5", "200.005"),
    ),
    "A18": lambda: by_bracket(
        program(
            lever(
                measure="quantity",
                base="revenue",
                scale=scale("marginal", ("0", "0.1"), ("15", "0.2"), units="first_unit"),
            ),
            rounding={"mode": "half_up", "at": "line"},
        ),
        units("16", revenue="10.00"),
    ),
    "A21": lambda: by_bracket(
        program(
            lever(
                measure="quantity",
                scale=scale("marginal", ("0", "0.30"), ("15", "0.40"), word="amount", units="first_unit"),
            )
        ),
        units("26"),
    ),
    "B01": lambda: running(program(lever(measure="quantity", scale=UNITS)), units("14", "12", "20", "30")),
    "B02": lambda: running(program(lever(measure="quantity", scale=UNITS)), units("3", "6", "46", "30")),
    "B03": lambda: per_line(program(lever(measure="quantity", scale=UNITS)), units("14", "12", "20", "30")),
    "B06": lambda: running(
        program(lever(measure="quantity", base="revenue", scale=scale("retroactive", ("0", "0.1"), ("15", "0.2")))),
        units("13", "3", revenue="10"),
    ),
    "B08": lambda: [
        sum(
            per_line(
                program(lever(scale=scale("retroactive", ("0", "0.1"), ("100", "0.2"), ("300", "0.3")))),
                sales("300", "500", "1000", "2000"),
            )
        )
    ],
    "B12": lambda: each_alone(B12, sales("3800", "1000")),
    "B15": lambda: [
        paid / revenue.revenue
        for revenue in sales("5000", "15000", "60000")
        for paid in per_line(
            program(
                lever(scale=scale("flat", ("0", "0.01"), ("10000", "0.02"), ("50000", "0.03"), ("100000", "0.04")))
            ),
            [revenue],
        )
    ],
    "B16": lambda: [per_line(B16, sales("50000"))[0] / 50000],
    "B18": lambda: per_line(
        program(
            lever(measure="quantity", scale=scale("retroactive", ("100", "5"), word="amount", on_threshold="lower"))
        ),
        units("100"),
    ),
    "C01": lambda: each_alone(
        program(
            lever(
                scale=scale(
                    "interpolated",
                    ("0", "10"),
                    ("1000", "40"),
                    ("3000", "100"),
                    ("8000", "2000"),
                    ("20000", "0"),
                    word="amount",
                )
            )
        ),
        A01,
    ),
    "C05": lambda: each_alone(
        program(lever(scale=scale("lump_sum", ("100000", "1000"), word="amount"))), sales("110000", "90000")
    ),
    "C06": lambda: each_alone(
        program(
            lever(scale=scale("cumulative_lump_sum", ("6", "0.23"), ("9", "0.29"), word="amount", on_threshold="lower"))
        ),
        sales("1", "8", "10"),
    ),
    "C07": lambda: each_alone(
        program(lever(scale=scale("lump_sum", ("6", "0.23"), ("9", "0.29"), word="amount"))), sales("1", "8", "10")
    ),
    "C08": lambda: per_line(program(quota()), sales("650000")),
    "D01": d01,
    "D06": d06,
    "F01": lambda: [
        f01(date(2021, 8, 5)),
        f01(date(2022, 2, 5)),
        f01(date(2021, 6, 5), "lapse"),
        f01(date(2022, 9, 5), "withdrawal"),
    ],
    "F02": lambda: [f02()],
    "F04": f04,
    "F05": f05,
}


def expected(name: str) -> list[Decimal]:
    """The figures that a worked example states."""
    stated = {case["id"]: case["expected"] for case in json.loads(CASES.read_text())}[name]
    figures = [D(str(figure)) for figure in (stated if isinstance(stated, list) else [stated])]
    # B03 tells three tiers of four lines apart; here a line has one row, at the bracket that prices it
    return [sum(figures[position::4], D(0)) for position in range(4)] if name == "B03" else figures


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name: str) -> None:
    assert EXAMPLES[name]() == expected(name)


def test_a14_the_threshold_alone_moves() -> None:
    assert per_line(a14(), a14_lines(2014, 2016)) == [60, 653, 80, D("816")]


def test_b16_exactly_on_a_threshold() -> None:
    lower = program(lever(scale=scale("flat", *QUARTERS[:3], on_threshold="lower")))
    assert (per_line(B16, sales("50000")), per_line(lower, sales("50000"))) == ([1500], [1000])


def test_b18_with_higher_the_target_itself_pays() -> None:
    terms = program(lever(measure="quantity", scale=scale("retroactive", ("100", "5"), word="amount")))
    assert per_line(terms, units("100")) == [500]
