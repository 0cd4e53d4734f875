"""Earnings under caps that bind: a partner's lines gone through one by one, each with its refunds.

What a cap keeps waits, and is paid, oldest first and on its own line, when room appears as another line of the same cap
comes: of the same period where it is forfeited, of any later one where it is deferred. A refund takes back of what is posted at its turn, and the same part of what waits.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from heapq import merge
from typing import NamedTuple

import numpy as np
import pandas as pd

from transforms.levers import Cap, Scope
from transforms.money import FX_UNIT, RATE_UNIT, RoundingMode, whole_units
from transforms.pricing import currency_factors
from transforms.programs import Program
from transforms.refunds import Families
from transforms.scopes import codes, figures, names, places

UNBOUND = 2**62


Amount = int | Fraction


@dataclass(slots=True)
class Row:
    """One line × lever × bracket: what it asks for, is granted and gave back, in minor units of program currency."""

    place: int
    line: int
    lever: int
    bracket: int
    of: str
    asked: int
    held_by: str | None
    granted: Amount = 0
    taken: tuple[int, ...] = (0, 0, 0)  # program currency, own, base
    taken_exactly: tuple[Amount, Amount] = (0, 0)  # program currency, own
    is_undone: bool = False  # a lump that a refund takes back as what its original posted
    waiting: list["Excess"] = field(default_factory=list)


class Taken(NamedTuple):
    """What a refund takes back of a row: in program currency, in its own, and of its base; it is like the row at `place`.

    `exactly` is the first two before they are rounded, of what the row earns exactly.
    """

    row: Row
    place: int
    refund: int
    amounts: tuple[int, ...]
    exactly: tuple[Amount, Amount]


@dataclass
class Limit:
    """One cap: on which lever (None: all), and for each line whose it is, the period, the scope of both and the limit.

    `waiting` is what it kept, oldest first, by whose it is and the period, -1 where any later one may pay it.
    """

    lever: int | None
    is_deferred: bool
    owner: np.ndarray
    period: np.ndarray
    scope: np.ndarray
    most: np.ndarray
    opened: dict[int, int] = field(default_factory=dict)
    used: dict[tuple[int, int], int] = field(default_factory=dict)
    waiting: dict[tuple[int, int], list["Excess"]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        if self.opened:
            triples = zip(self.scope.tolist(), self.owner.tolist(), self.period.tolist(), strict=True)
            self.used = {(owner, period): self.opened[s] for s, owner, period in triples if s in self.opened}

    def room(self, line: int, when: int, on: int) -> int:
        """What is left for a line in the period of another one, by the limit of a line that comes."""
        return max(int(self.most[on]) - self.used.get((int(self.owner[line]), int(self.period[when])), 0), 0)

    def count(self, line: int, when: int, amount: int) -> None:
        scope = int(self.owner[line]), int(self.period[when])
        self.used[scope] = self.used.get(scope, 0) + amount

    def queue(self, line: int) -> list["Excess"]:
        """What waits to be paid as a line comes."""
        return self.waiting[int(self.owner[line]), -1 if self.is_deferred else int(self.period[line])]


@dataclass(slots=True)
class Excess:
    """What a cap kept of a row and has not paid yet; `number` tells which came first."""

    row: Row
    limit: Limit
    amount: Amount
    number: int


def listed(program: Program) -> list[tuple[int | None, int, Cap]]:
    """The caps of a program in their order: number of the lever (None: all), place in its list, the cap."""
    of_levers = [(n, place, cap) for n, lever in enumerate(program.levers) for place, cap in enumerate(lever.cap)]
    return [*of_levers, *((None, place, cap) for place, cap in enumerate(program.cap))]


def lever_of(number: int | None, program: Program) -> str:
    """The name under which positions keep a cap: its lever's, or `*` for one of the whole program."""
    return "*" if number is None else program.levers[number].lever


