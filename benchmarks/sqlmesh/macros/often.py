"""What models write often."""

from sqlmesh import macro


@macro()
def amount(evaluator, minor, exponent=None):
    """Minor units as readers see them; the exponent is the column of that name unless given."""
    named = "exponent" if exponent is None else exponent.sql("duckdb")
    factor = f"(CASE {named} WHEN 2 THEN 0.010 WHEN 0 THEN 1.000 ELSE 0.001 END)::DECIMAL(4,3)"
    return f"({minor.sql('duckdb')}::DECIMAL(14,0) * {factor})::DECIMAL(18,3)"


@macro()
def released(evaluator, table):
    """The parts of a large table of the release before."""
    return f"read_parquet('{evaluator.var('home')}/releases/partitions/{table.name}/*.parquet', union_by_name = true)"
