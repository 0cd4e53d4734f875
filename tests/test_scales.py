"""Scales: which bracket pays for which part of a line, in figures small enough to count."""

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.brackets import Scale
from transforms.scales import Standing, bracket_of, pays, slices

TODAY, LATER = date(2021, 2, 3), date(2022, 1, 1)
pytestmark = [
    pytest.mark.parametrize("kind", ["int64", "object"]),  # object: whole numbers of any size
    pytest.mark.filterwarnings("error"),
]


def scale(mode: str, *thresholds: int, later: tuple[int, ...] = (), **more: Any) -> Scale:
    """A scale of thresholds; brackets whose numbers are in `later` begin after today."""
    word = "rate" if mode in ("flat", "marginal", "retroactive") else "amount"
    prices = [{LATER: Decimal(0)} if number in later else Decimal(0) for number in range(1, len(thresholds) + 1)]
    brackets = [{"threshold": Decimal(t), word: price} for t, price in zip(thresholds, prices, strict=True)]
    return Scale.model_validate({"mode": mode, "brackets": brackets, **more})


def in_a_row(kind: str, *measures: int, **more: Any) -> Standing:
    """Lines of one scope, one after the other."""
    measure = np.array(measures, kind)
    plain = {
        "measure": measure, "before": measure.cumsum() - measure, "total": np.full(len(measure), sum(measures), kind),
        "scope": np.zeros(len(measure), "int64"), "is_open": np.zeros(len(measure), bool),
        "bracket": np.full(len(measure), -1), "unit": 1,
    }  # fmt: skip
    return Standing(**plain | more)


def days(count: int) -> pd.Series:
    return pd.Series(np.full(count, np.datetime64(TODAY, "us")))


def paid(by: Scale, lines: Standing) -> list[dict[int, str]]:
    """For each line, by bracket, which part of which whole it pays for."""
    made: list[dict[int, str]] = [{} for _ in lines.measure]
    for line, bracket, part, whole, _ in zip(*slices(by, days(len(made)), lines), strict=True):
        assert bracket not in made[line]
        made[line][bracket] = f"{part}/{whole}"
    return made


def booked(by: Scale, lines: Standing, *, later: int = 0) -> list[dict[int, tuple[int, int]]]:
    """For each line, by bracket, how often a lump is booked and by which line's day; so many last lines are later ones."""
    made: list[dict[int, tuple[int, int]]] = [{} for _ in lines.measure]
    on = days(len(made)).mask(np.arange(len(made)) >= len(made) - later, pd.Timestamp(LATER))
    for line, bracket, part, _, priced_as in zip(*slices(by, on, lines), strict=True):
        made[line][bracket] = (part, priced_as)
    return made


def moving(mode: str, before: int, after: int) -> Scale:
    """A scale of one bracket, whose threshold is another one from a later day on."""
    threshold = {TODAY: Decimal(before), LATER: Decimal(after)}
    return Scale.model_validate({"mode": mode, "brackets": [{"threshold": threshold, "amount": Decimal(1)}]})


PAYING = {"brackets": [{"threshold": 0, "rate": 0}, {"threshold": 2, "rate": "0.01"}, {"threshold": 4, "rate": 0}]}


@pytest.mark.parametrize(
    ("mode", "earning"),
    [
        ("flat", [False, False, True, True, False]),
        ("retroactive", [False] * 5),
        (
            "marginal",
            [False, False, False, True, True],
        ),  # the third line reaches 2, and fills the bracket from there on with nothing
    ],
)
def test_a_line_earns_where_some_of_it_falls_in_a_bracket_that_pays(kind, mode, earning):
    brackets = [{word: Decimal(figure) for word, figure in bracket.items()} for bracket in PAYING["brackets"]]
    by = Scale.model_validate({"mode": mode, "brackets": brackets})
    assert list(pays(by, days(5), in_a_row(kind, 1, 0, 1, 1, 2))) == earning


