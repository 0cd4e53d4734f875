"""What is kept no longer than its feed's contract says: archived deliveries, and persons who have no role any more."""

import shutil
from datetime import date
from pathlib import Path

import duckdb
import pandas as pd

from warehouse import landing, requested, store
from warehouse.tables import FEEDS


def people_to_erase(con: duckdb.DuckDBPyConnection, as_of: date) -> list[str]:
    """Addresses that have no role and that nothing names within the months for which users are kept."""
    requested.open_requested(con, as_of)
    found = con.execute(
        "WITH named AS (SELECT lower(user_email) AS email, coalesce(known_to, CASE WHEN is_withdrawn THEN known_from ELSE $as_of END) "
        "AS last_on FROM clean.users UNION ALL SELECT lower(requested_by), requested_at::DATE FROM clean.partner_requests "
        "UNION ALL SELECT lower(user_email), requested_at::DATE FROM clean.partner_requests WHERE user_email IS NOT NULL) "
        "SELECT email FROM named WHERE email NOT IN (SELECT user_email FROM roles_now) AND email NOT LIKE 'erased-%@erased.invalid' "
        "GROUP BY email HAVING max(last_on) < $before ORDER BY email",
        {"as_of": as_of, "before": _back(as_of, FEEDS["users"].erase_months or 0)},
    ).fetchall()
    return [email for (email,) in found]


def deliveries_to_remove(as_of: date) -> list[Path]:
    """Archived deliveries of before the months for which their feed is kept.

    Once one is removed no day can be replayed, since a replay works out all runs from the first; a backup brings it back.
    """
    found = []
    for path in sorted(store.place("archive").glob(f"*/{landing.MANIFEST}")):
        manifest = landing.Manifest.model_validate_json(path.read_bytes())
        if manifest.business_date < _back(as_of, FEEDS[manifest.feed].keep_months):
            found.append(path.parent)
    return found


def remove(folder: Path) -> None:
    """Remove an archived delivery, its manifest last, so that one that is half removed is found again."""
    for path in sorted(folder.iterdir(), key=lambda path: path.name == landing.MANIFEST):
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        store.reached("delivered file removed")
    folder.rmdir()
    store.reached("delivery removed")


def _back(as_of: date, months: int) -> date:
    return (pd.Timestamp(as_of) - pd.DateOffset(months=months)).date()
