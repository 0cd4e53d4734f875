"""Which lines a lever earns on: select, eligibility, minimum."""

from fractions import Fraction

from tests.oracle.lines import Line, Sale, group_of
from tests.oracle.measures import net
from tests.oracle.words import number_on


def matches(wanted: object, value: object) -> bool | None:
    """Whether a value is the one wanted, one of a list, or not one of `not`; None where it is not known."""
    if value is None:
        return None
    if isinstance(wanted, dict):
        return not matches(wanted["not"], value)
    return value in wanted if isinstance(wanted, list | tuple) else value == wanted


def selects(lever: dict, line: Line) -> bool:
    """Whether the lever is in force on the line's date and every key matches; undecided is no."""
    effective = lever.get("effective") or {}
    if "from" in effective and line.on < effective["from"]:
        return False
    if effective.get("to") is not None and line.on >= effective["to"]:
        return False
    return all(matches(wanted, line.attributes.get(name)) for name, wanted in (lever.get("select") or {}).items())


def earning_sales(program: dict, lever: dict, sales: list[Sale]) -> list[Sale]:
    """The sales that the lever selects, that are eligible and whose minimum is reached."""
    chosen = [sale for sale in sales if selects(lever, sale.line) and sale.line.eligible]
    if not lever.get("minimum"):
        return chosen
    totals: dict[tuple, Fraction] = {}
    for sale in chosen:
        group, _ = group_of(program, lever["minimum"], sale)
        totals[group] = totals.get(group, Fraction(0)) + net(lever, sale)
    return [sale for sale in chosen if reached(program, lever, sale, totals)]


def reached(program: dict, lever: dict, sale: Sale, totals: dict[tuple, Fraction]) -> bool:
    """Whether the total of the sale's group is at least the minimum on the period's last day."""
    group, last = group_of(program, lever["minimum"], sale)
    least = number_on(lever["minimum"]["measure"], last)
    return least is None or totals[group] >= least
