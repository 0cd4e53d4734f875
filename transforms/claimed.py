"""Whether a claim to a co-op fund can be taken up: in time, of a fund that there is, within its caps and what is left."""

from collections import Counter

import numpy as np
import pandas as pd

from transforms.adjustments import minor
from transforms.programs import Program, active
from transforms.validity import DAY

FUND = ["partner_id", "program", "half_from", "currency"]


def claim_faults(claims: pd.DataFrame, claimable: pd.DataFrame, programs: list[Program]) -> dict[str, pd.Series]:
    """Reason code → whether it speaks against each claim.

    Claims of one day count in the order in which they were made, those that are refused not at all. `claimable` has a
    row for each claim whose activity lies in a usage period.
    """
    rows = claims["request_id"].astype("str")
    held = claimable[claimable["request_id"].astype("str").isin(rows)]
    held = held.sort_values(["requested_at", "request_id"]).reset_index(drop=True)
    below = (held["program_total_minor"] < held["minimum_minor"]).fillna(False).astype(bool)
    found = pd.DataFrame(
        {"COOPWIN": ~held["is_in_time"].astype(bool), "COOPNONE": below | (held["accrued_minor"] <= 0).astype(bool)}
    )
    found = found.join(_excesses(held, found.any(axis=1), programs)).set_axis(held["request_id"].astype("str"))
    outside = {code: code == "COOPWIN" for code in found}  # no usage period holds it
    return {
        code: pd.Series(found[code].reindex(rows).fillna(outside[code]).to_numpy(bool), index=claims.index)
        for code in found
    }


def _excesses(held: pd.DataFrame, is_refused: pd.Series, programs: list[Program]) -> pd.DataFrame:
    """Whether each claim is more than its kind of activity may take of the fund, and more than is left in it."""
    left = held["accrued_minor"].astype("int64") - held["claimed_minor"].astype("int64")
    left_alike = _caps(held, programs) - held["claimed_alike_minor"].astype("int64")
    funds = zip(*(held[name] for name in FUND), strict=True)
    taken: Counter[tuple] = Counter()
    found = []
    for fund, activity, asked, most, most_alike, refused in zip(
        funds, held["activity_type"], held["requested_minor"], left, left_alike, is_refused, strict=True
    ):
        alike = (*fund, activity)
        over = (taken[alike] + asked > most_alike, taken[fund] + asked > most)
        if not refused and not any(over):
            taken.update({fund: asked, alike: asked})
        found.append(over)
    return pd.DataFrame(found, columns=["COOPCAP", "COOPFUND"], index=held.index, dtype=bool)


def _caps(held: pd.DataFrame, programs: list[Program]) -> np.ndarray:
    """The most that each claim's kind of activity may take of its fund, in minor units; no limit where there is none."""
    most = np.full(len(held), np.iinfo("int64").max)
    for program in active(programs):
        for activity, cap in (program.coop.caps if program.coop else {}).items():
            here = (held["program"].astype("str") == program.program) & (
                held["activity_type"].astype("str") == activity
            )
            for place in np.flatnonzero(here):
                last = (held["half_to"].iat[place] - DAY).date()
                share, amount = (figure and figure.on(last) for figure in (cap.share, cap.amount))
                accrued, in_program = (
                    int(held["accrued_minor"].iat[place]),
                    int(held["program_accrued_minor"].iat[place]),
                )
                whole = minor(amount, program.currency) if amount else 0
                of_amount = whole * accrued // in_program if in_program > 0 else 0
                if share is not None or amount is not None:
                    most[place] = max(int((share or 0) * accrued), of_amount)
    return most