def test_a_line_that_measures_nothing_or_less_does_not_earn_of_what_fills_a_bracket(kind):
    brackets = [{"threshold": Decimal(0), "amount": Decimal(4)}, {"threshold": Decimal(9), "amount": Decimal(0)}]
    by = Scale.model_validate({"mode": "interpolated", "brackets": brackets})
    assert list(pays(by, days(3), in_a_row(kind, 2, 0, -1))) == [True, False, False]


def test_a_price_of_another_day_pays_nothing(kind):
    by = Scale.model_validate(
        {"mode": "flat", "brackets": [{"threshold": Decimal(0), "rate": {TODAY: Decimal(0), LATER: Decimal("0.04")}}]}
    )
    on = pd.Series([TODAY, LATER], dtype="datetime64[us]")
    assert list(pays(by, on, in_a_row(kind, 1, 1))) == [False, True]


# Flat and retroactive


@pytest.mark.parametrize(("on_threshold", "found"), [("higher", (1, 2, 2, 3)), ("lower", (1, 1, 2, 2))])
def test_flat_pays_a_whole_line_at_the_total_with_it(kind, on_threshold, found):
    by = scale("flat", 0, 10, 20, on_threshold=on_threshold)
    assert paid(by, in_a_row(kind, 9, 1, 9, 1)) == [{bracket: "1/1"} for bracket in found]


def test_retroactive_pays_all_lines_at_the_total_of_all(kind):
    assert paid(scale("retroactive", 0, 10, 20), in_a_row(kind, 9, 1, 2)) == [{2: "1/1"}] * 3


def test_retroactive_takes_the_bracket_that_is_given(kind):
    lines = in_a_row(kind, 9, 1, 2, bracket=np.array([0, 3, -1]))
    assert paid(scale("retroactive", 0, 10, 20), lines) == [{}, {3: "1/1"}, {2: "1/1"}]
    assert paid(scale("flat", 0, 10, 20), lines) == [{1: "1/1"}, {2: "1/1"}, {2: "1/1"}]


@pytest.mark.parametrize("mode", ["flat", "retroactive"])
def test_with_a_base_of_its_own_a_line_is_its_measure_of_it(kind, mode):
    lines = in_a_row(kind, 9, 3, whole=np.array([27, 0], kind))
    assert paid(scale(mode, 0), lines) == [{1: "9/27"}, {1: "3/1"}]


def test_below_zero_the_first_bracket_continues(kind):
    assert paid(scale("flat", 0, 10), in_a_row(kind, -5)) == [{1: "1/1"}]
    assert paid(scale("flat", 1, 10, units="first_unit"), in_a_row(kind, -5)) == [{1: "1/1"}]
    assert paid(scale("marginal", 0, 10), in_a_row(kind, -5, 7)) == [{1: "-5/-5"}, {1: "7/7"}]


def test_below_a_first_threshold_above_zero_nothing_is_paid(kind):
    assert paid(scale("flat", 1, 10), in_a_row(kind, -5)) == [{}]
    assert paid(scale("flat", 2, 10, units="first_unit"), in_a_row(kind, -5)) == [{}]
    assert paid(scale("interpolated", 5, 10), in_a_row(kind, 3, 4)) == [{}, {1: "2/5"}]
    assert paid(scale("interpolated", 1, 3), in_a_row(kind, 1, 1)) == [{}, {1: "1/2"}]
    assert paid(scale("marginal", 5, 10, units="first_unit"), in_a_row(kind, 3, 4)) == [{}, {1: "3/4"}]


# Brackets that begin later


def test_a_bracket_that_begins_later_is_out_of_reach(kind):
    most = 2**61 if kind == "int64" else 10**59
    assert paid(scale("flat", 0, 10, later=(2,)), in_a_row(kind, most)) == [{1: "1/1"}]
    assert paid(scale("flat", 10, later=(1,)), in_a_row(kind, most)) == [{}]


