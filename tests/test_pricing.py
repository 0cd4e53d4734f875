"""Random programs and lines: the engine pays what the oracle pays, row by row and to the last minor unit."""

import random
from datetime import date, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import iso4217
import numpy as np
import pandas as pd
import pytest

from tests.pricing_oracle import Line, price
from transforms import posting
from transforms.decisions import decided_lines
from transforms.earnings import in_context
from transforms.money import FX, decimals
from transforms.programs import Program
from transforms.refunds import families
from transforms.sequence import arranged

FIRST = date(2020, 7, 1)
PLAIN = {
    "program": "random", "title": "Random", "status": "active", "reference": {"title": "none"}, "earner": "reseller",
    "partner_types": ["indirect_reseller"], "currency": "USD", "fiscal_year_start": "07-01",
    "reference_date": "transaction_date", "eligibility": {"earns_from": "month_start", "criteria": []},
    "examples": [{}],
}  # fmt: skip
FX_RATES = {"USD": "1", "EUR": "1.21875", "JPY": "0.0091234567", "KWD": "3.289473684210526"}
AMOUNTS = [
    ("earning_minor", "earning", "currency"), ("program_earning_minor", "program_earning", "program_currency"),
    ("coop_minor", "coop", "currency"), ("program_rebate_minor", "program_rebate", "program_currency"),
]  # fmt: skip


