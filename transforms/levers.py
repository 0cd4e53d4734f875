"""Levers: the rules of a program that pay, each with what it selects, what fills its scale, and what bounds it."""

from datetime import date
from decimal import Decimal
from typing import Any, Literal, get_args

from pydantic import Field, field_validator, model_validator

from transforms.dated import ALWAYS, Dated
from transforms.rule_values import DatedNumber, Name, Reference, Rule

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
Per = Literal["customer", "product", "product_family", "product_segment", "customer_segment", "customer_country"]
PER_COLUMN = {"customer": "customer_id", "product": "product_id"}  # the others are named as their column
Over = Literal["transaction", "month", "quarter", "half_year", "fiscal_year", "trailing_12_months", "all"]
Measure = Literal["revenue", "quantity", "growth", "count", "attainment"]


class Effective(Rule):
    """Days on which a lever is in force: `from` is in, `to` is out."""

    start: date = Field(alias="from")
    to: date | None = None

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


class Bracket(Rule):
    """One step of a scale: from its threshold on it pays a rate, or an amount (per unit, or the lump)."""

    threshold: DatedNumber
    rate: DatedNumber | None = None
    amount: DatedNumber | None = None

    @model_validator(mode="after")
    def _one_price(self) -> "Bracket":
        if (self.rate is None) == (self.amount is None):
            raise ValueError("a bracket has a rate or an amount; give one of them")
        return self

    @property
    def price(self) -> Dated:
        """The rate, or the amount."""
        return next(held for held in (self.rate, self.amount) if held is not None)


class Scale(Rule):
    """What a running measure pays."""

    mode: Literal["flat", "marginal", "retroactive", "interpolated", "lump_sum", "cumulative_lump_sum"]
    on_threshold: Literal["higher", "lower"] = "higher"
    units: Literal["continuous", "first_unit"] = "continuous"
    brackets: list[Bracket] = Field(min_length=1)

    @property
    def pays_amounts(self) -> bool:
        """Whether brackets have amounts instead of rates."""
        return self.brackets[0].rate is None

    @property
    def is_lump(self) -> bool:
        """Whether lumps are booked on the line that reaches them."""
        return self.mode in ("lump_sum", "cumulative_lump_sum")

    @model_validator(mode="after")
    def _sound(self) -> "Scale":
        if any((bracket.rate is None) != self.pays_amounts for bracket in self.brackets):
            raise ValueError("brackets have all rates or all amounts; write two levers")
        if self.units == "first_unit" and "on_threshold" in self.model_fields_set:
            raise ValueError("on_threshold has no meaning with first_unit; leave it out")
        if (self.is_lump or self.mode == "interpolated") and not self.pays_amounts:
            raise ValueError(f"mode [{self.mode}] pays amounts; give each bracket an amount")
        if self.mode == "interpolated" and any(v != 0 for v in self.brackets[-1].price.values.values()):
            raise ValueError("the last interpolated bracket has no end to fill up to; its amount is 0")
        for day in sorted({start for bracket in self.brackets for start in bracket.threshold.values}):
            self._rising(day)
        return self

    def _rising(self, day: date) -> None:
        since = "" if day == ALWAYS else f" on [{day}]"
        held = [bracket.threshold.on(day) for bracket in self.brackets]
        known = [threshold for threshold in held if threshold is not None]
        if known != sorted(set(known)):
            raise ValueError(f"thresholds {[str(t) for t in known]} do not rise{since}")
        if self.mode == "marginal" and self.units == "continuous" and known and known[0] > 0:
            raise ValueError(f"the first threshold is [{known[0]}]{since}; a marginal scale begins at 0")


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

    @model_validator(mode="after")
    def _ends(self) -> "Cap":
        if self.over == "trailing_12_months":
            raise ValueError("a cap over trailing_12_months never ends; take a period")
        return self