def test_a_bracket_ends_where_the_next_one_of_its_day_begins(kind):
    assert paid(scale("marginal", 0, 5, 10, later=(2,)), in_a_row(kind, 9, 6)) == [{1: "9/9"}, {1: "1/6", 3: "5/6"}]
    assert paid(scale("interpolated", 0, 5, 10, later=(2,)), in_a_row(kind, 9, 6)) == [
        {1: "9/10"},
        {1: "1/10", 3: "5/1"},
    ]


@pytest.mark.parametrize("mode", ["flat", "marginal", "retroactive"])
def test_below_zero_the_first_bracket_of_the_day_continues(kind, mode):
    by = scale(mode, 0, 1, later=(1,), units="first_unit")
    assert [list(row) for row in paid(by, in_a_row(kind, -5))] == [[2]]


# Marginal and interpolated


@pytest.mark.parametrize("on_threshold", ["higher", "lower"])
def test_marginal_slices_a_line_at_the_thresholds(kind, on_threshold):
    by = scale("marginal", 0, 10, 20, on_threshold=on_threshold)
    assert paid(by, in_a_row(kind, 9, 2, 20, -4)) == [
        {1: "9/9"},
        {1: "1/2", 2: "1/2"},
        {2: "9/20", 3: "11/20"},
        {3: "-4/-4"},
    ]


def test_marginal_slices_a_base_of_its_own_as_the_measure(kind):
    lines = in_a_row(kind, 9, 2, 0, whole=np.array([27, 4, 5], kind))
    assert paid(scale("marginal", 0, 10), lines) == [{1: "9/27"}, {1: "1/4", 2: "1/4"}, {2: "0/1"}]


def test_interpolated_says_how_far_each_bracket_is_filled(kind):
    by = scale("interpolated", 0, 10, 30)
    assert paid(by, in_a_row(kind, 9, 2, 29, -20)) == [
        {1: "9/10"},
        {1: "1/10", 2: "1/20"},
        {2: "19/20", 3: "10/1"},
        {2: "-10/20", 3: "-10/1"},
    ]


@pytest.mark.parametrize(("mode", "part"), [("marginal", "1/1"), ("interpolated", "0/1")])
def test_a_line_of_nothing_stands_in_the_bracket_of_the_running_total(kind, mode, part):
    assert paid(scale(mode, 0, 10), in_a_row(kind, 0, 10, 0)) == [{1: part}, {1: "10/10"}, {2: part}]


def test_a_line_of_nothing_below_all_brackets_stands_in_none(kind):
    assert paid(scale("interpolated", 5, 10), in_a_row(kind, 4, 0)) == [{}, {}]


def test_first_unit_means_that_the_threshold_is_the_first_of_its_bracket(kind):
    by = scale("marginal", 0, 2, units="first_unit")
    assert paid(by, in_a_row(kind, 1, 1, 1)) == [{1: "1/1"}, {2: "1/1"}, {2: "1/1"}]
    assert paid(by, in_a_row(kind, 25, unit=10)) == [{1: "10/25", 2: "15/25"}]
    assert paid(scale("flat", 0, 2, units="first_unit"), in_a_row(kind, 1, 1)) == [{1: "1/1"}, {2: "1/1"}]


def test_first_unit_leaves_a_threshold_of_zero_where_it_is(kind):
    by = scale("marginal", 0, 1, units="first_unit")
    assert paid(by, in_a_row(kind, -1, 2)) == [{1: "-1/-1"}, {1: "1/2", 2: "1/2"}]


def test_interpolated_in_first_units_is_filled_by_the_units_before_the_next_bracket(kind):
    assert paid(scale("interpolated", 0, 3, units="first_unit"), in_a_row(kind, 1, 1, 1)) == [
        {1: "1/2"},
        {1: "1/2"},
        {2: "1/1"},
    ]


def test_thresholds_that_are_shares_are_shares_of_each_lines_baseline(kind):
    lines = in_a_row(kind, 9, 9, parts=np.array([10, 5], kind), before=np.array([0, 0], kind))
    assert paid(scale("flat", 0, 1), lines) == [{1: "1/1"}, {2: "1/1"}]


