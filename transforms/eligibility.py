"""Who may earn, since when, and why not."""

import numpy as np
import pandas as pd

from transforms.programs import Program, active
from transforms.requirements import MET, UNKNOWN, UNMET
from transforms.validity import START, gaps, states, union


def eligibility_criteria(requirements: pd.DataFrame, enrolments: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """How each criterion of each program stands for each partner, as spans that cover all days; enrolment comes last."""
    made = [
        _enrolment(enrolments[enrolments["program"] == program.program], requirements, program)
        for program in active(programs)
        if program.enrolment
    ]
    return pd.concat([requirements, *made], ignore_index=True)


def _enrolment(held: pd.DataFrame, requirements: pd.DataFrame, program: Program) -> pd.DataFrame:
    """The criterion of being enrolled: a sale of a partner that is not yet, or no longer, earns nothing."""
    number = requirements.loc[requirements["program"] == program.program, "criterion_number"].max()
    spans = held[["program", "partner_id", "valid_from", "valid_to", "evidence"]]
    is_enrolled = held["is_enrolled"].astype("boolean")
    made = [
        union(spans[is_enrolled.fillna(False)], "partner_id").assign(status=MET, reason_code=None),
        union(spans[is_enrolled.isna()], "partner_id").assign(
            status=UNKNOWN, reason_code="UNKENROL", evidence="no [enrolments] delivered"
        ),
        union(spans[~is_enrolled.fillna(True)], "partner_id").assign(
            status=UNMET, reason_code="IVDINVT", evidence="not enrolled"
        ),
    ]
    return pd.concat(made, ignore_index=True).assign(
        criterion="enrolment", criterion_number=1 if pd.isna(number) else int(number) + 1
    )


def eligibility(eligibility_criteria: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """Each partner's standing in each program over all days: the verdict, the reasons, whether sales earn.

    Sales earn from the first day on which all criteria hold at once (or that month's first day) to the first day on
    which one does not, plus the grace days in force then.
    """
    made = [
        _standing(rows, program)
        for program in active(programs)
        if len(rows := eligibility_criteria[eligibility_criteria["program"] == program.program])
    ]
    columns = ["program", "partner_id", "valid_from", "valid_to", "eligibility", "is_earning", "reason_codes"]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=columns)


def _standing(rows: pd.DataFrame, program: Program) -> pd.DataFrame:
    state, kinds = pd.factorize(rows["status"] + ":" + rows["reason_code"].fillna(""))
    tracked = rows.assign(track=rows["criterion_number"].astype("int64"), state=state)
    segments, table = states(
        tracked[["partner_id", "valid_from", "valid_to", "track", "state"]], "partner_id", "track", "state"
    )
    verdicts = _verdicts(table, list(kinds))
    standing = pd.concat([segments, verdicts], axis=1)
    earning = _earning(standing[standing["eligibility"] == "eligible"], program)
    both = pd.concat(
        [
            standing.assign(track=0, state=np.arange(len(standing))),
            earning.assign(track=1, state=1),
            gaps(earning, standing["partner_id"].drop_duplicates(), "partner_id").assign(track=1, state=0),
        ],
        ignore_index=True,
    )
    split, table = states(
        both[["partner_id", "valid_from", "valid_to", "track", "state"]], "partner_id", "track", "state"
    )
    found = standing[["eligibility", "reason_codes"]].take(table[:, 0]).reset_index(drop=True)
    return split.assign(program=program.program, is_earning=table[:, 1] == 1, **{c: found[c] for c in found})


def _verdicts(table: np.ndarray, kinds: list[str]) -> pd.DataFrame:
    """The verdict of each segment; worked out once for each combination of states."""
    combinations, which = np.unique(table, axis=0, return_inverse=True)
    made = []
    for combination in combinations:
        held = [kinds[code].split(":") for code in combination if code >= 0]
        unmet = [code for status, code in held if status == UNMET]
        unknown = [code for status, code in held if status == UNKNOWN]
        almost = len(unmet) == 1 and not unknown
        verdict = "almost_eligible" if almost else "ineligible" if unmet else "unknown" if unknown else "eligible"
        made.append((verdict, ",".join(dict.fromkeys(unmet + unknown)) or None))
    listed = pd.DataFrame(made, columns=["eligibility", "reason_codes"], dtype="str")
    return listed.take(which.reshape(-1)).reset_index(drop=True)


def _earning(eligible: pd.DataFrame, program: Program) -> pd.DataFrame:
    held = union(eligible[["partner_id", "valid_from", "valid_to"]], "partner_id")
    start = held["valid_from"]
    if program.eligibility.earns_from == "month_start":
        start = start.where(start == START, start.dt.to_period("M").dt.start_time.astype("datetime64[us]"))
    grace = pd.Series(program.eligibility.grace_days.length_at(held["valid_to"].fillna(START), "D"), index=held.index)
    added = grace.fillna(pd.Timedelta(0))
    return union(held.assign(valid_from=start, valid_to=held["valid_to"] + added), "partner_id")
