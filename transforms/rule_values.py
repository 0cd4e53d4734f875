"""The kinds of value that a program file holds: dated numbers, dated lists of names, references; and how one is refused."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from transforms.dated import Dated
from transforms.rule_file import Place
from transforms.vocabulary import EXPONENTS

DECIMALS, DIGITS = 9, 12  # of a rate, as money.RATE holds it; of an amount, whose thousandths an int64 holds
MOST_DAYS, MOST_MONTHS = 36_500, 1_200  # a hundred years, which calendars hold
TWO_USAGES = "an activity would lie in the usage periods of two half years; take at most 6 months"
NO_DAY = "not every month has this day; take one from 1 to 28"


class Fault(NamedTuple):
    """What is wrong within a part of a program file: where in it, the value, and what to do."""

    place: Place
    value: object
    remedy: str


def refuse(found: Iterable[Fault]) -> None:
    """Raise all that was found as one fault of a part; nothing where nothing was found."""
    if faults := list(found):
        raise PydanticCustomError(
            "rule", "{said}", {"said": "; ".join(fault.remedy for fault in faults), "faults": faults}
        )


def _dated(value: object) -> Dated:
    if isinstance(value, Dated):
        return value
    if isinstance(value, dict) and value and all(isinstance(key, date) for key in value):
        if list(value) != sorted(value):
            raise ValueError("dates must rise; put the earliest first")
        return Dated(value)
    if isinstance(value, dict):
        raise ValueError("a dated value has dates as keys, without quotes, as in {2019-01-01: 0.06}")
    return Dated.always(value)


def bounded(number: Decimal, digits: int, decimals: int) -> Decimal:
    """A number that has no more digits before its point, and decimals after it, than it may; else raises ValueError."""
    if abs(number) >= Decimal(10) ** digits or number != round(number, decimals):
        raise ValueError(f"[{number}] has more than {decimals} decimals or {digits} digits before them; round it")
    return number


def _members(kind: type) -> Any:
    def check(value: Dated) -> Dated:
        held: Any
        for held in value.values.values():
            if held is None and len(value.values) > 1:
                continue
            if kind is Decimal and not isinstance(held, Decimal):
                raise ValueError(f"[{held}] is not a number; write it as 0.06, not in quotes, without a unit")
            if kind is Decimal:
                bounded(held, DIGITS, DECIMALS)
            if kind is list and not (isinstance(held, list) and held and all(isinstance(i, str) for i in held)):
                raise ValueError(f"[{held}] is not a list of names; write it as [silver, gold]")
        return value

    return check


def _dated_of(kind: type) -> BeforeValidator:
    return BeforeValidator(lambda value: _members(kind)(_dated(value)))


def _whole(least: int, most: int, remedy: str = "") -> BeforeValidator:
    def number(held: object) -> int:
        if not isinstance(held, Decimal):
            raise ValueError("a whole number is needed; write it as 12")
        if not least <= held <= most or held % 1:
            told = f"[{held}] is not a whole number of {least} or more, at most {most:,}"
            raise ValueError(remedy if remedy and held > most else told)
        return int(held)

    def check(given: object) -> Dated:
        values = _dated(given).values
        ends = len(values) > 1
        return Dated({day: None if held is None and ends else number(held) for day, held in values.items()})

    return BeforeValidator(check)


def _share(value: Dated) -> Dated:
    if any(held is not None and not 0 <= held <= 1 for held in value.values.values()):
        raise ValueError("a share lies between 0 and 1; write one half as 0.5")
    return value


def _schema(kind: dict[str, Any]) -> WithJsonSchema:
    """A plain value, or one for each date from which it holds; null ends it."""
    by_date = {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"format": "date", "pattern": r"^\d{4}-\d{2}-\d{2}$"},
        "additionalProperties": {"anyOf": [kind, {"type": "null"}]},
    }
    return WithJsonSchema({"anyOf": [kind, by_date]})


def _integer(least: int, most: int) -> WithJsonSchema:
    return _schema({"type": "integer", "minimum": least, "maximum": most})


def _currency(code: str) -> str:
    if code not in EXPONENTS:
        raise ValueError(f"currency [{code}] is not in ISO 4217 as money in trade; write a code such as USD")
    return code


DatedNumber = Annotated[Dated, _dated_of(Decimal), _schema({"type": "number"})]
DatedShare = Annotated[
    Dated, _dated_of(Decimal), AfterValidator(_share), _schema({"type": "number", "minimum": 0, "maximum": 1})
]
DatedDays = Annotated[Dated, _whole(0, MOST_DAYS), _integer(0, MOST_DAYS)]
DatedDaysFromOne = Annotated[Dated, _whole(1, MOST_DAYS), _integer(1, MOST_DAYS)]
DatedMonths = Annotated[Dated, _whole(0, MOST_MONTHS), _integer(0, MOST_MONTHS)]
DatedMonthsFromOne = Annotated[Dated, _whole(1, MOST_MONTHS), _integer(1, MOST_MONTHS)]
DatedUsageMonths = Annotated[Dated, _whole(1, 6, TWO_USAGES), _integer(1, 6)]
DatedDayOfMonth = Annotated[Dated, _whole(1, 28, NO_DAY), _integer(1, 28)]
DatedNames = Annotated[Dated, _dated_of(list), _schema({"type": "array", "minItems": 1, "items": {"type": "string"}})]
NAME = r"^[a-z0-9][a-z0-9-]*$"
WORDS = r"\S"
Name = Annotated[str, Field(pattern=NAME)]
Number = Annotated[Decimal, Strict(), WithJsonSchema({"type": "number"})]
Day = Annotated[date, Strict()]
Flag = Annotated[bool, Strict()]
Currency = Annotated[str, AfterValidator(_currency)]


def below_zero(word: str, figure: Dated | None) -> Iterator[Fault]:
    """The figures that cannot be meant."""
    told = {"minimum": "a minimum", "at_least": "a figure to reach", "amount": "an amount"}[word]
    for value in figure.values.values() if figure else ():
        if value is not None and value < 0:
            yield Fault((word,), value, f"{told} is 0 or more")


def repeated(place: Place, names: Sequence[str]) -> Iterator[Fault]:
    """The names of a list that stand in it once more."""
    for number, name in enumerate(names):
        if name in names[:number]:
            yield Fault((*place, number), name, f"[{name}] stands twice; name each once")


class Rule(BaseModel):
    """Base of every part of a program file: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Reference(Rule):
    """Where a rule is documented."""

    title: str = Field(pattern=WORDS)
    url: str | None = None
    note: str | None = None


class Effective(Rule):
    """Days on which a lever is in force: `from` is in, `to` is out."""

    start: Day = Field(alias="from")
    to: Day | None = None

    def covers(self, day: date) -> bool:
        """Whether a day is one of them."""
        return self.start <= day and (self.to is None or day < self.to)

    def changes(self, days: Iterable[date]) -> list[date]:
        """The first of them, and those of other days that are among them, in order."""
        return sorted({self.start, *(day for day in days if self.covers(day))})

    @model_validator(mode="after")
    def _order(self) -> "Effective":
        if self.to and self.to <= self.start:
            raise ValueError(f"ends on [{self.to}], not after it begins on [{self.start}]")
        return self