def counted(starts: dict[int, int], before: int, after: int) -> dict[int, int]:
    """By bracket, the units between two totals, each for itself in the highest bracket that starts before it."""
    lowest = min(starts, key=lambda number: starts[number], default=0)
    found: Counter[int] = Counter()
    for unit in range(min(before, after) + 1, max(before, after) + 1):
        begun = [number for number, start in starts.items() if start < unit]
        if begun or (starts and starts[lowest] <= 0):
            found[max(begun, default=lowest)] += 1 if after > before else -1
    return dict(found)


@given(
    thresholds=st.sets(st.integers(0, 12), min_size=1, max_size=5).map(sorted),
    moves=st.lists(st.integers(-9, 9).filter(bool), max_size=5),
    later=st.sets(st.integers(1, 5)),
    mode=st.sampled_from(["marginal", "interpolated"]),
)
def test_a_line_is_sliced_as_if_its_units_came_one_by_one(kind, thresholds, moves, later, mode):
    is_first_unit = mode == "marginal"
    by = scale(mode, *thresholds, later=tuple(later), units="first_unit" if is_first_unit else "continuous")
    starts = {
        number: threshold - 1 if is_first_unit and threshold > 0 else threshold
        for number, threshold in enumerate(thresholds, 1)
        if number not in later
    }
    lines = in_a_row(kind, *moves)
    for before, move, parts in zip(lines.before, moves, paid(by, lines), strict=True):
        found = {bracket: int(part.partition("/")[0]) for bracket, part in parts.items()}
        assert found == counted(starts, before, before + move)


# Lumps


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ("lump_sum", [{1: "0/1"}, {1: "1/1"}, {1: "-1/1", 2: "1/1"}, {2: "0/1"}, {1: "1/1", 2: "-1/1"}, {1: "-1/1"}]),
        ("cumulative_lump_sum", [{1: "0/1"}, {1: "1/1"}, {2: "1/1"}, {2: "0/1"}, {2: "-1/1"}, {1: "-1/1"}]),
    ],
)
def test_a_lump_is_booked_by_the_line_that_reaches_it_and_taken_back_by_the_one_that_falls_below(kind, mode, found):
    assert paid(scale(mode, 5, 10), in_a_row(kind, 4, 1, 5, 3, -4, -5)) == found


def test_lumps_reached_at_once_are_booked_at_once(kind):
    assert paid(scale("lump_sum", 5, 10, 15), in_a_row(kind, 12, -12)) == [{2: "1/1"}, {2: "-1/1"}]
    assert paid(scale("cumulative_lump_sum", 5, 10, 15), in_a_row(kind, 12, -12)) == [
        {1: "1/1", 2: "1/1"},
        {1: "-1/1", 2: "-1/1"},
    ]


@pytest.mark.parametrize("on_threshold", ["higher", "lower"])
def test_a_lump_at_zero_is_booked_by_the_first_line_even_of_nothing(kind, on_threshold):
    by = scale("lump_sum", 0, 10, on_threshold=on_threshold)
    assert paid(by, in_a_row(kind, 0, 3, -4)) == [{1: "1/1"}, {1: "0/1"}, {1: "-1/1"}]


def test_a_lump_above_the_threshold_only_is_not_booked_at_it(kind):
    by = scale("lump_sum", 5, on_threshold="lower")
    assert paid(by, in_a_row(kind, 5, 1)) == [{1: "0/1"}, {1: "1/1"}]


LUMPS = pytest.mark.parametrize("mode", ["lump_sum", "cumulative_lump_sum"])


@LUMPS
def test_below_zero_no_lump_is_reached(kind, mode):
    assert paid(scale(mode, 0), in_a_row(kind, -3, 3, -1)) == [{1: "0/1"}, {1: "1/1"}, {1: "-1/1"}]


