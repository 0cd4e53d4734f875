"""Terms of a program besides its levers: how partners enrol, what becomes of co-op, how earnings are paid."""

from collections.abc import Iterator
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field, StringConstraints, model_validator

from transforms.rule_values import (
    DatedDayOfMonth,
    DatedDays,
    DatedDaysFromOne,
    DatedMonths,
    DatedNumber,
    DatedShare,
    DatedUsageMonths,
    Fault,
    Flag,
    Rule,
    below_zero,
    refuse,
)
from transforms.validity import DAY

Country = Annotated[str, StringConstraints(pattern=r"^(default|[A-Z]{2})$")]


class Enrolment(Rule):
    """How partners come into the program; an invitation holds as many days as the value of its own day says."""

    invite_on: Literal["first_transaction", "eligible", "open"] | None = None
    valid_days: DatedDaysFromOne | None = None
    expires: Literal["fiscal_year_end"] | None = None
    rolls_over: Flag = True

    @model_validator(mode="after")
    def _invited(self) -> "Enrolment":
        if self.valid_days and self.invite_on not in ("first_transaction", "eligible"):
            remedy = "valid_days is how long an invitation holds; say invite_on: first_transaction or eligible"
            refuse([Fault(("valid_days",), None, remedy)])
        return self


class ClaimsOpen(Rule):
    """The first day of claiming: `day` of the month that lies `months` after the first day after the earning half year."""

    months: DatedMonths
    day: DatedDayOfMonth


Activity = Literal[
    "advertising", "conference", "customer_offer", "demo_units", "internal_incentive", "onsite_champ", "syndicated_content",
    "training",
]  # fmt: skip


class ActivityCap(Rule):
    """The most that one kind of activity may take of a half year's co-op: the larger of a share of it and an amount."""

    share: DatedShare | None = None
    amount: DatedNumber | None = None

    @model_validator(mode="after")
    def _some(self) -> "ActivityCap":
        if self.share is None and self.amount is None:
            refuse([Fault((), "…", "a cap has a share, an amount, or both")])
        refuse(below_zero("amount", self.amount))
        return self


class Coop(Rule):
    """What becomes of the co-op of a half year; each figure is that of the half year's last day."""

    minimum: DatedNumber | None = None
    usage_months: DatedUsageMonths | None = None
    claims_open: ClaimsOpen | None = None
    grace_days: DatedDays | None = None
    caps: dict[Activity, ActivityCap] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _sound(self) -> "Coop":
        refuse([*below_zero("minimum", self.minimum), *self._claimable()])
        return self

    def _claimable(self) -> Iterator[Fault]:
        """The days of claiming follow from the usage period; without it there is none to count from."""
        for word in ("claims_open", "grace_days"):
            if getattr(self, word) is not None and self.usage_months is None:
                yield Fault((word,), "…", f"{word} counts from the usage period; add usage_months")


class Unreached(Rule):
    """What becomes of a balance that has not reached the minimum."""

    at: Literal["fiscal_year_end"]
    then: Literal["forfeit", "carry"]


class Due(Rule):
    """The day of payment: `day` of the month that holds the end of the earning month plus `lag_days`, as of that end."""

    lag_days: DatedDaysFromOne  # with none a month would be due before it ends
    day: DatedDayOfMonth

    def on(self, ends: pd.Series) -> pd.Series:
        """When months with these last days are due; NaT before there is a figure."""
        lag, day = (figure.length_at(ends, "D") for figure in (self.lag_days, self.day))
        months = (ends.to_numpy("datetime64[D]") + lag).astype("datetime64[M]")
        return pd.Series((months.astype("datetime64[D]") + day - DAY).astype("datetime64[us]"))

    @model_validator(mode="after")
    def _rising(self) -> "Due":
        for word, figure in (("lag_days", self.lag_days), ("day", self.day)):
            if None in figure.values.values():
                remedy = "what is posted from then on would never be paid; end the levers, and let the calendar go on"
                refuse([Fault((word,), None, remedy)])
        changed = pd.PeriodIndex(sorted({*self.lag_days.values, *self.day.values}), freq="M")
        before, after = (self.on(months.end_time.normalize().to_series()) for months in (changed - 1, changed))
        for month, earlier, later in zip(changed, before, after, strict=True):
            if later <= earlier:
                remedy = f"{month} would be due on [{later:%Y-%m-%d}], not after the month before it on [{earlier:%Y-%m-%d}]; take more days"
                refuse([Fault(("lag_days",), None, remedy)])
        return self


class Hold(Rule):
    """What becomes of a payment whose payee is not known after some days, as of the payment cycle, by country."""

    missing_payee_days: DatedDaysFromOne
    then: dict[Country, Literal["forfeit", "escheat"]]

    @model_validator(mode="after")
    def _default(self) -> "Hold":
        if "default" not in self.then:
            refuse(
                [
                    Fault(
                        ("then",),
                        ", ".join(self.then),
                        "countries that are not named need a default; add default: forfeit",
                    )
                ]
            )
        return self


class Payout(Rule):
    """How earnings are paid."""

    minimum: DatedNumber | None = None
    unreached: Unreached | None = None
    due: Due | None = None
    hold: Hold | None = None
    offset_negative: Literal["fifo"] | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Payout":
        refuse([*below_zero("minimum", self.minimum), *self._bounded()])
        return self

    def _bounded(self) -> Iterator[Fault]:
        if self.unreached and self.minimum is None:
            yield Fault(("unreached",), "…", "nothing can stay unreached without a minimum; add minimum")
        if not self.due:
            yield Fault((), "…", "without due nothing is paid; add due: {lag_days: 45, day: 15}, or leave payout out")
