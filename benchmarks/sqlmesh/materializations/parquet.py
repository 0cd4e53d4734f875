"""A model as one Parquet file, with a view on it."""

import os
from pathlib import Path

from sqlglot import exp, parse_one
from sqlmesh import CustomMaterialization
from sqlmesh.core.engine_adapter.shared import DataObjectType


class Parquet(CustomMaterialization):
    """What is inserted replaces the file; the empty table that stands until the first is dropped for the view."""

    NAME = "parquet"

    def insert(self, table_name, query_or_df, model, is_first_insert, render_kwargs, **kwargs):
        """Write the file and have the view read it."""
        place = Path(os.environ["INCENTIVES_HOME"], "sqlmesh", f"{model.view_name}.parquet")
        self.adapter.execute(f"COPY ({query_or_df.sql('duckdb')}) TO '{place}' (FORMAT parquet, COMPRESSION zstd)")
        stands = self.adapter.get_data_object(exp.to_table(table_name))
        self.adapter.drop_data_object_on_type_mismatch(stands, DataObjectType.VIEW)
        self.adapter.create_view(table_name, parse_one(f"SELECT * FROM read_parquet('{place}')", dialect="duckdb"))
