"""Figures as people read them: money, numbers, shares, days, in the reader's language; none breaks between two lines."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd
from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import (
    NumberFormatError,
    format_compact_currency,
    format_currency,
    format_decimal,
    format_percent,
    parse_decimal,
)
from typing_extensions import TypeIs

from app.dashboard.words import LANGUAGES
from transforms.vocabulary import EXPONENTS

MINUS = "\N{MINUS SIGN}"
MOST = 10**12  # no amount of a delivery reaches it


def money(amount: Decimal | None, currency: str, locale: str) -> str:
    """An amount with its currency, all decimals of it, and a proper minus.

    >>> money(Decimal("-1234.5"), "USD", "en"), money(Decimal("1234"), "JPY", "de")
    ('−$1,234.50', '1.234\\xa0¥')
    """
    return "" if _is_missing(amount) else _proper(format_currency(amount, currency, locale=locale))


def short_money(amount: Decimal, currency: str, locale: str) -> str:
    """An amount for a tile: whole below a million, else compact.

    >>> short_money(Decimal("12345.67"), "EUR", "en"), short_money(Decimal("1234567"), "USD", "en")
    ('€12,346', '$1.23M')
    """
    if abs(amount) < 1_000_000:
        return _proper(
            format_currency(
                amount, currency, "¤#,##0" if locale == "en" else "#,##0\xa0¤", locale=locale, currency_digits=False
            )
        )
    return _proper(format_compact_currency(amount, currency, locale=locale, fraction_digits=2))


def number(value: Decimal | int | None, locale: str) -> str:
    """A number without superfluous zeros.

    >>> number(Decimal("1200.500"), "de"), number(3, "en")
    ('1.200,5', '3')
    """
    return "" if _is_missing(value) else _proper(format_decimal(value, locale=locale, format="#,##0.######"))


def written(amount: Decimal, currency: str, locale: str) -> str:
    """An amount as people type it where its currency is known.

    >>> written(Decimal(1250), "USD", "de"), written(Decimal(1250), "JPY", "en")
    ('1.250,00', '1,250')
    """
    return format_currency(amount, currency, "#,##0.00", locale=locale)


def amount(text: str, currency: str, locale: str) -> Decimal | None:
    """The amount above zero that a text names, None where it names none, or another one in another language.

    >>> amount("1,250.00", "USD", "en"), amount("1.250,5", "USD", "de"), amount("12,50", "USD", "en")
    (Decimal('1250.00'), Decimal('1250.5'), None)
    >>> amount("1,250", "USD", "en"), amount("1,250", "KWD", "en")
    (Decimal('1250'), None)
    """
    readings = {name: _read(text.strip(), EXPONENTS[currency], name) for name in LANGUAGES}
    meant = readings[locale]
    return meant if {*readings.values()} <= {None, meant} else None


def _read(text: str, decimals: int, locale: str) -> Decimal | None:
    try:
        value = parse_decimal(text, locale=locale, strict=True)
    except NumberFormatError:
        return None
    is_amount = set(text) <= set("0123456789.,") and 0 < value < MOST and -int(value.as_tuple().exponent) <= decimals
    return value if is_amount else None


def share(value: Decimal | None, locale: str) -> str:
    """A share as percent.

    >>> share(Decimal("0.0475"), "en")
    '4.75%'
    >>> share(Decimal("0.04"), "de").replace("\u00a0", " ")
    '4 %'
    """
    pattern = Locale.parse(locale).percent_formats[None].pattern.replace("##0", "##0.####")
    return "" if _is_missing(value) else _proper(format_percent(value, pattern, locale=locale))


def day(value: date | None, locale: str) -> str:
    """A day.

    >>> day(date(2022, 3, 5), "en"), day(date(2022, 3, 5), "de")
    ('5\\xa0Mar\\xa02022', '05.03.2022')
    """
    if _is_missing(value):
        return ""
    return format_date(value, "d\xa0MMM\xa0y" if locale == "en" else "dd.MM.y", locale=locale)


def days(first: date | None, end: date | None, locale: str) -> str:
    """Days that end before one, or are not known to end; empty where none has begun.

    >>> days(date(2022, 1, 1), date(2022, 7, 1), "de"), days(date(2022, 1, 1), None, "de")
    ('01.01.2022\\xa0– 30.06.2022', '01.01.2022\\xa0–')
    """
    if _is_missing(first):
        return ""
    last = "" if _is_missing(end) else day(end - timedelta(days=1), locale)
    return f"{day(first, locale)}\xa0– {last}".rstrip()


def month(value: date | None, locale: str) -> str:
    """A month.

    >>> month(date(2022, 3, 1), "en"), month(date(2022, 3, 1), "de")
    ('Mar\\xa02022', 'März\\xa02022')
    """
    return "" if _is_missing(value) else format_date(value, "MMM\xa0y", locale=locale)


def instant(value: datetime | None, locale: str) -> str:
    """An instant, UTC.

    >>> instant(datetime(2022, 3, 5, 6, 7), "en")
    '5\\xa0Mar\\xa02022, 06:07\\xa0UTC'
    """
    if _is_missing(value):
        return ""
    return format_datetime(
        value, "d\xa0MMM\xa0y, HH:mm\xa0'UTC'" if locale == "en" else "dd.MM.y, HH:mm\xa0'UTC'", locale=locale
    )


def _is_missing(value: object) -> TypeIs[None]:
    return value is None or bool(pd.isna(value))


def _proper(text: str) -> str:
    return text.replace("-", MINUS)
