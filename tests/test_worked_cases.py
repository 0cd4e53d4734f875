"""Calculations that others have published, each a program file of its own in tests/cases/worked, named by its id."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from transforms.examples import try_examples
from transforms.programs import load

WORKED = Path(__file__).parent / "cases" / "worked"
CASES = [
    "A01",
    "A02",
    "A04",
    "A09",
    "A12",
    "A14",
    "A16",
    "A17",
    "A18",
    "A21",
    "B01",
    "B02",
    "B03",
    "B06",
    "B08",
    "B12",
    "B15",
    "B16",
    "B18",
    "C01",
    "C05",
    "C06",
    "C07",
    "C08",
    "D01",
    "D06",
    "F01",
    "F02",
    "F04",
    "F05",
    "F08",
    "F14",
    "F15",
]


def path(case: str) -> Path:
    return WORKED / f"{case.lower()}.yaml"


def altered(expected: Any) -> Iterator[Any]:
    """What is expected with a cent more, once for each of its figures."""
    if isinstance(expected, Decimal):
        yield expected + Decimal("0.01")
    if isinstance(expected, dict | list):
        for key, held in expected.items() if isinstance(expected, dict) else enumerate(expected):
            for other in altered(held):
                made = expected.copy()
                made[key] = other
                yield made


def test_every_case_has_its_file():
    assert sorted(file.stem.upper() for file in WORKED.glob("*")) == sorted(CASES)


@pytest.mark.parametrize("case", CASES)
def test_a_case_earns_what_its_source_says(case):
    assert try_examples(load(path(case)), path(case)) == []


@pytest.mark.parametrize("case", CASES)
def test_a_case_fails_when_any_of_its_figures_is_a_cent_off(case):
    program = load(path(case))
    wrong = [example | {"expect": made} for example in program.examples for made in altered(example["expect"])]
    faults = try_examples(program.model_copy(update={"examples": wrong}), path(case))
    assert len(wrong) == len(faults) > 0
