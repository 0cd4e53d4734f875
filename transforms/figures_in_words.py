"""Figures and lists of a program file as a careful person writes them, on one day or over all days."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from transforms.dated import ALWAYS, Dated

Words = Callable[[Any], str]
Reading = Callable[[Dated, Words], str]  # how a dated value is read: that of a day, or all of them with their days

NOTHING = "nothing"


def on(day: date) -> Reading:
    """Dated values as they are on a day."""

    def read(dated: Dated, words: Words) -> str:
        value = dated.on(day)
        return NOTHING if value is None else words(value)

    return read


def over_all_days(dated: Dated, words: Words) -> str:
    """Dated values with the days on which they hold.

    >>> over_all_days(Dated({date(2019, 1, 1): Decimal("0.06"), date(2019, 7, 1): Decimal("0.08")}), percent)
    '6 % from 2019-01-01 to 2019-06-30, 8 % from 2019-07-01'
    """
    said = [f"{words(span.value)}{days(span.start, span.end)}" for span in dated.spans()]
    return ("; " if any("," in one for one in said) else ", ").join(said) or NOTHING


def days(start: date, end: date | None) -> str:
    """The days from a start to the day before an end.

    >>> days(date(2019, 1, 1), date(2019, 7, 1))
    ' from 2019-01-01 to 2019-06-30'
    """
    since = "" if start == ALWAYS else f" from {start}"
    return since + (f" to {end - timedelta(days=1)}" if end else "")


def number(value: Decimal) -> str:
    """A figure with its thousands apart and no idle zeros.

    >>> number(Decimal("25000.00")), number(Decimal("0.30"))
    ('25,000', '0.3')
    """
    return f"{value.normalize():,f}"


def percent(value: Decimal) -> str:
    """A share in percent.

    >>> percent(Decimal("0.0475"))
    '4.75 %'
    """
    return f"{number(value * 100)} %"


def money(currency: str) -> Words:
    """How amounts of a currency are written.

    >>> money("USD")(Decimal("0.3")), money("USD")(Decimal("0.125"))
    ('0.30 USD', '0.125 USD')
    """
    return lambda value: f"{number(value) if value == value.to_integral_value() else _with_cents(value)} {currency}"


def _with_cents(value: Decimal) -> str:
    whole, _, decimals = number(value).partition(".")
    return f"{whole}.{decimals:0<2}"


def either(names: Iterable[str]) -> str:
    """Alternatives.

    >>> either(["silver", "gold"]), either(["a", "b", "c"])
    ('silver or gold', 'a, b or c')
    """
    return _joined(list(names), "or")


def both(names: Iterable[str]) -> str:
    """What holds together.

    >>> both(["customer", "month"])
    'customer and month'
    """
    return _joined(list(names), "and")


def _joined(names: list[str], last: str) -> str:
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
