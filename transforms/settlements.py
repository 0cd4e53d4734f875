"""The ledger entries of settlements: what becomes of earnings once they are posted, with no line and no price."""

from datetime import date

import pandas as pd


def settlements(rows: pd.DataFrame, run_date: date) -> pd.DataFrame:
    """Entries of a balance each, with `cause`, `cause_detail`, `earning_month` and amounts; those of nothing left out."""
    moved = (rows["amount_minor"] != 0) | (rows["program_amount_minor"] != 0)
    return rows[moved].assign(
        transaction_id=None, adjustment_id=None, lever="settlement", bracket=0, rate=None, fx_month=pd.NaT, fx_rate=None,
        rule_version=None, posted_on=pd.Timestamp(run_date),
    )  # fmt: skip
