"""Spans of days: `valid_from` is in force, `valid_to` is not, an empty `valid_to` is open."""

import numpy as np
import pandas as pd

START = pd.Timestamp("1900-01-01")  # before every rule; a partition of time begins here
OPEN = pd.Timestamp("2262-01-01")  # stands for an empty valid_to inside a computation, never in a table
DAY = np.timedelta64(1, "D")


def day_numbers(days: pd.Series) -> np.ndarray:
    """Days since 1970 as int64; a missing day is that of OPEN."""
    return days.fillna(OPEN).to_numpy("datetime64[D]").astype("int64")


def days(numbers: np.ndarray) -> pd.Series:
    """Timestamps of day numbers; that of OPEN is missing."""
    made = pd.Series(numbers.astype("datetime64[D]").astype("datetime64[us]"))
    return made.mask(made == OPEN)


def union(spans: pd.DataFrame, by: str) -> pd.DataFrame:
    """Overlapping and touching spans of each key as one, with the other columns of the earliest of them."""
    ordered, lift, reach = _reaching(spans, by)
    if ordered.empty:
        return ordered
    begins = np.r_[True, (day_numbers(ordered["valid_from"]) + lift)[1:] > reach[:-1]]
    return _joined(ordered, begins, days(reach - lift))


def apart(spans: pd.DataFrame, by: str, told: str) -> pd.DataFrame:
    """Spans of each key that do not overlap, each from where those before it end; as one where they touch and tell the same."""
    ordered, lift, reach = _reaching(spans, by)
    if ordered.empty:
        return ordered
    start = np.maximum(day_numbers(ordered["valid_from"]) + lift, np.r_[np.int64(-1) << 40, reach[:-1]])
    left = start < reach
    ordered = ordered.assign(valid_from=days(start - lift))[left].reset_index(drop=True)
    touches = ordered["valid_from"].eq(ordered["valid_to"].shift()) & ordered[by].eq(ordered[by].shift())
    says_more = ordered[told].ne(ordered[told].shift())
    return _joined(ordered, (~touches | says_more).to_numpy(), ordered["valid_to"])


def _reaching(spans: pd.DataFrame, by: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Spans of a day or more in order, and how far those up to each reach: day numbers, lifted above all of the keys before."""
    kept = spans[spans["valid_to"].isna() | (spans["valid_to"] > spans["valid_from"])]
    ordered = kept.sort_values([by, "valid_from"], kind="stable", ignore_index=True)
    lift = pd.factorize(ordered[by])[0].astype("int64") << 32  # so that one running maximum serves all keys
    return ordered, lift, np.maximum.accumulate(day_numbers(ordered["valid_to"]) + lift)


def _joined(ordered: pd.DataFrame, begins: np.ndarray, ends: pd.Series) -> pd.DataFrame:
    """Spans in order, each of those that do not begin one joined to the one before."""
    last = np.r_[np.flatnonzero(begins)[1:] - 1, len(ordered) - 1]
    return ordered[begins].reset_index(drop=True).assign(valid_to=ends.take(last).to_numpy())


def gaps(spans: pd.DataFrame, keys: pd.Series, by: str) -> pd.DataFrame:
    """The days of each key that none of its spans covers; spans of a key must not overlap."""
    bounds = pd.DataFrame({by: keys, "valid_from": pd.NaT, "valid_to": START})
    ordered = pd.concat(
        [
            bounds.astype({"valid_from": "datetime64[us]", "valid_to": "datetime64[us]"}),
            spans[[by, "valid_from", "valid_to"]],
        ]
    ).sort_values([by, "valid_to"], na_position="last", kind="stable", ignore_index=True)
    following = ordered["valid_from"].shift(-1).where(ordered[by].eq(ordered[by].shift(-1)))
    made = pd.DataFrame({by: ordered[by], "valid_from": ordered["valid_to"], "valid_to": following})
    return made[made["valid_from"].notna() & (made["valid_to"].isna() | (made["valid_from"] < made["valid_to"]))]


def clip(spans: pd.DataFrame, start: pd.Timestamp | pd.Series, end: pd.Timestamp | pd.Series) -> pd.DataFrame:
    """The part of each span that lies in [start, end), one window or each its own; OPEN is an end that never comes."""
    clipped = spans.assign(
        valid_from=spans["valid_from"].clip(lower=start), valid_to=spans["valid_to"].fillna(OPEN).clip(upper=end)
    )
    kept = clipped[clipped["valid_from"] < clipped["valid_to"]]
    return kept.assign(valid_to=kept["valid_to"].mask(kept["valid_to"] == OPEN))


def states(partitions: pd.DataFrame, by: str, track: str, state: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Several partitions of time laid over one another.

    `partitions` holds, for each key and track, spans that cover all days from START, each with a state (a small
    integer). The result is each key's segments of days on which no track changes (`by`, `valid_from`, `valid_to`), and
    an array of shape (segments, tracks) with the state of every track on them.
    """
    keys, names = pd.factorize(partitions[by])
    start = day_numbers(partitions["valid_from"])
    place = (keys.astype("int64") << 32) + (start - start.min(initial=0))
    segments, row = np.unique(place, return_inverse=True)
    tracks = partitions[track].to_numpy("int64")
    table = np.full((len(segments), tracks.max(initial=-1) + 1), -1, dtype="int64")
    table[row, tracks] = partitions[state].to_numpy("int64")
    changed = np.where(table >= 0, np.arange(len(segments))[:, None], 0)
    table = np.take_along_axis(table, np.maximum.accumulate(changed, axis=0), axis=0)
    key = segments >> 32
    moved = np.r_[True, (key[1:] != key[:-1]) | (table[1:] != table[:-1]).any(axis=1)][: len(segments)]
    segments, key, table = segments[moved], key[moved], table[moved]
    begins = (segments & 0xFFFFFFFF) + start.min(initial=0)
    ends = np.r_[begins[1:], 0]
    ends[np.r_[key[1:] != key[:-1], True]] = OPEN.to_datetime64().astype("datetime64[D]").astype("int64")
    made = pd.DataFrame({by: names.take(key), "valid_from": days(begins), "valid_to": days(ends)})
    return made, table
