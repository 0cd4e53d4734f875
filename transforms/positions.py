"""Positions: how far each scope is filled, so that lines which are only added need not read those before them again."""

import numpy as np
import pandas as pd

from transforms import posting, scopes
from transforms.contexts import Known, Measured, measured, opened
from transforms.decisions import are_in
from transforms.levers import Lever, Scope
from transforms.money import exact_measures
from transforms.periods import period_start
from transforms.programs import Program, active
from transforms.scales import bracket_of
from transforms.sequence import arranged

KEY = ["program", "partner_id", "cell_from", "lever", "rule_part", "cap_number", "scope"]
COLUMNS = [*KEY, "measure", "under_cap_minor", "is_waiting", "last_at", "reprices"]


def positions(
    decided_lines: pd.DataFrame,
    earnings: pd.DataFrame,
    opening_positions: pd.DataFrame,
    holders: pd.DataFrame,
    programs: list[Program],
) -> pd.DataFrame:
    """How far scales, minimums and caps are filled in each scope of the cells that were worked out.

    `measure` is exact; `under_cap_minor` and `is_waiting` are of caps. `reprices` says that lines which were added have moved
    those that stood before them, whose cell must be worked out anew: a retroactive bracket or a minimum was crossed, or
    room appeared for what a cap keeps.
    """
    made = [opening_positions.assign(reprices=False)]
    earned = decided_lines[decided_lines["levers"].notna()]
    for program in active(programs):
        rows = earned[earned["program"] == program.program]
        if program.cell_over == "transaction" or not program.goes_on or rows.empty:
            continue
        rows, _ = arranged(rows, program)
        rows = rows.assign(cell_from=cell_starts(rows, program))
        held = opening_positions[opening_positions["program"] == program.program]
        for lever in program.levers:
            made += _of_lever(rows, lever, program, held, holders[holders["program"] == program.program])
        made += _of_caps(rows, earnings[earnings["program"] == program.program], program, held)
    kept = [
        frame[COLUMNS].astype(dict.fromkeys(("program", "partner_id", "lever", "rule_part", "scope"), "str"))
        for frame in made
        if len(frame)
    ]
    if not kept:
        return made[0][COLUMNS]
    return pd.concat(kept, ignore_index=True).drop_duplicates(KEY, keep="last", ignore_index=True)


def cell_starts(rows: pd.DataFrame, program: Program) -> pd.Series:
    """The first day of the cell of each line."""
    start = period_start(rows["reference_on"], program.cell_over, program.fiscal_year_start)
    return pd.Series(start.astype("datetime64[us]"), index=rows.index)


def repriced_cells(positions: pd.DataFrame) -> pd.DataFrame:
    """The cells that must be worked out anew."""
    return positions.loc[positions["reprices"].astype(bool), ["program", "partner_id", "cell_from"]].drop_duplicates()


def without(made: dict[str, pd.DataFrame], cells: pd.DataFrame, programs: list[Program]) -> dict[str, pd.DataFrame]:
    """The tables that line steps made, without the lines and positions of some cells."""
    lines = _lines_of(made["decided_lines"], cells, programs)
    kept = {
        step: made[step][~are_in(made[step], lines)]
        for step in ("decided_lines", "decisions", "earnings", "earnings_ledger")
    }
    return {**kept, "positions": made["positions"][~are_in(made["positions"], cells, list(cells))]}


def _lines_of(rows: pd.DataFrame, cells: pd.DataFrame, programs: list[Program]) -> pd.DataFrame:
    """The decided lines that lie in some cells."""
    made = [
        lines[are_in(lines.assign(cell_from=cell_starts(lines, program)), cells, list(cells))]
        for program in active(programs)
        if len(lines := rows[rows["program"] == program.program])
    ]
    return pd.concat(made) if made else rows[:0]


def _of_lever(
    rows: pd.DataFrame, lever: Lever, program: Program, held: pd.DataFrame, holders: pd.DataFrame
) -> list[pd.DataFrame]:
    lines = measured(rows, lever, program, Known(opening=held, holders=holders), exact=True)
    made = []
    if lever.accumulate.over != "transaction":
        before, is_held = opened(lines.own, lever.accumulate, "scale", lever, program, held, lines.measure.dtype)
        moved = np.zeros(len(lines.line), bool)
        if lever.pricing.mode == "retroactive":
            moved = is_held & _moves_bracket(lines, lever, before)
        filled = is_held | lines.allowed.pays  # until one does, a lump at a threshold of 0 is still to come
        made.append(_filled(lines, lever.accumulate, "scale", lever, program, lines.around.total, moved, filled))
    if lever.minimum and lever.minimum.over != "transaction":
        made.append(_of_minimum(lines, lever, program, held))
    return made


