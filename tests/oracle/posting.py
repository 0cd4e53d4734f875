"""Rows posted in sequence: caps, refunds, rounding."""

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

from tests.oracle.lines import Line, Sale, per_values, period
from tests.oracle.money import Earned, Money, earned, rounded, row_rounded
from tests.oracle.rows import NOTHING, Cap, Entry, Excess, Row, rounding_scope, share_of
from tests.oracle.scaled import Scaled
from tests.oracle.words import LUMPS, mode_of, number_on


class Posting:
    """Rows granted in sequence: each cap knows what is posted under it, and what it kept."""

    def __init__(
        self, program: dict, scaled: dict[str, Scaled], taken: set[tuple[str, str]], sales: list[Sale]
    ) -> None:
        self.program, self.scaled, self.taken = program, scaled, taken
        self.rows: list[Row] = []
        self.used: dict[tuple, Fraction] = {}
        self.waiting: list[Excess] = []
        self.entries: dict[tuple, Entry] = {}
        self.last: dict[tuple, Sale] = {}
        if program["rounding"]["at"] == "period":
            pairs = [(sale, lever) for sale in sales for lever in self.levers_of(sale)]
            self.last = {rounding_scope(program, lever, sale): sale for sale, lever in pairs}
        self.taken_back: dict[tuple[str, str, int], tuple[Sale, Money]] = {}

    def post(self, sale: Sale) -> None:
        """Grants the sale's rows, then takes back what its refunds take back."""
        levers = self.levers_of(sale)
        self.revive(sale, levers)
        own = [row for lever in levers for row in self.rows_of(sale, lever, sale.line.id)]
        for row in negative_first(own):
            self.grant(row)
        self.revive(sale, levers)
        for refund in sale.refunds:
            for lever in levers:
                mine = [row for row in own if row.lever is lever]
                if mode_of(lever) in LUMPS:
                    self.refund_lumps(sale, lever, refund, mine)
                else:
                    part = self.scaled[lever["lever"]].parts[refund.id] * share_of(self.program, sale.line, refund)
                    self.refund_rows(refund, mine, part)
            self.revive(sale, levers)
        self.settle(sale, levers)

    def levers_of(self, sale: Sale) -> list[dict]:
        """The levers that are taken on a sale."""
        return [lever for lever in self.program["levers"] if (sale.line.id, lever["lever"]) in self.taken]

    def settle(self, sale: Sale, levers: list[dict]) -> None:
        """Where the sale is the last of its period, opens the rounding entry; brings all open entries up to date."""
        for lever in levers:
            whole = rounding_scope(self.program, lever, sale)
            if self.last.get(whole) is sale:
                self.entries[whole] = Entry(Row(sale.line.id, sale, lever, 0, NOTHING), whole)
        for entry in self.entries.values():
            self.bring_up_to_date(entry)

    def bring_up_to_date(self, entry: Entry) -> None:
        """Posts rounded sum − sum of truncated rows, as far as each cap on the entry's lever has room."""
        sale, lever = entry.row.sale, entry.row.lever
        rows = [row for row in self.rows if rounding_scope(self.program, row.lever, row.sale) == entry.scope]
        exact = sum((self.exact(row) - row.gone for row in rows), NOTHING)
        posted = sum((self.posted(row) - row.taken for row in rows), NOTHING)
        asked = self.in_whole(exact, sale) - posted
        rooms = [self.room(cap, sale, sale, sale.line.on) for cap in self.caps(lever)]
        most = min([asked.program, *(entry.money.program + room for room in rooms if room is not None)])
        own = asked.own * most / asked.program if asked.program else asked.own
        before = entry.money
        entry.money = Money(row_rounded(self.program, own, sale.line.currency), most)
        self.count(entry.row, (entry.money - before).program, sale)

    def in_whole(self, money: Money, sale: Sale) -> Money:
        """An exact sum in whole minor units of both currencies, by the program's mode."""
        own = rounded(self.program, money.own, sale.line.currency)
        return Money(own, rounded(self.program, money.program, self.program["currency"]))

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
        amount = row_rounded(self.program, row.asked.program, self.program["currency"])
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

    def exact(self, row: Row) -> Money:
        """What is granted of a row, in both currencies: as asked where nothing is kept of its rounded figure."""
        if row.granted == row_rounded(self.program, row.asked.program, self.program["currency"]):
            return row.asked
        own = row.asked.own * row.granted / row.asked.program if row.asked.program else Fraction(0)
        return Money(own, row.granted)

    def posted(self, row: Row) -> Money:
        """What a row posts: what is granted, rounded once in each currency."""
        return Money(
            row_rounded(self.program, self.exact(row).own, row.sale.line.currency),
            row_rounded(self.program, row.granted, self.program["currency"]),
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
            rest = self.posted(row) - row.taken
            own = row_rounded(self.program, part * rest.own, row.sale.line.currency)
            program = row_rounded(self.program, part * rest.program, self.program["currency"])
            row.taken += Money(own, program)
            row.gone += (self.exact(row) - row.gone) * part
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
        """All rows, in both currencies, split: a refund's by what it leaves of its sale's row and what was left before."""
        made = {(row.id, row.lever["lever"], row.number): (row.sale, self.posted(row)) for row in self.rows}
        made |= self.taken_back
        left: dict[tuple[str, str, int], Money] = {}
        for key in sorted(made, key=lambda key: [line.id for line in family(made[key][0])].index(key[0])):
            sale, money = made[key]
            whole = (sale.line.id, *key[1:])
            before = left.get(whole, NOTHING)
            left[whole] = before + money
            yield key, earned(self.program, sale, money, before)
        for entry in self.entries.values():
            yield (entry.row.id, entry.row.lever["lever"], 0), earned(self.program, entry.row.sale, entry.money)


def family(sale: Sale) -> list[Line]:
    """A sale's line and those of its refunds, in their order."""
    return [sale.line, *sale.refunds]


def negative_first(rows: list[Row]) -> list[Row]:
    """Rows that give back before those that take, each in their order."""
    return sorted(rows, key=lambda row: row.asked.program >= 0)


def differ(one: Money, other: Money) -> bool:
    """Whether one amount gives what the other takes."""
    return one.program * other.program < 0
