"""Lines, their sequence and the periods they lie in."""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

PERIODS = {"month": 1, "quarter": 3, "half_year": 6, "fiscal_year": 12}


@dataclass(frozen=True)
class Line:
    """A transaction as last delivered."""

    id: str
    on: date
    at: str
    partner: str
    customer: str
    revenue: Decimal
    quantity: Decimal
    currency: str
    fx: Decimal
    reverses: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    eligible: bool = True


@dataclass(frozen=True)
class Sale:
    """A line that reverses none, with its refunds in their order."""

    line: Line
    refunds: tuple[Line, ...]


def sequence(lines: list[Line]) -> list[Sale]:
    """The sales by (date, time, id); refunds whose original is not known are undecided and left out."""
    known = {line.id: line for line in lines}
    if len(known) != len(lines):
        raise ValueError("two lines with one id")
    refunds: dict[str, list[Line]] = {}
    for line in lines:
        if line.reverses is not None and line.reverses in known:
            if known[line.reverses].reverses is not None:
                raise ValueError(f"{line.id} refunds a refund")
            refunds.setdefault(line.reverses, []).append(line)
    originals = sorted((line for line in lines if line.reverses is None), key=lambda line: (line.on, line.at, line.id))
    ordered = {name: sorted(several, key=lambda line: (line.on, line.id)) for name, several in refunds.items()}
    return [Sale(line, tuple(ordered.get(line.id, []))) for line in originals]


def is_purchase(line: Line) -> bool:
    """Whether a line sells something: neither a refund nor a credit."""
    return line.reverses is None and line.revenue >= 0 and line.quantity >= 0


def completed_months(start: date, end: date) -> int:
    """Whole calendar months from one date to another, not below 0."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    return max(0, months)


def months_later(start: date, months: int) -> date:
    """The same day some months later (earlier below 0); in a month that lacks the day, its last day."""
    years, month = divmod(start.month - 1 + months, 12)
    year = start.year + years
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def period(program: dict, over: str, line: Line) -> tuple[tuple, date]:
    """The period of a line, and that period's last day."""
    if over == "transaction":
        return ("transaction", line.id), line.on
    if over == "trailing_12_months":
        return (over,), line.on
    if over == "all":
        return (over,), date.max
    start = begin(program, over, line.on)
    return (over, start), months_later(start, PERIODS[over]) - timedelta(days=1)


def begin(program: dict, over: str, on: date) -> date:
    """The first day of the month, or of the part of the fiscal year, that a date is in."""
    if over == "month":
        return on.replace(day=1)
    month, day = (int(part) for part in program["fiscal_year_start"].split("-"))
    year = on.year if (on.month, on.day) >= (month, day) else on.year - 1
    fiscal = date(year, month, day)
    return months_later(fiscal, completed_months(fiscal, on) // PERIODS[over] * PERIODS[over])


def first_day(program: dict, over: str, line: Line) -> date:
    """The first day of the line's period; of a transaction, its date."""
    return line.on if over == "transaction" else begin(program, over, line.on)


def per_values(per: list[str], line: Line) -> tuple:
    """The line's values of what `per` names."""
    fields = {"partner": line.partner, "customer": line.customer, "currency": line.currency}
    return tuple(line.attributes[name] if name in line.attributes else fields.get(name) for name in per)


def group_of(program: dict, rule: dict, sale: Sale) -> tuple[tuple, date]:
    """What a sale shares with others under {per, over}, always per partner; and the last day of the period."""
    when, last = period(program, rule.get("over", "transaction"), sale.line)
    return (sale.line.partner, *per_values(rule.get("per") or [], sale.line), when), last
