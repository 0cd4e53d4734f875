"""Laws of arrival: order, splitting and repetition of deliveries change no sum."""

import random
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pipeline
import rulebook
from tests.deliveries import WORLD, land, take_in_world
from transforms.validity import apart, gaps, union
from warehouse import store

DAYS = ["2021-03-23", "2021-03-24", "2021-03-25", "2021-03-26"]


def lines_of(chance: random.Random) -> dict[str, list[dict]]:
    """What each day delivers: new lines, corrections of any earlier one, refunds."""
    made: dict[str, list[dict]] = {day: [] for day in DAYS[:3]}
    for number in range(12):
        place = chance.randrange(3)
        line = {"transaction_id": f"t{number}", "revenue": f"{chance.randrange(1, 99999) / 100:.2f}"}
        made[DAYS[place]].append(line)
        if place < 2 and chance.random() < 0.6:
            later = chance.randrange(place + 1, 3)
            made[DAYS[later]].append(line | {"revenue": f"{chance.randrange(1, 99999) / 100:.2f}"})
        if chance.random() < 0.3:
            refund = {"transaction_id": f"r{number}", "reverses": f"t{number}", "revenue": "-0.99"}
            made[DAYS[chance.randrange(3)]].append(refund)
    return made


def sums(home: Path, monkeypatch: pytest.MonkeyPatch, arrivals: list[list[tuple[str, int, list[dict]]]]) -> list[tuple]:
    """The ledger's sums per line, lever, month and earning type after arrivals, settled where a day is due after each."""
    monkeypatch.setenv("INCENTIVES_HOME", str(home))
    take_in_world(DAYS[0])
    for batch in arrivals:
        for day, number, rows in batch:
            land("transactions", rows, day, number=number)
            if number == 1 and day != DAYS[0]:
                land("agreements", WORLD["agreements"], day)
        pipeline.run()
    with store.locked("test"), store.warehouse() as con:
        return con.execute(
            "SELECT transaction_id, lever, earning_month, earning_type, sum(amount_minor) FROM derived.earnings_ledger "
            "GROUP BY ALL HAVING sum(amount_minor) <> 0 ORDER BY ALL"
        ).fetchall()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_split_repeated_and_late_deliveries_give_equal_sums(tmp_path, monkeypatch, seed):
    folder = tmp_path / "programs"
    folder.mkdir()
    shutil.copy(rulebook.programs_folder() / "csp-indirect-reseller.yaml", folder)
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(folder))
    chance = random.Random(seed)
    rows = lines_of(chance)
    nothing = [{"transaction_id": "last"}]
    in_order = [[(day, 1, rows[day])] for day in DAYS[:3]] + [[(DAYS[3], 1, nothing)]]
    halves = [(day, number, rows[day][number - 1 :: 2] or rows[day]) for day in DAYS[:3] for number in (1, 2)]
    again = [(day, 3, rows[day]) for day in DAYS[:3]]
    everything = halves + again
    chance.shuffle(everything)
    at_once = [[*everything, (DAYS[3], 1, nothing)]]
    late = [
        [(DAYS[0], 1, rows[DAYS[0]])],
        [(DAYS[2], 1, rows[DAYS[2]])],
        [(DAYS[1], 2, rows[DAYS[1]])],
        [(DAYS[3], 1, nothing)],
    ]
    wanted = sums(tmp_path / "a", monkeypatch, in_order)
    assert wanted
    assert sums(tmp_path / "b", monkeypatch, at_once) == wanted
    assert sums(tmp_path / "c", monkeypatch, late) == wanted


spans = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 60), st.one_of(st.none(), st.integers(0, 60))), max_size=8
)


ZERO = pd.Timestamp("2021-01-01")


def framed(rows: list[tuple]) -> pd.DataFrame:
    """Spans as a frame, each telling its own length."""
    start, end = (pd.Series([row[n] for row in rows], dtype="Int64") for n in (1, 2))
    return pd.DataFrame(
        {
            "key": pd.Series([key for key, _, _ in rows], dtype="str"),
            "valid_from": (ZERO + pd.to_timedelta(start, unit="D")).astype("datetime64[us]"),
            "valid_to": (ZERO + pd.to_timedelta(end, unit="D")).astype("datetime64[us]"),
            "told": (end - start).astype("str"),
        }
    )


@settings(max_examples=30)
@given(spans)
def test_union_and_gaps_cover_every_day_once(rows):
    frame = framed(rows)
    merged = union(frame, "key")
    free = gaps(merged, pd.Series(["a", "b"]), "key")
    for key in "ab":
        for day in range(-1, 70):
            at = ZERO + pd.Timedelta(days=day)
            plainly = any(k == key and start <= day and (end is None or day < end) for k, start, end in rows)
            assert count(merged, key, at) == plainly and count(free, key, at) == (not plainly)


@settings(max_examples=30)
@given(spans)
def test_spans_apart_tell_of_each_day_what_its_earliest_span_tells(rows):
    frame = framed(rows)
    found = apart(frame, "key", "told")
    touching = found[found["key"].eq(found["key"].shift()) & found["valid_from"].eq(found["valid_to"].shift())]
    assert not touching["told"].eq(found["told"].shift()[touching.index]).any()
    for key in "ab":
        for day in range(-1, 70):
            at = ZERO + pd.Timedelta(days=day)
            first = holding(frame.sort_values("valid_from", kind="stable"), key, at)["told"].tolist()[:1]
            assert holding(found, key, at)["told"].tolist() == first


def count(found: pd.DataFrame, key: str, at: pd.Timestamp) -> int:
    """How many spans of a key hold a day."""
    return len(holding(found, key, at))


def holding(found: pd.DataFrame, key: str, at: pd.Timestamp) -> pd.DataFrame:
    """The spans of a key that hold a day."""
    return found[
        (found["key"] == key) & (found["valid_from"] <= at) & (found["valid_to"].isna() | (found["valid_to"] > at))
    ]
