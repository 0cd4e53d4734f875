"""A dated value: it holds from its date until the next one, null ends it, before its first date it does not exist."""

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Generic, Literal, NamedTuple, TypeVar

import numpy as np
import pandas as pd

T = TypeVar("T")
ALWAYS = date(1900, 1, 1)


class Span(NamedTuple):
    """A value and the days on which it holds; `end` is the first day on which it no longer does, None while open."""

    start: date
    end: date | None
    value: Any


class Dated(Generic[T]):
    """The values of one rule over time, in order of their dates.

    >>> rate = Dated({date(2019, 1, 1): 6, date(2019, 7, 1): 8})
    >>> rate.on(date(2018, 12, 31)), rate.on(date(2019, 6, 30)), rate.on(date(2019, 7, 1))
    (None, 6, 8)
    """

    def __init__(self, values: dict[date, T | None]) -> None:
        self.values = dict(sorted(values.items()))

    @classmethod
    def always(cls, value: T) -> "Dated[T]":
        return cls({ALWAYS: value})

    def on(self, day: date) -> T | None:
        """The value that holds on a day, None where there is none."""
        known = [start for start in self.values if start <= day]
        return self.values[known[-1]] if known else None

    def spans(self) -> Iterator[Span]:
        """Each value with the days on which it holds; days without a value are left out."""
        starts = list(self.values)
        for start, end in zip(starts, [*starts[1:], None], strict=True):
            if self.values[start] is not None:
                yield Span(start, end, self.values[start])

    def number_at(self, days: pd.Series) -> np.ndarray:
        """For each day, the place of its value among `values`, -1 where none has begun."""
        starts = pd.DatetimeIndex([pd.Timestamp(start) for start in self.values]).to_numpy("datetime64[us]")
        return np.searchsorted(starts, days.to_numpy("datetime64[us]"), side="right") - 1

    def length_at(self, days: pd.Series, unit: Literal["D", "M"]) -> np.ndarray:
        """For each day, its whole number as so many days or months, NaT where there is none."""
        return np.array([*self.values.values(), None], dtype=object).astype(f"m8[{unit}]")[self.number_at(days)]

    def exists_at(self, days: pd.Series, such: Callable[[T], bool] = lambda value: True) -> np.ndarray:
        """For each day, whether there is a value, and such a one."""
        held = [value is not None and such(value) for value in self.values.values()]
        return np.array([*held, False])[self.number_at(days)]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dated) and self.values == other.values

    def __repr__(self) -> str:
        return f"Dated({self.values})"


def together(first: Dated, second: Dated) -> Dated:
    """Two dated values as one: both, on the days on which there are both.

    >>> by_name = Dated({date(2019, 1, 1): "gold", date(2020, 1, 1): None})
    >>> [(span.end, span.value) for span in together(by_name, Dated({date(2019, 7, 1): 8})).spans()]
    [(datetime.date(2020, 1, 1), ('gold', 8))]
    """
    held = {day: (first.on(day), second.on(day)) for day in (*first.values, *second.values)}
    return Dated({day: None if None in both else both for day, both in held.items()})