def _moves_bracket(lines: Measured, lever: Lever, before: np.ndarray) -> np.ndarray:
    """Whether the scope of each line now reaches another bracket, by the thresholds of any day."""
    scale = lever.pricing
    days = {day for bracket in scale.brackets for dated in (bracket.threshold, bracket.price) for day in dated.values}
    moved = np.zeros(len(before), bool)
    for day in days:
        on = pd.Series(np.full(len(before), np.datetime64(day, "us")))
        moved |= bracket_of(scale, on, before, lines.unit) != bracket_of(scale, on, lines.around.total, lines.unit)
    return moved


def _of_minimum(lines: Measured, lever: Lever, program: Program, held: pd.DataFrame) -> pd.DataFrame:
    minimum, year = lever.minimum, program.fiscal_year_start
    assert minimum is not None  # the caller has looked
    before, is_held = opened(lines.own, minimum, "minimum", lever, program, held, lines.measure.dtype)
    total = before + scopes.running(lines.allowed.towards, lines.own, minimum, year)[1]
    was_met, is_met = (
        scopes.reached(amounts, lines.unit, lines.own, minimum, minimum.measure, year).astype(bool)
        for amounts in (before, total)
    )
    moved = is_held & (was_met != is_met)
    return _filled(lines, minimum, "minimum", lever, program, total, moved, np.ones(len(moved), bool))


def _filled(
    lines: Measured,
    scope: Scope,
    part: str,
    lever: Lever,
    program: Program,
    total: np.ndarray,
    moved: np.ndarray,
    filled: np.ndarray,
) -> pd.DataFrame:
    """One row for each scope, from its last line; it waits while no line fills it."""
    names = scopes.names(lines.own, scope, program.fiscal_year_start)
    is_filled = pd.Series(filled).groupby([lines.own["partner_id"], names], sort=False, observed=True).transform("any")
    return (
        _last_of_scope(lines.own, names)
        .assign(lever=lever.lever, rule_part=part, cap_number=0, under_cap_minor=None)
        .assign(
            is_waiting=lambda rows: ~is_filled[rows.index].to_numpy(bool),
            measure=lambda rows: exact_measures(total[rows.index.to_numpy()]).to_numpy(),
            reprices=lambda rows: moved[rows.index.to_numpy()],
        )
    )


def _last_of_scope(rows: pd.DataFrame, names: pd.Series) -> pd.DataFrame:
    kept = rows[["program", "partner_id", "cell_from"]].assign(scope=names.to_numpy(), last_at=rows["reference_at"])
    return kept.drop_duplicates(["partner_id", "scope"], keep="last")


def _of_caps(rows: pd.DataFrame, earned: pd.DataFrame, program: Program, held: pd.DataFrame) -> list[pd.DataFrame]:
    line = pd.Index(rows["transaction_id"]).get_indexer(earned["transaction_id"])
    year, made = program.fiscal_year_start, []
    limits = posting.limits(rows, program, held)
    for (number, place, cap), limit in zip(posting.listed(program), limits, strict=True):
        if cap.over == "transaction":
            continue
        lever = posting.lever_of(number, program)
        here = np.ones(len(earned), bool) if number is None else (earned["lever"] == lever).to_numpy()
        scope = limit.scope[line[here]]
        amounts = earned["program_earning_minor"].to_numpy("int64")[here]
        paid = np.zeros(limit.scope.max(initial=-1) + 1, "int64")
        np.add.at(paid, scope, amounts)
        for opening, before in limit.opened.items():
            paid[opening] += before
        waits = np.zeros(len(paid), bool)
        np.logical_or.at(waits, scope, (earned["held_by"] == "cap").fillna(False).to_numpy(bool)[here])
        frees = np.zeros(len(paid), bool)
        np.logical_or.at(frees, scope, amounts < 0)
        chosen = _last_of_scope(rows, scopes.names(rows, cap, year))
        at = limit.scope[chosen.index.to_numpy()]
        was_waiting = _was_waiting(chosen, held, lever, place)
        rises = len(cap.amount.values) > 1
        made.append(
            chosen.assign(
                lever=lever, rule_part="cap", cap_number=place, measure=None, under_cap_minor=paid[at],
                is_waiting=waits[at] | was_waiting, reprices=was_waiting & (frees[at] | rises),
            )
        )  # fmt: skip
    return made


def _was_waiting(rows: pd.DataFrame, held: pd.DataFrame, lever: str, place: int) -> np.ndarray:
    here = held[(held["rule_part"] == "cap") & (held["lever"] == lever) & (held["cap_number"] == place)]
    at = scopes.places(here, rows, rows["scope"])
    return np.append(here["is_waiting"].to_numpy(bool), False)[at]
