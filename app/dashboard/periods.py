"""Which months are looked at: the newest ones, a year, a fiscal year, or those from one month to another."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import streamlit as st

from app.dashboard import figures
from app.dashboard.words import Words

LAST = {"Last 12 months": 12, "Last 3 months": 3, "Last 36 months": 36}
CHOSEN = "From – to"


@dataclass(frozen=True)
class Months:
    """The months that hold something, from the first day of the first until the end of the newest, half open."""

    first: date
    end: date

    def last(self, count: int) -> tuple[date, date]:
        """So many months that end with the newest."""
        return later(self.end, -count), self.end

    def years(self, start: int = 1) -> dict[int, tuple[date, date]]:
        """The years of these months, newest first, each with its months; one that begins in another month is called by its end.

        >>> list(Months(date(2021, 3, 1), date(2022, 2, 1)).years()), Months(date(2021, 3, 1), date(2021, 8, 1)).years(7)[2022]
        ([2022, 2021], (datetime.date(2021, 7, 1), datetime.date(2022, 7, 1)))
        """
        named = range(_year(later(self.end, -1), start), _year(self.first, start) - 1, -1)
        return {year: (date(year - (start > 1), start, 1), date(year + (start == 1), start, 1)) for year in named}

    def each(self) -> list[date]:
        """Every month, newest first.

        >>> Months(date(2021, 12, 1), date(2022, 2, 1)).each()
        [datetime.date(2022, 1, 1), datetime.date(2021, 12, 1)]
        """
        count = (self.end.year - self.first.year) * 12 + self.end.month - self.first.month
        return [later(self.end, -number) for number in range(1, count + 1)]


def _year(day: date, start: int) -> int:
    return day.year + (start > 1 and day.month >= start)


def later(day: date, months: int) -> date:
    """The first day of the month that lies some months after a day's.

    >>> later(date(2022, 1, 31), -1), later(date(2021, 12, 1), 1)
    (datetime.date(2021, 12, 1), datetime.date(2022, 1, 1))
    """
    count = day.year * 12 + day.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def spans(held: Months, fiscal: Iterable[int]) -> dict[str, tuple[date, date]]:
    """What is offered: of each choice the months, half open. `fiscal` says in which months fiscal years begin."""
    offered = {name: held.last(count) for name, count in LAST.items()}
    for start in sorted({*fiscal} - {1}):
        offered |= {f"{year}-{start:02}": span for year, span in held.years(start).items()}
    return offered | {str(year): span for year, span in held.years().items()}


def chosen(held: Months, fiscal: Iterable[int], words: Words) -> tuple[date, date]:
    """The months that the viewer chooses, half open; the last twelve unless another choice is made."""
    offered = spans(held, fiscal)

    def named(choice: str) -> str:
        if "-" not in choice:
            return words(choice)
        first, end = offered[choice]
        span = " – ".join(_month(month, words) for month in (first, later(end, -1)))
        return words("Fiscal year {year}: {months}", year=choice[:4], months=span)

    choices = [*LAST, CHOSEN, *(name for name in offered if name not in LAST)]
    choice = (
        st.selectbox(words("Earned in"), choices, format_func=named, key="period", bind="query-params") or choices[0]
    )
    return offered[choice] if choice in offered else _from_to(held, words)


def _from_to(held: Months, words: Words) -> tuple[date, date]:
    months = held.each()
    newest_year = months.index(max(held.last(12)[0], held.first))
    ends = [
        st.selectbox(
            words(label), months, index=index, key=key, bind="query-params",
            format_func=lambda month: _month(month, words),
        ) or months[index]
        for label, key, index in (("From month", "from", newest_year), ("To month", "to", 0))
    ]  # fmt: skip
    return min(ends), later(max(ends), 1)


def _month(month: date, words: Words) -> str:
    """A month as somebody types it who looks for it."""
    return figures.month(month, words.locale).replace("\N{NO-BREAK SPACE}", " ")
