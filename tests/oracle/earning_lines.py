"""Which lines a lever earns on, from all lines to those whose minimum is reached."""

from fractions import Fraction

from tests.oracle.baseline import History, baseline
from tests.oracle.customers import in_window, of_first_partner, of_first_period
from tests.oracle.lines import Sale, group_of
from tests.oracle.measures import added
from tests.oracle.scale import priced, scopes
from tests.oracle.select import in_force, matching, selects
from tests.oracle.words import base_word, is_of_scale, needs_baseline, number_on


def earning_sales(program: dict, lever: dict, history: History) -> list[Sale]:
    """The sales that pass select, eligibility, window, exclusive partner, minimum and one earning, in this order."""
    open_to_all = [sale for sale in before_minimum(lever, history) if lacks(program, lever, sale, history) is None]
    earned = above_minimum(program, lever, open_to_all, history)
    if named := lever.get("exclusive_partner") or lever.get("one_earning"):
        kept = of_first_partner(lever, named, open_to_all, paid(program, lever, earned, history))
        earned = above_minimum(program, lever, kept, history)
    if lever.get("one_earning"):
        earned = of_first_period(program, lever, earned, paid(program, lever, earned, history))
    return earned


def paid(program: dict, lever: dict, sales: list[Sale], history: History) -> list[Sale]:
    """The sales that the lever's scale pays something on, however little."""
    exact = program | {"rounding": program["rounding"] | {"at": "line"}}
    found = []
    for members, of in scopes(program, lever, sales):
        against = baseline(program, lever, of[-1], history) if needs_baseline(lever) else None
        above_zero = {line for (line, _), money in priced(exact, lever, members, against) if money.program > 0}
        found += [sale for sale in of if sale.line.id in above_zero]
    return sorted(found, key=sales.index)


def before_minimum(lever: dict, history: History) -> list[Sale]:
    """The sales that pass select, eligibility and window."""
    chosen = [sale for sale in history.sales if selects(lever, sale.line) and sale.line.eligible]
    return [sale for sale in chosen if in_window(lever, sale.line, history.sales)]


def undecided_words(program: dict, lever: dict, history: History) -> dict[str, str]:
    """Line → the word of the lever for which a fact about it is not known, where all words before it are passed."""
    found = {}
    for line in (sale.line for sale in history.sales):
        if in_force(lever, line) and matching(lever, line) is None:
            found[line.id] = "select"
        elif selects(lever, line) and line.eligible and in_window(lever, line, history.sales) is None:
            found[line.id] = "window"
    for sale in before_minimum(lever, history):
        if lacks(program, lever, sale, history):
            found[sale.line.id] = lacks(program, lever, sale, history)
    return found


def lacks(program: dict, lever: dict, sale: Sale, history: History) -> str | None:
    """The word that the sale cannot be measured or paid by, for want of a baseline or of its line's term."""
    if needs_baseline(lever) and baseline(program, lever, sale, history) is None:
        return "baseline"
    if base_word(lever) == "annualised_revenue" and not sale.line.attributes.get("term_months"):
        return "base"
    return None


def above_minimum(program: dict, lever: dict, sales: list[Sale], history: History) -> list[Sale]:
    """The sales in whose group the total is at least the minimum."""
    if not lever.get("minimum"):
        return sales
    groups: dict[tuple, list[Sale]] = {}
    for sale in sales:
        groups.setdefault(group_of(program, lever["minimum"], sale)[0], []).append(sale)
    grown = growth_of(program, lever, sales, history) if lever["measure"] == "growth" else {}
    passed = {
        sale.line.id
        for members in groups.values()
        if reached(program, lever, members, history, grown)
        for sale in members
    }
    return [sale for sale in sales if sale.line.id in passed]


def reached(program: dict, lever: dict, members: list[Sale], history: History, grown: dict[str, Fraction]) -> bool:
    """Whether the total of the sales of a group is at least the minimum on the period's last day."""
    _, last = group_of(program, lever["minimum"], members[0])
    least = number_on(lever["minimum"]["measure"], last)
    if lever["measure"] == "growth" and not is_of_scale(lever):
        return least is None or sum(grown[sale.line.id] for sale in members) >= least
    against = baseline(program, lever, members[0], history) if needs_baseline(lever) else None
    return least is None or sum(map(sum, added(lever["measure"], lever, members, against).values())) >= least


def growth_of(program: dict, lever: dict, sales: list[Sale], history: History) -> dict[str, Fraction]:
    """Sale → the growth that it and its refunds add, compared within what the lever accumulates."""
    found = {}
    for members, of in scopes(program, lever, sales):
        steps = added("growth", lever, members, baseline(program, lever, of[-1], history))
        found |= {sale.line.id: sum(steps[sale.line.id], Fraction(0)) for sale in of}
    return found
