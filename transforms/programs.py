"""Program files: incentive rules as dated data, read from programs/*.yaml and nowhere else.

The words of a file are those of docs/programs.md. Every fault is refused at load with file, line, key, value, remedy.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import iso4217
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from transforms.dated import ALWAYS, Dated
from transforms.rule_file import RuleFault, read

Selectable = Literal[
    "product_id",
    "product_family",
    "product_segment",
    "term",
    "is_strategic",
    "is_trial",
    "is_add_on",
    "customer_id",
    "customer_segment",
    "customer_country",
    "charge_type",
    "association",
    "currency",
]
SELECTABLE: tuple[str, ...] = get_args(Selectable)
LATER = {  # words of the language that this version reads but does not price
    "lever": (
        "scale", "amount", "accumulate", "baseline", "window", "exclusive_partner", "one_earning", "minimum", "stack", "cap",
    ),
    "program": ("cap", "clawback"),
}  # fmt: skip


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


class Rounding(Rule):
    """How a fraction of a minor unit is rounded; at a line, the only place that this version rounds at."""

    mode: Literal["half_even", "half_up", "truncate"]
    at: Literal["line", "period", "slice"]


class Criterion(Rule):
    """One condition of eligibility with its dated figures."""

    criterion: Literal[
        "active_reseller",
        "active_agreement",
        "competency",
        "not_own_customer",
        "payee_profile",
        "same_country",
        "trailing_revenue",
    ]
    any_of: DatedNames | None = None
    level: DatedNames | None = None
    at_least: DatedNumber | None = None
    days: int = 365
    once_met_stays: bool = False

    @model_validator(mode="after")
    def _figures(self) -> "Criterion":
        needs = {"active_agreement": "any_of", "competency": "any_of", "trailing_revenue": "at_least"}
        needed = needs.get(self.criterion)
        if needed and getattr(self, needed) is None:
            raise ValueError(f"criterion [{self.criterion}] needs [{needed}]")
        return self


def _dated_criteria(value: object) -> object:
    return value if isinstance(value, dict) else {ALWAYS: value}


class Eligibility(Rule):
    """Who may earn, and from when."""

    earns_from: Literal["month_start", "day_met"]
    grace_days: DatedDays = Dated.always(Decimal(0))
    criteria: Annotated[dict[date, list[Criterion]], BeforeValidator(_dated_criteria)]


class Effective(Rule):
    """Days on which a lever is in force: `from` is in, `to` is out."""

    start: date = Field(alias="from")
    to: date | None = None

    @model_validator(mode="after")
    def _order(self) -> "Effective":
        if self.to and self.to <= self.start:
            raise ValueError(f"ends on [{self.to}], not after it begins on [{self.start}]")
        return self


class Lever(Rule):
    """One rule of a program: on what, when, how much."""

    lever: Name
    title: str
    effective: Effective
    select: dict[Selectable, Any]
    measure: Literal["revenue", "quantity", "growth", "count", "attainment"]
    base: Any = None
    rate: DatedNumber | None = None
    illustrative: bool = False
    reference: Reference | None = None
    scale: Any = None
    amount: Any = None
    accumulate: Any = None
    baseline: Any = None
    window: Any = None
    exclusive_partner: Any = None
    one_earning: Any = None
    minimum: Any = None
    stack: Any = None
    cap: Any = None

    @model_validator(mode="after")
    def _priced(self) -> "Lever":
        if self.rate is None and self.scale is None and self.amount is None:
            raise ValueError(f"lever [{self.lever}] has no rate; give rate, amount or scale")
        if self.rate is not None:
            start, end = self.effective.start, self.effective.to
            held = [
                self.rate.on(start),
                *(v for d, v in self.rate.values.items() if d > start and (not end or d < end)),
            ]
            if any(value is None for value in held):
                raise ValueError(f"lever [{self.lever}] has no rate on some day while it is in force")
        return self


class Split(Rule):
    """How an earning is divided; the shares sum to 1 on every day."""

    rebate: DatedNumber
    coop: DatedNumber = Dated.always(Decimal(0))

    def on(self, day: date) -> tuple[Decimal, Decimal]:
        """The rebate and the co-op share on a day."""
        return self.rebate.on(day) or Decimal(0), self.coop.on(day) or Decimal(0)

    @model_validator(mode="after")
    def _whole(self) -> "Split":
        for day in sorted({*self.rebate.values, *self.coop.values}):
            if self.rebate.on(day) is not None and sum(self.on(day)) != 1:
                raise ValueError(f"shares sum to [{sum(self.on(day))}] on [{day}]; they must sum to 1")
        return self


class Enrolment(Rule):
    """How partners come into the program."""

    invite_on: Literal["first_transaction", "eligible", "open"] | None = None
    valid_days: int | None = None
    expires: Literal["fiscal_year_end"] | None = None
    rolls_over: bool = True


class Program(Rule):
    """One program file."""

    program: Name
    title: str
    status: Literal["draft", "active", "retired"]
    reference: Reference
    earner: Literal["reseller", "seller"]
    partner_types: list[Literal["direct_bill", "indirect_provider", "indirect_reseller"]] = Field(min_length=1)
    currency: str
    fiscal_year_start: str = Field(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$")
    reference_date: Literal["transaction_date", "invoice_date"]
    rounding: Rounding
    remainder_to: Literal["rebate", "coop"] = "rebate"
    eligibility: Eligibility
    enrolment: Enrolment | None = None
    levers: list[Lever] = Field(min_length=1)
    cap: list[Any] = Field(default_factory=list)
    split: Split
    coop: dict[str, Any] | None = None
    payout: dict[str, Any] | None = None
    clawback: dict[str, Any] | None = None
    examples: list[dict[str, Any]] = Field(default_factory=list)
    rule_version: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> "Program":
        names = [lever.lever for lever in self.levers]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"levers {twice} stand twice; name each once")
        if self.currency not in {known.code for known in iso4217.Currency}:
            raise ValueError(f"currency [{self.currency}] is not in ISO 4217")
        if self.status == "active":
            self._ready()
        return self

    def _ready(self) -> None:
        """Refuse an active program that uses words which this version reads but does not work out."""
        if not self.examples:
            raise ValueError("an active program needs examples; add at least one with what it earns")
        if used := [word for word in LATER["program"] if getattr(self, word)]:
            raise ValueError(f"uses {used}, which this version reads but does not work out; keep it a draft")
        if self.rounding.at != "line":
            raise ValueError(f"rounds at [{self.rounding.at}]; this version rounds at line, keep it a draft")
        for lever in self.levers:
            used = [word for word in LATER["lever"] if getattr(lever, word) is not None]
            if used or lever.measure != "revenue" or lever.base not in (None, "revenue"):
                raise ValueError(
                    f"lever [{lever.lever}] uses {used or [lever.measure]}, which this version does not price; keep it a draft"
                )


def uses_later_words(program: Program) -> bool:
    """Whether a program needs what this version does not work out."""
    return any(getattr(program, word) for word in LATER["program"]) or any(
        getattr(lever, word) is not None for lever in program.levers for word in LATER["lever"]
    )


def load(path: Path) -> Program:
    """One program file, checked against everything that can be checked without running its examples.

    Raises RuleFault with file, line, key, value and remedy.
    """
    content, lines = read(path)
    if not isinstance(content, dict):
        raise RuleFault(
            path.name, 1, "file", type(content).__name__, "a program file is a mapping that begins with program:"
        )
    try:
        program = Program.model_validate({**content, "rule_version": _version(path)})
    except ValidationError as fault:
        raise named_fault(path.name, content, lines, fault.errors()[0]) from None
    if program.program != path.stem:
        raise RuleFault(
            path.name, lines[("program",)], "program", program.program, f"name it after its file: {path.stem}"
        )
    return program


def load_all(folder: Path) -> list[Program]:
    """Every program file of a folder, in order of their names."""
    return [load(path) for path in sorted(folder.glob("*.yaml"))]


def active(programs: Iterable[Program]) -> list[Program]:
    """The programs that post earnings."""
    return [program for program in programs if program.status == "active"]


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def named_fault(file: str, content: object, lines: dict, fault: Any) -> RuleFault:
    """A pydantic fault as ours, at the innermost place of the file that it speaks of."""
    place: tuple = ()
    value: Any = content
    for step in fault["loc"]:
        if isinstance(value, dict | list) and (*place, step) in lines:
            value = value[step]
            place = (*place, step)
    key = ".".join(str(step) for step in place) or "file"
    last = str(fault["loc"][-1]) if fault["loc"] else key
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        return RuleFault(file, lines.get(place, 1), key, last, "no such key; see docs/programs.md for the words")
    if fault["type"] == "missing":
        return RuleFault(file, lines.get(place, 1), key, last, "this key is missing; add it")
    if fault["type"] == "string_type" and isinstance(value, Decimal):
        message = f'a text is needed; write it in quotes: "{value}"'
    shown = value if isinstance(value, str | Decimal | date | bool) else "…"
    return RuleFault(file, lines.get(place, 1), key, shown, message)
