"""Random programs over random days: whatever a day brings, the ledger is then what a full recomputation says."""

import random
from pathlib import Path
from typing import Any

import pytest

import operations
import pipeline
from tests.deliveries import land
from tests.test_cells import agreements, delivered, rules, settled_by, world_of_two_partners
from tests.test_pricing import Line
from tests.test_pricing_words import TERMS, Words, known_lines

__all__ = ["rules"]
DAYS = [f"2021-11-{number:02d}" for number in range(1, 6)]
CREATED = ["2015-01-01", "2020-06-11", "2020-09-09"]
LOST = ["2020-10-15", "2021-02-01"]  # days on which a partner's agreement may end


class World:
    """What random deliveries of five days bring: lines in their order or late, corrections, customers, agreements."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        lines, _ = known_lines(chance)
        is_late = chance.random() < 0.4
        self.lines = sorted(lines, key=lambda line: (is_late and chance.random() < 0.2, line.on, line.id))
        self.known: list[Line] = []

    def rows(self, number: int) -> list[dict[str, str]]:
        """The lines of one day, and sometimes a correction of one that is known."""
        share = self.lines[number * len(self.lines) // len(DAYS) : (number + 1) * len(self.lines) // len(DAYS)]
        rows = [self.row(line) for line in share]
        if self.known and self.chance.random() < 0.4:
            line = self.chance.choice(self.known)
            changes: list[dict[str, str]] = [
                {"revenue": str(line.revenue * 2)},
                {"customer_id": self.chance.choice(["c1", "c2"])},
                {"reseller_id": self.chance.choice(["1000001", "1000002"])},
                {"quantity": str(line.quantity * 3)},
                {"product_id": "azure P1M"},
            ]
            rows.append(self.row(line) | self.chance.choice(changes))
        self.known += share
        return rows

    def row(self, line: Line) -> dict[str, str]:
        return delivered(line) | {
            "product_id": product(line.attributes["product_family"], TERMS[line.attributes["term_months"]])
        }

    def customers(self) -> list[dict[str, str]]:
        return [{"customer_id": name, "tenant_created_on": self.chance.choice(CREATED)} for name in ("c1", "c2")]

    def agreements(self) -> list[dict[str, str]]:
        made = agreements()
        if self.chance.random() < 0.3:
            self.chance.choice(made)["valid_to"] = self.chance.choice(LOST)
        return made


def product(family: object, term: str) -> str:
    return f"{family} {term}"


def terms_of(chance: random.Random) -> dict[str, Any]:
    """A program that looks at customers, baselines, windows or lumps, most of which no plain program does."""
    made = Words(chance).program()
    while not any(word in str(made) for word in ("exclusive_partner", "one_earning", "baseline", "window", "lump")):
        made = Words(chance).program()
    return made


def on_any_days(seed: int, rules: Path) -> None:
    chance = random.Random(seed)
    settled_by(rules, terms_of(chance))
    world = World(chance)
    offers = [
        {
            "product_id": product(family, term),
            "product_name": product(family, term),
            "product_family": family,
            "term": term,
        }
        for family in ("azure", "office365")
        for term in TERMS.values()
    ]
    for number, day in enumerate(DAYS):
        if number == 0:
            world_of_two_partners(day, products=offers, customers=world.customers())
        elif chance.random() < 0.3:
            land("customers", world.customers(), day)
        land("agreements", world.agreements(), day, number=2)
        land("transactions", world.rows(number), day)
        assert len(pipeline.run()) == 1
        found = operations.verify()
        assert found["broken"] == found["differences"] == [], f"seed {seed}, {day}"


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 30)])
def test_the_ledger_is_what_a_full_recomputation_says(rules, seed):
    on_any_days(seed, rules)
