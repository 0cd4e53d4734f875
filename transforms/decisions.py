"""What becomes of a line in a program: the levers that it earns in, or every reason why not, or undecided."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from transforms.levers import Lever
from transforms.periods import period_before
from transforms.programs import Program, active
from transforms.reasons import REASONS

NO, UNSURE, YES = 0, 1, 2
BITS = 31  # so many flags beside the number of a combination of those before


def decided_lines(lines: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """Each line × program that may pay for it, decided.

    `lines` has one row for each line and program, with what rules select by and the partner's standing on the line's
    reference date. Added are `decision`, `levers` (those that the line earns in), `compared_by` (those whose baseline
    it counts in, with `?` where that is not known), `reason_codes` (all that speak against it), `earning_month` and
    `rule_version`. A definite reason outweighs an open question.
    """
    made = [
        _of_program(held, program)
        for program in active(programs)
        if len(held := lines[lines["program"] == program.program])
    ]
    return pd.concat(made, ignore_index=True) if made else _of_program(lines[:0], None)


def decisions(decided_lines: pd.DataFrame) -> pd.DataFrame:
    """What became of each line in each program that may pay for it: one row a line and program."""
    return decided_lines


def are_in(rows: pd.DataFrame, others: pd.DataFrame, by: Sequence[str] = ("transaction_id", "program")) -> np.ndarray:
    """Whether each row's line and program, or what else `by` names, are among others."""
    few, names = (frame[by[0]].astype("str") for frame in (others, rows))
    found = pd.Index(few.unique()).get_indexer(names) >= 0  # most often few, so that few are compared in full
    wanted, named = (pd.MultiIndex.from_frame(frame[list(by)].astype("str")) for frame in (others, rows[found]))
    found[found] = wanted.drop_duplicates().get_indexer(named) >= 0
    return found


def _of_program(lines: pd.DataFrame, program: Program | None) -> pd.DataFrame:
    levers = program.levers if program else []
    selects, in_force, windows = (_by_lever(find, lines, levers) for find in (selected, _in_force, in_window))
    matches = np.where((in_force == YES) & (windows == YES), selects, NO)
    against = _against(lines, matches, np.where((in_force == YES) & (selects == YES), windows, YES))
    against[list(REASONS).index("UNKBASE")] = _has_no_baseline(lines, matches == YES, program)
    barred = [number for number, reason in enumerate(REASONS.values()) if reason.kind == "ineligible"]
    is_barred, is_open = against[barred].any(axis=0), against.any(axis=0)
    decision = np.where(is_barred, "ineligible", np.where(is_open, "undecided", "eligible"))
    earns = decision == "eligible"
    return lines.assign(
        decision=pd.Categorical(decision, categories=["eligible", "ineligible", "undecided"]),
        levers=_named((matches == YES) & earns, [lever.lever for lever in levers], lines.index),
        compared_by=_compared_by(selects, levers, lines.index),
        reason_codes=_named(against, list(REASONS), lines.index),
        earning_month=lines["reference_on"].to_numpy("datetime64[M]").astype("datetime64[us]"),
        rule_version=program.rule_version if program else "",
    )


