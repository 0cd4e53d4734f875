"""What the lines of a program earn, in plain fractions and loops, from the words of the program language alone.

It shares nothing with the engine, so that the two can be held against each other. Everything is recomputed from all
lines each time. ValueError names what it does not do: window, exclusive_partner, one_earning, baseline, growth, count,
attainment, trailing_12_months, most_specific, rounding at period, bases that a line does not carry.

Where the specification leaves room, this is what was read, and from which words:

Lines
 1. A refund is judged as its original is: select, eligibility, partner, customer, currency. "takes the original's date,
    rule version and FX"
 2. Undecided is a lever's: another lever that matches still earns, and in `first` an undecided lever does not select.
    "matches neither the value nor its `not`"
 3. Minimum, scale and cap see what the line itself has: ineligible, unselected and ineffective lines fill nothing.
    "earner → select → eligibility → … → minimum → scale"
 4. None stated: revenue and quantity of the refund are both zero. Only one stated: the other one is zero, not the rest.
    "with none stated, the whole rest"
 5. Several refunds stand by `on`, then id; `at` does not count. "several: own date, id"
 6. The kind of a refund is its attribute `kind`; rungs of that kind, where there are any, stand instead of those without
    a kind. No rung from that month on: in full. "without it a refund takes back in full"
 7. Completed months compare days of the month: 31 January to 28 February is none. Before the original: none.
 8. Over transaction, the original and its refunds are one period. "takes its measure out of the original's period"

Scale
 9. Thresholds and rates are those of each line's own date, in retroactive too. "Its reference date picks …"
10. A bracket whose threshold, rate or amount does not exist on a date is not there on it; numbers count in the file.
11. The first bracket continues below zero if it starts at 0 (first_unit: at 0 or 1). Between zero and a higher first
    threshold, and below zero then, nothing is earned. "below zero the first bracket continues"
12. A line of zero measure takes the bracket of the running total whole, in marginal with continuous units too.
13. Amounts and lumps are in program currency, and quantity × rate is; in the transaction's currency: divided by its FX.
14. Lumps: the line that reaches a bracket carries + its lump, one that leaves it − what was booked, each on the row of
    that bracket; so in lump_sum, going up, the line also carries − the lower lump. A lump that stands keeps its amount when
    a later date has another. A threshold of 0 is reached at 0 with `lower` too. "the highest reached only … booked on the
    line that crosses, taken back on the line that falls below"
15. Over `all`, the last value of a dated minimum. "the value on its last day"
16. slice: in each currency on its own, base slice and result are rounded; quantities, interpolated amounts and lumps have no
    money as base, only the result is rounded.

Stack
17. `highest` looks at exact sums of a line's rows in program currency before cap; a tie goes to the first in the file.
    Lines fill the scale of levers that are not taken. `first` counts effective levers that select, minimum reached or not.

Cap
18. Caps of the lever come before those of the program. Rows of a line: negative ones first, then levers in file order, lower
    brackets first. Of several caps each keeps its own excess, and what any has left counts the rows as posted in the end.
    A row asks for its rounded figure. "in list order", "what is left = cap − rounded rows"
19. Room is looked at when a line of the same cap comes (selected, eligible, taken in its stack, minimum reached): value on
    that line's date; excess waiting is paid before that line, and once more after it and after each of its refunds.
    "takes its value on the line's date", "oldest first"
20. Deferred excess is paid on its own line's row, and counts in the period of the line that finds the room. "queued, first in
    first out, paid as room appears"
21. All rows of the cap period count, those before the cap's first date too; on a date without an amount there is no limit.
22. A refund takes the same part (share × fraction) of the row's waiting excess with it; otherwise what it frees would
    pay the excess of the sale that was refunded.

Refunds
23. In each currency, from what is posted in that currency at the refund's place in the sequence. "posted remainder"
24. Base not yet refunded is zero: fraction 1. More than the rest: fraction 1, the measure goes out as stated. "at most 1"
25. A minimum lost by a refund takes all back, whatever the ladder says. "lost again: taken back"
26. Lumps: falling below takes the row's posted remainder whole. "fraction and ladder do not apply"
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

DECIMALS = {
    "JPY": 0,
    "KRW": 0,
    "CLP": 0,
    "ISK": 0,
    "VND": 0,
    "BHD": 3,
    "IQD": 3,
    "JOD": 3,
    "KWD": 3,
    "OMR": 3,
    "TND": 3,
}
MODES = ("flat", "marginal", "retroactive", "interpolated", "lump_sum", "cumulative_lump_sum")
LUMPS = ("lump_sum", "cumulative_lump_sum")
PERIODS = {"month": 1, "quarter": 3, "half_year": 6, "fiscal_year": 12}
NOT_DONE = ("window", "exclusive_partner", "one_earning", "baseline")


@dataclass(frozen=True)
class Line:
    """A transaction as last delivered."""

    id: str
    on: date
    at: str
    partner: str
    customer: str
    revenue: Decimal
    quantity: Decimal
    currency: str
    fx: Decimal
    reverses: str | None = None
    attributes: Mapping[str, object] = field(default_factory=dict)
    eligible: bool = True


@dataclass(frozen=True)
class Earned:
    """What a row earns, in the transaction's currency and in the program's."""

    earning: Decimal
    program_earning: Decimal
    rebate: Decimal
    coop: Decimal
    program_rebate: Decimal
    program_coop: Decimal


@dataclass(frozen=True)
class Sale:
    """A line that reverses none, with its refunds in their order."""

    line: Line
    refunds: tuple[Line, ...]


@dataclass(frozen=True)
class Money:
    """An exact amount in the transaction's currency and in the program's."""

    own: Fraction
    program: Fraction


@dataclass(frozen=True)
class Bracket:
    """A bracket as it stands on a date; `start` is where it begins on a continuous scale."""

    number: int
    threshold: Fraction
    start: Fraction
    price: Fraction


@dataclass(frozen=True)
class Move:
    """A refund as a lever sees it: the measure it adds (negative), and the part of the unrefunded base it takes."""

    refund: Line
    measure: Fraction
    part: Fraction


@dataclass(frozen=True)
class Cap:
    """One entry of a list of caps; `name` tells it from the others."""

    name: tuple
    rule: dict


@dataclass
class Row:
    """An earning row (line × lever × bracket): what it would earn, what caps grant, what refunds took back of it."""

    id: str
    sale: Sale
    lever: dict
    number: int
    asked: Money
    granted: Fraction = Fraction(0)
    taken: Money = Money(Fraction(0), Fraction(0))


@dataclass
class Excess:
    """What a cap kept of a row and has not paid yet."""

    row: Row
    cap: Cap
    amount: Fraction


def price(program: dict, lines: list[Line]) -> dict[tuple[str, str, int], Earned]:
    """(line id, lever, bracket number from 1) → what it earns; rows whose figures are all zero are left out."""
    refuse(program)
    sales = sequence(lines)
    scaled = {lever["lever"]: scale(program, lever, sales) for lever in program["levers"]}
    posting = Posting(program, scaled, stacked(program, scaled, sales))
    for sale in sales:
        posting.post(sale)
    return {key: earned for key, earned in posting.result() if any(vars(earned).values())}


# The file


def refuse(program: dict) -> None:
    """ValueError naming the first word that is not done here."""
    if program["rounding"]["at"] not in ("line", "slice"):
        raise ValueError(f"rounding at {program['rounding']['at']} is left out")
    if program["rounding"]["mode"] not in ("half_even", "half_up", "truncate"):
        raise ValueError(f"rounding mode {program['rounding']['mode']} is unknown")
    if program.get("clawback") and program["clawback"].get("base", "net_earned") != "net_earned":
        raise ValueError(f"clawback base {program['clawback']['base']} is left out")
    for lever in program["levers"]:
        refuse_lever(lever)
    for cap in [cap for owner in [program, *program["levers"]] for cap in owner.get("cap") or []]:
        refuse_over("cap", cap.get("over"))
        if cap.get("excess") not in ("forfeit", "defer"):
            raise ValueError(f"cap excess {cap.get('excess')} is unknown")


def refuse_lever(lever: dict) -> None:
    """ValueError naming the first word of the lever that is not done here."""
    for word in NOT_DONE:
        if lever.get(word):
            raise ValueError(f"{word} is left out")
    for word in ("measure", "base"):
        if lever.get(word, lever["measure"]) not in ("revenue", "quantity"):
            raise ValueError(f"{word} {lever[word]} is left out")
    if mode_of(lever) not in MODES:
        raise ValueError(f"mode {mode_of(lever)} is unknown")
    if lever.get("stack") and lever["stack"]["take"] not in ("sum", "highest", "first"):
        raise ValueError(f"stack take {lever['stack']['take']} is left out")
    if len({"rate" in entry for entry in entries(lever)}) > 1:
        raise ValueError("rates beside amounts in one scale are left out")
    refuse_over("accumulate", (lever.get("accumulate") or {}).get("over", "transaction"))
    if lever.get("minimum"):
        refuse_over("minimum", lever["minimum"].get("over"))


def refuse_over(word: str, over: object) -> None:
    """ValueError if no such period is done here."""
    if over not in ("transaction", "all", *PERIODS):
        raise ValueError(f"{word} over {over} is left out")


def number(value: object) -> Fraction:
    """The exact value of a number that was never a float."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | Fraction):
        raise ValueError(f"{value!r} is no exact number")
    return Fraction(value)