class Rules:
    """A random program, as a file would have it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def program(self) -> dict[str, Any]:
        coop = Decimal(self.chance.choice(["0", "0.4", "0.333"]))
        made = PLAIN | {
            "rounding": {"mode": self.chance.choice(["half_even", "half_up", "truncate"]), "at": self.chance.choice(["line", "line", "slice"])},
            "remainder_to": self.chance.choice(["rebate", "coop"]),
            "levers": [self.lever(number) for number in range(self.chance.choice([1, 1, 2, 3]))],
            "split": {"rebate": 1 - coop, "coop": coop},
        }  # fmt: skip
        if self.chance.random() < 0.3:
            made["cap"] = [self.cap()]
        if self.chance.random() < 0.5:
            made["clawback"] = {"ladder": [self.rung(*rung) for rung in ((0, "1"), (1, "0.7"), (3, "0.25"), (6, "0"))]}
        return made

    def rung(self, month: int, share: str) -> dict[str, Any]:
        """A step of a ladder, of which some take back another share from a day on, or end."""
        made: dict[str, Any] = {"from_month": Decimal(month), "share": Decimal(share)}
        if self.chance.random() < 0.3:
            made["share"] = {FIRST: made["share"], self.day(): self.chance.choice([None, Decimal("0.5")])}
        if month and self.chance.random() < 0.2:
            made["from_month"] = {FIRST: made["from_month"], self.day(): Decimal(month + 1)}
        return made

    def lever(self, number: int) -> dict[str, Any]:
        measure = self.chance.choice(["revenue", "revenue", "quantity"])
        made: dict[str, Any] = {
            "lever": f"l{number}", "title": "L", "effective": {"from": FIRST}, "measure": measure,
            "select": self.chance.choice([{}, {"product_family": ["azure"]}, {"product_family": {"not": ["azure"]}}]),
            "accumulate": self.scope(),
        }  # fmt: skip
        if self.chance.random() < 0.2:
            made |= self.chance.choice([{"rate": Decimal("0.0375")}, {"amount": Decimal("1.255")}])
        else:
            made["scale"] = self.scale(measure)
            if "rate" in made["scale"]["brackets"][0]:
                made["base"] = "revenue"
        if self.chance.random() < 0.3:
            made["minimum"] = {"measure": self.figure(measure), **self.scope(lone=True)}
        if self.chance.random() < 0.3:
            made["cap"] = [self.cap()]
        if self.chance.random() < 0.3:
            made["stack"] = {"group": "g", "take": "first"}
        if self.chance.random() < 0.1 and "lump" not in made.get("scale", {}).get("mode", ""):
            made["accumulate"] = {"over": "trailing_12_months", "per": []}
        return made

    def scope(self, *, lone: bool = False) -> dict[str, Any]:
        over = self.chance.choice(["transaction", "month", "quarter", "half_year", "fiscal_year", "all"])
        return {"over": over, "per": [] if over == "transaction" else self.chance.choice([[], ["customer"]])}

    def cap(self) -> dict[str, Any]:
        amount: Any = Decimal(self.chance.choice([5, 40, 200]))
        if self.chance.random() < 0.3:
            amount = {FIRST: amount, FIRST + timedelta(40): amount * 2}
        return {"amount": amount, "excess": self.chance.choice(["forfeit", "forfeit", "defer"]), **self.scope()}

    def figure(self, measure: str) -> Decimal:
        return Decimal(self.chance.choice([3, 10, 25] if measure == "quantity" else [50, 400, "399.995", 1500]))

    def scale(self, measure: str) -> dict[str, Any]:
        mode = self.chance.choice(
            ["flat", "marginal", "retroactive", "interpolated", "lump_sum", "cumulative_lump_sum"]
        )
        pays = (
            "amount"
            if mode in ("interpolated", "lump_sum", "cumulative_lump_sum") or self.chance.random() < 0.3
            else "rate"
        )
        steps = [0, 5, 14, 30] if measure == "quantity" else [0, self.chance.choice([120, 120, "119.995"]), 500, 2000]
        if mode != "marginal" and self.chance.random() < (0.7 if mode.endswith("lump_sum") else 0.3):
            steps = steps[1:]
        count = self.chance.randrange(1, len(steps) + 1)
        prices = self.prices(pays, count)
        if mode == "interpolated":
            prices[-1] = Decimal(0)
        made: dict[str, Any] = {
            "mode": mode,
            "brackets": [{"threshold": Decimal(t), pays: p} for t, p in zip(steps, prices, strict=False)],
        }
        can_begin_later = made["brackets"][1 : -1 if mode == "interpolated" else None]
        if can_begin_later and not mode.endswith("lump_sum") and self.chance.random() < 0.3:
            bracket = self.chance.choice(can_begin_later)
            bracket[pays] = {self.day(): bracket[pays]}
        if mode.endswith("lump_sum") and self.chance.random() < 0.5:
            self.move_lumps(made["brackets"])
        if mode == "interpolated" and count > 1 and self.chance.random() < 0.3:
            before, last = made["brackets"][-2:]
            since = self.day()
            before[pays], last[pays] = {FIRST: Decimal(0), since: prices[-2]}, {since: Decimal(0)}
        if measure == "quantity" and self.chance.random() < 0.3:
            made["units"] = "first_unit"
        elif self.chance.random() < 0.3:
            made["on_threshold"] = "lower"
        return made

    def prices(self, pays: str, count: int) -> list[Decimal]:
        """Rates or amounts, of which the first may be 0: nothing is paid until the next bracket."""
        held = [Decimal(self.chance.randrange(1, 2000)) / (100 if pays == "amount" else 10_000) for _ in range(count)]
        return [Decimal(0), *held[1:]] if self.chance.random() < 0.15 else held

    def move_lumps(self, brackets: list[dict[str, Any]]) -> None:
        """Some thresholds move, some lumps are others from a day on, some brackets but the first begin later."""
        for number, bracket in enumerate(brackets):
            threshold, amount = bracket["threshold"], bracket["amount"]
            if self.chance.random() < 0.5:
                other = int(threshold * self.chance.choice([Decimal("0.75"), Decimal("1.4")]))
                bracket["threshold"] = {FIRST: threshold, self.day(): Decimal(other)}
            if number and self.chance.random() < 0.5:
                bracket["amount"] = {self.day(): amount}
            elif self.chance.random() < 0.5:
                bracket["amount"] = {FIRST: amount, self.day(): amount + 1}

    def day(self) -> date:
        """A day after the first one on which something changes."""
        return FIRST + timedelta(self.chance.randrange(1, 200))


def random_lines(chance: random.Random) -> list[Line]:
    """Sales of two partners over nine months, some of them refunded, in part or whole, or credited without a link."""
    made: list[Line] = []
    currencies = chance.choice([["USD"], ["USD", "EUR", "JPY", "KWD"]])
    for number in range(chance.randrange(1, 14)):
        currency = chance.choice(currencies)
        places = iso4217.Currency(currency).exponent or 0
        revenue = (Decimal(chance.choice([0, 10_000, 12_000, chance.randrange(1, 90_000)])) / 100).quantize(
            Decimal(1).scaleb(-places)
        )
        sign = -1 if chance.random() < 0.1 else 1
        line = Line(
            f"t{number}", FIRST + timedelta(chance.randrange(270)), "00:00", chance.choice(["p1", "p2"]),
            chance.choice(["c1", "c2"]), sign * revenue, Decimal(sign * chance.randrange(1, 20)), currency,
            Decimal(FX_RATES[currency]), attributes={"product_family": chance.choice(["azure", "office365"])},
            eligible=chance.random() < 0.95,
        )  # fmt: skip
        made.append(line)
        made += _refunds(chance, line, places) if sign > 0 else []
    return made


def _refunds(chance: random.Random, line: Line, places: int) -> list[Line]:
    kind = chance.random()
    if kind > 0.35 or not line.revenue:
        return []
    parts = [Decimal(1)] if kind < 0.15 else [Decimal("0.5"), Decimal("0.25")][: chance.choice([1, 2])]
    nothing = kind < 0.05
    return [
        Line(
            f"{line.id}r{n}", line.on + timedelta(chance.randrange(200)), "00:00", line.partner, line.customer,
            Decimal(0) if nothing else -(line.revenue * part).quantize(Decimal(1).scaleb(-places), "ROUND_DOWN"),
            Decimal(0) if nothing else -(line.quantity * part), line.currency, line.fx, line.id, line.attributes,
            line.eligible and chance.random() < 0.9,
        )
        for n, part in enumerate(parts)
    ]  # fmt: skip


def alike(lines: list[Line]) -> list[Line]:
    """The lines without refunds that are unlike their originals, which reverse nothing."""
    earning = {line.id for line in lines if line.eligible}
    return [line for line in lines if line.eligible or line.reverses not in earning]


def frame(lines: list[Line]) -> pd.DataFrame:
    """Lines as a bucket has them."""
    by_id = {line.id: line for line in lines}
    rows = []
    for line in lines:
        head = by_id.get(line.reverses or "", line)
        day = pd.Timestamp(head.on)
        exponent = iso4217.Currency(line.currency).exponent or 0
        rows.append(
            {
                "transaction_id": line.id, "program": "random", "partner_id": line.partner, "reverses": line.reverses,
                "root_id": line.reverses, "own_at": pd.Timestamp(line.on), "reference_at": day, "reference_on": day,
                "revenue_minor": int(line.revenue.scaleb(exponent)), "quantity_micro": int(line.quantity * 10**6),
                "currency": line.currency, "program_currency": "USD", "exponent": exponent, "program_exponent": 2,
                "fx_month": day.replace(day=1), "customer_id": head.customer, "charge_type": "new", "own_charge_type": "new",
                "product_family": head.attributes["product_family"], "is_partner_known": True, "is_own_customer": False,
                "is_original_known": line.eligible or not head.eligible, "is_earning": line.eligible, "reason_codes": None, "cause": "new_line",
                "is_posted": False,
            }
        )  # fmt: skip
    made = pd.DataFrame(rows).assign(fx_rate=decimals([line.fx for line in lines], FX))
    reasons = pd.Series(["IVDMPN" if not line.eligible else None for line in lines], dtype="str")
    return made.assign(
        reason_codes=reasons, reverses=made["reverses"].astype("str"), root_id=made["root_id"].astype("str")
    )


def by_engine(rules: dict[str, Any], lines: list[Line]) -> dict[tuple, tuple[Decimal, ...]]:
    program = Program.model_validate(rules)
    return amounts_by_row(in_context(decided_lines(frame(lines), [program]), [program]))


def amounts_by_row(made: pd.DataFrame) -> dict[tuple, tuple[Decimal, ...]]:
    """(line, lever, bracket) → its amounts in major units, of the rows that earn anything."""
    found: dict[tuple, tuple[Decimal, ...]] = {}
    for row in made.to_dict("records"):
        key = (row["transaction_id"], row["lever"], row["bracket"])
        amounts = tuple(
            Decimal(row[column]).scaleb(-(iso4217.Currency(row[unit]).exponent or 0)) for column, _, unit in AMOUNTS
        )
        assert key not in found
        found[key] = amounts
    return {key: amounts for key, amounts in found.items() if any(amounts)}


def every_column(rules: dict[str, Any], lines: list[Line]) -> pd.DataFrame:
    program = Program.model_validate(rules)
    made = in_context(decided_lines(frame(lines), [program]), [program]).drop(columns="rule_version")
    return made.sort_values(["transaction_id", "lever", "bracket"], ignore_index=True).fillna({"held_by": "nothing"})


def by_oracle(rules: dict[str, Any], lines: list[Line]) -> dict[tuple, tuple[Decimal, ...]]:
    made = {key: tuple(getattr(row, name) for _, name, _ in AMOUNTS) for key, row in price(rules, alike(lines)).items()}
    return {key: amounts for key, amounts in made.items() if any(amounts)}


def test_a_program_pays_by_more_levers_than_a_number_has_bits():
    azure: dict[str, Any] = {"product_family": ["azure"]}
    levers = [
        {"lever": f"l{n}", "title": "L", "effective": {"from": FIRST}, "measure": "revenue", "select": azure if n < 20 else {}, "rate": Decimal(n + 1) / 100}
        for n in range(70)
    ]  # fmt: skip
    whole = {"split": {"rebate": Decimal(1)}, "rounding": {"mode": "half_even", "at": "line"}}
    sales = [
        Line(family, FIRST, "00:00", "p1", "c1", Decimal(100), Decimal(1), "USD", Decimal(1), attributes={"product_family": family})
        for family in ("azure", "office365")
    ]  # fmt: skip
    found = by_engine(PLAIN | whole | {"levers": levers}, sales)
    paid = {
        family: [made[0] for (line, *_), made in found.items() if line == family] for family in ("azure", "office365")
    }
    assert paid == {"azure": [Decimal(n + 1) for n in range(70)], "office365": [Decimal(n + 1) for n in range(20, 70)]}


def the_same(seeds: range) -> None:
    for seed in seeds:
        chance = random.Random(seed)
        rules, lines = Rules(chance).program(), random_lines(chance)
        assert by_engine(rules, lines) == by_oracle(rules, lines), f"seed {seed}: {rules}"


@pytest.mark.parametrize("first", [0, pytest.param(50, marks=pytest.mark.slow)])
def test_what_no_cap_keeps_is_the_same_gone_through_line_by_line(monkeypatch, first):
    for seed in range(first, first + 50):
        chance = random.Random(seed)
        rules, lines = Rules(chance).program(), random_lines(chance)
        for capped in (rules, *rules["levers"]):
            capped.pop("cap", None)
        free = every_column(rules, lines)
        with monkeypatch.context() as patch:
            patch.setattr(posting, "binding", lambda priced, rows, caps: np.ones(len(priced), bool))
            bound = every_column(
                rules | {"cap": [{"amount": Decimal(10**9), "excess": "forfeit", "over": "transaction"}]}, lines
            )
        pd.testing.assert_frame_equal(bound, free, check_dtype=False, obj=f"seed {seed}")


@pytest.mark.parametrize("first", range(0, 1000, 100))
def test_the_engine_pays_what_the_oracle_pays(first):
    the_same(range(first, first + 100))


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("first", range(100_000, 150_000, 5_000))
def test_the_engine_pays_what_the_oracle_pays_for_many_programs(first):
    the_same(range(first, first + 5_000))


@pytest.mark.parametrize(("is_like", "taken"), [(True, -100), (False, 0)])
def test_a_refund_that_is_unlike_its_original_takes_nothing_of_it_in_a_baseline_either(is_like, taken):
    rows = pd.DataFrame(
        {
            "transaction_id": ["sale", "back"], "reverses": [None, "sale"], "root_id": [None, "sale"], "levers": [None, None],
            "own_at": pd.to_datetime(["2021-03-23", "2021-03-24"]), "revenue_minor": [1000, -100], "is_original_known": [True, is_like],
        }
    )  # fmt: skip
    assert list(families(rows, np.array([1, 0])).revenue) == [1000, taken]


def test_a_refund_stands_after_its_original_however_rows_come():
    rows = pd.DataFrame(
        {
            "transaction_id": ["back", "again", "sale"], "reverses": ["sale", "sale", None], "root_id": ["sale", "sale", None],
            "own_at": pd.to_datetime(["2021-03-25", "2021-03-24", "2021-03-23"]), "revenue_minor": [-100, -100, 1000],
            "quantity_micro": [0, 0, 1], "levers": ["all"] * 3, "is_original_known": [True] * 3,
        }
    )  # fmt: skip
    levers = [
        {
            "lever": "all",
            "title": "All",
            "effective": {"from": FIRST},
            "select": {},
            "measure": "revenue",
            "rate": Decimal("0.1"),
        }
    ]
    rounding, split = {"mode": "half_even", "at": "line"}, {"rebate": Decimal(1)}
    program = Program.model_validate({**PLAIN, "levers": levers, "rounding": rounding, "split": split})
    for order in permutations(range(3)):
        assert list(arranged(rows.iloc[list(order)], program)[0]["transaction_id"]) == ["sale", "again", "back"]
