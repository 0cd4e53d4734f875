"""Levers: the rules of a program that pay, each with what it selects, what fills its scale, and what bounds it."""

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from transforms.brackets import Bracket, Scale
from transforms.dated import Dated
from transforms.rule_values import DatedNumber, Day, Fault, Flag, Name, Reference, Rule, refuse
from transforms.selection import Selection

Per = Literal["customer", "product", "product_family", "product_segment", "customer_segment", "customer_country"]
PER_COLUMN = {"customer": "customer_id", "product": "product_id"}  # the others are named as their column
Over = Literal["transaction", "month", "quarter", "half_year", "fiscal_year", "trailing_12_months", "all"]
Measure = Literal["revenue", "quantity", "growth", "count", "attainment"]


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


class Scope(Rule):
    """Which lines are counted together: always those of one partner, and of one of each that `per` names."""

    per: list[Per] = Field(default_factory=list)
    over: Over = "transaction"

    @property
    def columns(self) -> list[str]:
        """The columns that `per` names."""
        return [PER_COLUMN.get(name, name) for name in self.per]


class Baseline(Rule):
    """What growth and attainment compare with: the total of the period before, or a fixed figure."""

    of: Literal["revenue", "quantity"] = "revenue"
    over: Literal["previous_month", "previous_quarter", "previous_half_year", "previous_fiscal_year"] | None = None
    fixed: DatedNumber | None = None

    @property
    def period(self) -> Over:
        """The kind of period of which the one before is looked at."""
        named: dict[str | None, Over] = {
            "previous_month": "month",
            "previous_quarter": "quarter",
            "previous_half_year": "half_year",
            "previous_fiscal_year": "fiscal_year",
        }
        return named[self.over]

    @model_validator(mode="after")
    def _one(self) -> "Baseline":
        if (self.over is None) == (self.fixed is None):
            raise ValueError("a baseline is that of a period before (over) or a fixed figure (fixed); give one of them")
        return self


class Window(Rule):
    """For how many months from its customer's first day a line can earn; the first day is in, the last one out."""

    start: Literal["tenant_created", "first_purchase"] = Field(alias="from")
    months: int = Field(ge=1)


class FixedBase(Rule):
    """A sum of program currency that a rate multiplies, for each whole unit of the measure."""

    fixed: DatedNumber


class Minimum(Scope):
    """What the lines of a scope must reach together to earn at all."""

    measure: DatedNumber


class Stack(Rule):
    """Which of the levers of one group pay for one line."""

    group: Name
    take: Literal["sum", "highest", "first", "most_specific"]


class Cap(Scope):
    """The most that a scope may earn, in program currency."""

    amount: DatedNumber
    excess: Literal["forfeit", "defer"] = "forfeit"


class Lever(Rule):
    """One rule of a program: on what, when, how much."""

    lever: Name
    title: str
    effective: Effective
    select: Selection
    measure: Measure
    base: Literal["revenue", "quantity", "growth", "annualised_revenue"] | FixedBase | None = None
    accumulate: Scope = Scope()
    rate: DatedNumber | None = None
    amount: DatedNumber | None = None
    scale: Scale | None = None
    minimum: Minimum | None = None
    stack: Stack | None = None
    cap: list[Cap] = Field(default_factory=list)
    illustrative: Flag = False
    reference: Reference | None = None
    baseline: Baseline | None = None
    window: Window | None = None
    exclusive_partner: list[Per] = Field(default_factory=list)
    one_earning: list[Per] = Field(default_factory=list)

    @property
    def pricing(self) -> Scale:
        """The scale; one rate or amount is a scale of one bracket."""
        zero = Dated.always(Decimal(0))
        return self.scale or Scale(mode="flat", brackets=[Bracket(threshold=zero, rate=self.rate, amount=self.amount)])

    @property
    def scopes(self) -> list[Scope]:
        """All that this lever counts over several lines."""
        made = [self.accumulate, *([self.minimum] if self.minimum else []), *self.cap]
        return [scope for scope in made if scope.over != "transaction"]

    @property
    def specificity(self) -> tuple[int, ...]:
        """How closely a lever selects: number of keys, then product before family before segment."""
        order = ("product_id", "product_family", "product_segment")
        return (len(self.select), *(int(key in self.select) for key in order))

    @property
    def later_words(self) -> list[str]:
        """What this lever needs that this version does not price."""
        words = ("baseline", "window", "exclusive_partner", "one_earning")
        used = [word for word in words if getattr(self, word)]
        used += [self.measure] if self.measure not in ("revenue", "quantity") else []
        used += ["base"] if self.base not in (None, self.measure, "revenue", "quantity") else []
        used += ["defer"] if any(cap.excess == "defer" for cap in self.cap) else []
        return used + [scope.over for scope in self.scopes if scope.over == "trailing_12_months"]

    @field_validator("accumulate")
    @classmethod
    def _no_lone_per(cls, accumulate: Scope) -> Scope:
        if accumulate.per and accumulate.over == "transaction":
            raise ValueError("per counts nothing within one transaction; say over what it accumulates")
        return accumulate

    @model_validator(mode="after")
    def _sound(self) -> "Lever":
        given = [word for word in ("rate", "amount", "scale") if getattr(self, word) is not None]
        if len(given) != 1:
            raise ValueError(f"lever [{self.lever}] has {given or 'no price'}; give one of rate, amount or scale")
        refuse([*self._gaps(), *self._mismatches()])
        return self

    def _mismatches(self) -> Iterator[Fault]:
        if self.measure in ("growth", "attainment") and not self.baseline:
            remedy = f"{self.measure} compares with a baseline; add baseline: {{of: revenue, over: previous_quarter}}"
            yield Fault(("measure",), self.measure, remedy)
        if self.pricing.is_lump and self.accumulate.over == "trailing_12_months":
            remedy = "lumps cannot be counted over trailing_12_months; accumulate over a fiscal_year"
            yield Fault(("accumulate", "over"), self.accumulate.over, remedy)

    def _gaps(self) -> Iterator[Fault]:
        """Days in force without a price. A bracket whose price begins later is a new one; one whose price ends is a gap."""
        held = [
            (("scale", "brackets", number, word) if self.scale else (word,), word, figure)
            for number, bracket in enumerate(self.pricing.brackets)
            for word in ("threshold", "rate", "amount")
            if (figure := getattr(bracket, word)) is not None
        ]
        for place, word, figure in held:
            for day in self.effective.changes(figure.values):
                if figure.on(day) is None and (not self.scale or min(figure.values) <= day):
                    remedy = f"lever [{self.lever}] has no {word} on [{day}], when it is in force; give one, or end the lever"
                    yield Fault(place, day, remedy)
        for day in self.effective.changes(self.pricing.days) if self.scale else ():
            if not any(bracket.exists_on(day) for bracket in self.pricing.brackets):
                remedy = (
                    f"lever [{self.lever}] has no bracket on [{day}], when it is in force; date its brackets from then"
                )
                yield Fault(("scale", "brackets"), day, remedy)
