"""The order in which lines count, and what each really brings once refunds are set against their originals."""

import pandas as pd

from transforms import refunds
from transforms.programs import Program


def arranged(rows: pd.DataFrame, program: Program) -> tuple[pd.DataFrame, refunds.Families]:
    """One program's lines in their sequence, with what each really brings or takes, and how they reverse one another."""
    rows = _in_sequence(rows, program)
    family = refunds.families(rows, rows["quantity_micro"].to_numpy("int64"))
    return rows.assign(family=family.root, revenue_out=family.revenue, quantity_out=family.quantity), family


def _in_sequence(rows: pd.DataFrame, program: Program) -> pd.DataFrame:
    """Lines in the order in which a scope counts them: by reference time and id, a refund right after its original."""
    if program.cell_over == "transaction" and not any(lever.pricing.is_lump for lever in program.levers):
        return rows.reset_index(drop=True)
    root = rows["root_id"].fillna(rows["transaction_id"])
    order = pd.DataFrame(
        {"at": rows["reference_at"], "root": root, "again": rows["root_id"].notna(), "own": rows["own_at"]}
    ).assign(id=rows["transaction_id"])
    return rows.loc[order.sort_values(list(order), kind="stable").index].reset_index(drop=True)
