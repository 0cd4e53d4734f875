"""What a scripted year should have earned, in plain decimal arithmetic; written apart from the engine, from its program's words.

One partner sells Azure in dollars and euros. A refund takes its original's date, and back its share of what that has left; what
is earned is split as of that date, the odd cent to the rebate, by totals. Earnings begin with the month in which the
agreement holds and end on the day on which it no longer does.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

PROGRAM = """program: csp-indirect-reseller
title: A scripted year
status: active
reference: {title: a test}
earner: reseller
partner_types: [indirect_reseller]
currency: USD
fiscal_year_start: "07-01"
reference_date: transaction_date
rounding: {mode: truncate, at: line}
eligibility: {earns_from: month_start, criteria: [{criterion: active_agreement, any_of: [mpn]}]}
split: {rebate: {2017-07-01: 1.0, 2021-01-01: 0.60}, coop: {2021-01-01: 0.40}}
levers:
  - {lever: core, title: Core, effective: {from: 2019-01-01}, select: {product_family: [azure]}, measure: revenue, rate: 0.04}
  - lever: tiers
    title: One rate for all of a quarter, by what is sold in it
    effective: {from: 2019-01-01}
    select: {product_family: [azure]}
    measure: revenue
    accumulate: {over: quarter}
    scale:
      mode: retroactive
      brackets: [{threshold: 0, rate: 0.01}, {threshold: 15000, rate: 0.02}, {threshold: 30000, rate: 0.03}]
  - lever: bonus
    title: Up to 40 a month, the rest forfeited
    effective: {from: 2019-01-01}
    select: {product_family: [azure]}
    measure: revenue
    rate: 0.005
    cap: [{over: month, amount: 40, excess: forfeit}]
examples:
  - example: a sale and what is refunded of it
    given:
      transactions:
        - {id: sale, on: 2021-03-01, partner: p1, customer: c1, product_family: azure, revenue: 100.00}
        - {id: back, on: 2021-03-02, partner: p1, customer: c1, product_family: azure, revenue: -50.00, reverses: sale}
    expect: {earned: 2.75}
"""
CENT = Decimal("0.01")
BRACKETS = [(Decimal(15000), Decimal("0.02")), (Decimal(30000), Decimal("0.03"))]
BONUS, MOST = Decimal("0.005"), Decimal(40)
COOP, COOP_FROM = Decimal("0.4"), date(2021, 1, 1)


class Money(NamedTuple):
    """An amount in the line's currency and in dollars."""

    own: Decimal
    dollars: Decimal

    def times(self, factor: Decimal, by: Decimal = Decimal(1)) -> "Money":
        """So many times, divided by what a share is of; last, so that what comes out even does."""
        return Money(self.own * factor / by, self.dollars * factor / by)

    def less(self, other: "Money") -> "Money":
        return Money(self.own - other.own, self.dollars - other.dollars)

    def cut(self) -> "Money":
        return Money(cut(self.own), cut(self.dollars))


NOTHING = Money(Decimal(0), Decimal(0))


def cut(amount: Decimal) -> Decimal:
    """Whole cents, what is beyond them cut off."""
    return amount.quantize(CENT, ROUND_DOWN)


@dataclass(frozen=True)
class Sale:
    """A line as last delivered; revenue in its currency."""

    on: date
    revenue: Decimal
    currency: str = "USD"
    reverses: str | None = None


class Family(NamedTuple):
    """A sale that may earn, and its refunds, each with the revenue that it takes back and what there was of it before."""

    name: str
    sale: Sale
    worth: Money
    refunds: list[tuple[str, Decimal, Decimal]]
    left: Decimal


class Month:
    """What a month's rows are granted up to a cap; what they lack is paid as refunds make room, oldest first."""

    def __init__(self, most: Decimal) -> None:
        self.most, self.used = most, Decimal(0)
        self.granted: dict[str, Decimal] = {}
        self.asked: dict[str, Money] = {}
        self.lacking: dict[str, Decimal] = {}

    def ask(self, name: str, asked: Money) -> None:
        self.asked[name], self.granted[name], self.lacking[name] = asked, Decimal(0), cut(asked.dollars)
        self.pay_what_is_lacking()

    def pay_what_is_lacking(self) -> None:
        for name, lacking in self.lacking.items():
            paid, before = min(lacking, self.most - self.used), self.posted(name).dollars
            self.granted[name] += paid
            self.lacking[name] -= paid
            self.used += self.posted(name).dollars - before

    def posted(self, name: str) -> Money:
        asked, granted = self.asked[name], self.granted[name]
        whole = granted == cut(asked.dollars)
        return (asked if whole else Money(asked.own * granted / asked.dollars, granted)).cut()

    def take_back(self, name: str, back: Decimal, before: Decimal, amount: Money) -> None:
        self.used -= amount.dollars
        self.lacking[name] *= (before - back) / before
        self.pay_what_is_lacking()


