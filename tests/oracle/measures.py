"""What sales and their refunds add to a total: to the measure of a scale, or to what a rate multiplies."""

from collections.abc import Iterator
from fractions import Fraction

from tests.oracle.lines import Line, Sale
from tests.oracle.words import number

Added = dict[str, tuple[Fraction, ...]]


def added(word: str, lever: dict, members: list[Sale]) -> Added:
    """Sale → what its line adds, then what each of its refunds does, of the word; money in program currency."""
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
    """The line's revenue in program currency at the sale's FX, not rounded, or its quantity."""
    return number(line.revenue) * number(sale.line.fx) if word == "revenue" else number(line.quantity)


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
