"""Time travel in the warehouse: for each table of versions, what was known on a day; of spans, what held on another.

`<schema>.<table>_known_on(day)`, and for tables of spans `<schema>.<table>_valid_on(day, known)`.
"""

import duckdb

from warehouse.tables import DERIVED, FEEDS, Table


def wanted() -> dict[str, str]:
    """Name with schema → the statement that makes the macro, for each table that the contracts keep versions of."""
    made = {}
    for table in (*FEEDS.values(), *DERIVED.values()):
        if "known_to" not in table.stored:
            continue
        made[f"{table.full_name}_known_on"] = (
            f"(day) AS TABLE SELECT * FROM {table.full_name} WHERE {_known(table, 'day')}"
        )
        if {"valid_from", "valid_to"} <= set(table.columns):
            valid = "valid_from <= day AND (valid_to IS NULL OR valid_to > day)"
            made[f"{table.full_name}_valid_on"] = (
                f"(day, known) AS TABLE SELECT * FROM {table.full_name} WHERE {_known(table, 'known')} AND {valid}"
            )
    return {name: f"CREATE OR REPLACE MACRO {name}{body}" for name, body in made.items()}


def _known(table: Table, day: str) -> str:
    there = " AND NOT is_withdrawn" if "is_withdrawn" in table.stored else ""
    return f"known_from <= {day} AND (known_to IS NULL OR known_to > {day}){there}"


def provide(con: duckdb.DuckDBPyConnection) -> None:
    """Make the macros of a warehouse that is new or was brought up to date."""
    for statement in wanted().values():
        con.execute(statement)
