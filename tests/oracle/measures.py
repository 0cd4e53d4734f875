"""What sales and their refunds add to a total: to the measure of a scale, or to what a rate multiplies."""

from collections.abc import Iterator
from fractions import Fraction

from tests.oracle.lines import Line, Sale, is_purchase, per_values
from tests.oracle.words import accumulation, baseline_word, number

Added = dict[str, tuple[Fraction, ...]]


def added(word: str, lever: dict, members: list[Sale], baseline: Fraction | None = None) -> Added:
    """Sale → what its line adds, then what each of its refunds does, of the word; money in program currency."""
    if word == "count":
        return counted(accumulation(lever)["per"], members)
    if word == "growth":
        return grown(baseline_word(lever), members, baseline)
    if word == "attainment":
        steps = added(baseline_word(lever), lever, members)
        return {name: tuple(step / baseline for step in several) for name, several in steps.items()}
    if word == "fixed":
        steps = added("attainment", lever, members, baseline)
        return {
            name: tuple(step * number(lever["base"]["fixed"]) for step in several) for name, several in steps.items()
        }
    return {sale.line.id: tuple(carried(word, sale)) for sale in members}


def carried(word: str, sale: Sale) -> Iterator[Fraction]:
    """What the line has of the word, and what each refund takes out: as stated, or with none stated the rest."""
    rest = figure(word, sale.line, sale)
    yield rest
    for refund in sale.refunds:
        out = rest if nothing_stated(refund) else -figure(word, refund, sale)
        yield -out
        rest = left_of(rest, out)


def figure(word: str, line: Line, sale: Sale) -> Fraction:
    """The line's quantity or revenue, in program currency at the sale's FX, not rounded; or that of a year of it."""
    if word == "quantity":
        return number(line.quantity)
    years = 12 / number(sale.line.attributes["term_months"]) if word == "annualised_revenue" else 1
    return number(line.revenue) * number(sale.line.fx) * years


def counted(per: list[str], members: list[Sale]) -> Added:
    """1 for a purchase with values that none before it has, taken out by the refund that leaves nothing of it."""
    seen: set[tuple] = set()
    found: Added = {}
    for sale in members:
        values, gone = per_values(per, sale.line), emptied_by(sale)
        new = is_purchase(sale.line) and None not in values and values not in seen
        out = [-Fraction(new and refund == gone) for refund in sale.refunds]
        found[sale.line.id] = (Fraction(new), *out)
        if new and gone is None:
            seen.add(values)
    return found


def grown(word: str, members: list[Sale], baseline: Fraction) -> Added:
    """By how much each line and refund moves max(0, running total − baseline)."""
    running = growth = Fraction(0)
    found: Added = {}
    for sale in members:
        moved = []
        for step in carried(word, sale):
            running += step
            moved.append(max(Fraction(0), running - baseline) - growth)
            growth += moved[-1]
        found[sale.line.id] = tuple(moved)
    return found


def emptied_by(sale: Sale) -> Line | None:
    """The refund after which nothing is left of the sale's revenue, or of its quantity where it has no revenue."""
    word = "revenue" if sale.line.revenue else "quantity"
    rest = figure(word, sale.line, sale)
    for refund, step in zip(sale.refunds, list(carried(word, sale))[1:], strict=True):
        rest = left_of(rest, -step)
        if rest == 0:
            return refund
    return None


def nothing_stated(refund: Line) -> bool:
    """Whether a refund has no figure, and so takes the whole rest."""
    return refund.revenue == 0 and refund.quantity == 0


def left_of(rest: Fraction, out: Fraction) -> Fraction:
    """What remains after some went out; never on the other side of zero."""
    return rest - out if (rest - out) * rest > 0 else Fraction(0)


def parts(sale: Sale, base: tuple[Fraction, ...]) -> dict[str, Fraction]:
    """Refund → refunded base ÷ base not yet refunded, between 0 and 1; with none stated, the whole."""
    rest, found = base[0], {}
    for refund, step in zip(sale.refunds, base[1:], strict=True):
        found[refund.id] = Fraction(1) if nothing_stated(refund) else refunded_part(-step, rest)
        rest = left_of(rest, -step)
    return found


def refunded_part(out: Fraction, rest: Fraction) -> Fraction:
    """Refunded base ÷ base not yet refunded, between 0 and 1."""
    if out == 0:
        return Fraction(0)
    return Fraction(1) if rest == 0 else min(Fraction(1), max(Fraction(0), out / rest))