@dataclass
class World:
    """All that is known on a day."""

    lines: dict[str, Sale] = field(default_factory=dict)
    agreements: list[tuple[date, date | None]] = field(default_factory=list)
    fx: dict[date, Decimal] = field(default_factory=dict)
    rates: list[tuple[date, Decimal]] = field(default_factory=list)
    adjusted: Decimal = Decimal(0)

    def earned(self) -> dict[tuple[str, str], tuple[Decimal, Decimal, Decimal]]:
        """(line, lever) → rebate and co-op in its currency, and the earning in dollars; what earns nothing is left out."""
        families = self._families()
        sold: dict[tuple, Decimal] = defaultdict(Decimal)
        for f in families:
            sold[quarter(f.sale.on)] += f.worth.dollars * f.left / f.sale.revenue
        made = [
            *paid("core", families, lambda f: self._rate(f.sale.on)),
            *paid("tiers", families, lambda f: rate_of(sold[quarter(f.sale.on)])),
            *paid("bonus", families, lambda f: BONUS, MOST),
        ]
        return {key: amounts for key, amounts in made if any(amounts)}

    def _families(self) -> list[Family]:
        """The sales that earn, in their sequence: by date, then id."""
        sales = sorted((sale.on, name) for name, sale in self.lines.items() if not sale.reverses)
        return [self._family(name) for on, name in sales if self._earns(on)]

    def _family(self, name: str) -> Family:
        sale = self.lines[name]
        fx = Decimal(1) if sale.currency == "USD" else self.fx[sale.on.replace(day=1)]
        left, refunds = sale.revenue, []
        for _, refund in sorted((one.on, other) for other, one in self.lines.items() if one.reverses == name):
            back = min(-self.lines[refund].revenue, left)
            refunds.append((refund, back, left))
            left -= back
        return Family(name, sale, Money(sale.revenue, sale.revenue * fx), refunds, left)

    def _rate(self, on: date) -> Decimal:
        return [rate for start, rate in self.rates if start <= on][-1]

    def _earns(self, on: date) -> bool:
        return any(start.replace(day=1) <= on and (end is None or on < end) for start, end in self.agreements)


def quarter(on: date) -> tuple[int, int]:
    """The quarter that a day is in; those of a fiscal year from July are the calendar's."""
    return on.year, (on.month - 1) // 3


def rate_of(sold: Decimal) -> Decimal:
    """The rate of the highest bracket that is reached."""
    return [Decimal("0.01"), *(rate for threshold, rate in BRACKETS if sold >= threshold)][-1]


def paid(
    lever: str, families: list[Family], rate: Callable[[Family], Decimal], most: Decimal = Decimal("Infinity")
) -> Iterator[tuple[tuple[str, str], tuple[Decimal, Decimal, Decimal]]]:
    """What sales and refunds earn on a lever, at most so much in a month."""
    months = {f.sale.on.replace(day=1): Month(most) for f in families}
    taken: dict[str, Money] = {}
    for f in families:
        month = months[f.sale.on.replace(day=1)]
        month.ask(f.name, f.worth.times(rate(f)))
        left = month.posted(f.name)
        for refund, back, before in f.refunds:
            taken[refund] = left.times(back, before).cut()
            month.take_back(f.name, back, before, taken[refund])
            left = left.less(taken[refund])
    for f in families:
        before, left = NOTHING, months[f.sale.on.replace(day=1)].posted(f.name)
        yield (f.name, lever), split(f.sale.on, before, left)
        for refund, *_ in f.refunds:
            before, left = left, left.less(taken[refund])
            yield (refund, lever), split(f.sale.on, before, left)


def split(on: date, before: Money, after: Money) -> tuple[Decimal, Decimal, Decimal]:
    """Rebate and co-op of what a row moves, by the splits of the totals, and its dollars."""
    share = COOP if on >= COOP_FROM else Decimal(0)
    coop = cut(after.own * share) - cut(before.own * share)
    return after.own - before.own - coop, coop, after.dollars - before.dollars
