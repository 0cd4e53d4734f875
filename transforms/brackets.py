"""Scales as a program file writes them: brackets, each with what it pays from its threshold on."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from transforms.dated import ALWAYS, Dated
from transforms.rule_values import DatedNumber, Fault, Rule, refuse


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

    @property
    def days(self) -> set[date]:
        """The days on which its threshold or price changes."""
        return {*self.threshold.values, *self.price.values}

    def exists_on(self, day: date) -> bool:
        """Whether it has both a threshold and a price."""
        return self.threshold.on(day) is not None and self.price.on(day) is not None


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

    @property
    def days(self) -> list[date]:
        """The days on which any bracket changes."""
        return sorted({day for bracket in self.brackets for day in bracket.days})

    @model_validator(mode="after")
    def _sound(self) -> "Scale":
        refuse(
            [
                *self._prices(),
                *self._thresholds(),
                *next((found for day in self.days if (found := [*self._order(day)])), []),
            ]
        )
        return self

    def _prices(self) -> Iterator[Fault]:
        if any((bracket.rate is None) != self.pays_amounts for bracket in self.brackets):
            yield Fault(("brackets",), "…", "brackets have all rates or all amounts; write two levers")
        if self.units == "first_unit" and "on_threshold" in self.model_fields_set:
            remedy = "on_threshold has no meaning with first_unit; leave it out"
            yield Fault(("on_threshold",), self.on_threshold, remedy)
        if (self.is_lump or self.mode == "interpolated") and any(bracket.amount is None for bracket in self.brackets):
            yield Fault(("mode",), self.mode, f"mode [{self.mode}] pays amounts; give each bracket an amount")

    def _thresholds(self) -> Iterator[Fault]:
        for number, bracket in enumerate(self.brackets):
            for threshold in filter(None, bracket.threshold.values.values()):
                place = ("brackets", number, "threshold")
                if threshold < 0:
                    yield Fault(place, threshold, "a threshold is below 0; give 0 or more")
                elif self.units == "first_unit" and threshold % 1:
                    yield Fault(place, threshold, "units under first_unit are whole; give a whole threshold")

    def _order(self, day: date) -> Iterator[Fault]:
        """Faults in the thresholds of the brackets that exist on a day."""
        since = "" if day == ALWAYS else f" on [{day}]"
        held: list[tuple[int, Decimal]] = [
            (number, threshold)
            for number, bracket in enumerate(self.brackets)
            if bracket.exists_on(day) and (threshold := bracket.threshold.on(day)) is not None
        ]
        known = [threshold for _, threshold in held]
        for (_, lower), (number, upper) in zip(held, held[1:], strict=False):
            if upper <= lower:
                shown = ", ".join(str(threshold) for threshold in known)
                remedy = f"thresholds [{shown}] do not rise{since}; put the lowest first and each once"
                yield Fault(("brackets", number, "threshold"), upper, remedy)
        if self.mode == "marginal" and self.units == "continuous" and known and known[0] > 0:
            remedy = (
                f"the first threshold is [{known[0]}]{since}; a marginal scale begins at 0: add a bracket that pays 0"
            )
            yield Fault(("brackets", held[0][0], "threshold"), known[0], remedy)
