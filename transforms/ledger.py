"""The ledger: what each line should have earned less what is posted, as new entries with their cause."""

from datetime import date

import pandas as pd

KEY = [
    "transaction_id", "program", "lever", "bracket", "partner_id", "earning_type", "earning_month",
    "currency", "program_currency",
]  # fmt: skip
SOURCE = ["rate", "fx_month", "fx_rate", "rule_version", "cause"]
AMOUNTS = ["amount_minor", "program_amount_minor"]


def earnings_ledger(earnings: pd.DataFrame, posted: pd.DataFrame, run_date: date) -> pd.DataFrame:
    """The entries that bring the ledger from what is posted to what should be; none where nothing changed.

    `posted` holds the sums of all entries of the lines worked out that have any, with the rate, exchange rate, rule
    version and cause of what would be taken back. Entries carry no id yet: the store derives it.
    """
    due = _by_type(earnings)
    fresh = due[~due["is_posted"].to_numpy(bool)]
    entries = pd.concat([fresh, _differences(due[due["is_posted"].to_numpy(bool)], posted)], ignore_index=True)
    moved = (entries["amount_minor"] != 0) | (entries["program_amount_minor"] != 0)
    return entries[moved].assign(posted_on=pd.Timestamp(run_date), run_id=run_date.isoformat())


def _by_type(earnings: pd.DataFrame) -> pd.DataFrame:
    """One row for each earning and earning type."""
    kept = earnings.drop(
        columns=[c for c in earnings if c.endswith("_minor") and "rebate" not in c and "coop" not in c]
    )
    parts = [
        kept.assign(
            earning_type=kind, amount_minor=kept[f"{kind}_minor"], program_amount_minor=kept[f"program_{kind}_minor"]
        )[[*KEY, *SOURCE, *AMOUNTS, "is_posted"]]
        for kind in ("rebate", "coop")
    ]
    return pd.concat(parts, ignore_index=True)


def _differences(due: pd.DataFrame, posted: pd.DataFrame) -> pd.DataFrame:
    """Due less posted, key by key; a change of rule version is named as the cause unless the line itself changed."""
    if due.empty and posted.empty:
        return due[[*KEY, *SOURCE, *AMOUNTS]]
    both = _as_text(due).merge(_as_text(posted), on=KEY, how="outer", suffixes=("", "_posted"), validate="1:1")
    amounts = {name: both[name].fillna(0) - both[f"{name}_posted"].fillna(0) for name in AMOUNTS}
    source = {name: both[name].fillna(both[f"{name}_posted"]) for name in SOURCE}
    repriced = (both["cause"] == "recalculation") & (both["rule_version"] != both["rule_version_posted"])
    repriced &= both["rule_version_posted"].notna()
    source["cause"] = source["cause"].mask(repriced.fillna(False), "rule_change")
    return both[KEY].assign(**amounts, **source)


def _as_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Categories as plain text, since two sides of a merge do not share them."""
    return rows.astype({c: "str" for c in rows if isinstance(rows[c].dtype, pd.CategoricalDtype)})