def _against(lines: pd.DataFrame, matches: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """For each reason, in the order of REASONS, whether it speaks against each line.

    `windows` says of levers that would pay whether the line lies in their window; one that pays outweighs one that does not.
    """
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
    is_unpaid, window = matches.max(axis=0, initial=NO) == NO, windows.min(axis=0, initial=YES)
    is_unsure = (windows == UNSURE).any(axis=0)
    against[places["UNKNEW"]] |= is_unpaid & is_unsure
    against[places["CUSNOTNEW"]] |= is_unpaid & (window == NO) & ~is_unsure
    against[places["NOLEVER"]] |= is_unpaid & (window == YES)
    against[places["UNKATTR"]] |= (matches == UNSURE).any(axis=0)
    return against


def _has_no_baseline(lines: pd.DataFrame, pays: np.ndarray, program: Program | None) -> np.ndarray:
    """Whether each line has levers that would pay, all of which compare with a period that is not held in full."""
    is_compared = np.zeros(len(lines), bool)
    for lever, mine in zip(program.levers if program else [], pays, strict=True):
        if program and lever.baseline and lever.baseline.over:
            on = lines["reference_on"]
            before = period_before(on, lever.accumulate.over, lever.baseline.period, program.fiscal_year_start)
            mine = mine & (before >= lines["history_from"].to_numpy("datetime64[D]"))
        is_compared |= mine
    return pays.any(axis=0) & ~is_compared


def _by_lever(
    find: Callable[[pd.DataFrame, Lever], np.ndarray], lines: pd.DataFrame, levers: list[Lever]
) -> np.ndarray:
    """Levers × lines: what is found of each line for each lever."""
    made = [find(lines, lever) for lever in levers]
    return np.array(made, dtype="int8").reshape(len(levers), len(lines))


def selected(lines: pd.DataFrame, lever: Lever) -> np.ndarray:
    """For each line NO, UNSURE (a column that the lever goes by is empty) or YES, on whatever day."""
    found = np.full(len(lines), YES, dtype="int8")
    for column, wanted in lever.select.items():
        found = np.minimum(found, _selected(lines[column].astype("category"), wanted))
    if lever.base == "annualised_revenue":
        found = np.where(lines["term"].isna() & (found == YES), UNSURE, found)
    return found


def _in_force(lines: pd.DataFrame, lever: Lever) -> np.ndarray:
    on, effective = lines["reference_on"], lever.effective
    in_force = on >= pd.Timestamp(effective.start)
    if effective.to:
        in_force &= on < pd.Timestamp(effective.to)
    return np.where(in_force, YES, NO)


def in_window(lines: pd.DataFrame, lever: Lever) -> np.ndarray:
    """For each line NO, UNSURE (its customer's first day is not known) or YES: whether it is of the months after that day."""
    if lever.window is None:
        return np.full(len(lines), YES, dtype="int8")
    on, since, months = lines["reference_on"], lines[f"{lever.window.start}_on"], lever.window.months
    is_in = np.zeros(len(lines), bool)
    for place, count in enumerate(months.values.values()):
        if count is not None:
            is_held = (on >= since) & (on < since + pd.DateOffset(months=count))
            is_in |= is_held.to_numpy(bool) & (months.number_at(on) == place)
    found = np.where(since.isna(), UNSURE, np.where(is_in, YES, NO))
    return np.where(months.exists_at(on), found, YES).astype("int8")


def _compared_by(selects: np.ndarray, levers: list[Lever], index: pd.Index) -> pd.Series:
    compares = [n for n, lever in enumerate(levers) if lever.baseline and lever.baseline.over]
    flags = np.concatenate([selects[compares] == YES, selects[compares] == UNSURE])
    return _named(flags, [f"{levers[n].lever}{mark}" for mark in ("", "?") for n in compares], index)


def is_named(texts: pd.Series, name: str) -> np.ndarray:
    """Whether each text, names separated by commas, has a name."""
    known = texts.astype("category").cat.remove_unused_categories()
    having = [number for number, text in enumerate(known.cat.categories) if name in text.split(",")]
    return known.cat.codes.isin(having).to_numpy(bool)


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
    which = np.zeros(flags.shape[1], dtype="int64")
    for first in range(0, len(names), BITS):
        bits = which << BITS
        for number, flag in enumerate(flags[first : first + BITS]):
            bits |= flag.astype("int64") << number
        _, such_as, which = np.unique(bits, return_index=True, return_inverse=True)
    texts = [",".join(names[place] for place in np.flatnonzero(flags[:, line])) or None for line in such_as]
    known = list(dict.fromkeys(text for text in texts if text))
    codes = np.array([known.index(text) if text else -1 for text in texts])[which]
    return pd.Series(pd.Categorical.from_codes(codes, categories=known), index=index)
