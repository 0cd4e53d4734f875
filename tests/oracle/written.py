"""Programs and lines as tests of the oracle write them: briefly, with the plainest value for what does not matter."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from tests.pricing_oracle import Earned, Line, price

D = Decimal
DAY = date(2021, 2, 3)


def brackets(*pairs: tuple, word: str = "rate") -> list[dict]:
    """Brackets of (threshold, rate or amount), written as text."""
    return [{"threshold": D(threshold), word: D(paid)} for threshold, paid in pairs]


def scale(mode: str, *pairs: tuple, word: str = "rate", **more: object) -> dict:
    """A scale of a mode."""
    return {"mode": mode, "brackets": brackets(*pairs, word=word), **more}


def lever(name: str = "a", **more: object) -> dict:
    """A lever that selects all lines and counts revenue over a month."""
    over = {"per": [], "over": "month"}
    return {"lever": name, "effective": {}, "select": {}, "measure": "revenue", "accumulate": over, **more}


def program(*levers: dict, **more: object) -> dict:
    """A program in US dollars, rounded half even, all of it rebate."""
    rounding = {"mode": "half_even", "at": "line"}
    base = {"currency": "USD", "fiscal_year_start": "07-01", "rounding": rounding, "split": {"rebate": D(1)}}
    return {**base, "levers": list(levers), **more}


def line(name: str, revenue: str = "0", on: date = DAY, **more: object) -> Line:
    """A line of one partner and customer, in US dollars, quantity 1."""
    plain = {"at": f"{on}T10:00:00", "partner": "p", "customer": "c", "currency": "USD", "fx": D(1), "quantity": D(1)}
    return Line(**{**plain, "id": name, "on": on, "revenue": D(revenue), **more})


def refund(name: str, of: str, revenue: str = "0", on: date = DAY, **more: object) -> Line:
    """A linked refund; with no figure it takes the whole rest."""
    return line(name, revenue, on, **{"quantity": D(0), **more, "reverses": of})


def sales(*revenues: str, on: date = DAY) -> list[Line]:
    """Lines l0, l1, … in this order."""
    return [line(f"l{position}", revenue, on) for position, revenue in enumerate(revenues)]


def units(*quantities: str, revenue: str = "0") -> list[Line]:
    """Lines l0, l1, … of quantities in this order."""
    return [line(f"l{position}", revenue, quantity=D(quantity)) for position, quantity in enumerate(quantities)]


def of_line(rows: dict[tuple[str, str, int], Earned], name: str) -> Decimal:
    """What a line earns over levers and brackets."""
    return sum((row.earning for (line_id, _, _), row in rows.items() if line_id == name), D(0))


def per_line(terms: dict, lines: list[Line]) -> list[Decimal]:
    """What each line earns, in the order given."""
    rows = price(terms, lines)
    return [of_line(rows, each.id) for each in lines]


def each_alone(terms: dict, lines: Iterable[Line]) -> list[Decimal]:
    """What each line earns when there is no other."""
    return [per_line(terms, [each])[0] for each in lines]


def running(terms: dict, lines: list[Line]) -> list[Decimal]:
    """What is earned in all after each line has come."""
    return [sum(per_line(terms, lines[: count + 1]), D(0)) for count in range(len(lines))]


def figures(terms: dict, lines: list[Line]) -> dict[tuple[str, str, int], Decimal]:
    """Row → its earning."""
    return {key: row.earning for key, row in price(terms, lines).items()}


UNITS = scale("retroactive", ("0", "0.30"), ("15", "0.45"), ("50", "0.70"), word="amount")
QUARTERS = (("0", "0.01"), ("25000", "0.02"), ("50000", "0.03"), ("75000", "0.04"))
LADDER = [
    {"from_month": 0, "share": D("0.7")},
    {"from_month": 7, "share": D("0.4")},
    {"from_month": 13, "share": D(0)},
    {"from_month": 0, "share": D(1), "kind": "withdrawal"},
]


def quota(*brackets: tuple, mode: str = "marginal", **more: object) -> dict:
    """A lever on attainment of 500,000 a quarter, whose rates multiply 100,000."""
    base = {"measure": "attainment", "base": {"fixed": 100000}, "baseline": {"fixed": 500000}}
    steps = scale(mode, *(brackets or (("0", "1.0"), ("1.0", "1.5"), ("1.3", "2.0"))))
    return lever(**{"accumulate": {"over": "quarter"}, **base, "scale": steps, **more})


TWO = scale("marginal", ("0", "0.06"), ("100000", "0.08"))
CAP = {"per": ["customer"], "over": "month", "amount": D(100), "excess": "forfeit"}
