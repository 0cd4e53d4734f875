"""What a scripted year should have earned, in plain decimal arithmetic; written apart from the engine.

One partner of the resellers' program sells Azure. Rules as in the program file: 4 percent, truncated, 60 to 40 between
rebate and co-op from 2020, the odd cent to the rebate. A refund takes its original's date, and back its share of what that
earned, split by what that leaves; earnings begin with the month in which all criteria hold and end on the day on which one no longer does.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Sale:
    """A line as last delivered; revenue in its currency."""

    on: date
    revenue: Decimal
    currency: str = "USD"
    reverses: str | None = None


@dataclass
class World:
    """All that is known on a day."""

    lines: dict[str, Sale] = field(default_factory=dict)
    agreements: list[tuple[date, date | None]] = field(default_factory=list)
    fx: dict[date, Decimal] = field(default_factory=dict)
    rates: list[tuple[date, Decimal]] = field(default_factory=list)
    adjusted: Decimal = Decimal(0)

    def earned(self) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
        """Line → rebate and co-op in its currency, and the earning in US dollars; lines that earn nothing are left out."""
        made = {name: self._of(sale) for name, sale in self.lines.items()}
        return {name: amounts for name, amounts in made.items() if amounts and any(amounts)}

    def _of(self, sale: Sale) -> tuple[Decimal, Decimal, Decimal] | None:
        if sale.reverses and sale.reverses not in self.lines:
            return None
        sold = self.lines[sale.reverses] if sale.reverses else sale
        if not self._earns(sold.on):
            return None
        rate = [rate for start, rate in self.rates if start <= sold.on][-1]
        fx = Decimal(1) if sale.currency == "USD" else self.fx[sold.on.replace(day=1)]
        whole, whole_dollars = (cut(sold.revenue * rate * by) for by in (Decimal(1), fx))
        earning, dollars = (cut(amount * sale.revenue / sold.revenue) for amount in (whole, whole_dollars))
        before = (
            whole if sale.reverses else Decimal(0)
        )  # a sale is refunded once; what it leaves is split, not the refund
        coop = cut((before + earning) * Decimal("0.4")) - cut(before * Decimal("0.4"))
        return earning - coop, coop, dollars

    def _earns(self, on: date) -> bool:
        return any(start.replace(day=1) <= on and (end is None or on < end) for start, end in self.agreements)


def cut(amount: Decimal) -> Decimal:
    """Whole cents, what is beyond them cut off."""
    return amount.quantize(CENT, ROUND_DOWN)
