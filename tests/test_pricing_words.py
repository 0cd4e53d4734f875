"""Random programs with the words that look at customers, at the period before, and at whole periods: engine beside oracle."""

import random
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from tests.oracle.lines import is_purchase
from tests.pricing_oracle import Line, price
from tests.test_pricing import AMOUNTS, FIRST, Rules, alike, amounts_by_row, frame, random_lines
from transforms.contexts import Known
from transforms.decisions import decided_lines
from transforms.earnings import in_context
from transforms.holders import first_to_earn
from transforms.programs import Program

PERIODS = ["month", "quarter", "half_year", "fiscal_year"]
TERMS = {1: "P1M", 12: "P1Y"}
STEPS = {"count": [0, 1, 2], "attainment": ["0", "0.5", "1", "1.75"], "growth": [0, 120, 500]}


class Words(Rules):
    """A random program whose levers measure, compare, keep and round by every word."""

    def program(self) -> dict[str, Any]:
        made = super().program()
        if self.chance.random() < 0.25:
            made["rounding"] = made["rounding"] | {"at": "period"}
            for capped in (made, *made["levers"]):  # entries ask a cap for room after all lines, the oracle in sequence
                capped.pop("cap", None)
        return made

    def lever(self, number: int) -> dict[str, Any]:
        made = super().lever(number)
        word = self.chance.choice(["growth", "attainment", "count", "annualised", "plain", "plain"])
        if word in STEPS:
            made = self.measured(made, word)
        elif word == "annualised" and made["measure"] == "revenue" and "amount" not in str(made.get("scale", made)):
            made["base"] = "annualised_revenue"
        if self.chance.random() < 0.25:
            start = self.chance.choice(["tenant_created", "first_purchase"])
            months: Any = Decimal(self.chance.choice([1, 2, 5]))
            if self.chance.random() < 0.3:
                months = {self.day(): months, FIRST + timedelta(200): self.chance.choice([None, Decimal(3)])}
            made["window"] = {"from": start, "months": months}
        if self.chance.random() < 0.3:
            self.keep(made)
        return made

    def measured(self, made: dict[str, Any], word: str) -> dict[str, Any]:
        """The lever with a measure that needs a period, and what goes with it."""
        over = self.chance.choice(PERIODS)
        per = ["customer"] if word == "count" else self.chance.choice([[], ["customer"]])
        kept = {name: made[name] for name in ("lever", "title", "effective", "select", "stack", "cap") if name in made}
        pays = self.chance.choice(["rate", "rate", "amount"])
        prices = self.prices(pays, len(STEPS[word]))
        brackets = [{"threshold": Decimal(t), pays: p} for t, p in zip(STEPS[word], prices, strict=True)]
        count = self.chance.randrange(1, len(brackets) + 1)
        mode = self.chance.choice(["flat", "marginal", "retroactive"])
        lever = kept | {
            "measure": word,
            "accumulate": {"over": over, "per": per},
            "scale": {"mode": mode, "brackets": brackets[:count]},
        }
        if word != "count":
            lever["baseline"] = self.baseline(over)
        if pays == "rate":
            lever |= self.base(word)
        if self.chance.random() < 0.25:
            least = {"growth": [5, 100, 400], "attainment": ["0.2", "0.9"], "count": [1, 2, "1.5"]}[word]
            alike = word == "attainment" or (word == "growth" and self.chance.random() < 0.5)
            scope = {"over": over, "per": per} if alike else self.scope()
            lever["minimum"] = {"measure": Decimal(self.chance.choice(least)), **scope}
        return lever

    def baseline(self, over: str) -> dict[str, Any]:
        of = self.chance.choice(["revenue", "revenue", "quantity"])
        if self.chance.random() < 0.3:
            return {"of": of, "fixed": Decimal(self.chance.choice([10, 100, 800]))}
        return {"of": of, "over": f"previous_{self.chance.choice([over, 'month', 'quarter'])}"}

    def base(self, word: str) -> dict[str, Any]:
        if word == "growth":
            return self.chance.choice([{}, {"base": "revenue"}])
        if word == "attainment":
            return self.chance.choice([{"base": "revenue"}, {"base": {"fixed": Decimal(1000)}}])
        return {"base": "revenue"}

    def keep(self, made: dict[str, Any]) -> None:
        """An exclusive partner, one earning, or both; all else is then told apart by customer."""
        if made["measure"] == "count":  # of all customers together, so that no brackets may go unpaid
            made["scale"]["brackets"] = [bracket for bracket in made["scale"]["brackets"] if bracket["threshold"] == 0]
            made["scale"]["brackets"][0] |= {
                word: Decimal(3) / 100 for word in made["scale"]["brackets"][0] if word != "threshold"
            }
        for word in self.chance.choice([["exclusive_partner"], ["one_earning"], ["exclusive_partner", "one_earning"]]):
            made[word] = ["customer"]
        if "over" in made.get("baseline", {}) or made.get("accumulate", {}).get("over") not in (None, "transaction"):
            made["accumulate"]["per"] = ["customer"]
        if "minimum" in made and made["measure"] in ("growth", "attainment"):
            made["minimum"]["per"] = made["accumulate"]["per"] = ["customer"]
        if "minimum" in made and "customer" not in made["minimum"]["per"]:
            if made["minimum"]["over"] == "transaction":
                del made["minimum"]
            else:
                made["minimum"]["per"] = ["customer"]


