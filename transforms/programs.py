"""Program files: incentive rules as dated data, read from programs/*.yaml and nowhere else.

The words of a file are those of docs/programs.md. Every fault is refused at load with file, line, key, value, remedy.
"""

import hashlib
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import iso4217
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from transforms.dated import ALWAYS, Dated
from transforms.levers import Cap, Lever, Over
from transforms.rule_file import RuleFault, read
from transforms.rule_values import DatedDays, DatedNames, DatedNumber, Name, Reference, Rule

PERIODS: tuple[Over, ...] = ("transaction", "month", "quarter", "half_year", "fiscal_year", "trailing_12_months", "all")


class Rounding(Rule):
    """How a fraction of a minor unit is rounded, and where: each earning, each slice's base and earning, or a period."""

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


class Step(Rule):
    """A step of a clawback ladder: what share is taken back from that many completed months after the original on."""

    from_month: int = Field(ge=0)
    share: Decimal = Field(ge=0, le=1)
    kind: Literal["cancellation", "lapse", "withdrawal"] | None = None


class Clawback(Rule):
    """What a linked refund takes back of what is left of its original's earning."""

    ladder: list[Step] = Field(min_length=1)
    base: Literal["net_earned"] = "net_earned"

    @model_validator(mode="after")
    def _order(self) -> "Clawback":
        for kind in {step.kind for step in self.ladder}:
            months = [step.from_month for step in self.ladder if step.kind == kind]
            if months != sorted(set(months)):
                raise ValueError(f"months {months} of kind [{kind or 'any'}] do not rise; put the first step first")
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
    cap: list[Cap] = Field(default_factory=list)
    split: Split
    coop: dict[str, Any] | None = None
    payout: dict[str, Any] | None = None
    clawback: Clawback | None = None
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
        """Refuse an active program that shows nothing of what it pays."""
        if not self.examples:
            raise ValueError("an active program needs examples; add at least one with what it earns")

    @property
    def goes_on(self) -> bool:
        """Whether positions are all that lines which are added need to know of those before them."""
        caps = [*self.cap, *(cap for lever in self.levers for cap in lever.cap)]
        is_simple = self.rounding.at != "period" and all(cap.excess == "forfeit" for cap in caps)
        return is_simple and all(lever.goes_on for lever in self.levers)

    @property
    def cell_over(self) -> Over:
        """Within which period the lines of one partner bear on one another: the longest that a rule counts over."""
        if any(lever.looks_back for lever in self.levers) or any(cap.excess == "defer" for cap in self.cap):
            return "all"
        found = [scope.over for lever in self.levers for scope in lever.scopes] + [cap.over for cap in self.cap]
        longest: Over = max(found, key=PERIODS.index, default="transaction")
        nested = self.fiscal_year_start.endswith("-01") or set(found) <= {longest}
        return longest if nested else "all"  # a calendar month may lie in two quarters


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