def on_date(value: object, on: date) -> object:
    """A dated value as of a date, None where it does not exist; a plain value always holds."""
    if not isinstance(value, dict):
        return value
    held = None
    for start in sorted(value):
        if start <= on:
            held = value[start]
    return held


def number_on(value: object, on: date) -> Fraction | None:
    """A number that may be dated, as of a date."""
    held = on_date(value, on)
    return None if held is None else number(held)


def mode_of(lever: dict) -> str:
    """The mode of the lever's scale; one rate alone is a flat scale of one bracket."""
    return lever["scale"]["mode"] if lever.get("scale") else "flat"


def entries(lever: dict) -> list[dict]:
    """The brackets as the file has them."""
    if lever.get("scale"):
        return lever["scale"]["brackets"]
    return [{"threshold": 0, **{word: lever[word] for word in ("rate", "amount") if word in lever}}]


def first_unit(lever: dict) -> bool:
    """Whether thresholds name the first unit of their bracket."""
    return (lever.get("scale") or {}).get("units", "continuous") == "first_unit"


def higher(lever: dict) -> bool:
    """Whether a value equal to a threshold belongs to the bracket above it."""
    return (lever.get("scale") or {}).get("on_threshold", "higher") == "higher"


def brackets_on(lever: dict, on: date) -> list[Bracket]:
    """The brackets that exist on a date, from the lowest."""
    found = []
    for position, entry in enumerate(entries(lever), start=1):
        threshold = number_on(entry["threshold"], on)
        paid = number_on(entry["rate"] if "rate" in entry else entry["amount"], on)
        if threshold is not None and paid is not None:
            start = threshold - 1 if first_unit(lever) and threshold > 0 else threshold
            found.append(Bracket(position, threshold, start, paid))
    return found


