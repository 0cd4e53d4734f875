"""What is posted: rows, what caps keep of them, the rounding entries of periods."""

from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.lines import Line, Sale, completed_months, group_of
from tests.oracle.money import Money
from tests.oracle.words import number_on, scope

NOTHING = Money(Fraction(0), Fraction(0))


@dataclass(frozen=True)
class Cap:
    """One entry of a list of caps; `name` tells it from the others."""

    name: tuple
    rule: dict


@dataclass
class Row:
    """An earning row (line × lever × bracket): what it would earn, what caps grant, what refunds took back of it.

    taken: in rounded figures, as posted
    gone: exactly, for the sum of a period
    """

    id: str
    sale: Sale
    lever: dict
    number: int
    asked: Money
    granted: Fraction = Fraction(0)
    taken: Money = NOTHING
    gone: Money = NOTHING


@dataclass
class Excess:
    """What a cap kept of a row and has not paid yet."""

    row: Row
    cap: Cap
    amount: Fraction


@dataclass
class Entry:
    """The rounding entry of a period, on its last line: bracket 0 of a lever."""

    row: Row
    scope: tuple
    money: Money = NOTHING


def rounding_scope(program: dict, lever: dict, sale: Sale) -> tuple:
    """What is rounded in one sum: the lever's accumulation, of single lines the earning month; each currency for itself."""
    over = scope(lever)["over"]
    whole = scope(lever) | ({"over": "month"} if over in ("transaction", "trailing_12_months") else {})
    return (lever["lever"], sale.line.currency, *group_of(program, whole, sale)[0])


def share_of(program: dict, original: Line, refund: Line) -> Fraction:
    """The ladder's share for the months from the original to the refund, and for the refund's kind; without one, all."""
    written = (program.get("clawback") or {}).get("ladder") or []
    figures = [[number_on(rung[word], original.on) for word in ("from_month", "share")] for rung in written]
    ladder = [(*held, rung.get("kind")) for held, rung in zip(figures, written, strict=True) if None not in held]
    of_kind = [rung for rung in ladder if rung[2] is not None and rung[2] == refund.attributes.get("kind")]
    passed = completed_months(original.on, refund.on)
    steps = sorted(rung[:2] for rung in of_kind or [rung for rung in ladder if rung[2] is None])
    return next((share for month, share in reversed(steps) if month <= passed), Fraction(1))
