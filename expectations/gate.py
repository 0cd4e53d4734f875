"""Judge a file of tables against their contracts and rules; say what failed and how loud."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import great_expectations as gx
import sqlalchemy as sa
from great_expectations.expectations.expectation import Expectation

from expectations import duckdb_engine
from expectations.context import judging
from expectations.counted import ExpectQueryToFindNothing, ExpectRowsToMeet
from expectations.rule import Rule
from expectations.rules import of
from warehouse.columns import COLUMNS
from warehouse.tables import Published, Table

LIMITS = {"memory_limit": "512MiB"}
EXAMPLES = 3


@dataclass(frozen=True)
class Finding:
    """One expectation that did not hold, or could not be run."""

    table: str
    rule: str
    means: str
    severity: str
    rows: int | None
    fault: str | None = None
    such_as: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f"could not run: {self.fault}" if self.fault else f"[{self.rows}] rows are otherwise"
        some = f", such as {'; '.join(self.such_as)}" if self.such_as else ""
        return f"[{self.table}] {self.rule}: expected is: {self.means}; {what}{some}."


@dataclass(frozen=True)
class Verdict:
    """What a file's tables were found to be; critical findings keep it from readers."""

    expectations: int
    findings: list[Finding] = field(default_factory=list)

    @property
    def critical(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity == "critical"]

    @property
    def warnings(self) -> list[Finding]:
        return [finding for finding in self.findings if finding.severity != "critical"]


def judge(path: Path, tables: list[Table], limits: dict[str, str] = LIMITS, schema: str | None = None) -> Verdict:
    """The verdict on some tables of a DuckDB file, which nobody else has open, within DuckDB's settings given.

    They are judged where `schema_of` says, or in the schema named; one without rows by what looks at other tables alone,
    since all its rows meet the rest. What could not be run counts as failed. GX's own `success` ignores severity, so it
    is read here. Raises duckdb.OutOfMemoryException, which says nothing about the data.
    """
    findings: list[Finding] = []
    count = 0
    with open_source(judging(), path, limits) as source:
        for table in tables:
            where = schema or schema_of(table)
            suite = suite_of(table, where)
            count += len(suite.expectations)
            with _rows(source, table, where) as rows:
                if _is_empty(source, table, rows):
                    suite.expectations = [one for one in suite.expectations if not _is_of_rows(one)]
                if not suite.expectations:
                    continue
                asset = source.add_query_asset(f"{where}.{table.name}", query=f"SELECT * FROM {rows}")
                batch = asset.add_batch_definition_whole_table("whole").get_batch()
                outcome = batch.validate(suite, result_format="SUMMARY")
            findings += [_finding(source, table, where, result) for result in outcome.results if not result.success]
    if short := [finding.fault for finding in findings if finding.fault and "Out of Memory Error" in finding.fault]:
        raise duckdb.OutOfMemoryException(short[0])
    return Verdict(count, findings)


@contextmanager
def _rows(source: Any, table: Table, schema: str) -> Iterator[str]:
    """What is read for a table: itself, or a temporary copy of sums, which are a view, so that they are worked out once."""
    name, copy = f"{schema}.{table.name}", f"sums_of_{table.name}"
    is_copied = False
    if isinstance(table, Published) and table.parts == "sums":
        with suppress(sa.exc.DBAPIError):  # what is wrong with the view is then found by the expectations
            _execute(source, f"CREATE TEMP TABLE {copy} AS FROM {name}")
            is_copied = True
    yield copy if is_copied else name
    if is_copied:
        _execute(source, f"DROP TABLE {copy}")


def _is_empty(source: Any, table: Table, rows: str) -> bool:
    """Whether there are no rows; not where a column is lacking, which the expectations then say."""
    with suppress(sa.exc.DBAPIError):
        return not _execute(source, f"SELECT EXISTS (SELECT {', '.join(_needed(table))} FROM {rows})").scalar_one()
    return False


def _execute(source: Any, query: str) -> Any:
    """Run a query on the connection that GX judges by, which has temporary tables of its own."""
    return source.get_execution_engine().execute_query(sa.text(query))


def _needed(table: Table) -> list[str]:
    """The columns that must have a value, as they are named where they are judged."""
    return [_shown(table).get(c, c) for c in table.columns if c not in table.nullable]


def _is_of_rows(expectation: Expectation) -> bool:
    """Whether it holds of any table without rows."""
    return isinstance(expectation, ExpectRowsToMeet) or expectation.meta["rule"] == "key"


