"""Which partner's claim to a customer's workload counts, on which days, and why other claims do not.

A workload is a product family: a customer may have several partners, but one for each workload (Partner Center,
reconciliation FAQ, 2023).
"""

import numpy as np
import pandas as pd

from transforms.precedence import Association
from transforms.programs import Program, active
from transforms.validity import OPEN, clip

WORKLOAD = ["customer_id", "product_family"]
COLUMNS = ["claim_id", *WORKLOAD, "partner_id", "association", "valid_from", "valid_to", "yields_to", "reason_code"]
ORDER = ["rank", "approved_on", "claim_id"]


def associations(claims: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """How each claim stands in each program that ranks its association, as spans of days.

    A claim without `reason_code` counts: it is approved, the customer's days to opt out are over, and none that counts
    comes before it, by the program's precedence, then the day of approval, then the claim's id. It decides who earns on
    a line of the workload, unless the line's own association is among those that it `yields_to`.
    """
    made = [_of_program(claims, program, program.association) for program in active(programs) if program.association]
    kept = [spans for spans in made if len(spans)]
    return pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["program", *COLUMNS])


def own_comes_first(own: str | None, yields_to: str) -> bool:
    """Whether a line's own association comes before that of a claim.

    >>> own_comes_first("cpor", "cpor,pal_owner"), own_comes_first("reseller", "")
    (True, False)
    """
    return own in yields_to.split(",")


def _of_program(claims: pd.DataFrame, program: Program, rule: Association) -> pd.DataFrame:
    paid = claims["partner_type"].isna() | claims["partner_type"].isin(program.partner_types)
    ranked = _ranked(claims[paid], rule)
    is_approved = ranked["claim_status"] == "approved"
    since = _counts_from(ranked, rule)
    counted = ranked.assign(valid_from=ranked["valid_from"].where(ranked["valid_from"] > since, since))
    before = ranked.assign(valid_to=ranked["valid_to"].where(ranked["valid_to"] < since, since))
    made = pd.concat(
        [
            ranked[~is_approved].assign(reason_code="CLMOPEN"),
            before[is_approved & (before["valid_from"] < before["valid_to"])].assign(reason_code="CLMWAIT"),
            _first(counted[is_approved & ~(counted["valid_from"] >= counted["valid_to"])]),
        ]
    )
    return made[COLUMNS].assign(program=program.program)


def _ranked(claims: pd.DataFrame, rule: Association) -> pd.DataFrame:
    """The claims on the days on which their association is ranked, with its rank and what comes before it."""
    made = []
    for start, end, listed in rule.precedence.spans():
        ranks = {name: number for number, name in enumerate(listed)}
        text = claims["association"].astype("str")
        held = claims.assign(
            rank=text.map(ranks), yields_to=text.map({n: ",".join(listed[:r]) for n, r in ranks.items()})
        )
        made.append(clip(held[text.isin(listed)], pd.Timestamp(start), pd.Timestamp(end) if end else OPEN))
    return pd.concat(made, ignore_index=True)


def _counts_from(ranked: pd.DataFrame, rule: Association) -> pd.Series:
    """The day from which each claim may count: that of its approval and the customer's days to opt out after it."""
    on, days = ranked["approved_on"], pd.Series(0, index=ranked.index)
    for association, dated in rule.opt_out_days.items():
        for start, end, value in dated.spans():
            held = (on >= pd.Timestamp(start)) & ~(on >= (pd.Timestamp(end) if end else OPEN))
            days = days.mask(held & (ranked["association"] == association), value)
    return on + pd.to_timedelta(days, unit="D")


def _first(claims: pd.DataFrame) -> pd.DataFrame:
    """Claims that may count, with the reason why one does not on the days on which another comes first."""
    numbered = claims.reset_index(drop=True).rename_axis("number").reset_index()
    bounds = pd.concat([claims[[*WORKLOAD, day]].rename(columns={day: "day"}) for day in ("valid_from", "valid_to")])
    cut = numbered.merge(bounds.dropna().drop_duplicates(), on=WORKLOAD)
    cut = cut[(cut["day"] >= cut["valid_from"]) & ~(cut["day"] >= cut["valid_to"])]
    cut = cut.sort_values(ORDER, ignore_index=True)
    of_day = cut.groupby([*WORKLOAD, "day"], observed=True, sort=False)
    best, first = of_day["rank"].transform("first"), of_day["number"].transform("first")
    lost = np.where(best == cut["rank"], "CLMKEPT", "CLMRANK")
    return _joined(cut.assign(reason_code=np.where(first == cut["number"], "", lost)))


def _joined(cut: pd.DataFrame) -> pd.DataFrame:
    """The days of each claim as spans on which its reason stays the same."""
    ordered = cut.sort_values(["number", "day"], ignore_index=True)
    state = ordered[["number", "reason_code"]]
    spans = ordered[(state != state.shift()).any(axis=1)]
    goes_on = spans["number"] == spans["number"].shift(-1)
    ends = spans["day"].shift(-1).where(goes_on, spans["valid_to"])
    reason = spans["reason_code"].where(spans["reason_code"] != "", None)
    return spans.assign(valid_from=spans["day"], valid_to=ends, reason_code=reason)
