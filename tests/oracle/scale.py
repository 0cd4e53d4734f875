"""What a scale pays on each line of an accumulation."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from tests.oracle.lines import Sale, group_of, months_later
from tests.oracle.measures import Added, added
from tests.oracle.money import Money, rounded
from tests.oracle.words import (
    LUMPS,
    Bracket,
    base_word,
    brackets_on,
    higher,
    is_money,
    mode_of,
    number,
    scope,
)


def scopes(program: dict, lever: dict, sales: list[Sale]) -> list[tuple[list[Sale], list[Sale]]]:
    """The sales that accumulate together, in their order, and which of them that prices: in a window only the last."""
    groups: dict[tuple, list[Sale]] = {}
    for sale in sales:
        group, _ = group_of(program, scope(lever), sale)
        groups.setdefault(group, []).append(sale)
    if scope(lever)["over"] != "trailing_12_months":
        return [(members, members) for members in groups.values()]
    return [(window(members[: last + 1]), [sale]) for members in groups.values() for last, sale in enumerate(members)]


def window(members: list[Sale]) -> list[Sale]:
    """The sales of the twelve months that end with the last one's date."""
    after = months_later(members[-1].line.on, -12)
    return [sale for sale in members if sale.line.on > after]


def priced(
    program: dict, lever: dict, members: list[Sale], against: Fraction | None
) -> Iterator[tuple[tuple[str, int], Money]]:
    """The exact rows of the sales of one accumulation, in their order."""
    measures = added(lever["measure"], lever, members, against)
    if mode_of(lever) in LUMPS:
        yield from lumps(program, lever, members, measures)
        return
    bases = added(base_word(lever), lever, members, against)
    total, running = sum((sum(steps) for steps in measures.values()), Fraction(0)), Fraction(0)
    for sale in members:
        measure = measures[sale.line.id][0]
        for bracket, part in slices(lever, sale.line.on, running, measure, total):
            if mode_of(lever) == "interpolated":
                money = filled(program, lever, sale, bracket, part * measure)
            else:
                money = multiplied(program, lever, sale, bracket, part * bases[sale.line.id][0])
            yield (sale.line.id, bracket.number), money
        running += sum(measures[sale.line.id])


def slices(
    lever: dict, on: date, running: Fraction, measure: Fraction, total: Fraction
) -> list[tuple[Bracket, Fraction]]:
    """The brackets that price a line which adds a measure to a running total, and the part of the line in each."""
    if mode_of(lever) == "retroactive":
        return at_bracket(lever, on, total)
    if mode_of(lever) == "flat":
        return at_bracket(lever, on, running + measure)
    return sliced(lever, on, running, running + measure)


def bracket_at(lever: dict, brackets: list[Bracket], total: Fraction) -> Bracket | None:
    """The bracket in which a total lies; the first one continues below zero."""
    found = None
    for bracket in brackets:
        if total > bracket.threshold or (total == bracket.threshold and higher(lever)):
            found = bracket
    if found is None and brackets and brackets[0].start <= 0:
        return brackets[0]
    return found


def at_bracket(lever: dict, on: date, total: Fraction) -> list[tuple[Bracket, Fraction]]:
    """The whole line in the bracket of a total, or nothing where there is none."""
    bracket = bracket_at(lever, brackets_on(lever, on), total)
    return [(bracket, Fraction(1))] if bracket else []


def sliced(lever: dict, on: date, before: Fraction, after: Fraction) -> list[tuple[Bracket, Fraction]]:
    """The parts of a line that fall into each bracket, as it moves the running total."""
    if before == after:
        return at_bracket(lever, on, after)
    brackets = brackets_on(lever, on)
    low, high = min(before, after), max(before, after)
    found = []
    for position, bracket in enumerate(brackets):
        bottom = max(low, bracket.start)
        if position == 0 and bracket.start <= 0:
            bottom = low
        top = min(high, brackets[position + 1].start) if position + 1 < len(brackets) else high
        if top > bottom:
            found.append((bracket, (top - bottom) / (high - low)))
    return found


def multiplied(program: dict, lever: dict, sale: Sale, bracket: Bracket, base: Fraction) -> Money:
    """A base in program currency, or in units, × the bracket's rate or amount."""
    bases = Money(base / number(sale.line.fx), base)
    if is_money(lever, base_word(lever)):
        bases = result(program, sale, bases)
    return result(program, sale, Money(bases.own * bracket.price, bases.program * bracket.price))


def filled(program: dict, lever: dict, sale: Sale, bracket: Bracket, measure: Fraction) -> Money:
    """The bracket's amount in proportion to how much of the bracket the measure fills."""
    above = [other.start for other in brackets_on(lever, sale.line.on) if other.start > bracket.start]
    if not above:
        if bracket.price != 0:
            raise ValueError("the last interpolated amount must be 0")
        return Money(Fraction(0), Fraction(0))
    amount = bracket.price * measure / (min(above) - bracket.start)
    return result(program, sale, Money(amount / number(sale.line.fx), amount))


def result(program: dict, sale: Sale, money: Money) -> Money:
    """The amount as it is, or rounded in both currencies when slices are rounded."""
    if program["rounding"]["at"] != "slice":
        return money
    return Money(rounded(program, money.own, sale.line.currency), rounded(program, money.program, program["currency"]))


def lumps(program: dict, lever: dict, members: list[Sale], measures: Added) -> Iterator[tuple[tuple[str, int], Money]]:
    """Each line's changes: + the lump of a bracket that it reaches, − that of one that it leaves, as it was reached."""
    held: dict[int, Fraction] = {}
    running = Fraction(0)
    for sale in members:
        for line, measure in zip((sale.line, *sale.refunds), measures[sale.line.id], strict=True):
            running += measure
            found = reached(lever, sale.line.on, running)
            kept = {position: held.get(position, amount) for position, amount in found.items()}
            before, held = booked(lever, held), kept if measure < 0 else {**kept, **held}
            after = booked(lever, held)
            for position in sorted({*before, *after}):
                if change := after.get(position, Fraction(0)) - before.get(position, Fraction(0)):
                    yield (line.id, position), result(program, sale, Money(change / number(sale.line.fx), change))


def booked(lever: dict, held: dict[int, Fraction]) -> dict[int, Fraction]:
    """Of the lumps that are held, those that are paid: each of them, or only the highest."""
    return held if mode_of(lever) == "cumulative_lump_sum" else dict(sorted(held.items())[-1:])


def reached(lever: dict, on: date, total: Fraction) -> dict[int, Fraction]:
    """The lumps of the brackets that a total reaches on a date; below zero none."""
    return {
        bracket.number: bracket.price
        for bracket in brackets_on(lever, on)
        if total >= 0 and (bracket.threshold < total or bracket.threshold == total and (higher(lever) or total == 0))
    }
