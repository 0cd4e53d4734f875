"""Lines that are only added to a cell earn from its positions alone what they earn with all lines before them at hand."""

import random
from datetime import timedelta

import pandas as pd
import pytest

from tests.test_pricing import FIRST, amounts_by_row
from tests.test_pricing_words import Words, frame_of, known_lines
from transforms.contexts import Known
from transforms.decisions import are_in, decided_lines
from transforms.earnings import in_context
from transforms.holders import first_to_earn
from transforms.positions import KEY, cell_starts, positions, repriced_cells
from transforms.programs import Program
from warehouse import frames
from warehouse.tables import DERIVED

CELL = ["program", "partner_id", "cell_from"]
NONE_YET = frames.to_pandas(DERIVED["positions"].arrow_schema.empty_table())


def settled(rows: pd.DataFrame, program: Program, opening: pd.DataFrame, holders: pd.DataFrame) -> tuple:
    """The earnings and positions of lines."""
    decided = decided_lines(rows, [program])
    earned = in_context(decided, [program], Known(opening=opening, holders=holders))
    return earned, positions(decided, earned, opening, holders, [program])


def added_cells(before: pd.DataFrame, after: pd.DataFrame, held: pd.DataFrame, moved: set[str]) -> pd.DataFrame:
    """The cells to which later lines are only added: no refund, each line later than all there, no customer changed hands."""
    last = held.groupby(CELL)["last_at"].max().reset_index()
    cells = after.groupby(CELL).agg(first_at=("reference_at", "min"), has_refund=("reverses", "count")).reset_index()
    cells = cells.merge(last, how="left", on=CELL)
    is_later = cells["last_at"].isna() | (cells["first_at"] > cells["last_at"])
    return cells.loc[is_later & (cells["has_refund"] == 0) & ~cells["partner_id"].isin(moved), CELL]


def partners_moved(held_before: pd.DataFrame, held: pd.DataFrame, before: pd.DataFrame) -> set[str]:
    """Partners who hold others than before, and all who sold to a customer whom nobody held."""
    moved = pd.concat([held_before, held]).drop_duplicates(["lever", "scope", "partner_id"], keep=False)
    begun = moved.drop_duplicates(["lever", "scope"], keep=False)["scope"]
    return {*moved["partner_id"], *before.loc[before["customer_id"].isin(begun), "partner_id"]}


def earned_by(earned: pd.DataFrame, lines: pd.Series) -> dict:
    return amounts_by_row(earned[earned["transaction_id"].isin(lines)])


def places(earned: pd.DataFrame, lines: pd.Series) -> set[tuple]:
    """Where each line stands in each lever, and what keeps it out."""
    rows = earned[earned["transaction_id"].isin(lines)]
    return {*zip(rows["transaction_id"], rows["lever"], rows["position"], rows["held_by"].fillna(""), strict=True)}


def goes_on_alike(seed: int) -> int:
    """Compare one random program over lines that are settled in two parts; how many lines were only added."""
    chance = random.Random(seed)
    program = Program.model_validate(Words(chance).program())
    while not program.goes_on or program.cell_over == "transaction":
        program = Program.model_validate(Words(chance).program())
    lines, held_from = known_lines(chance)
    day = FIRST + timedelta(chance.randrange(20, 250))
    rows = frame_of([line for line in lines if line.on <= day or not line.reverses], held_from)
    rows = rows.assign(cell_from=cell_starts(rows, program))
    before, after = rows[rows["own_at"] <= pd.Timestamp(day)], rows[rows["own_at"] > pd.Timestamp(day)]
    if before.empty or after.empty:
        return 0
    held_before, held = (first_to_earn(decided_lines(some, [program]), [program]) for some in (before, rows))
    moved = partners_moved(held_before, held, before)
    whole, whole_positions = settled(rows, program, NONE_YET, held)
    first, opening = settled(before, program, NONE_YET, held_before)
    cells = added_cells(before, after, opening, moved)
    added = after[are_in(after, cells, CELL)]
    if added.empty:
        return 0
    later, reached = settled(added, program, opening[are_in(opening, cells, CELL)], held)
    sound = cells[~are_in(cells, repriced_cells(reached), CELL)]
    of_cells = rows[are_in(rows, sound, CELL)]["transaction_id"]
    both = earned_by(first, of_cells) | earned_by(later, of_cells)
    assert both == earned_by(whole, of_cells), f"seed {seed}: {program}"
    assert places(first, of_cells) | places(later, of_cells) == places(whole, of_cells), f"seed {seed}: {program}"
    shown = [
        one[are_in(one, sound, CELL)].sort_values(KEY, ignore_index=True)[
            [*KEY, "measure", "under_cap_minor", "is_waiting", "last_at"]
        ]
        for one in (reached, whole_positions)
    ]
    pd.testing.assert_frame_equal(*shown, check_dtype=False, obj=f"seed {seed}")
    return int(added["transaction_id"].isin(of_cells).sum())


@pytest.mark.parametrize(
    "first", [pytest.param(first, marks=pytest.mark.slow) if first else 0 for first in range(0, 5000, 50)]
)
def test_added_lines_earn_from_positions_what_all_lines_earn(first):
    assert sum(map(goes_on_alike, range(first, first + 50))) > 20
