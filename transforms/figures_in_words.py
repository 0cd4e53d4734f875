"""Figures and lists of a program file as a careful person writes them, on one day or over all days, in a language."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, TypeGuard

from transforms.dated import ALWAYS, Dated

Words = Callable[[Any], str]

NOTHING = "nothing"


class Language(NamedTuple):
    """A language: what English texts are in it, how it writes days, and which marks numbers have instead of `,` and `.`."""

    words: Mapping[str, str]
    day: str
    marks: str


ENGLISH = Language({}, "%Y-%m-%d", ",.")


@dataclass(frozen=True)
class Telling:
    """How rules are told: with the figures of a day, or all of them with their days, in a language.

    >>> Telling()("at most {amount}", amount="5 USD"), Telling(language=Language({"month": "Monat"}, "", ""))("month")
    ('at most 5 USD', 'Monat')
    """

    on: date | None = None
    language: Language = ENGLISH

    def __call__(self, text: str, **put_in: str) -> str:
        known = self.language.words.get(text, text)
        return known.format(**put_in) if put_in else known

    def has(self, dated: Dated | None) -> TypeGuard[Dated]:
        """Whether there is a value to read: on the day, or on any.

        >>> Telling(date(2019, 7, 1)).has(Dated({date(2019, 1, 1): 6, date(2019, 7, 1): None}))
        False
        """
        return dated is not None and (dated.on(self.on) is not None if self.on else any(dated.spans()))

    def read(self, dated: Dated, words: Words) -> str:
        """A dated value: that of the day, or all of them with the days on which they hold.

        >>> rate = Dated({date(2019, 1, 1): Decimal("0.06"), date(2019, 7, 1): Decimal("0.08")})
        >>> Telling().read(rate, Telling().percent), Telling(date(2019, 7, 1)).read(rate, Telling().percent)
        ('6 % from 2019-01-01 to 2019-06-30, 8 % from 2019-07-01', '8 %')
        """
        if self.on:
            value = dated.on(self.on)
            return self(NOTHING) if value is None else words(value)
        said = [f"{words(span.value)} {self.days(span.start, span.end)}".rstrip() for span in dated.spans()]
        return ("; " if any("," in one for one in said) else ", ").join(said) or self(NOTHING)

    def days(self, start: date, end: date | None) -> str:
        """The days from a start to the day before an end; empty where they are all days.

        >>> Telling().days(date(2019, 1, 1), date(2019, 7, 1))
        'from 2019-01-01 to 2019-06-30'
        """
        first = f"{start:{self.language.day}}"
        last = f"{end - timedelta(days=1):{self.language.day}}" if end else ""
        if start == ALWAYS:
            return self("to {last}", last=last) if last else ""
        return self("from {first} to {last}", first=first, last=last) if last else self("from {first}", first=first)

    def number(self, value: Decimal | int) -> str:
        """A figure with its thousands apart and no idle zeros.

        >>> Telling().number(Decimal("25000.00")), Telling(language=Language({}, "", ".,")).number(Decimal("1000.30"))
        ('25,000', '1.000,3')
        """
        return self._marked(f"{Decimal(value).normalize():,f}")

    def percent(self, value: Decimal) -> str:
        """A share in percent.

        >>> Telling().percent(Decimal("0.0475"))
        '4.75 %'
        """
        return f"{self.number(value * 100)} %"

    def money(self, currency: str) -> Words:
        """How amounts of a currency are written.

        >>> Telling().money("USD")(Decimal("0.3")), Telling().money("USD")(Decimal("0.125"))
        ('0.30 USD', '0.125 USD')
        """
        return lambda value: f"{self._marked(_with_cents(f'{value.normalize():,f}'))} {currency}"

    def _marked(self, number: str) -> str:
        return number.translate(str.maketrans(ENGLISH.marks, self.language.marks))

    def either(self, names: Iterable[str]) -> str:
        """Alternatives.

        >>> Telling().either(["silver", "gold"]), Telling().either(["a", "b", "c"])
        ('silver or gold', 'a, b or c')
        """
        return self._joined(list(names), "or")

    def both(self, names: Iterable[str]) -> str:
        """What holds together.

        >>> Telling().both(["customer", "month"])
        'customer and month'
        """
        return self._joined(list(names), "and")

    def _joined(self, names: list[str], last: str) -> str:
        said = [self(name) for name in names]
        return f" {self(last)} ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def _with_cents(number: str) -> str:
    whole, point, decimals = number.partition(".")
    return f"{whole}.{decimals:0<2}" if point else whole
