"""Texts that published tables hold in English, told in the reader's language: each is one of these, with its values."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache

from app.dashboard import figures
from app.dashboard.words import Words

TEXTS = (  # where one could be taken for another, the longer one comes first
    "status active",
    "status not active",
    "both in {country}",
    "location and tenant in different countries",
    "agreement {id} from {day} until {end}",
    "agreement {id} from {day}",
    "no {listed} agreement in force",
    "no listed competency in force",
    "bank and tax profiles approved on {day}",
    "bank and tax profiles approved",
    "bank or tax profile not approved",
    "trailing revenue {amount} on {day}, {least} required",
    "trailing revenue below {least}",
    "revenue of the whole period not held",
    "no exchange rate for revenue in {currency} of {month}",
    "no [{feed}] delivered",
    "not enrolled",
    "open to all",
    "{status} since {day} until {end}",
    "{status} since {day}",
    "enrolled by request {id} of {day} until {end}",
    "enrolled by request {id} of {day}",
    "invited on {day} by transaction {id} until {end}",
    "invited on {day} by transaction {id}",
    "invited on {day} until {end}",
    "invited on {day}",
    "{competency} {level} from {day} until {end}",
    "{competency} {level} from {day}",
    "co-op of the half year to {day} below the minimum",
    "conversion of the co-op of the half year to {day} undone",
    "co-op of the half year to {day} not claimed in time",
    "forfeiture of the co-op of the half year to {day} undone",
    "below the minimum at the fiscal year's end",
    "no payee known for {number} days",
    "against a balance in another currency",
    "{lever}, bracket {number}",
    "{line}, which it reverses, was corrected",
    "{line}, which it reverses, was withdrawn",
    "{month}",
    "{version} → {now}",
    "{criteria}",
)
DAY = r"\d{4}-\d\d-\d\d"
FORMS = {
    "day": DAY, "end": DAY, "month": r"\d{4}-\d\d", "amount": r"-?[\d.]+", "least": r"-?[\d.]+", "number": r"\d+",
    "country": "[A-Z]{2}", "currency": "[A-Z]{3}", "feed": r"\w+", "status": r"\w+", "competency": r"\w+", "level": r"\w+",
    "lever": r"[\w-]+", "version": ".+", "now": ".+", "criteria": "[a-z_]+(?:, [a-z_]+)*", "listed": r"\w+(?: or \w+)*",
}  # fmt: skip


def told(words: Words, text: str | None) -> str:
    """A stored text in the reader's language, its days and figures as that writes them; one that is none of these as it is."""
    for template, form in _forms().items() if text else ():
        if found := form.fullmatch(text or ""):
            values = {name: TELL.get(name, _as_it_is)(words, value) for name, value in found.groupdict().items()}
            return words(template, **values)
    return text or ""


@cache
def _forms() -> dict[str, re.Pattern[str]]:
    return {template: re.compile("".join(map(_form, re.split(r"(\{\w+\})", template)))) for template in TEXTS}


def _form(part: str) -> str:
    return f"(?P<{part[1:-1]}>{FORMS.get(part[1:-1], '.+?')})" if part.startswith("{") else re.escape(part)


def _as_it_is(words: Words, value: str) -> str:
    return value


def _day(words: Words, value: str) -> str:
    return figures.day(date.fromisoformat(value), words.locale)


def _month(words: Words, value: str) -> str:
    return figures.month(date.fromisoformat(f"{value}-01"), words.locale)


def _number(words: Words, value: str) -> str:
    return figures.number(Decimal(value), words.locale)


def _listed(words: Words, value: str) -> str:
    return f" {words('or')} ".join(value.split(" or "))


def _criteria(words: Words, value: str) -> str:
    return ", ".join(words.code(one) for one in value.split(", "))


TELL: dict[str, Callable[[Words, str], str]] = {
    "day": _day, "end": _day, "month": _month, "amount": _number, "least": _number, "number": _number, "status": Words.code,
    "competency": Words.code, "level": Words.code, "listed": _listed, "criteria": _criteria,
}  # fmt: skip
