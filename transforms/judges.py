"""How each criterion of eligibility is judged: the spans on which it is met, and why it is not on others."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

import pandas as pd

from transforms.criteria import Criterion
from transforms.dated import Dated, together
from transforms.money import share, unit_shift
from transforms.reasons import AGREEMENT_REASON
from transforms.validity import START, union

ANY_LEVEL = Dated.always(["silver", "gold"])


class Facts(NamedTuple):
    """What criteria are judged by; each table is as known on the day settled."""

    partners: pd.DataFrame
    agreements: pd.DataFrame
    competencies: pd.DataFrame
    payee_profiles: pd.DataFrame
    partner_revenue: pd.DataFrame
    delivered_feeds: pd.DataFrame


class Judged(NamedTuple):
    """Spans on which a criterion is met, spans on which it cannot be known, and the code and words where it is neither."""

    met: pd.DataFrame
    unknown: pd.DataFrame
    reason_code: str
    unmet: str


def spans_of(partner_id: pd.Series, start: object, end: object, evidence: object) -> pd.DataFrame:
    """Spans of partners, each with its evidence; an empty end is open."""
    made = pd.DataFrame({"partner_id": partner_id, "valid_from": start, "valid_to": end, "evidence": evidence})
    return made.astype({"valid_from": "datetime64[us]", "valid_to": "datetime64[us]", "evidence": "str"})


def _nowhere(facts: Facts) -> pd.DataFrame:
    return spans_of(facts.partners["partner_id"][:0], START, None, None).assign(reason_code=None)


def _unless_delivered(facts: Facts, feed: str, code: str) -> pd.DataFrame:
    """All days of all partners as unknown when a feed never came, else none."""
    if (facts.delivered_feeds["feed"] == feed).any():
        return _nowhere(facts)
    partners = facts.partners["partner_id"].drop_duplicates()
    return spans_of(partners, START, None, f"no [{feed}] delivered").assign(reason_code=code)


def _active_reseller(criterion: Criterion, figure: None, facts: Facts) -> Judged:
    held = facts.partners[facts.partners["reseller_status"] == "active"]
    met = spans_of(held["partner_id"], held["valid_from"], held["valid_to"], "status active")
    return Judged(met, _nowhere(facts), "IVDRSLR", "status not active")


def _same_country(criterion: Criterion, figure: None, facts: Facts) -> Judged:
    held = facts.partners[facts.partners["country"].astype("str") == facts.partners["tenant_country"].astype("str")]
    met = spans_of(held["partner_id"], held["valid_from"], held["valid_to"], "both in " + held["country"].astype("str"))
    return Judged(met, _nowhere(facts), "IVDGEO", "location and tenant in different countries")


def _active_agreement(criterion: Criterion, types: list[str], facts: Facts) -> Judged:
    """In force from the later of signed and valid_from; a pending one never counts."""
    kinds = facts.agreements["agreement_type"].isin(types) & (facts.agreements["agreement_status"] != "pending")
    held = facts.agreements[kinds]
    start = held[["signed_on", "valid_from"]].max(axis=1)
    evidence = "agreement " + held["agreement_id"] + " from " + start.dt.strftime("%Y-%m-%d") + _until(held["valid_to"])
    met = spans_of(held["partner_id"], start, held["valid_to"], evidence)
    named = " or ".join(types)
    return Judged(
        met,
        _unless_delivered(facts, "agreements", "UNKAGR"),
        AGREEMENT_REASON[types[0]],
        f"no {named} agreement in force",
    )


def _until(valid_to: pd.Series) -> pd.Series:
    return (" until " + valid_to.dt.strftime("%Y-%m-%d")).fillna("")


def _competency(criterion: Criterion, asked: tuple[list[str], list[str]], facts: Facts) -> Judged:
    names, levels = asked
    listed = facts.competencies["competency"].isin(names) & facts.competencies["competency_level"].isin(levels)
    held = facts.competencies[listed]
    since = held["valid_from"].dt.strftime("%Y-%m-%d")
    evidence = (
        held["competency"].astype("str")
        + " "
        + held["competency_level"].astype("str")
        + " from "
        + since
        + _until(held["valid_to"])
    )
    met = spans_of(held["partner_id"], held["valid_from"], held["valid_to"], evidence)
    return Judged(met, _unless_delivered(facts, "competencies", "UNKCOMP"), "IVDCOMP", "no listed competency in force")


def _payee_profile(criterion: Criterion, figure: None, facts: Facts) -> Judged:
    """Met while bank and tax profiles are approved, from the day on which they were validated where that is known."""
    profiles = facts.payee_profiles
    held = profiles[(profiles["bank_status"] == "approved") & (profiles["tax_status"] == "approved")]
    start = held["validated_on"].fillna(held["valid_from"])
    evidence = "bank and tax profiles approved" + (" on " + held["validated_on"].dt.strftime("%Y-%m-%d")).fillna("")
    met = spans_of(held["partner_id"], start, held["valid_to"], evidence)
    return Judged(
        met, _unless_delivered(facts, "payee_profiles", "UNKPAYEE"), "IVDPAYEE", "bank or tax profile not approved"
    )


def _trailing_revenue(criterion: Criterion, asked: tuple[Decimal, int], facts: Facts) -> Judged:
    """Met on each day on which the revenue of (day - days, day] reaches the figure.

    Below it a day is unknown where less history than that is held, or some of that revenue has no exchange rate.
    """
    figure, days = asked
    every, window = facts.partner_revenue, pd.Timedelta(days=days)
    revenue = every[every["fx_rate"].notna()].reset_index(drop=True)
    shift = unit_shift(revenue["exponent"], revenue["program_exponent"])
    amounts = share(revenue["revenue_minor"], revenue["fx_rate"], shift, mode="half_even")
    unit = 10 ** int(revenue["program_exponent"].max()) if len(revenue) else 1  # minor units of the program currency
    events = pd.concat(
        [
            pd.DataFrame({"partner_id": revenue["partner_id"], "on": revenue["transaction_on"], "amount": amounts}),
            pd.DataFrame(
                {"partner_id": revenue["partner_id"], "on": revenue["transaction_on"] + window, "amount": -amounts}
            ),
        ]
    )
    daily = events.groupby(["partner_id", "on"], sort=True, as_index=False)["amount"].sum()
    running = daily.groupby("partner_id")["amount"].cumsum()
    following = daily["on"].shift(-1).where(daily["partner_id"].eq(daily["partner_id"].shift(-1)))
    steps = daily.assign(valid_from=daily["on"], valid_to=following, running=running)
    met = union(steps[running >= math.ceil(figure * unit)], "partner_id")
    reached = (met["running"] // unit).astype("str") + " on " + met["valid_from"].dt.strftime("%Y-%m-%d")
    evidence = "trailing revenue " + reached + ", " + str(figure) + " required"
    met = spans_of(met["partner_id"], met["valid_from"], met["valid_to"], evidence)
    unknown = pd.concat([_not_held(facts, window), _not_priced(every[every["fx_rate"].isna()], window)])
    return Judged(met, unknown.assign(reason_code="UNKTTM"), "IVDTTM", f"trailing revenue below {figure}")


def _not_held(facts: Facts, window: pd.Timedelta) -> pd.DataFrame:
    """The days of each partner of whose window some lies before all that is held; all days where nothing is."""
    begun = facts.partner_revenue["history_from"].min() if len(facts.partner_revenue) else pd.NaT
    known_from = begun + window - pd.Timedelta(days=1) if pd.notna(begun) else None
    partners = facts.partners["partner_id"].drop_duplicates()
    return spans_of(partners, START, known_from, "revenue of the whole period not held")


def _not_priced(revenue: pd.DataFrame, window: pd.Timedelta) -> pd.DataFrame:
    """The days on which revenue without an exchange rate counts."""
    sold_on = revenue["transaction_on"]
    shown = (
        "no exchange rate for revenue in " + revenue["currency"].astype("str") + " of " + sold_on.dt.strftime("%Y-%m")
    )
    return spans_of(revenue["partner_id"], sold_on, sold_on + window, shown)


def figure(criterion: Criterion) -> Dated | None:
    """What a criterion is judged by, as it is dated; of competencies names and levels, of revenue the figure and its days."""
    if criterion.criterion == "competency":
        return together(criterion.any_of or Dated({}), criterion.level or ANY_LEVEL)
    if criterion.criterion == "trailing_revenue":
        return together(criterion.at_least or Dated({}), criterion.days)
    return criterion.any_of


JUDGES: dict[str, Callable[..., Judged]] = {
    "active_reseller": _active_reseller,
    "active_agreement": _active_agreement,
    "competency": _competency,
    "payee_profile": _payee_profile,
    "same_country": _same_country,
    "trailing_revenue": _trailing_revenue,
}