@contextmanager
def open_source(context: Any, path: Path, limits: dict[str, str] = LIMITS) -> Iterator[Any]:
    """A DuckDB file as a GX data source, read-only; its connection is closed at the end."""
    duckdb_engine.enable()
    opened = {"read_only": True, "config": limits}
    # outside a transaction, a query that fails leaves the others to run
    options = {"connect_args": opened, "isolation_level": "AUTOCOMMIT"}
    url = sa.URL.create("duckdb", database=str(path)).render_as_string()  # GX fills in what follows a `$`
    source = context.data_sources.add_sql("file", connection_string=url, create_temp_table=False, kwargs=options)
    try:
        yield source
    finally:
        context.data_sources.delete(source.name)  # first, since the next file has the same name
        source.get_execution_engine().close()
        source.get_engine().dispose()  # another one, which looks whether tables exist


def schema_of(table: Table) -> str:
    """The schema in which a table is judged: of a table in parts, what the release adds; the rest was judged with its own."""
    if isinstance(table, Published):
        return "added" if table.parts else "main"
    return table.layer


def suite_of(table: Table, schema: str) -> gx.ExpectationSuite:
    """The suite of a table in a schema: what its contract owes and the rules on it."""
    rules = [_from_rule(rule) for rule in of(f"{schema}.{table.name}")]
    return gx.ExpectationSuite(name=f"{schema}.{table.name}", expectations=[*_from_contract(table), *rules])


def _from_rule(rule: Rule) -> Expectation:
    told = {"severity": rule.severity, "description": rule.means, "notes": rule.why, "meta": {"rule": rule.id}}
    if rule.holds:
        return ExpectRowsToMeet(condition=rule.holds, **told)
    return ExpectQueryToFindNothing(unexpected_rows_query=rule.offends, **told)


def _shown(table: Table) -> dict[str, str]:
    """The names of a table's columns in releases, where they have others."""
    return dict(zip(table.columns, table.published_columns, strict=True)) if isinstance(table, Published) else {}


def _key(table: Table) -> list[str]:
    return [_shown(table).get(c, c) for c in table.key]


def _from_contract(table: Table) -> list[Expectation]:
    """Key, required values and codes, as the contract has them."""
    key, needed = ", ".join(_key(table)), _needed(table)
    unique = ExpectQueryToFindNothing(  # 1.5 s on 5,300,000 rows; GX's own uniqueness took 1.9 s
        unexpected_rows_query=f"SELECT {key}, count(*) FROM {{batch}} GROUP BY {key} HAVING count(*) > 1",
        description=f"one row for each {key}",
        meta={"rule": "key"},
    )
    required = ExpectRowsToMeet(
        condition=" AND ".join(f"{c} IS NOT NULL" for c in needed),
        description=f"no missing value in {', '.join(needed)}",
        meta={"rule": "required"},
    )
    codes = [
        ExpectRowsToMeet(
            condition=f"{c} IN ({', '.join(repr(code) for code in COLUMNS[c].one_of)})",
            description=f"{c} is one of {', '.join(COLUMNS[c].one_of)}",
            meta={"rule": f"code:{c}"},
        )
        for c in table.columns
        if COLUMNS[c].one_of
    ]
    return [*([unique] if key else []), required, *codes]


def _finding(source: Any, table: Table, schema: str, result: Any) -> Finding:
    config = result.expectation_config
    found = result.result
    info = result.exception_info or {}
    raised = info if "raised_exception" in info else next(iter(info.values()), {})
    fault = str(raised.get("exception_message"))[:300] if raised.get("raised_exception") else None
    return Finding(
        table=f"{schema}.{table.name}",
        rule=config.meta["rule"],
        means=config.description or config.type.removeprefix("expect_").replace("_", " "),
        severity="critical" if fault else str(getattr(config.severity, "value", config.severity)),
        rows=found.get("unexpected_count", found.get("observed_value")),
        fault=fault,
        such_as=() if fault else _examples(source, table, schema, config.kwargs),
    )


def _examples(source: Any, table: Table, schema: str, asked: dict[str, Any]) -> tuple[str, ...]:
    """A few of the rows that offend, each by what it is known by; nothing that identifies a person, and none without memory."""
    name = f"{schema}.{table.name}"
    if condition := asked.get("condition"):
        offending = (
            f"SELECT {', '.join(_key(table) or _needed(table))} FROM {name} WHERE NOT coalesce({condition}, true)"
        )
    else:
        offending = asked["unexpected_rows_query"].replace("{batch}", name)
    with suppress(sa.exc.DBAPIError), source.get_execution_engine().engine.connect() as con:
        rows = con.exec_driver_sql(f"SELECT * FROM ({offending}) ORDER BY ALL LIMIT {EXAMPLES}").mappings().all()
        return tuple(", ".join(f"{c} [{value}]" for c, value in row.items() if not _is_personal(c)) for row in rows)
    return ()


def _is_personal(column: str) -> bool:
    return column in COLUMNS and COLUMNS[column].personal
