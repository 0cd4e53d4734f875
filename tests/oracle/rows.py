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
    ladder = (program.get("clawback") or {}).get("ladder") or []
    kind = refund.attributes.get("kind")
    of_kind = [rung for rung in ladder if kind is not None and rung.get("kind") == kind]
    share = Fraction(1)
    for rung in sorted(of_kind or [rung for rung in ladder if rung.get("kind") is None], key=lambda r: r["from_month"]):
        held = number_on(rung["share"], original.on)
        if rung["from_month"] <= completed_months(original.on, refund.on) and held is not None:
            share = held
    return share
