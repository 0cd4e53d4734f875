"""Criteria of eligibility as a program file writes them, each with its dated figures."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Strict, model_validator

from transforms.dated import ALWAYS, Dated
from transforms.rule_values import (
    DatedDays,
    DatedDaysFromOne,
    DatedNames,
    DatedNumber,
    Fault,
    Flag,
    Rule,
    below_zero,
    refuse,
)
from transforms.vocabulary import remedy_of, unknown


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
    days: DatedDaysFromOne = Dated.always(365)
    once_met_stays: Flag = False

    @model_validator(mode="after")
    def _figures(self) -> "Criterion":
        needs = {"active_agreement": ["any_of"], "competency": ["any_of"], "trailing_revenue": ["at_least", "days"]}
        needed = needs.get(self.criterion, [])
        if lacking := [word for word in needed if word not in self.model_fields_set or getattr(self, word) is None]:
            raise ValueError(f"criterion [{self.criterion}] needs [{lacking[0]}]; add it")
        taken = {*needed, "criterion", "once_met_stays", *(["level"] if self.criterion == "competency" else [])}
        unread = [
            Fault((word,), "…", f"criterion [{self.criterion}] does not look at [{word}]; leave it out")
            for word in sorted(self.model_fields_set - taken)
        ]
        refuse([*unread, *self._unknown(), *below_zero("at_least", self.at_least)])
        return self

    def _unknown(self) -> Iterator[Fault]:
        """Agreements, competencies and levels that no delivery may name."""
        of = {"active_agreement": "agreement_type", "competency": "competency"}.get(self.criterion, "")
        for word, column in (("any_of", of), ("level", "competency_level")):
            dated: Dated | None = getattr(self, word)
            named = [name for listed in (dated.values.values() if dated else ()) for name in listed or ()]
            for name in unknown(column, named):
                yield Fault((word,), name, remedy_of(column))


def _repeated(criteria: list[Criterion]) -> Iterator[Criterion]:
    """Criteria of a list that ask what one before them asks."""
    asked = [criterion.model_copy(update={"once_met_stays": False}) for criterion in criteria]
    for number, criterion in enumerate(criteria):
        if asked[number] in asked[:number]:
            yield criterion


def _dated_criteria(value: object) -> object:
    if isinstance(value, dict) and list(value) != sorted(value, key=str):
        raise ValueError("dates must rise; put the earliest first")
    if not isinstance(value, dict):
        return {ALWAYS: value}
    return {day: [] if listed is None else listed for day, listed in value.items()}


class Eligibility(Rule):
    """Who may earn, and from when."""

    earns_from: Literal["month_start", "day_met"]
    grace_days: DatedDays = Dated.always(0)
    criteria: Annotated[
        dict[Annotated[date, Strict()], list[Criterion]],
        BeforeValidator(_dated_criteria, json_schema_input_type=list[Criterion] | dict[date, list[Criterion] | None]),
    ]

    @model_validator(mode="after")
    def _each_once(self) -> "Eligibility":
        refuse(
            Fault(
                ("criteria", str(start)), criterion.criterion, f"[{criterion.criterion}] is asked twice; list it once"
            )
            for start, listed in self.criteria.items()
            for criterion in _repeated(listed)
        )
        return self
