"""Whatever is delivered, corrected, withdrawn, repeated, closed, restated or cut off, in any order: the ledger is right."""

import shutil
import tempfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

import operations
import pipeline
from tests.deliveries import WORLD, ask, land, take_in_world
from tests.test_killed import POINTS
from tests.test_year import CUT, RATE, TOLD, row, the_ledger_is_the_oracles
from tests.year_oracle import PROGRAM, Sale, World
from warehouse import store

FIRST = date(2021, 3, 1)


class CutOff(BaseException):
    """The process ends here."""


class Ledger(RuleBasedStateMachine):
    """One partner's deliveries from March 2021 on; the oracle is told the same."""

    @initialize()
    def begin(self):
        self.patch = pytest.MonkeyPatch()
        self.folder = Path(tempfile.mkdtemp())
        self.rules = self.folder / "programs" / "csp-indirect-reseller.yaml"
        self.rules.parent.mkdir()
        self.rules.write_text(PROGRAM)
        self.patch.setenv("INCENTIVES_HOME", str(self.folder / "home"))
        self.patch.setenv("INCENTIVES_PROGRAMS", str(self.rules.parent))
        self.world = World(agreements=[(date(2018, 1, 1), None)], rates=[(date(2020, 1, 1), Decimal("0.04"))])
        self.day, self.number, self.cut_at = FIRST, 0, ""
        self.settled: list[date] = []
        self.delivered: dict[str, dict[str, Sale]] = {}
        take_in_world(FIRST.isoformat())
        for month in ("2021-04-01", "2021-05-01"):
            land("fx_rates", [{"fx_month": month}], month)
        self.deliver(Decimal(100))

    @rule(cents=st.integers(1, 10**8))
    def deliver(self, cents):
        self.number += 1
        self.hand_over(self.day, {f"t{self.number}": Sale(self.day, Decimal(cents) / 100)})

    @rule(cents=st.integers(1, 10**8))
    @precondition(lambda self: self.settled)
    def deliver_late(self, cents):
        self.number += 1
        self.hand_over(self.settled[0], {f"t{self.number}": Sale(self.settled[0], Decimal(cents) / 100)})

    @rule(cents=st.integers(1, 10**8))
    @precondition(lambda self: self.settled and self.world.lines)
    def correct(self, cents):
        name = sorted(self.world.lines)[cents % len(self.world.lines)]
        old = self.world.lines[name]
        self.hand_over(self.day, {name: Sale(old.on, Decimal(cents) / 100)})

    @rule()
    @precondition(lambda self: self.settled and self.delivered)
    def withdraw(self):
        name, lines = sorted(self.delivered.items())[0]
        if all(self.world.lines.get(line) == sale for line, sale in lines.items()):
            for line in lines:
                del self.world.lines[line]
            del self.delivered[name]
            self.number += 1
            self.hand_over(self.day, {f"t{self.number}": Sale(self.day, Decimal(1))}, supersedes=name)

    @rule()
    @precondition(lambda self: self.delivered)
    def deliver_again(self):
        name, lines = sorted(self.delivered.items())[-1]
        if name.startswith(self.day.isoformat()):
            self.number += 1
            land("transactions", [row(line, sale) for line, sale in lines.items()], name[:10], number=100 + self.number)

    @rule(point=st.sampled_from(POINTS))
    def be_cut_off(self, point):
        self.cut_at = point

    @rule()
    def settle(self):
        if not any(name.startswith(self.day.isoformat()) for name in self.delivered):
            self.deliver(Decimal(100))
        land("agreements", WORLD["agreements"], self.day.isoformat(), number=2)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store, "reached", self.reached)
            try:
                pipeline.run()
            except CutOff:
                self.cut_at = ""
        pipeline.run()
        the_ledger_is_the_oracles(self.world)
        self.settled.append(self.day)
        self.day += timedelta(days=9)

    @rule()
    @precondition(lambda self: self.settled and self.settled[-1].month > 3)
    def close(self):
        [(closed,)] = ask("SELECT max(period) FROM liability WHERE is_closed")
        if closed is None:
            operations.close(FIRST, "anna")

    @rule()
    @precondition(lambda self: self.settled)
    def restate(self):
        text = self.rules.read_text()
        change = (RATE, CUT) if RATE in text else (CUT, RATE)
        self.rules.write_text(text.replace(*change).replace(*(TOLD if change[0] == RATE else TOLD[::-1])))
        rate = "0.03" if change[0] == RATE else "0.04"
        self.world.rates = [(date(2020, 1, 1), Decimal("0.04")), (date(2021, 2, 1), Decimal(rate))]
        operations.restate(date(2021, 2, 1), by="anna", approved_by="ben")

    def hand_over(self, day: date, lines: dict[str, Sale], **manifest: str) -> None:
        self.number += 1
        rows = [row(line, sale) for line, sale in lines.items()]
        self.delivered[land("transactions", rows, day.isoformat(), number=self.number, **manifest)] = lines
        self.world.lines |= lines

    def reached(self, point: str) -> None:
        if point == self.cut_at:
            raise CutOff

    def teardown(self):
        if self.settled:
            found = operations.verify()
            assert found["broken"] == found["differences"] == found["books"] == []
        self.patch.undo()
        shutil.rmtree(self.folder)


@pytest.mark.slow
def test_the_ledger_is_right_whatever_happens():
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Ledger,
        settings=settings(max_examples=15, stateful_step_count=14, suppress_health_check=list(HealthCheck)),
    )
