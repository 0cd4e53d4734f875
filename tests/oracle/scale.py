"""What a lever would pay on each line, before stack and cap."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from tests.oracle.earning_lines import earning_sales
from tests.oracle.lines import Sale, group_of
from tests.oracle.measures import based, measured, moves, net
from tests.oracle.money import Money, rounded
from tests.oracle.words import LUMPS, Bracket, base_word, brackets_on, higher, mode_of, number


@dataclass(frozen=True)
class Scaled:
    """A lever's exact rows by line id and bracket number, and the ids of the sales that passed up to the scale."""

    rows: dict[tuple[str, int], Money]
    passed: frozenset[str]


def scale(program: dict, lever: dict, sales: list[Sale]) -> Scaled:
    """What the lever would pay on each line, before stack and cap. Refunds have rows here only for lumps."""
    chosen = earning_sales(program, lever, sales)
    groups: dict[tuple, list[Sale]] = {}
    for sale in chosen:
        group, _ = group_of(program, lever.get("accumulate") or {}, sale)
        groups.setdefault(group, []).append(sale)
    rows: dict[tuple[str, int], Money] = {}
    for members in groups.values():
        rows |= dict(priced(program, lever, members))
    return Scaled(rows, frozenset(sale.line.id for sale in chosen))


def priced(program: dict, lever: dict, members: list[Sale]) -> Iterator[tuple[tuple[str, int], Money]]:
    """The exact rows of the sales of one accumulation, in their order."""
    if mode_of(lever) in LUMPS:
        yield from lumps(program, lever, members)
        return
    total = sum((net(lever, sale) for sale in members), Fraction(0))
    running = Fraction(0)
    for sale in members:
        measure = measured(lever, sale.line, sale.line.fx)
        if mode_of(lever) == "retroactive":
            slices = at_bracket(lever, sale.line.on, total)
        elif mode_of(lever) == "flat":
            slices = at_bracket(lever, sale.line.on, running + measure)
        else:
            slices = sliced(lever, sale.line.on, running, running + measure)
        for bracket, part in slices:
            if mode_of(lever) == "interpolated":
                yield (sale.line.id, bracket.number), filled(program, lever, sale, bracket, part * measure)
            else:
                yield (sale.line.id, bracket.number), multiplied(program, lever, sale, bracket, part)
        running += net(lever, sale)


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


def multiplied(program: dict, lever: dict, sale: Sale, bracket: Bracket, part: Fraction) -> Money:
    """Part of the line's base × the bracket's rate or amount."""
    fx, base = number(sale.line.fx), part * based(lever, sale.line)
    if base_word(lever) == "quantity":
        return result(program, sale, Money(base * bracket.price / fx, base * bracket.price))
    bases = result(program, sale, Money(base, base * fx))
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


def lumps(program: dict, lever: dict, members: list[Sale]) -> Iterator[tuple[tuple[str, int], Money]]:
    """Each line's crossings: + the lump of a bracket that it reaches, − what was booked of one that it leaves."""
    booked: dict[int, Fraction] = {}
    running = Fraction(0)
    for sale in members:
        steps = [(sale.line.id, measured(lever, sale.line, sale.line.fx))]
        steps += [(move.refund.id, move.measure) for move in moves(lever, sale)]
        for name, measure in steps:
            running += measure
            stand = standing(lever, sale.line.on, running)
            for position in sorted({*booked, *stand}):
                if position in stand and position not in booked:
                    change = booked[position] = stand[position]
                elif position in booked and position not in stand:
                    change = -booked.pop(position)
                else:
                    continue
                yield (name, position), result(program, sale, Money(change / number(sale.line.fx), change))


def standing(lever: dict, on: date, total: Fraction) -> dict[int, Fraction]:
    """The lumps that a total has reached: each of them, or only the highest."""
    reached = {}
    for bracket in brackets_on(lever, on):
        equal = total == bracket.threshold and (higher(lever) or total == 0)
        if total >= 0 and (total > bracket.threshold or equal):
            if mode_of(lever) == "lump_sum":
                reached.clear()
            reached[bracket.number] = bracket.price
    return reached
