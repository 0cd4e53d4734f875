"""A year of sales, late files, corrections, withdrawals, refunds, restated rates, a lost agreement, adjustments, closes."""

import random
from datetime import date, timedelta
from decimal import Decimal

import pytest

import operations
import pipeline
from tests.deliveries import WORLD, ask, land, land_world
from tests.year_oracle import PROGRAM, Sale, World

ADJUSTMENT = """adjustment: goodwill
program: csp-indirect-reseller
partner: "1000001"
month: 2020-12-01
earning_type: rebate
amount: 25.00
currency: USD
reason: policy_exception
by: anna
approved_by: ben
reference: ticket 4711
expect: {{earned: {earned}}}
"""
MONTHS = [date(2020 + (month > 12), (month - 1) % 12 + 1, 1) for month in range(10, 22)]
LOST, REGAINED = date(2021, 1, 20), date(2021, 3, 15)  # told in April and in May
RATE, CUT = "rate: 0.04}", "rate: {2019-01-01: 0.04, 2021-02-01: 0.03}}"
TOLD = "expect: {earned: 2.75}", "expect: {earned: 2.25}"  # by the program's example


class Year:
    """The script: what happens on each day, to the pipeline and to the oracle alike."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.world = World(agreements=[(date(2018, 1, 1), None)], rates=[(date(2020, 1, 1), Decimal("0.04"))])
        self.delivered: dict[str, dict[str, Sale]] = {}
        self.number = 0

    def sale(self, until: date) -> tuple[str, Sale]:
        self.number += 1
        on = until - timedelta(days=self.random.randrange(until.day))
        revenue = Decimal(self.random.randrange(100, 1_000_000)) / 100
        return f"t{self.number}", Sale(on, revenue, self.random.choice(["USD", "EUR"]))

    def day(self, day: date) -> None:
        """A day's files: new sales, now and then a correction, a refund, a late file, a withdrawal."""
        lines = dict(self.sale(day) for _ in range(3))
        if self.world.lines:
            name = self.random.choice(sorted(self.world.lines))
            old = self.world.lines[name]
            if self.random.random() < 0.5 and not old.reverses:
                lines[name] = Sale(old.on, old.revenue + 7, old.currency)
            elif not old.reverses and not any(s.reverses == name for s in self.world.lines.values()):
                lines[f"r{name}"] = Sale(day, -(old.revenue / 3).quantize(Decimal("0.01")), old.currency, reverses=name)
        self.deliver(day, 1, lines)
        if self.random.random() < 0.4 and len(self.delivered) > 2:
            earlier = date.fromisoformat(self.random.choice(sorted(self.delivered))[:10])
            self.deliver(earlier, 50 + self.number, dict([self.sale(earlier)]))
        if self.random.random() < 0.3 and len(self.delivered) > 2:
            self.withdraw(day)

    def deliver(self, day: date, number: int, lines: dict[str, Sale], **manifest: str) -> None:
        name = land(
            "transactions",
            [row(line, sale) for line, sale in lines.items()],
            day.isoformat(),
            number=number,
            **manifest,
        )
        self.delivered[name] = lines
        self.world.lines |= lines

    def withdraw(self, day: date) -> None:
        """Replace a delivery whose lines stand as they were by one that lacks the first of them."""
        for name, lines in sorted(self.delivered.items()):
            first = next(iter(lines))
            if len(lines) > 1 and all(self.world.lines.get(line) == sale for line, sale in lines.items()):
                del self.delivered[name], self.world.lines[first]
                self.deliver(day, 80 + self.number, {k: v for k, v in lines.items() if k != first}, supersedes=name)
                return


def row(line: str, sale: Sale) -> dict[str, str]:
    made = {"transaction_id": line, "revenue": str(sale.revenue), "currency": sale.currency}
    return made | {"transaction_at": f"{sale.on}T10:00:00Z", "reverses": sale.reverses or ""}


def agreements(world: World) -> list[dict]:
    return [
        WORLD["agreements"][0]
        | {"agreement_id": f"a{n}", "signed_on": str(start), "valid_from": str(start), "valid_to": str(end or "")}
        | {"agreement_status": "expired" if end else "active"}
        for n, (start, end) in enumerate(world.agreements)
    ]


def the_ledger_is_the_oracles(world: World) -> None:
    posted = {
        (line, lever): tuple(amounts)
        for line, lever, *amounts in ask(
            "SELECT transaction_id, lever, coalesce(sum(amount) FILTER (earning_type = 'rebate'), 0), "
            "coalesce(sum(amount) FILTER (earning_type = 'coop'), 0), sum(program_amount) FROM earnings_ledger "
            "WHERE transaction_id IS NOT NULL GROUP BY ALL"
        )
        if any(amounts)
    }
    assert posted == world.earned()
    assert ask("SELECT coalesce(sum(amount), 0) FROM earnings_ledger WHERE cause = 'adjustment'") == [(world.adjusted,)]


@pytest.mark.parametrize(("seed", "days"), [(1, [20]), pytest.param(2, [9, 18, 27], marks=pytest.mark.slow)])
def test_the_ledger_is_the_oracles_on_every_day_of_a_year(home, tmp_path_factory, monkeypatch, seed, days):
    declared = tmp_path_factory.mktemp("adjustments")
    monkeypatch.setenv("INCENTIVES_ADJUSTMENTS", str(declared))
    year, world = Year(seed), None
    rules = tmp_path_factory.mktemp("programs") / "csp-indirect-reseller.yaml"
    rules.write_text(PROGRAM)
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(rules.parent))
    for month in MONTHS:
        year.world.fx[month] = Decimal(year.random.randrange(110_000, 130_000)) / 100_000
        for number in days:
            day = month.replace(day=number)
            if world is None:
                land_world(day.isoformat())
            world = year.world
            rates = [{"fx_month": str(m), "fx_rate": str(rate)} for m, rate in world.fx.items()]
            land("fx_rates", rates, day.isoformat(), number=2)
            if month == date(2021, 4, 1):
                world.agreements = [(date(2018, 1, 1), LOST)]
            if month == date(2021, 5, 1):
                world.agreements = [(date(2018, 1, 1), LOST), (REGAINED, None)]
            land("agreements", agreements(world), day.isoformat(), number=2)
            year.day(day)
            [report] = pipeline.run()
            the_ledger_is_the_oracles(world)
        if month == date(2021, 3, 1):
            [(earned,)] = ask(
                "SELECT sum(amount) FROM earnings_ledger WHERE earning_month = DATE '2020-12-01' AND currency = 'USD'"
            )
            (declared / "goodwill.yaml").write_text(ADJUSTMENT.format(earned=earned))
            world.adjusted = Decimal(25)  # posted with the next day
        if month == date(2021, 5, 1):
            rules.write_text(PROGRAM.replace(RATE, CUT).replace(*TOLD))
            operations.restate(date(2021, 2, 1), by="anna", approved_by="ben")
            world.rates.append((date(2021, 2, 1), Decimal("0.03")))
            the_ledger_is_the_oracles(world)
        if month.month % 3 == 0 and month > MONTHS[2]:
            operations.close(MONTHS[MONTHS.index(month) - 1], "anna")
    found = operations.verify()
    assert found["broken"] == found["differences"] == found["books"] == []
    assert {cause for (cause,) in ask("SELECT DISTINCT cause FROM earnings_ledger")} >= {
        "new_line", "corrected_line", "refund", "eligibility_lost", "eligibility_gained", "rule_change", "bracket_rise",
        "cap_freed",
    }  # fmt: skip
