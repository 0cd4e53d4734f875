"""The kinds of value that a program file holds: dated numbers, dated lists of names, references."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from transforms.dated import Dated


def _dated(value: object) -> Dated:
    if isinstance(value, Dated):
        return value
    if isinstance(value, dict) and value and all(isinstance(key, date) for key in value):
        if list(value) != sorted(value):
            raise ValueError("dates must rise; put the earliest first")
        return Dated(value)
    if isinstance(value, dict):
        raise ValueError("a dated value has dates as keys, as in {2019-01-01: 0.06}")
    return Dated.always(value)


def _members(kind: type) -> Any:
    def check(value: Dated) -> Dated:
        for held in value.values.values():
            if held is None:
                continue
            if kind is Decimal and not isinstance(held, Decimal):
                raise ValueError(f"[{held}] is not a number")
            if kind is int and (not isinstance(held, Decimal) or held != held.to_integral_value()):
                raise ValueError(f"[{held}] is not a whole number")
            if kind is list and not (isinstance(held, list) and all(isinstance(item, str) for item in held)):
                raise ValueError(f"[{held}] is not a list of names")
        return value

    return check


def _dated_of(kind: type) -> BeforeValidator:
    return BeforeValidator(lambda value: _members(kind)(_dated(value)))


DatedNumber = Annotated[Dated, _dated_of(Decimal)]
DatedDays = Annotated[Dated, _dated_of(int)]
DatedNames = Annotated[Dated, _dated_of(list)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class Rule(BaseModel):
    """Base of every part of a program file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Reference(Rule):
    """Where a rule is documented."""

    title: str
    url: str | None = None
    note: str | None = None
