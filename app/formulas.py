"""Text in CSV files that people open in a spreadsheet, which would run some of it as formulas."""

import pyarrow as pa
import pyarrow.compute as pc

FORMULA = r"^[=+\-@\t\r]"  # OWASP, CSV injection


def without_formulas(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose text that a spreadsheet would run as a formula has an apostrophe before it; numbers stay as they are."""
    kept = [_as_text(column) if _is_text(column.type) else column for column in rows.columns]
    return pa.RecordBatch.from_arrays(kept, names=rows.schema.names)


def _is_text(arrow: pa.DataType) -> bool:
    return pa.types.is_string(arrow) or pa.types.is_large_string(arrow)


def _as_text(column: pa.Array) -> pa.Array:
    runs = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(
        runs, pc.binary_join_element_wise(pa.scalar("'", column.type), column, pa.scalar("", column.type)), column
    )
