"""Which lines a lever earns on, from all lines to those whose minimum is reached."""

from tests.oracle.customers import first_of_all, in_window, of_first_partner
from tests.oracle.lines import Sale, group_of
from tests.oracle.measures import added
from tests.oracle.select import in_force, matching, selects
from tests.oracle.words import number_on


def earning_sales(program: dict, lever: dict, sales: list[Sale]) -> list[Sale]:
    """The sales that pass select, eligibility, window, exclusive partner, one earning and minimum, in this order."""
    chosen = [sale for sale in sales if selects(lever, sale.line) and sale.line.eligible]
    chosen = [sale for sale in chosen if in_window(lever, sale.line, sales)]
    if lever.get("exclusive_partner"):
        chosen = of_first_partner(lever["exclusive_partner"], chosen)
    if lever.get("one_earning"):
        chosen = first_of_all(lever["one_earning"], chosen)
    return above_minimum(program, lever, chosen)


def undecided_word(lever: dict, sale: Sale, sales: list[Sale]) -> str | None:
    """The word of the lever for which a fact about the line is not known, where all before it are passed."""
    if in_force(lever, sale.line) and matching(lever, sale.line) is None:
        return "select"
    if selects(lever, sale.line) and sale.line.eligible and in_window(lever, sale.line, sales) is None:
        return "window"
    return None


def above_minimum(program: dict, lever: dict, sales: list[Sale]) -> list[Sale]:
    """The sales in whose group the total is at least the minimum."""
    if not lever.get("minimum"):
        return sales
    groups: dict[tuple, list[Sale]] = {}
    for sale in sales:
        groups.setdefault(group_of(program, lever["minimum"], sale)[0], []).append(sale)
    passed = {sale.line.id for members in groups.values() if reached(program, lever, members) for sale in members}
    return [sale for sale in sales if sale.line.id in passed]


def reached(program: dict, lever: dict, members: list[Sale]) -> bool:
    """Whether the total of the sales of a group is at least the minimum on the period's last day."""
    _, last = group_of(program, lever["minimum"], members[0])
    least = number_on(lever["minimum"]["measure"], last)
    return least is None or sum(map(sum, added(lever["measure"], lever, members).values())) >= least