def limits(rows: pd.DataFrame, program: Program, opening: pd.DataFrame | None) -> list[Limit]:
    """The caps of a program, with each line's scope and limit, and what is paid under it already."""
    unit = 10 ** int(rows["program_exponent"].iloc[0])
    made = []
    for number, place, cap in listed(program):
        scope = pd.factorize(codes(rows, cap, program.fiscal_year_start))[0]
        owner = codes(rows, Scope(per=cap.per, over="all"), program.fiscal_year_start)
        period = codes(rows, Scope(over=cap.over), program.fiscal_year_start)
        most = figures(cap.amount, rows["reference_on"], unit, np.dtype("int64"), missing=1)
        opened = {}
        if opening is not None and len(opening) and cap.over != "transaction":
            here = opening[(opening["rule_part"] == "cap") & (opening["lever"] == lever_of(number, program))]
            here = here[here["cap_number"] == place]
            at = places(here, rows, names(rows, cap, program.fiscal_year_start))
            paid = np.append(here["under_cap_minor"].to_numpy("int64"), 0)[at]
            opened = dict(zip(scope[at >= 0].tolist(), paid[at >= 0].tolist(), strict=True))
        made.append(Limit(number, cap.excess == "defer", owner, period, scope, most, opened))
    return made


def binding(priced: pd.DataFrame, rows: pd.DataFrame, caps: list[Limit]) -> np.ndarray:
    """Whether a cap may keep anything of each row, or of one that it shares any cap or its line with.

    A cap may keep something where what is paid and asked for in a scope is more than it gives.
    """
    line, asked = priced["line"].to_numpy(), np.maximum(priced["program_earning_minor"].to_numpy("int64"), 0)
    lever = priced["lever_number"].to_numpy("int64")
    bound = np.zeros(len(line), bool)
    shared = [rows["family"].to_numpy()[line] * (lever.max(initial=0) + 1) + lever]
    for cap in caps:
        here = np.ones(len(line), bool) if cap.lever is None else lever == cap.lever
        scope = cap.scope[line[here]]
        total = np.zeros(cap.scope.max(initial=-1) + 1, "int64")
        np.add.at(total, scope, asked[here])
        for opened, paid in cap.opened.items():
            total[opened] += paid
        least = np.full(len(total), UNBOUND)
        np.minimum.at(least, scope, cap.most[line[here]])
        bound[here] |= (total > least)[scope]
        shared.append(np.where(here, (cap.owner if cap.is_deferred else cap.scope)[line], -1))
    return _spread(bound, shared)


def _spread(bound: np.ndarray, shared: list[np.ndarray]) -> np.ndarray:
    """Those that are bound, and all that share a number above -1 with one of them, directly or through others."""
    before = np.zeros_like(bound)
    while (bound != before).any():
        before = bound
        for numbers in shared:
            is_shared = np.zeros(numbers.max(initial=-1) + 2, bool)
            is_shared[numbers[bound]] = True
            is_shared[-1] = False  # those without a number
            bound = bound | is_shared[numbers]
    return bound


