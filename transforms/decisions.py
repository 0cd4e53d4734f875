"""What becomes of a line in a program: the levers that it earns in, or every reason why not, or undecided."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from transforms.levers import Lever
from transforms.programs import Program, active
from transforms.reasons import REASONS

NO, UNSURE, YES = 0, 1, 2


def decided_lines(lines: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """Each line × program that may pay for it, decided.

    `lines` has one row for each line and program, with what rules select by and the partner's standing on the line's
    reference date. Added are `decision`, `levers` (those that the line earns in), `reason_codes` (all that speak
    against it), `earning_month` and `rule_version`. A definite reason outweighs an open question.
    """
    made = [_of_program(lines[lines["program"] == p.program], p) for p in active(programs)]
    kept = [frame for frame in made if len(frame)]
    return pd.concat(kept, ignore_index=True) if kept else _of_program(lines[:0], None)


def decisions(decided_lines: pd.DataFrame) -> pd.DataFrame:
    """What became of each line in each program that may pay for it: one row a line and program."""
    return decided_lines


def are_in(rows: pd.DataFrame, others: pd.DataFrame, by: Sequence[str] = ("transaction_id", "program")) -> np.ndarray:
    """Whether each row's line and program, or what else `by` names, are among others."""
    wanted, found = (pd.MultiIndex.from_frame(frame[list(by)].astype("str")) for frame in (others, rows))
    return wanted.drop_duplicates().get_indexer(found) >= 0


def _of_program(lines: pd.DataFrame, program: Program | None) -> pd.DataFrame:
    levers = program.levers if program else []
    matches = np.array([matched(lines, lever) for lever in levers]).reshape(len(levers), len(lines))
    against = _against(lines, matches)
    barred = [number for number, reason in enumerate(REASONS.values()) if reason.kind == "ineligible"]
    is_barred, is_open = against[barred].any(axis=0), against.any(axis=0)
    decision = np.where(is_barred, "ineligible", np.where(is_open, "undecided", "eligible"))
    earns = decision == "eligible"
    return lines.assign(
        decision=pd.Categorical(decision, categories=["eligible", "ineligible", "undecided"]),
        levers=_named((matches == YES) & earns, [lever.lever for lever in levers], lines.index),
        reason_codes=_named(against, list(REASONS), lines.index),
        earning_month=lines["reference_on"].to_numpy("datetime64[M]").astype("datetime64[us]"),
        rule_version=program.rule_version if program else "",
    )


def _against(lines: pd.DataFrame, matches: np.ndarray) -> np.ndarray:
    """For each reason, in the order of REASONS, whether it speaks against each line."""
    places = {code: number for number, code in enumerate(REASONS)}
    against = np.zeros((len(REASONS), len(lines)), dtype=bool)
    standing = lines["reason_codes"].astype("category")
    for number, codes in enumerate(standing.cat.categories):
        for code in codes.split(","):
            against[places[code]] |= (standing.cat.codes == number).to_numpy()
    against[:, lines["is_earning"].fillna(False).to_numpy(bool)] = False
    against[places["UNKPTR"]] |= ~lines["is_partner_known"].to_numpy(bool)
    against[places["CUSEQPTR"]] |= lines["is_own_customer"].fillna(False).to_numpy(bool)
    against[places["UNKREV"]] |= ~lines["is_original_known"].to_numpy(bool)
    against[places["UNKFX"]] |= lines["fx_rate"].isna().to_numpy(bool)
    best = matches.max(axis=0, initial=NO)
    against[places["NOLEVER"]] |= best == NO
    against[places["UNKATTR"]] |= (matches == UNSURE).any(axis=0)
    return against


def matched(lines: pd.DataFrame, lever: Lever) -> np.ndarray:
    """For each line NO, UNSURE (a column that the lever selects by is empty) or YES."""
    found = np.full(len(lines), YES, dtype="int8")
    on = lines["reference_on"]
    in_force = on >= pd.Timestamp(lever.effective.start)
    if lever.effective.to:
        in_force &= on < pd.Timestamp(lever.effective.to)
    found[~in_force.to_numpy(bool)] = NO
    for column, wanted in lever.select.items():
        found = np.minimum(found, _selected(lines[column].astype("category"), wanted))
    return found


def _selected(values: pd.Series, wanted: object) -> np.ndarray:
    """Whether each value is selected; worked out once for each distinct value."""
    negated = isinstance(wanted, dict)
    listed = wanted["not"] if isinstance(wanted, dict) else wanted
    listed = set(listed) if isinstance(listed, list) else {listed}
    by_value = [YES if (value in listed) != negated else NO for value in values.cat.categories]
    return np.array([*by_value, UNSURE], dtype="int8")[values.cat.codes.to_numpy()]


def _named(flags: np.ndarray, names: list[str], index: pd.Index) -> pd.Series:
    """The names whose flag is set, separated by commas, missing where none is; worked out once a combination."""
    if not len(names) or not flags.shape[1]:
        return pd.Series(pd.Categorical([None] * flags.shape[1]), index=index)
    bits = np.zeros(flags.shape[1], dtype="int64")
    for number, flag in enumerate(flags):
        bits |= flag.astype("int64") << number
    combinations, which = np.unique(bits, return_inverse=True)
    texts = [",".join(n for place, n in enumerate(names) if bit >> place & 1) or None for bit in combinations.tolist()]
    known = list(dict.fromkeys(text for text in texts if text))
    codes = np.array([known.index(text) if text else -1 for text in texts])[which]
    return pd.Series(pd.Categorical.from_codes(codes, categories=known), index=index)
