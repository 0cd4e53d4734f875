"""What accepted requests of partners add to what is delivered: roles of users, and claims to customers."""

from datetime import date
from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def open_requested(con: duckdb.DuckDBPyConnection, as_of: date) -> None:
    """Make the views `roles_now` and `claims_now`, as known on a day."""
    for view in ("roles_now", "claims_now"):
        con.execute((HERE / f"{view}.sql").read_text().replace("$as_of", f"DATE '{as_of.isoformat()}'"))
