"""Scales beside OpenFisca's, for each mode of ours that means the same as something of theirs.

OpenFisca counts in floats and rounds nothing; ours are whole cents, so that each row of a bracket may differ by half a
cent. Its LinearAverageRateTaxScale has a rate that grows within a bracket, which no mode of ours has.
"""

import random
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest
from openfisca_core.taxscales import MarginalAmountTaxScale, MarginalRateTaxScale, SingleAmountTaxScale

from tests.test_pricing import PLAIN
from transforms.examples import work_out
from transforms.programs import Program

Brackets = list[tuple[Decimal, Decimal]]  # threshold, and the rate or amount from it on


class Meaning(NamedTuple):
    """How a mode of ours is written, and what OpenFisca earns on an array of amounts."""

    word: str
    on_threshold: str
    theirs: Callable[[Brackets, np.ndarray], np.ndarray]
    over: str = "transaction"


def made(kind: Any, brackets: Brackets) -> Any:
    scale = kind()
    for threshold, price in brackets:
        scale.add_bracket(float(threshold), float(price))
    return scale


def marginal(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    return made(MarginalRateTaxScale, brackets).calc(amounts)


def interpolated(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    ends = [threshold for threshold, _ in brackets[1:]]
    rates = [price / (end - start) for (start, price), end in zip(brackets, ends, strict=False)]
    return marginal([(start, rate) for (start, _), rate in zip(brackets, [*rates, Decimal(0)], strict=True)], amounts)


def flat(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    return made(MarginalRateTaxScale, brackets).marginal_rates(amounts) * amounts


def retroactive(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    return made(MarginalRateTaxScale, brackets).marginal_rates(amounts.sum(keepdims=True)) * amounts


def lump(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    return made(SingleAmountTaxScale, brackets).calc(amounts)


def lump_below(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    return made(SingleAmountTaxScale, brackets).calc(amounts, right=True)


def cumulative(brackets: Brackets, amounts: np.ndarray) -> np.ndarray:
    return made(MarginalAmountTaxScale, brackets).calc(amounts)


MEANINGS = [
    ("marginal", Meaning("rate", "higher", marginal)),
    ("marginal", Meaning("rate", "lower", marginal)),
    ("interpolated", Meaning("amount", "higher", interpolated)),
    ("flat", Meaning("rate", "lower", flat)),
    ("retroactive", Meaning("rate", "lower", retroactive, "all")),
    ("lump_sum", Meaning("amount", "higher", lump)),
    ("lump_sum", Meaning("amount", "lower", lump_below)),
    ("cumulative_lump_sum", Meaning("amount", "lower", cumulative)),
]


def random_brackets(chance: random.Random, mode: str, word: str) -> Brackets:
    """Up to six brackets; rates need not rise, lumps begin above 0."""
    steps = [chance.randrange(1, 500_000) for _ in range(chance.randrange(1, 7))]
    first = chance.randrange(1, 100_000) if mode.endswith("lump_sum") else 0
    thresholds = [Decimal(first + sum(steps[:n])) / 100 for n in range(len(steps))]
    prices = [Decimal(chance.randrange(0, 3_000)) / (10_000 if word == "rate" else 10) for _ in steps]
    if mode == "interpolated":
        prices[-1] = Decimal(0)
    return list(zip(thresholds, prices, strict=True))


def ours(mode: str, meaning: Meaning, brackets: Brackets, amounts: list[Decimal]) -> list[Decimal]:
    """What each amount earns as a line of its own."""
    scale = {
        "mode": mode,
        "on_threshold": meaning.on_threshold,
        "brackets": [{"threshold": threshold, meaning.word: price} for threshold, price in brackets],
    }
    lever = {
        "lever": "scale", "title": "Scale", "effective": {"from": date(2020, 1, 1)}, "select": {}, "measure": "revenue",
        "accumulate": {"over": meaning.over}, "scale": scale,
    }  # fmt: skip
    program = Program.model_validate(
        {**PLAIN, "levers": [lever], "rounding": {"mode": "half_even", "at": "line"}, "split": {"rebate": Decimal(1)}}
    )
    lines: Any = [{"id": f"t{n}", "on": date(2020, 1, 1), "revenue": amount} for n, amount in enumerate(amounts)]
    [(figures, _)] = work_out([program], [(0, {"transactions": lines})])
    return list(figures["lines"].values())


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize(("mode", "meaning"), MEANINGS, ids=[f"{mode}-{m.on_threshold}" for mode, m in MEANINGS])
def test_a_scale_earns_what_openfisca_says(mode, meaning, seed):
    chance = random.Random(seed)
    brackets = random_brackets(chance, mode, meaning.word)
    about = [threshold + cent for threshold, _ in brackets for cent in (0, Decimal("0.01"), Decimal("-0.01"))]
    amounts = [amount for amount in about if amount > 0]
    amounts += [Decimal(chance.randrange(1, 3_000_000)) / 100 for _ in range(40)]
    theirs = meaning.theirs(brackets, np.array(amounts, dtype=float))
    apart = np.abs(np.array(ours(mode, meaning, brackets, amounts), dtype=float) - theirs)
    rows = len(brackets) if mode in ("marginal", "interpolated") else 1
    assert apart.max() <= 0.005 * rows + 1e-6
