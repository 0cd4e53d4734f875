"""Tables as frames: what a transform reads, with the types that it works on, and what it makes, as its contract has it."""

from datetime import date
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from warehouse import store
from warehouse.columns import COLUMNS
from warehouse.tables import Table

CATEGORY_KINDS = ("code", "country", "currency", "program")
CATEGORIES = ("reason_codes", "customer_country", "rule_version")
INPUTS = Path(__file__).parent / "inputs"


def read_input(con: duckdb.DuckDBPyConnection, name: str, as_of: date) -> pd.DataFrame:
    """One named step input of warehouse/inputs/ as a frame, as known on a day.

    Text is Arrow-backed, codes are categories, days datetime64, and a number that may be missing Int64. Decimals keep
    an Arrow decimal type, so no amount or rate ever becomes a float.
    """
    query = store.filled((INPUTS / f"{name}.sql").read_text(), as_of=as_of)
    # as a relation, which is read whole: what execute() finds is read in pieces, and with one thread several stages'
    # lines waited for ever for room in the buffer between (DuckDB 1.5.5)
    return to_pandas(con.sql(query).to_arrow_table())


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """An Arrow table as a frame with the types that the transforms work on."""
    fields = [pa.field(f.name, _working_type(f.name, f.type)) for f in rows.schema]
    return rows.cast(pa.schema(fields)).to_pandas(types_mapper=_pandas_type)


def _working_type(name: str, arrow: pa.DataType) -> pa.DataType:
    if pa.types.is_date(arrow):
        return pa.timestamp("us")
    if pa.types.is_string(arrow) and (name in CATEGORIES or (name in COLUMNS and COLUMNS[name].kind in CATEGORY_KINDS)):
        return pa.dictionary(pa.int32(), pa.string())
    return arrow


def _pandas_type(arrow: pa.DataType):
    if pa.types.is_decimal(arrow):
        return pd.ArrowDtype(arrow)
    if pa.types.is_integer(arrow):
        return pd.Int64Dtype()
    if pa.types.is_boolean(arrow):
        return pd.BooleanDtype()
    return None


def conform(table: Table, made: pd.DataFrame) -> pa.Table:
    """A transform's frame as the contract's columns in its order and types; working columns fall away.

    Raises ValueError when a column is missing or a value does not fit its type.
    """
    if lacking := [c for c in table.columns if c not in made]:
        raise ValueError(f"[{table.name}] lacks {lacking}; its transform made {list(made.columns)}")
    try:
        arrays = [_fitted(made[field.name], field) for field in table.arrow_schema]
        return pa.Table.from_arrays(arrays, schema=table.arrow_schema)
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError) as fault:
        raise ValueError(f"[{table.name}] does not keep its contract in warehouse/tables/: {fault}") from fault


def _fitted(values: pd.Series, field: pa.Field) -> pa.ChunkedArray:
    """A column in the type that its contract gives it; categories as their text."""
    made = pa.chunked_array([a]) if isinstance(a := pa.array(values, from_pandas=True), pa.Array) else a
    if pa.types.is_dictionary(made.type):
        made = made.cast(made.type.value_type)
    if made.null_count and not field.nullable:
        raise ValueError(f"column [{field.name}] has [{made.null_count}] missing values")
    if made.null_count == len(made):  # nothing to cast, whatever type pandas gave it
        return pa.chunked_array([pa.nulls(len(made), field.type)])
    return made.cast(field.type)
