"""Whether a claim to a co-op fund can be taken up: in time, of a fund that there is, within its caps and what is left."""

from decimal import Decimal

import numpy as np
import pandas as pd

from transforms.adjustments import minor
from transforms.programs import Program, active

FUND = ["partner_id", "program", "half_from", "currency"]


def claim_faults(claims: pd.DataFrame, claimable: pd.DataFrame, programs: list[Program]) -> dict[str, pd.Series]:
    """Reason code → whether it speaks against each claim; claims of one day count in the order in which they were made.

    `claimable` has a row for each claim whose activity lies in a usage period.
    """
    held = claimable.sort_values(["requested_at", "request_id"]).reset_index(drop=True)
    asked = held["requested_minor"].astype("int64")
    fund = [held[name].astype("str") for name in FUND]
    alike = [*fund, held["activity_type"].astype("str")]
    so_far = held["claimed_minor"].astype("int64") + asked.groupby(fund).cumsum()
    so_far_alike = held["claimed_alike_minor"].astype("int64") + asked.groupby(alike).cumsum()
    accrued = held["accrued_minor"].astype("int64")
    below = (held["program_total_minor"] < held["minimum_minor"]).fillna(False).astype(bool)
    found = pd.DataFrame(
        {
            "COOPWIN": ~held["is_in_time"].astype(bool),
            "COOPNONE": below | (accrued <= 0),
            "COOPCAP": so_far_alike > _caps(held, programs),
            "COOPFUND": so_far > accrued,
        }
    ).set_axis(held["request_id"].astype("str"))
    rows = claims["request_id"].astype("str")
    outside = {code: code == "COOPWIN" for code in found}  # no usage period holds it
    return {
        code: pd.Series(found[code].reindex(rows).fillna(outside[code]).to_numpy(bool), index=claims.index)
        for code in found
    }


def _caps(held: pd.DataFrame, programs: list[Program]) -> np.ndarray:
    """The most that each claim's kind of activity may take of its fund, in minor units; no limit where there is none."""
    most = np.full(len(held), np.iinfo("int64").max)
    for program in active(programs):
        for activity, cap in (program.coop.caps if program.coop else {}).items():
            here = (held["program"].astype("str") == program.program) & (
                held["activity_type"].astype("str") == activity
            )
            share = cap.share or Decimal(0)
            amount = minor(cap.amount, program.currency) if cap.amount else 0
            for place in np.flatnonzero(here):
                accrued, in_program = (
                    int(held["accrued_minor"].iat[place]),
                    int(held["program_accrued_minor"].iat[place]),
                )
                of_amount = amount * accrued // in_program if in_program > 0 else 0
                most[place] = max(int(share * accrued), of_amount)
    return most