def known_lines(chance: random.Random) -> tuple[list[Line], date | None]:
    """Lines with what is known of their customers and terms, and the first day of which lines are held."""
    tenants = {name: chance.choice([FIRST - timedelta(20), FIRST + timedelta(70), None]) for name in ("c1", "c2")}
    made: list[Line] = []
    terms: dict[str, int] = {}
    for line in random_lines(chance):
        terms[line.id] = terms[line.reverses] if line.reverses else chance.choice([1, 12])
        more = {"tenant_created_on": tenants[line.customer], "term_months": terms[line.id]}
        made.append(Line(**{**vars(line), "attributes": {**line.attributes, **more}}))
    return made, chance.choice([None, FIRST, FIRST + timedelta(50)])


def frame_of(lines: list[Line], held_from: date | None) -> pd.DataFrame:
    """Lines as a bucket has them, with what is known of customers and terms."""
    of = {line.id: line for line in lines}
    heads = [of.get(line.reverses or "", line) for line in lines]
    first = {
        name: min((line.on for line in lines if line.customer == name and is_purchase(line)), default=None)
        for name in ("c1", "c2")
    }
    return frame(lines).assign(
        tenant_created_on=pd.to_datetime(pd.Series([head.attributes["tenant_created_on"] for head in heads])),
        first_purchase_on=pd.to_datetime(pd.Series([first[head.customer] for head in heads])),
        term=pd.Series([TERMS[head.attributes["term_months"]] for head in heads]),
        history_from=pd.Timestamp(held_from or "1900-01-01"),
    )


def by_engine(rules: dict[str, Any], lines: list[Line], held_from: date | None) -> dict[tuple, tuple[Decimal, ...]]:
    program = Program.model_validate(rules)
    decided = decided_lines(frame_of(lines, held_from), [program])
    return amounts_by_row(in_context(decided, [program], Known(holders=first_to_earn(decided, [program]))))


def by_oracle(rules: dict[str, Any], lines: list[Line], held_from: date | None) -> dict[tuple, tuple[Decimal, ...]]:
    made = price(rules, alike(lines), held_from=held_from)
    found = {key: tuple(getattr(row, name) for _, name, _ in AMOUNTS) for key, row in made.items()}
    return {key: amounts for key, amounts in found.items() if any(amounts)}


def the_same(seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        rules, (lines, held_from) = Words(chance).program(), known_lines(chance)
        assert by_engine(rules, lines, held_from) == by_oracle(rules, lines, held_from), f"seed {seed}: {rules}"


@pytest.mark.parametrize(
    "first", [0, 100, 200, *(pytest.param(n, marks=pytest.mark.slow) for n in range(300, 1000, 100))]
)
def test_the_engine_pays_what_the_oracle_pays(first):
    the_same(range(first, first + 100))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(100_000, 150_000, 5_000))
def test_the_engine_pays_what_the_oracle_pays_for_many_programs(first):
    the_same(range(first, first + 5_000))
