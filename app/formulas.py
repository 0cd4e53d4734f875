"""Text in CSV files that people open in a spreadsheet, which would run some of it as formulas."""

import pyarrow as pa
import pyarrow.compute as pc

FORMULA = r"^([=+\-@\t\r])"  # OWASP, CSV injection


def without_formulas(rows: pa.RecordBatch) -> pa.RecordBatch:
    """Rows whose text that a spreadsheet would run as a formula has an apostrophe before it; numbers stay as they are."""
    return pa.RecordBatch.from_arrays([_as_text(column) for column in rows.columns], names=rows.schema.names)


def _as_text(column: pa.Array) -> pa.Array:
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if not is_text or column.null_count == len(column):
        return column
    return pc.replace_substring_regex(column, FORMULA, r"'\1")
