"""Which association with a customer comes first in a program, and how long the customer may still opt out of it."""

from typing import Literal, get_args

from pydantic import Field, field_validator

from transforms.dated import Dated
from transforms.rule_values import DatedDays, DatedNames, Rule

Claimed = Literal["cpor", "dpor", "pal_contributor", "pal_owner", "pal_reader", "tpor"]
RANKED = (*get_args(Claimed), "reseller")


class Association(Rule):
    """How claimed associations count in a program, beside the line's own one; both figures are dated.

    `precedence` lists associations, the first of them that is in force decides who earns. `opt_out_days` count from the
    day on which a claim was approved; days of the value on that day, none unless given.
    """

    precedence: DatedNames
    opt_out_days: dict[Claimed, DatedDays] = Field(default_factory=dict)

    @field_validator("precedence")
    @classmethod
    def _known(cls, precedence: Dated) -> Dated:
        if not any(precedence.values.values()):
            raise ValueError("precedence lists no association; name the one that comes first")
        for listed in precedence.values.values():
            if unknown := sorted(set(listed or ()) - set(RANKED)):
                raise ValueError(f"associations {unknown} do not exist; name some of {list(RANKED)}")
            if len(set(listed or ())) != len(listed or ()):
                raise ValueError(f"precedence {listed} names one twice; name each once")
        return precedence