class Posting:
    """Rows granted in sequence: each cap knows what is posted under it and what it kept."""

    def __init__(
        self, rows: pd.DataFrame, caps: list[Limit], family: Families, ladder: np.ndarray, program: Program
    ) -> None:
        self.caps, self.family, self.ladder = caps, family, ladder
        self.mode: RoundingMode = program.rounding.of_rows
        self.rounds_slices = program.rounding.at == "slice"
        self.fx, self.up, self.down = currency_factors(rows)
        self.limits = [[cap for cap in caps if cap.lever in (None, number)] for number in range(len(program.levers))]
        self.kept = 0
        self.refunds: dict[int, list[int]] = {}
        for turn in family.turns:
            for refund in turn.tolist():
                self.refunds.setdefault(int(family.root[refund]), []).append(refund)

    def posted(self, priced: pd.DataFrame) -> pd.DataFrame:
        """The rows with what is granted, and a row for each that a refund takes back, in both currencies."""
        self.own_asked, self.base = (priced[c].to_numpy("int64") for c in ("earning_minor", "base_minor"))
        self.exact = list(zip(priced["program_exact"], priced["exact"], strict=True)) if "exact" in priced else []
        columns = [
            priced[c].tolist() for c in ("line", "lever_number", "bracket", "of", "program_earning_minor", "held_by")
        ]
        by_line: dict[int, list[Row]] = {}
        for place, values in enumerate(zip(*columns, strict=True)):
            by_line.setdefault(values[0], []).append(Row(place, *values))
        back: list[Taken] = []
        for line, own in by_line.items():
            if self.family.root[line] == line:
                refunds = self.refunds.get(line, [])
                back += self._post(line, own, [(refund, by_line.get(refund, [])) for refund in refunds])
        return self._result(priced, [row for own in by_line.values() for row in own], back)

    def _post(self, line: int, own: list[Row], refunds: list[tuple[int, list[Row]]]) -> Iterable[Taken]:
        """Grant a line's rows and take back what its refunds take."""
        self._revive(line, own)
        for row in sorted(own, key=lambda row: row.asked >= 0):
            self._grant(row)
        self._revive(line, own)
        taken: list[Taken] = []
        for refund, lumps in refunds:
            for row in own:
                if row.of != "lump":
                    taken.append(self._take_back(row, row.place, refund, taken))
            for change in sorted(lumps, key=lambda row: row.asked >= 0):
                undone = [r for r in own if r.of == "lump" and (r.lever, r.bracket) == (change.lever, change.bracket)]
                if undone and undone[0].asked * change.asked < 0:
                    change.is_undone = True
                    taken.append(self._take_back(undone[0], change.place, refund, taken))
                else:
                    self._grant(change)
            self._revive(line, own)
        return taken

    def _parts(self, row: Row, refund: int) -> tuple[Amount, Amount]:
        """What a refund takes of what is left, and of the base, on which the ladder does not bear; a lump goes whole."""
        if row.of == "lump":
            return 1, Fraction(-int(self.family.revenue[refund]), int(self.base[row.place]) or 1)
        part, whole = self.family.share[row.of]
        base = Fraction(int(part[refund]), int(whole[refund]))
        return base * Fraction(int(self.ladder[refund]), RATE_UNIT), base

    def _grant(self, row: Row) -> None:
        amount = row.asked
        for cap in self.limits[row.lever]:
            room = cap.room(row.line, row.line, row.line)
            if amount > room:
                self.kept += 1
                row.waiting.append(Excess(row, cap, amount - room, self.kept))
                cap.queue(row.line).append(row.waiting[-1])
                amount = room
        self._pay(row, amount, row.line)

    def _pay(self, row: Row, amount: Amount, when: int) -> None:
        """Grant more of a row, and count the change of its rounded figure under every cap, in the period of a line."""
        before = self._round(row.granted)
        row.granted += amount
        for cap in self.limits[row.lever]:
            cap.count(row.line, when, self._round(row.granted) - before)

    def _revive(self, line: int, own: list[Row]) -> None:
        """Pay what waits in the caps of a line that comes, at its limits; what is deferred counts in its period."""
        levers = {row.lever for row in own if row.held_by is None}
        comes = [cap for cap in self.caps if levers and (cap.lever is None or cap.lever in levers)]
        queues = [queue for cap in comes if (queue := cap.queue(line)) and cap.room(line, line, line)]
        for excess in merge(*queues, key=lambda excess: excess.number):
            old = excess.row.line
            when = line if excess.limit.is_deferred else old
            amount = min(excess.amount, *(limit.room(old, when, line) for limit in self.limits[excess.row.lever]))
            if amount:
                excess.amount -= amount
                self._pay(excess.row, amount, when)
        for queue in queues:
            queue[:] = [excess for excess in queue if excess.amount]

    def _take_back(self, row: Row, place: int, refund: int, before: list[Taken]) -> Taken:
        """Take a part back of what a row has posted and not yet given back, and of what waits of it.

        A line that reverses a refund gives back that part of what the refund took of the row.
        """
        parent = int(self.family.parent[refund])
        part, base = self._parts(row, refund)
        if parent == row.line:
            posted = self._round(row.granted), self._own(row), int(self.base[row.place])
            left = [amount - taken for amount, taken in zip(posted, row.taken, strict=True)]
            exact = [amount - taken for amount, taken in zip(self._exactly(row), row.taken_exactly, strict=True)]
            for excess in row.waiting:
                excess.amount *= 1 - part
        else:
            undone = [made for made in before if made.row is row and made.refund == parent]
            left = [sum(amounts) for amounts in zip(*(made.amounts for made in undone), strict=True)] or [0, 0, 0]
            exact = [sum(amounts) for amounts in zip(*(made.exactly for made in undone), strict=True)] or [0, 0]
        amounts = tuple(-self._round(amount * of) for amount, of in zip(left, (part, part, base), strict=True))
        exactly = -exact[0] * part, -exact[1] * part
        row.taken = tuple(taken - amount for taken, amount in zip(row.taken, amounts, strict=True))
        row.taken_exactly = row.taken_exactly[0] - exactly[0], row.taken_exactly[1] - exactly[1]
        for cap in self.limits[row.lever]:
            cap.count(row.line, row.line, amounts[0])
        return Taken(row, place, refund, amounts, exactly)

    def _exactly(self, row: Row) -> tuple[Amount, Amount]:
        """What a row earns before it is rounded, in program currency and its own; of one that a cap cut, what it is granted."""
        if row.granted == row.asked and self.exact:
            return self.exact[row.place]
        return row.granted, row.granted / self._rate(row)

    def _own(self, row: Row) -> int:
        """What a row posts in its own currency: as priced, or what it is granted, brought over once."""
        asked = int(self.own_asked[row.place])
        if row.granted == row.asked:
            return asked
        if self.rounds_slices:
            return self._round(Fraction(asked * row.granted) / row.asked)
        return self._round(row.granted / self._rate(row))

    def _rate(self, row: Row) -> Fraction:
        """Minor units of program currency for one of the row's own."""
        return Fraction(int(self.fx[row.line]) * int(self.up[row.line]), FX_UNIT * int(self.down[row.line]))

    def _round(self, exact: Amount) -> int:
        return whole_units(exact, self.mode)

    def _result(self, priced: pd.DataFrame, rows: list[Row], back: list[Taken]) -> pd.DataFrame:
        ordered = sorted(rows, key=lambda row: row.place)
        held = priced.assign(
            program_earning_minor=[self._round(row.granted) for row in ordered],
            earning_minor=[self._own(row) for row in ordered],
            held_by=[
                "cap" if row.granted < row.asked else held
                for row, held in zip(ordered, priced["held_by"].tolist(), strict=True)
            ],
        )
        if self.exact:
            exact = [self._exactly(row) for row in ordered]
            held = held.assign(program_exact=[own[0] for own in exact], exact=[own[1] for own in exact])
        is_there = [not row.is_undone for row in ordered]
        if not back:
            return held[is_there]
        amounts = np.array([made.amounts for made in back], "int64").T
        names = ("program_earning_minor", "earning_minor", "base_minor")
        taken = held.iloc[[made.place for made in back]].assign(
            line=[made.refund for made in back],
            held_by=held["held_by"].iloc[[made.row.place for made in back]].to_numpy(),
            **dict(zip(names, amounts, strict=True)),
        )
        if self.exact:
            taken = taken.assign(program_exact=[m.exactly[0] for m in back], exact=[m.exactly[1] for m in back])
        return pd.concat([held[is_there], taken], ignore_index=True)
