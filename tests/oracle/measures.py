"""What lines and their refunds add to a scale."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tests.oracle.lines import Line, Sale
from tests.oracle.words import base_word, number


@dataclass(frozen=True)
class Move:
    """A refund as a lever sees it: the measure it adds (negative), and the part of the unrefunded base it takes."""

    refund: Line
    measure: Fraction
    part: Fraction


def measured(lever: dict, line: Line, fx: Decimal) -> Fraction:
    """What a line adds to the scale: revenue in program currency, not rounded, or quantity."""
    return number(line.revenue) * number(fx) if lever["measure"] == "revenue" else number(line.quantity)


def based(lever: dict, line: Line) -> Fraction:
    """The line's base; revenue in the transaction's currency."""
    return number(line.revenue if base_word(lever) == "revenue" else line.quantity)


def refunded_part(out: Fraction, rest: Fraction) -> Fraction:
    """Refunded base ÷ base not yet refunded, between 0 and 1."""
    if out == 0:
        return Fraction(0)
    return Fraction(1) if rest == 0 else min(Fraction(1), max(Fraction(0), out / rest))


def left_of(rest: Fraction, out: Fraction) -> Fraction:
    """What remains after some went out; never on the other side of zero."""
    return rest - out if (rest - out) * rest > 0 else Fraction(0)


def moves(lever: dict, sale: Sale) -> list[Move]:
    """What each refund of a sale takes out of the scale, and its part of the base not yet refunded."""
    measure, base = measured(lever, sale.line, sale.line.fx), based(lever, sale.line)
    found = []
    for refund in sale.refunds:
        if refund.revenue == 0 and refund.quantity == 0:
            out, out_base, part = measure, base, Fraction(1)
        else:
            out, out_base = -measured(lever, refund, sale.line.fx), -based(lever, refund)
            part = refunded_part(out_base, base)
        found.append(Move(refund, -out, part))
        measure, base = left_of(measure, out), left_of(base, out_base)
    return found


def net(lever: dict, sale: Sale) -> Fraction:
    """What a sale adds to the scale after its refunds."""
    return measured(lever, sale.line, sale.line.fx) + sum(move.measure for move in moves(lever, sale))