# Lines, dates, periods


def sequence(lines: list[Line]) -> list[Sale]:
    """The sales by (date, time, id); refunds whose original is not known are undecided and left out."""
    known = {line.id: line for line in lines}
    if len(known) != len(lines):
        raise ValueError("two lines with one id")
    refunds: dict[str, list[Line]] = {}
    for line in lines:
        if line.reverses is not None and line.reverses in known:
            if known[line.reverses].reverses is not None:
                raise ValueError(f"{line.id} refunds a refund")
            refunds.setdefault(line.reverses, []).append(line)
    originals = sorted((line for line in lines if line.reverses is None), key=lambda line: (line.on, line.at, line.id))
    ordered = {name: sorted(several, key=lambda line: (line.on, line.id)) for name, several in refunds.items()}
    return [Sale(line, tuple(ordered.get(line.id, []))) for line in originals]


def completed_months(start: date, end: date) -> int:
    """Whole calendar months from one date to another, not below 0."""
    months = (end.year - start.year) * 12 + end.month - start.month - (end.day < start.day)
    return max(0, months)


def months_later(start: date, months: int) -> date:
    """The same day some months later."""
    years, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + years, month=month + 1)


def period(program: dict, over: str, line: Line) -> tuple[tuple, date]:
    """The period of a line, and that period's last day."""
    if over == "transaction":
        return ("transaction", line.id), line.on
    if over == "all":
        return ("all",), date.max
    if over == "month":
        begin = line.on.replace(day=1)
    else:
        month, day = (int(part) for part in program["fiscal_year_start"].split("-"))
        year = line.on.year if (line.on.month, line.on.day) >= (month, day) else line.on.year - 1
        fiscal = date(year, month, day)
        begin = months_later(fiscal, completed_months(fiscal, line.on) // PERIODS[over] * PERIODS[over])
    return (over, begin), months_later(begin, PERIODS[over]) - timedelta(days=1)


def per_values(per: list[str], line: Line) -> tuple:
    """The line's values of what `per` names."""
    fields = {"partner": line.partner, "customer": line.customer, "currency": line.currency}
    return tuple(line.attributes[name] if name in line.attributes else fields.get(name) for name in per)


def group_of(program: dict, rule: dict, sale: Sale) -> tuple[tuple, date]:
    """What a sale shares with others under {per, over}, always per partner; and the last day of the period."""
    when, last = period(program, rule.get("over", "transaction"), sale.line)
    return (sale.line.partner, *per_values(rule.get("per") or [], sale.line), when), last


# Select, eligibility, minimum


def matches(wanted: object, value: object) -> bool | None:
    """Whether a value is the one wanted, one of a list, or not one of `not`; None where it is not known."""
    if value is None:
        return None
    if isinstance(wanted, dict):
        return not matches(wanted["not"], value)
    return value in wanted if isinstance(wanted, list | tuple) else value == wanted


def selects(lever: dict, line: Line) -> bool:
    """Whether the lever is in force on the line's date and every key matches; undecided is no."""
    effective = lever.get("effective") or {}
    if "from" in effective and line.on < effective["from"]:
        return False
    if effective.get("to") is not None and line.on >= effective["to"]:
        return False
    return all(matches(wanted, line.attributes.get(name)) for name, wanted in (lever.get("select") or {}).items())


def measured(lever: dict, line: Line, fx: Decimal) -> Fraction:
    """What a line adds to the scale: revenue in program currency, not rounded, or quantity."""
    return number(line.revenue) * number(fx) if lever["measure"] == "revenue" else number(line.quantity)


def base_word(lever: dict) -> str:
    """What the price multiplies: an amount quantity, a rate the base, which left out is the measure."""
    if mode_of(lever) in LUMPS or mode_of(lever) == "interpolated":
        return lever["measure"]
    return "quantity" if "amount" in entries(lever)[0] else lever.get("base", lever["measure"])


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


def earning_sales(program: dict, lever: dict, sales: list[Sale]) -> list[Sale]:
    """The sales that the lever selects, that are eligible and whose minimum is reached."""
    chosen = [sale for sale in sales if selects(lever, sale.line) and sale.line.eligible]
    if not lever.get("minimum"):
        return chosen
    totals: dict[tuple, Fraction] = {}
    for sale in chosen:
        group, _ = group_of(program, lever["minimum"], sale)
        totals[group] = totals.get(group, Fraction(0)) + net(lever, sale)
    return [sale for sale in chosen if reached(program, lever, sale, totals)]


def reached(program: dict, lever: dict, sale: Sale, totals: dict[tuple, Fraction]) -> bool:
    """Whether the total of the sale's group is at least the minimum on the period's last day."""
    group, last = group_of(program, lever["minimum"], sale)
    least = number_on(lever["minimum"]["measure"], last)
    return least is None or totals[group] >= least


# Scale


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


# Stack


def stacked(program: dict, scaled: dict[str, Scaled], sales: list[Sale]) -> set[tuple[str, str]]:
    """The pairs of sale and lever that passed up to the scale and are taken in their stack."""
    taken = set()
    for sale in sales:
        for lever in program["levers"]:
            group = lever.get("stack")
            winner = lever if not group else winner_of(program, group, scaled, sale, lever)
            if winner is lever and sale.line.id in scaled[lever["lever"]].passed:
                taken.add((sale.line.id, lever["lever"]))
    return taken


def winner_of(program: dict, group: dict, scaled: dict[str, Scaled], sale: Sale, lever: dict) -> dict:
    """The lever of the group that is taken on the sale; for `sum`, the lever asked about."""
    levers = [other for other in program["levers"] if (other.get("stack") or {}).get("group") == group["group"]]
    if group["take"] == "sum":
        return lever
    if group["take"] == "first":
        return next((other for other in levers if selects(other, sale.line)), lever)
    best, most = lever, Fraction(-1)
    for other in levers:
        amount = abs(line_total(scaled[other["lever"]], sale))
        if sale.line.id in scaled[other["lever"]].passed and amount > most:
            best, most = other, amount
    return best


def line_total(scaled: Scaled, sale: Sale) -> Fraction:
    """What a lever would pay on a sale, over its brackets, in program currency."""
    return sum((money.program for (name, _), money in scaled.rows.items() if name == sale.line.id), Fraction(0))


# Cap, refunds, rounding, split


class Posting:
    """Rows granted in sequence: each cap knows what is posted under it, and what it kept."""

    def __init__(self, program: dict, scaled: dict[str, Scaled], taken: set[tuple[str, str]]) -> None:
        self.program, self.scaled, self.taken = program, scaled, taken
        self.rows: list[Row] = []
        self.used: dict[tuple, Fraction] = {}
        self.waiting: list[Excess] = []
        self.taken_back: dict[tuple[str, str, int], tuple[Sale, Money]] = {}

    def post(self, sale: Sale) -> None:
        """Grants the sale's rows, then takes back what its refunds take back."""
        levers = [lever for lever in self.program["levers"] if (sale.line.id, lever["lever"]) in self.taken]
        self.revive(sale, levers)
        own = [row for lever in levers for row in self.rows_of(sale, lever, sale.line.id)]
        for row in negative_first(own):
            self.grant(row)
        self.revive(sale, levers)
        for position, refund in enumerate(sale.refunds):
            for lever in levers:
                mine = [row for row in own if row.lever is lever]
                if mode_of(lever) in LUMPS:
                    self.refund_lumps(sale, lever, refund, mine)
                else:
                    part = moves(lever, sale)[position].part * share_of(self.program, sale.line, refund)
                    self.refund_rows(refund, mine, part)
            self.revive(sale, levers)

    def rows_of(self, sale: Sale, lever: dict, name: str) -> list[Row]:
        """The rows of a line on a lever, lower brackets first."""
        found = self.scaled[lever["lever"]].rows
        positions = sorted(position for line, position in found if line == name)
        return [Row(name, sale, lever, position, found[name, position]) for position in positions]

    def caps(self, lever: dict) -> list[Cap]:
        """The caps on a lever's rows: its own, then the program's."""
        own = [Cap((lever["lever"], position), rule) for position, rule in enumerate(lever.get("cap") or [])]
        return own + [Cap((None, position), rule) for position, rule in enumerate(self.program.get("cap") or [])]

    def key(self, cap: Cap, sale: Sale, when: Sale) -> tuple:
        """Under which sum a payment of a sale counts that is made when another one comes."""
        over, _ = period(self.program, cap.rule["over"], when.line)
        return (cap.name, sale.line.partner, *per_values(cap.rule.get("per") or [], sale.line), over)

    def room(self, cap: Cap, sale: Sale, when: Sale, on: date) -> Fraction | None:
        """What a cap has left, not below 0; None where there is no limit on that date."""
        most = number_on(cap.rule["amount"], on)
        return None if most is None else max(Fraction(0), most - self.used.get(self.key(cap, sale, when), Fraction(0)))

    def grant(self, row: Row) -> None:
        """Pays a row up to what each cap has left, in list order; each cap keeps its excess of the rounded row."""
        amount = rounded(self.program, row.asked.program, self.program["currency"])
        for cap in self.caps(row.lever):
            room = self.room(cap, row.sale, row.sale, row.sale.line.on)
            if room is not None and amount > room:
                self.waiting.append(Excess(row, cap, amount - room))
                amount = room
        self.rows.append(row)
        self.pay(row, amount, row.sale)

    def pay(self, row: Row, amount: Fraction, when: Sale) -> None:
        """Adds to what is granted of a row, and counts the change of the rounded row under every cap."""
        before = self.posted(row).program
        row.granted += amount
        self.count(row, self.posted(row).program - before, when)

    def count(self, row: Row, amount: Fraction, when: Sale) -> None:
        """Counts an amount under every cap on the row."""
        for cap in self.caps(row.lever):
            key = self.key(cap, row.sale, when)
            self.used[key] = self.used.get(key, Fraction(0)) + amount

    def posted(self, row: Row) -> Money:
        """What a row posts: what is granted, rounded once in each currency."""
        own = row.asked.own
        if row.granted != rounded(self.program, row.asked.program, self.program["currency"]):
            own = own * row.granted / row.asked.program if row.asked.program else Fraction(0)
        return Money(
            rounded(self.program, own, row.sale.line.currency),
            rounded(self.program, row.granted, self.program["currency"]),
        )

    def revive(self, sale: Sale, levers: list[dict]) -> None:
        """Pays waiting excess, oldest first, from what its cap has left when a line of the same cap comes."""
        names = {cap.name for lever in levers for cap in self.caps(lever)}
        for excess in self.waiting:
            old = excess.row.sale
            when = sale if excess.cap.rule["excess"] == "defer" else old
            if excess.cap.name in names and self.key(excess.cap, old, when) == self.key(excess.cap, sale, sale):
                rooms = [self.room(cap, old, when, sale.line.on) for cap in self.caps(excess.row.lever)]
                amount = min([excess.amount, *(room for room in rooms if room is not None)])
                excess.amount -= amount
                self.pay(excess.row, amount, when)

    def refund_rows(self, refund: Line, rows: list[Row], part: Fraction) -> None:
        """Takes a part back of what each row has posted and not yet given back, and of its waiting excess."""
        for row in rows:
            posted = self.posted(row)
            own = rounded(self.program, part * (posted.own - row.taken.own), row.sale.line.currency)
            program = rounded(self.program, part * (posted.program - row.taken.program), self.program["currency"])
            row.taken = Money(row.taken.own + own, row.taken.program + program)
            self.taken_back[refund.id, row.lever["lever"], row.number] = (row.sale, Money(-own, -program))
            self.count(row, -program, row.sale)
            for excess in self.waiting:
                if excess.row is row:
                    excess.amount *= 1 - part

    def refund_lumps(self, sale: Sale, lever: dict, refund: Line, rows: list[Row]) -> None:
        """Takes the original's row back whole where the refund undoes it; other crossings are rows of the refund."""
        for change in negative_first(self.rows_of(sale, lever, refund.id)):
            undone = [row for row in rows if row.number == change.number and differ(row.asked, change.asked)]
            if undone:
                self.refund_rows(refund, undone, Fraction(1))
            else:
                self.grant(change)

    def result(self) -> Iterator[tuple[tuple[str, str, int], Earned]]:
        """All rows, in both currencies, split."""
        for row in self.rows:
            yield (row.id, row.lever["lever"], row.number), earned(self.program, row.sale, self.posted(row))
        for key, (sale, money) in self.taken_back.items():
            yield key, earned(self.program, sale, money)


def negative_first(rows: list[Row]) -> list[Row]:
    """Rows that give back before those that take, each in their order."""
    return sorted(rows, key=lambda row: row.asked.program >= 0)


def differ(one: Money, other: Money) -> bool:
    """Whether one amount gives what the other takes."""
    return one.program * other.program < 0


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


def rounded(program: dict, amount: Fraction, currency: str) -> Fraction:
    """The amount in whole minor units by the program's mode, symmetric about zero."""
    unit = 10 ** DECIMALS.get(currency, 2)
    whole, rest = divmod(abs(amount) * unit, 1)
    mode, half = program["rounding"]["mode"], Fraction(1, 2)
    if mode != "truncate" and (rest > half or (rest == half and (mode == "half_up" or whole % 2 == 1))):
        whole += 1
    return Fraction(whole if amount > 0 else -whole, unit)


def earned(program: dict, sale: Sale, money: Money) -> Earned:
    """The row's rounded totals and their split on the sale's date."""
    own, ours = sale.line.currency, program["currency"]
    rebate, coop = split(program, sale.line.on, money.own, own)
    program_rebate, program_coop = split(program, sale.line.on, money.program, ours)
    return Earned(
        earning=decimal(money.own, own),
        program_earning=decimal(money.program, ours),
        rebate=decimal(rebate, own),
        coop=decimal(coop, own),
        program_rebate=decimal(program_rebate, ours),
        program_coop=decimal(program_coop, ours),
    )


def split(program: dict, on: date, total: Fraction, currency: str) -> tuple[Fraction, Fraction]:
    """Rebate and co-op of a total; the share that remainder_to does not name is rounded, the other is the rest."""
    other = "rebate" if program.get("remainder_to", "rebate") == "coop" else "coop"
    share = number_on(program["split"].get(other), on) or Fraction(0)
    part = rounded(program, total * share, currency)
    return (part, total - part) if other == "rebate" else (total - part, part)


def decimal(amount: Fraction, currency: str) -> Decimal:
    """A rounded amount as a decimal with the currency's decimals."""
    places = DECIMALS.get(currency, 2)
    return Decimal(f"{int(amount * 10**places)}E-{places}")
