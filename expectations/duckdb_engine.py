"""Great Expectations on DuckDB: one pinned shim, tested.

GX 1.24 leaves a connection before it fetches from it, which DuckDB does not survive ("list index out of range" on
every metric). Dialects that GX lists as persisted keep theirs, as SQLite does; this adds DuckDB to them.
"""

import enum

from great_expectations.execution_engine import sqlalchemy_execution_engine as engine


class _Dialect(str, enum.Enum):
    DUCKDB = "duckdb"


def enable() -> None:
    """Let GX keep its DuckDB connections; calling it again changes nothing."""
    if _Dialect.DUCKDB not in engine._PERSISTED_CONNECTION_DIALECTS:
        engine._PERSISTED_CONNECTION_DIALECTS = (*engine._PERSISTED_CONNECTION_DIALECTS, _Dialect.DUCKDB)
