"""What growth and attainment are measured against."""

from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.oracle.lines import PERIODS, Sale, begin, first_day, months_later, per_values, period
from tests.oracle.measures import carried
from tests.oracle.select import matching
from tests.oracle.words import baseline_word, number_on, scope


@dataclass(frozen=True)
class History:
    """All sales, and the first day of which lines are held; None: nothing is missing."""

    sales: list[Sale]
    held_from: date | None = None


def baseline(program: dict, lever: dict, sale: Sale, history: History) -> Fraction | None:
    """The baseline of the sale's period: a number of the file or a total; None where it is not known or cannot divide."""
    over = scope(lever)["over"]
    if "fixed" in lever["baseline"]:
        found = number_on(lever["baseline"]["fixed"], period(program, over, sale.line)[1])
    else:
        found = total_before(program, lever, sale, first_day(program, over, sale.line), history)
    return None if lever["measure"] == "attainment" and found is not None and found <= 0 else found


def total_before(program: dict, lever: dict, sale: Sale, day: date, history: History) -> Fraction | None:
    """What the partner sold, of what the lever selects and the scope tells apart, in the whole period before the day's."""
    over = lever["baseline"]["over"].removeprefix("previous_")
    end = begin(program, over, day)
    start = months_later(end, -PERIODS[over])
    if history.held_from is not None and start < history.held_from:
        return None
    mine = [other for other in history.sales if same_scope(lever, other, sale) and start <= other.line.on < end]
    return max(Fraction(0), sum((sum(carried(baseline_word(lever), other)) for other in mine), Fraction(0)))


def same_scope(lever: dict, other: Sale, sale: Sale) -> bool:
    """Whether a sale has the partner and values of another, and the lever's keys match it, in force or not."""
    per = ["partner", *scope(lever)["per"]]
    return per_values(per, other.line) == per_values(per, sale.line) and matching(lever, other.line) is True
