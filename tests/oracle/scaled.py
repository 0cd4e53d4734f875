"""What a lever would pay on each line, before stack and cap."""

from dataclasses import dataclass
from fractions import Fraction

from tests.oracle.baseline import History, baseline
from tests.oracle.earning_lines import earning_sales
from tests.oracle.lines import Sale
from tests.oracle.measures import added, parts
from tests.oracle.money import Money
from tests.oracle.scale import priced, scopes
from tests.oracle.words import base_word, needs_baseline


@dataclass(frozen=True)
class Scaled:
    """What a lever would pay.

    rows: exact amounts by line id and bracket number; refunds have rows here only for lumps
    parts: by refund id, the part of the base not yet refunded that it takes
    passed: the ids of the sales that came as far as the scale
    """

    rows: dict[tuple[str, int], Money]
    parts: dict[str, Fraction]
    passed: frozenset[str]


def scaled(program: dict, lever: dict, history: History) -> Scaled:
    """What the lever would pay on each line, before stack and cap."""
    chosen = earning_sales(program, lever, history)
    rows: dict[tuple[str, int], Money] = {}
    taken: dict[str, Fraction] = {}
    for members, of in scopes(program, lever, chosen):
        against = baseline(program, lever, of[-1], history) if needs_baseline(lever) else None
        found = dict(priced(program, lever, members, against))
        bases = added(base_word(lever), lever, members, against)
        for sale in of:
            rows |= {key: money for key, money in found.items() if key[0] in names_of(sale)}
            taken |= parts(sale, bases[sale.line.id])
    return Scaled(rows, taken, frozenset(sale.line.id for sale in chosen))


def names_of(sale: Sale) -> set[str]:
    """The ids of a line and its refunds."""
    return {sale.line.id, *(refund.id for refund in sale.refunds)}
