"""Amounts in two currencies, rounded in minor units and split."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.oracle.lines import Sale
from tests.oracle.words import number_on

DECIMALS = {
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "ISK": 0,
    "VND": 0,
    "BHD": 3,
    "IQD": 3,
    "JOD": 3,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
}


@dataclass(frozen=True)
class Money:
    """An exact amount in the transaction's currency and in the program's."""

    own: Fraction
    program: Fraction

    def __add__(self, other: "Money") -> "Money":
        return Money(self.own + other.own, self.program + other.program)

    def __sub__(self, other: "Money") -> "Money":
        return self + other * Fraction(-1)

    def __mul__(self, factor: Fraction) -> "Money":
        return Money(self.own * factor, self.program * factor)


@dataclass(frozen=True)
class Earned:
    """What a row earns, in the transaction's currency and in the program's."""

    earning: Decimal
    program_earning: Decimal
    rebate: Decimal
    coop: Decimal
    program_rebate: Decimal
    program_coop: Decimal


def rounded(program: dict, amount: Fraction, currency: str) -> Fraction:
    """The amount in whole minor units by the program's mode, symmetric about zero."""
    unit = 10 ** DECIMALS.get(currency, 2)
    whole, rest = divmod(abs(amount) * unit, 1)
    mode, half = program["rounding"]["mode"], Fraction(1, 2)
    if mode != "truncate" and (rest > half or (rest == half and (mode == "half_up" or whole % 2 == 1))):
        whole += 1
    return Fraction(whole if amount > 0 else -whole, unit)


def row_rounded(program: dict, amount: Fraction, currency: str) -> Fraction:
    """The amount as a row posts it: truncated where the program rounds the sum of a period."""
    by = {"mode": "truncate"} if program["rounding"]["at"] == "period" else program["rounding"]
    return rounded({"rounding": by}, amount, currency)


def earned(program: dict, sale: Sale, money: Money, before: Money | None = None) -> Earned:
    """The row's rounded totals and their split on the sale's date: that of all with it less that of what was there before."""
    own, ours = sale.line.currency, program["currency"]
    before = before or Money(Fraction(0), Fraction(0))
    rebate, coop = change(program, sale.line.on, before.own, money.own, own)
    program_rebate, program_coop = change(program, sale.line.on, before.program, money.program, ours)
    return Earned(
        earning=decimal(money.own, own),
        program_earning=decimal(money.program, ours),
        rebate=decimal(rebate, own),
        coop=decimal(coop, own),
        program_rebate=decimal(program_rebate, ours),
        program_coop=decimal(program_coop, ours),
    )


def change(program: dict, on: date, before: Fraction, more: Fraction, currency: str) -> tuple[Fraction, Fraction]:
    """By how much more moves the split of what was there before."""
    (rebate, coop), (old_rebate, old_coop) = (split(program, on, total, currency) for total in (before + more, before))
    return rebate - old_rebate, coop - old_coop


def split(program: dict, on: date, total: Fraction, currency: str) -> tuple[Fraction, Fraction]:
    """Rebate and co-op of a total; the share that remainder_to does not name is rounded, the other is the rest."""
    other = "rebate" if program.get("remainder_to", "rebate") == "coop" else "coop"
    share = number_on(program["split"].get(other), on) or Fraction(0)
    part = rounded(program, total * share, currency)
    return (part, total - part) if other == "rebate" else (total - part, part)


def decimal(amount: Fraction, currency: str) -> Decimal:
    """A rounded amount as a decimal with the currency's decimals."""
    places = DECIMALS.get(currency, 2)
    return Decimal(f"{int(amount * 10**places)}E-{places}")
