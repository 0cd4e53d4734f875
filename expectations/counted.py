"""Two expectations that count offending rows and fetch none: what a verdict needs, in as few passes as there can be.

GX's own UnexpectedRowsExpectation runs its query twice, once for the count and once for 200 of the rows.
"""

from typing import Any, ClassVar

import sqlalchemy as sa
from great_expectations.compatibility.pydantic import PrivateAttr
from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.core.metric_function_types import MetricPartialFunctionTypes
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.expectations.core import UnexpectedRowsExpectation
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.metrics.metric_provider import metric_partial
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider


class _ConfiguredOnce:
    """GX asks an expectation for its configuration 23 times and makes it anew each time, as profiled a fifth of judging."""

    _configured: Any

    @property
    def configuration(self) -> Any:
        expectation: Any = super()
        self._configured = self._configured or expectation.configuration
        return self._configured


class ExpectQueryToFindNothing(_ConfiguredOnce, UnexpectedRowsExpectation):
    """A query on `{batch}` finds no row; it runs once."""

    _configured: Any = PrivateAttr(None)

    metric_dependencies: ClassVar[tuple[str, ...]] = ("unexpected_rows_query.row_count",)

    def _validate(self, metrics: dict, runtime_configuration: Any = None, execution_engine: Any = None) -> dict:
        return _verdict(metrics["unexpected_rows_query.row_count"])


class OffendingRows(TableMetricProvider):
    """How many rows of a table do not meet a condition; GX asks for all conditions of a table in one query."""

    metric_name = "table.offending_rows"
    value_keys = ("condition",)

    @metric_partial(
        engine=SqlAlchemyExecutionEngine,
        partial_fn_type=MetricPartialFunctionTypes.AGGREGATE_FN,
        domain_type=MetricDomainTypes.TABLE,
    )
    def _sqlalchemy(
        cls, execution_engine: Any, metric_domain_kwargs: dict, metric_value_kwargs: dict, **known: Any
    ) -> tuple:
        condition = metric_value_kwargs["condition"]
        return sa.literal_column(f"count(*) FILTER (NOT coalesce({condition}, true))"), metric_domain_kwargs, {}


class ExpectRowsToMeet(_ConfiguredOnce, BatchExpectation):
    """Every row meets a condition; a row for which it is neither true nor false does."""

    _configured: Any = PrivateAttr(None)

    condition: str
    metric_dependencies: ClassVar[tuple[str, ...]] = ("table.offending_rows",)
    success_keys: ClassVar[tuple[str, ...]] = ("condition",)

    def _validate(self, metrics: dict, runtime_configuration: Any = None, execution_engine: Any = None) -> dict:
        return _verdict(metrics["table.offending_rows"])


def _verdict(rows: int) -> dict:
    return {"success": rows == 0, "result": {"observed_value": rows}}
