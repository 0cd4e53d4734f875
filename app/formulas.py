"""Text in CSV files that people open in a spreadsheet, which would run some of it as formulas."""

from collections.abc import Container

import pyarrow as pa
import pyarrow.compute as pc

FORMULA = r"^([=+\-@\t\r])"  # OWASP, CSV injection


def without_formulas(rows: pa.RecordBatch, besides: Container[str] = ()) -> pa.RecordBatch:
    """Rows whose text that a spreadsheet would run as a formula has an apostrophe before it.

    Numbers stay as they are, and so do the columns named `besides`, whose text is numbers.
    """
    names = rows.schema.names
    told = (column if name in besides else _as_text(column) for name, column in zip(names, rows.columns, strict=True))
    return pa.RecordBatch.from_arrays(list(told), names=names)


def _as_text(column: pa.Array) -> pa.Array:
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    if not is_text or column.null_count == len(column):
        return column
    return pc.replace_substring_regex(column, FORMULA, r"'\1")
