"""What a lever asks of a customer's history: window, exclusive partner, one earning."""

from datetime import date

from tests.oracle.lines import Line, Sale, is_purchase, months_later, per_values, period
from tests.oracle.words import accumulation, base_word, baseline_word, number_on


def in_window(lever: dict, line: Line, sales: list[Sale]) -> bool | None:
    """Whether the lever's window is open on the line's date; None where the customer's start is not known."""
    months = number_on((lever.get("window") or {}).get("months"), line.on)
    if months is None:
        return True
    start = window_start(lever["window"]["from"], line, sales)
    return None if start is None else start <= line.on < months_later(start, int(months))


def window_start(word: str, line: Line, sales: list[Sale]) -> date | None:
    """When the customer's tenant was created, or the customer first bought, from any partner; None where not known."""
    if word == "tenant_created":
        return line.attributes.get("tenant_created_on")
    bought = [sale.line.on for sale in sales if sale.line.customer == line.customer and is_purchase(sale.line)]
    return min(bought, default=None)


def of_first_partner(lever: dict, named: list[str], sales: list[Sale], paid: list[Sale]) -> list[Sale]:
    """The sales of the partner that made the first purchase among those that are paid for with the same values; all, if none is."""
    first = first_purchases(lever, named, paid)
    return [sale for sale in sales if first.get(per_values(named, sale.line), sale).line.partner == sale.line.partner]


def of_first_period(program: dict, lever: dict, sales: list[Sale], paid: list[Sale]) -> list[Sale]:
    """The sales of the period in which their partner is first paid with the same values; all, if in none."""
    over, named = accumulation(lever)["over"], ["partner", *lever["one_earning"]]
    first = first_purchases(lever, named, paid)
    return [
        sale
        for sale in sales
        if period(program, over, first.get(per_values(named, sale.line), sale).line) == period(program, over, sale.line)
    ]


def first_purchases(lever: dict, named: list[str], sales: list[Sale]) -> dict[tuple, Sale]:
    """Values → the first purchase that has them, of more than nothing of what the lever pays on: revenue, or units."""
    first: dict[tuple, Sale] = {}
    of_baseline = base_word(lever) in ("growth", "attainment", "fixed") and baseline_word(lever) == "quantity"
    is_by_units = base_word(lever) == "quantity" or of_baseline
    for sale in sales:
        paid_on = sale.line.quantity if is_by_units else sale.line.revenue
        if is_purchase(sale.line) and paid_on > 0:
            first.setdefault(per_values(named, sale.line), sale)
    return first