class Lever(Rule):
    """One rule of a program: on what, when, how much."""

    lever: Name
    title: str
    effective: Effective
    select: dict[Selectable, Any]
    measure: Measure
    base: Literal["revenue", "quantity", "growth", "annualised_revenue"] | FixedBase | None = None
    accumulate: Scope = Scope()
    rate: DatedNumber | None = None
    amount: DatedNumber | None = None
    scale: Scale | None = None
    minimum: Minimum | None = None
    stack: Stack | None = None
    cap: list[Cap] = Field(default_factory=list)
    illustrative: bool = False
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
    def counts(self) -> Literal["revenue", "quantity", "count"]:
        """What each line brings to the measure by itself."""
        if self.baseline:
            return self.baseline.of
        return "count" if self.measure == "count" else "quantity" if self.measure == "quantity" else "revenue"

    @property
    def pays_by_amount(self) -> bool:
        """Whether it pays amounts of program currency, by the unit or as lumps, instead of a rate of money."""
        by_units = self.base == "quantity" or (self.measure == "quantity" and self.base is None)
        return self.pricing.pays_amounts or by_units

    @property
    def scale_scope(self) -> Scope:
        """Which lines fill the scale together; a count is over all values of what its `per` names."""
        return Scope(over=self.accumulate.over) if self.measure == "count" else self.accumulate

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
    def looks_back(self) -> bool:
        """Whether lines bear on others of any later period."""
        is_deferred = any(cap.excess == "defer" for cap in self.cap)
        is_trailing = any(scope.over == "trailing_12_months" for scope in self.scopes)
        has_before = self.baseline is not None and self.baseline.over is not None
        return has_before or bool(self.one_earning or self.exclusive_partner) or is_deferred or is_trailing

    @property
    def goes_on(self) -> bool:
        """Whether totals of the lines before are all that a later line needs to know of them."""
        is_simple = self.measure in ("revenue", "quantity") and not self.one_earning
        return is_simple and not any(scope.over == "trailing_12_months" for scope in self.scopes)

    @field_validator("accumulate")
    @classmethod
    def _no_lone_per(cls, accumulate: Scope) -> Scope:
        if accumulate.per and accumulate.over == "transaction":
            raise ValueError("per counts nothing within one transaction; say over what it accumulates")
        return accumulate

    @model_validator(mode="after")
    def _priced(self) -> "Lever":
        given = [word for word in ("rate", "amount", "scale") if getattr(self, word) is not None]
        if len(given) != 1:
            raise ValueError(f"lever [{self.lever}] has {given or 'no price'}; give one of rate, amount or scale")
        if given != ["scale"]:
            self._held(self.pricing.brackets[0].price, given[0])
        return self

    @model_validator(mode="after")
    def _measured(self) -> "Lever":
        if self.measure in ("growth", "attainment") and self.baseline is None:
            raise ValueError(
                f"lever [{self.lever}] measures {self.measure} and has no baseline; say what it compares with"
            )
        if self.baseline is not None and self.measure not in ("growth", "attainment"):
            raise ValueError(
                f"lever [{self.lever}] has a baseline and measures {self.measure}; measure growth or attainment"
            )
        if self.measure in ("growth", "attainment", "count") and self.accumulate.over == "transaction":
            raise ValueError(f"lever [{self.lever}] measures {self.measure}; say over which period it accumulates")
        if self.measure == "count" and not self.accumulate.per:
            raise ValueError(f"lever [{self.lever}] counts; accumulate per what is counted, as in per: [customer]")
        if self.base == "growth" and self.measure != "growth":
            raise ValueError(f"lever [{self.lever}] has growth as its base and measures {self.measure}; measure growth")
        if self.measure in ("attainment", "count") and not self.pricing.pays_amounts and self.base is None:
            raise ValueError(f"lever [{self.lever}] has no base that its rate multiplies; give revenue or {{fixed: …}}")
        return self

    @model_validator(mode="after")
    def _trailing(self) -> "Lever":
        if self.accumulate.over == "trailing_12_months" and self.pricing.is_lump:
            raise ValueError(
                f"lever [{self.lever}] pays lumps over trailing_12_months, which has no end; take a period"
            )
        if self.measure == "count" and self.accumulate.over == "trailing_12_months":
            raise ValueError(f"lever [{self.lever}] counts over trailing_12_months; take a period")
        if self.exclusive_partner and self.exclusive_partner[0] != "customer":
            raise ValueError(f"lever [{self.lever}] keeps {self.exclusive_partner}; customer comes first")
        if self.exclusive_partner and self.minimum and not set(self.exclusive_partner) <= set(self.minimum.per):
            raise ValueError(f"lever [{self.lever}] keeps {self.exclusive_partner}; its minimum must be per the same")
        return self

    def _held(self, price: Dated, word: str) -> None:
        start, end = self.effective.start, self.effective.to
        held = [price.on(start), *(v for d, v in price.values.items() if d > start and (not end or d < end))]
        if any(value is None for value in held):
            raise ValueError(f"lever [{self.lever}] has no {word} on some day while it is in force")
