"""Which levers of a group are taken on a line."""

from fractions import Fraction

from tests.oracle.customers import in_window
from tests.oracle.lines import Sale
from tests.oracle.scaled import Scaled
from tests.oracle.select import selects

FROM_THE_NARROWEST = ("product_id", "product_family", "product_segment")


def stacked(program: dict, scaled: dict[str, Scaled], sales: list[Sale]) -> set[tuple[str, str]]:
    """The pairs of sale and lever that passed up to the scale and are taken in their stack."""
    taken = set()
    for sale in sales:
        for lever in program["levers"]:
            group = lever.get("stack")
            winner = lever if not group else winner_of(program, group, scaled, sale, lever, sales)
            if winner is lever and sale.line.id in scaled[lever["lever"]].passed:
                taken.add((sale.line.id, lever["lever"]))
    return taken


def winner_of(
    program: dict, group: dict, scaled: dict[str, Scaled], sale: Sale, lever: dict, sales: list[Sale]
) -> dict:
    """The lever of the group that is taken on the sale; for `sum`, the lever asked about."""
    levers = [other for other in program["levers"] if (other.get("stack") or {}).get("group") == group["group"]]
    if group["take"] == "sum":
        return lever
    if group["take"] in ("first", "most_specific"):
        selecting = [other for other in levers if selects(other, sale.line) and in_window(other, sale.line, sales)]
        if group["take"] == "most_specific":
            selecting.sort(key=specificity, reverse=True)
        return selecting[0] if selecting else lever
    best, most = lever, Fraction(-1)
    for other in levers:
        amount = abs(line_total(scaled[other["lever"]], sale))
        if sale.line.id in scaled[other["lever"]].passed and amount > most:
            best, most = other, amount
    return best


def specificity(lever: dict) -> tuple:
    """How narrowly a lever selects: by its number of keys, then by which columns of the product they are."""
    keys = lever.get("select") or {}
    return (len(keys), *(column in keys for column in FROM_THE_NARROWEST))


def line_total(scaled: Scaled, sale: Sale) -> Fraction:
    """What a lever would pay on a sale, over its brackets, in program currency."""
    return sum((money.program for (name, _), money in scaled.rows.items() if name == sale.line.id), Fraction(0))