@pytest.mark.parametrize(
    ("mode", "found"),
    [
        ("lump_sum", [{1: (1, 0)}, {1: (-1, 0), 2: (1, 1)}, {2: (0, 2)}]),
        ("cumulative_lump_sum", [{1: (1, 0)}, {2: (1, 1)}, {2: (0, 2)}]),
    ],
)
def test_a_lump_that_begins_later_is_booked_by_the_first_line_that_finds_it_reached(kind, mode, found):
    assert booked(scale(mode, 5, 10, later=(2,)), in_a_row(kind, 12, 0, 1), later=2) == found


@LUMPS
def test_a_raised_threshold_takes_nothing_back_and_pays_nothing_twice_until_a_line_falls_below_it(kind, mode):
    found = booked(moving(mode, 5, 9), in_a_row(kind, 6, 0, 1, 3, -3, 2), later=5)
    assert found == [{1: (1, 0)}, {1: (0, 1)}, {1: (0, 2)}, {1: (0, 3)}, {1: (-1, 0)}, {1: (1, 5)}]


@LUMPS
def test_a_lowered_threshold_takes_back_only_what_was_paid(kind, mode):
    found = booked(moving(mode, 9, 5), in_a_row(kind, 6, -2, 1, -2, 2, 1), later=5)
    assert found == [{1: (0, 0)}, {1: (0, 1)}, {1: (1, 2)}, {1: (-1, 2)}, {1: (1, 4)}, {1: (0, 5)}]


def test_a_lower_lump_comes_back_as_it_was_when_it_was_reached(kind):
    assert booked(scale("lump_sum", 5, 10), in_a_row(kind, 6, 6, -4, 4, -9)) == [
        {1: (1, 0)}, {1: (-1, 0), 2: (1, 1)}, {1: (1, 0), 2: (-1, 1)}, {1: (-1, 0), 2: (1, 3)}, {2: (-1, 3)},
    ]  # fmt: skip


@LUMPS
def test_each_scope_has_its_own_lumps(kind, mode):
    lines = in_a_row(kind, 6, 6, 0, -2, before=np.array([0, 0, 6, 6], kind), scope=np.array([1, 0, 0, 1]))
    assert booked(scale(mode, 5), lines) == [{1: (1, 0)}, {1: (1, 1)}, {1: (0, 2)}, {1: (-1, 0)}]


@LUMPS
def test_lumps_of_an_open_scope_are_those_that_its_total_reaches(kind, mode):
    lines = in_a_row(kind, 1, -3, 3, before=np.array([7, 8, 5], kind), is_open=np.ones(3, bool))
    assert booked(scale(mode, 6), lines) == [{1: (0, 0)}, {1: (-1, 1)}, {1: (1, 2)}]
    falls = in_a_row(kind, -3, before=np.array([7], kind), is_open=np.ones(1, bool))
    assert booked(scale(mode, 6), falls) == [{1: (-1, 0)}]
    rises = in_a_row(kind, 2, before=np.array([4], kind), is_open=np.ones(1, bool))
    assert booked(scale(mode, 6), rises) == [{1: (1, 0)}]


@LUMPS
def test_a_lone_line_below_a_lump_books_none(kind, mode):
    assert booked(scale(mode, 6), in_a_row(kind, 5)) == [{1: (0, 0)}]


# Totals


@pytest.mark.parametrize(("total", "bracket"), [(-1, 1), (0, 1), (9, 1), (10, 2), (19, 2), (20, 3), (99, 3)])
def test_the_bracket_of_a_total_is_the_highest_that_it_reaches(kind, total, bracket):
    assert bracket_of(scale("retroactive", 0, 10, 20), days(1), np.array([total], kind), 1).tolist() == [bracket]


@pytest.mark.parametrize("mode", ["flat", "marginal", "retroactive", "interpolated", "lump_sum", "cumulative_lump_sum"])
def test_no_lines_have_no_slices(kind, mode):
    assert paid(scale(mode, 0, 10), in_a_row(kind)) == []
