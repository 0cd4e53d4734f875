"""Levers: the rules of a program that pay, each with what it selects, what fills its scale, and what bounds it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Literal, get_args

from pydantic import Field, WithJsonSchema, field_validator, model_validator

from transforms.brackets import Bracket, Scale
from transforms.dated import Dated
from transforms.rule_file import Place
from transforms.rule_values import (
    DatedMonthsFromOne,
    DatedNumber,
    Effective,
    Fault,
    Flag,
    Name,
    Reference,
    Rule,
    refuse,
    repeated,
)
from transforms.selection import Selection

Per = Literal["customer", "product", "product_family", "product_segment", "customer_segment", "customer_country"]
PER_COLUMN = {"customer": "customer_id", "product": "product_id"}  # the others are named as their column
Over = Literal["transaction", "month", "quarter", "half_year", "fiscal_year", "trailing_12_months", "all"]
Measure = Literal["revenue", "quantity", "growth", "count", "attainment"]


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
    """For how many months from its customer's first day a line can earn, on its own date; the first day is in, the last one out."""

    start: Literal["tenant_created", "first_purchase"] = Field(alias="from")
    months: DatedMonthsFromOne


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

    over: Annotated[Over, WithJsonSchema({"enum": [over for over in get_args(Over) if over != "trailing_12_months"]})]
    amount: DatedNumber
    excess: Literal["forfeit", "defer"] = "forfeit"

    @model_validator(mode="after")
    def _sound(self) -> "Cap":
        if self.over == "trailing_12_months":
            raise ValueError("a cap over trailing_12_months never ends; take a period")
        if any(held is not None and held < 0 for held in self.amount.values.values()):
            raise ValueError("the cap is below 0; give 0 or more")
        return self


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
    def counts(self) -> Literal["revenue", "quantity", "count"]:
        """What each line brings to the measure by itself."""
        if self.baseline:
            return self.baseline.of
        return "count" if self.measure == "count" else "quantity" if self.measure == "quantity" else "revenue"

    @property
    def pays_by_amount(self) -> bool:
        """Whether it pays amounts of program currency, by the unit or as lumps, instead of a rate of money."""
        grows_units = self.measure == "growth" and self.base in (None, "growth") and self.counts == "quantity"
        by_units = self.base == "quantity" or (self.measure == "quantity" and self.base is None) or grows_units
        return self.pricing.pays_amounts or by_units

    @property
    def grows_base(self) -> bool:
        """Whether growth itself is what a rate multiplies; amounts multiply units, whatever the measure."""
        return self.measure == "growth" and self.base in (None, "growth") and not self.pricing.pays_amounts

    @property
    def refunded_by(self) -> str:
        """What a refund's share of an earning goes by: revenue, quantity, or the growth of this lever."""
        return f"growth of {self.lever}" if self.grows_base else self.earned_on

    @property
    def earned_on(self) -> Literal["revenue", "quantity"]:
        """What a line must bring to earn at all: what amounts multiply, or where they multiply nothing, what is counted."""
        counts_alone = self.pricing.is_lump or self.pricing.mode == "interpolated" or isinstance(self.base, FixedBase)
        is_by_units = self.counts == "quantity" if counts_alone else self.pays_by_amount
        return "quantity" if is_by_units else "revenue"

    @property
    def scale_scope(self) -> Scope:
        """Which lines fill the scale together; a count is over all values of what its `per` names."""
        return Scope(over=self.accumulate.over) if self.measure == "count" else self.accumulate

    @property
    def kept(self) -> list[Per]:
        """Of what the first partner to earn keeps others out."""
        return self.exclusive_partner or self.one_earning

    @property
    def is_earned_late(self) -> bool:
        """Whether some lines fill the scale before one earns, as below a first threshold or in a bracket that pays nothing."""
        start = 1 if self.pricing.units == "first_unit" else 0
        begins = max((value or 0 for value in self.pricing.brackets[0].threshold.values.values()), default=0)
        is_free = any(value == 0 for bracket in self.pricing.brackets for value in bracket.price.values.values())
        return self.pricing.is_lump or self.measure == "growth" or is_free or begins > start

    @property
    def scopes(self) -> list[Scope]:
        """All that this lever counts over several lines."""
        made = [self.accumulate, *([self.minimum] if self.minimum else []), *self.cap]
        return [scope for scope in made if scope.over != "transaction"]

    @property
    def has_minimum_of_scale(self) -> bool:
        """Whether the minimum counts the same lines together as the scale does."""
        same = self.minimum and (self.minimum.over == self.accumulate.over)
        return bool(same) and set(self.minimum.per if self.minimum else ()) == set(self.accumulate.per)

    @property
    def bounds(self) -> list[Decimal]:
        """All figures that a measure must reach."""
        figures = [bracket.threshold for bracket in self.pricing.brackets]
        figures += [self.minimum.measure] if self.minimum else []
        return [value for figure in figures for value in figure.values.values() if value is not None]

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
        return has_before or bool(self.kept) or is_deferred or is_trailing

    @property
    def goes_on(self) -> bool:
        """Whether totals of the lines before are all that a later line needs to know of them."""
        is_lump_moved = self.pricing.is_lump and len(self.effective.changes(self.pricing.days)) > 1
        is_simple = self.measure in ("revenue", "quantity") and not self.one_earning and not is_lump_moved
        return is_simple and not any(scope.over == "trailing_12_months" for scope in self.scopes)

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
        refuse([*self._gaps(), *self._unfillable(), *self._unpayable(), *self._mismatches(), *self._endless()])
        return self

    def _figures(self) -> Iterator[tuple[Place, str, Dated]]:
        """Thresholds, rates and amounts, each with where it stands."""
        for number, bracket in enumerate(self.pricing.brackets):
            for word in ("threshold", "rate", "amount"):
                if (figure := getattr(bracket, word)) is not None:
                    yield (("scale", "brackets", number, word) if self.scale else (word,)), word, figure

    def _unpayable(self) -> Iterator[Fault]:
        """Rates and amounts below 0, and rates above the whole of what they are a share of. A fixed base has multiples."""
        is_share = not self.pays_by_amount and not isinstance(self.base, FixedBase)
        for place, word, figure in self._figures():
            for price in (held for held in figure.values.values() if held is not None and word != "threshold"):
                if price < 0:
                    yield Fault(place, price, f"the {word} is below 0; give 0 or more, and take back by refunds")
                elif price > 1 and word == "rate" and is_share:
                    yield Fault(place, price, f"the rate is {price * 100:f} %; write 4 % as 0.04")
        bounds: list[tuple[Place, Dated]] = [(("minimum", "measure"), self.minimum.measure)] if self.minimum else []
        bounds += [(("base", "fixed"), self.base.fixed)] if isinstance(self.base, FixedBase) else []
        for place, figure in bounds:
            if below := [held for held in figure.values.values() if held is not None and held < 0]:
                yield Fault(place, below[0], f"{place[0]} is below 0; give 0 or more")

    def _mismatches(self) -> Iterator[Fault]:
        """Words that need others, or do not go with them."""
        compares, counts = self.measure in ("growth", "attainment"), self.measure == "count"
        if compares and not self.baseline:
            remedy = f"{self.measure} compares with a baseline; add baseline: {{of: revenue, over: previous_quarter}}"
            yield Fault(("measure",), self.measure, remedy)
        if self.baseline and not compares:
            yield Fault(("baseline",), "…", f"{self.measure} compares with nothing; measure growth or attainment")
        if (compares or counts) and self.accumulate.over == "transaction":
            yield Fault(("measure",), self.measure, f"{self.measure} needs a period; say over which it accumulates")
        if counts and not self.accumulate.per:
            remedy = "count needs what is counted; accumulate per it, as in per: [customer]"
            yield Fault(("measure",), self.measure, remedy)
        is_one_total = self.measure == "attainment" or (compares and self.accumulate.over == "trailing_12_months")
        if self.minimum and is_one_total and not self.has_minimum_of_scale:
            remedy = f"a minimum of {self.measure} is of what accumulates: give it the same per and over"
            yield Fault(("minimum",), "…", remedy)
        if self.base == "growth" and self.measure != "growth":
            yield Fault(("base",), self.base, f"growth is no base where {self.measure} is measured; measure growth")
        if self.base and self.pricing.pays_amounts and (self.base != "quantity" or self.pricing.is_lump):
            named = self.base if isinstance(self.base, str) else "…"
            filled = "as its bracket is filled" if self.pricing.mode == "interpolated" else "by the unit"
            paid = "as a lump" if self.pricing.is_lump else filled
            remedy = f"an amount is paid {paid}, whatever the base; leave base out, or give a rate"
            yield Fault(("base",), named, remedy)
        if self.pricing.units == "first_unit" and (self.counts == "revenue" or self.measure == "attainment"):
            remedy = f"{self.measure} has no first unit; measure quantity or count, or leave units out"
            yield Fault(("scale", "units"), None, remedy)
        fixed = self.baseline.fixed.values.values() if self.baseline and self.baseline.fixed else ()
        if self.measure == "attainment" and any(held is not None and held <= 0 for held in fixed):
            yield Fault(("baseline", "fixed"), None, "attainment is a share of the baseline; give one above 0")
        if self.measure in ("attainment", "count") and not self.pricing.pays_amounts and self.base is None:
            remedy = f"a rate cannot multiply {self.measure}; add base: revenue, or base: {{fixed: …}}"
            yield Fault(("measure",), self.measure, remedy)

    def _endless(self) -> Iterator[Fault]:
        """What cannot be counted over trailing months, as they never end; what an exclusive partner cannot keep."""
        if self.accumulate.over == "trailing_12_months":
            for what, is_so in (("lumps", self.pricing.is_lump), ("a count", self.measure == "count")):
                if is_so:
                    remedy = f"{what} cannot be counted over trailing_12_months, which never end; take a period"
                    yield Fault(("accumulate", "over"), self.accumulate.over, remedy)
        kept, word = self.kept, "exclusive_partner" if self.exclusive_partner else "one_earning"
        if kept and kept[0] != "customer":
            yield Fault((word,), kept[0], "customer comes first in what a partner keeps")
        if self.one_earning and not set(kept) <= set(self.one_earning):
            remedy = f"one partner keeps {kept}; what is earned once must be told apart by the same"
            yield Fault(("one_earning",), ", ".join(self.one_earning), remedy)
        if kept and self.baseline and self.baseline.over and not set(kept) <= set(self.accumulate.per):
            remedy = f"a partner keeps {kept} by what it sells of it; what the baseline is of must be per the same"
            yield Fault(("accumulate", "per"), ", ".join(self.accumulate.per), remedy)
        if (
            self.is_earned_late
            and self.scale_scope.over != "transaction"
            and not set(kept) <= set(self.scale_scope.per)
        ):
            remedy = f"a partner keeps {kept} by what it earns of it, and here not every line earns: accumulate per the same, or per transaction"
            yield Fault(("accumulate", "per"), ", ".join(self.accumulate.per), remedy)
        if kept and self.minimum and not set(kept) <= set(self.minimum.per):
            remedy = f"a partner keeps {kept} by what it sells of it; the minimum must be per the same"
            yield Fault(("minimum", "per"), ", ".join(self.minimum.per), remedy)
        yield from repeated(("exclusive_partner",), self.exclusive_partner)
        yield from repeated(("one_earning",), self.one_earning)
        yield from repeated(("accumulate", "per"), self.accumulate.per)
        yield from repeated(("minimum", "per"), self.minimum.per if self.minimum else [])
        for number, cap in enumerate(self.cap):
            yield from repeated(("cap", number, "per"), cap.per)

    def _gaps(self) -> Iterator[Fault]:
        """Days in force without a price. A bracket whose price begins later is a new one; one whose price ends is a gap."""
        for place, word, figure in self._figures():
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

    def _unfillable(self) -> Iterator[Fault]:
        """Amounts of interpolated brackets that are the last of a day in force, and so have no end to fill up to."""
        for day in self.effective.changes(self.pricing.days) if self.pricing.mode == "interpolated" else ():
            held = [(n, bracket) for n, bracket in enumerate(self.pricing.brackets) if bracket.exists_on(day)]
            for number, bracket in held[-1:]:
                if amount := bracket.price.on(day):
                    remedy = f"the last interpolated bracket on [{day}] has no end to fill up to; its amount is 0, or the next begins by then"
                    yield Fault(("scale", "brackets", number, "amount"), amount, remedy)
