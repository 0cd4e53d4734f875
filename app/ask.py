"""What is asked of the current release: where a sum comes from, whether it agrees, reports, statements, queries."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from app.output import REFUSED, AsJson, in_a_folder, print_json, print_rows, print_table, say
from warehouse import releases, store

app = typer.Typer()


@app.command("explain")
def explain_sum(
    wanted: Annotated[str | None, typer.Argument(help="Ledger entry, transaction, adjustment or payment.")] = None,
    partner: Annotated[str | None, typer.Option(help="Partner location.")] = None,
    period: Annotated[datetime | None, typer.Option(formats=["%Y-%m"], help="Earning month of the partner.")] = None,
    file: Annotated[str | None, typer.Option(help="Delivered file.")] = None,
    line: Annotated[int | None, typer.Option(help="Line of the file, a header is line 1.")] = None,
    delivery: Annotated[
        str | None, typer.Option(help="Delivery of the file, if several have one of that name.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Where a sum comes from, down to the delivered file's line; or all that a file's line has caused.

    \b
    Examples: incentives explain 0f4c1d2e-…
              incentives explain --partner 4391507 --period 2022-03
              incentives explain --file transactions.csv --line 17 --delivery 2022-03-23-transactions-1
    """
    from app import explain, explained

    with _current() as con:
        if wanted:
            found: list[dict[str, Any]] = [explain.of_id(con, wanted)]
        elif file and line:
            found = explain.of_file_line(con, file, line, delivery)
        elif partner and period:
            month = explain.of_partner_month(con, partner, period.date())
            if as_json:
                print_json(month)
                return
            for heading, rows in month.items():
                say(f"{heading}")
                print_table(rows)
            return
        else:
            raise typer.BadParameter("give an id, --partner with --period, or --file with --line", param_hint="wanted")
    if as_json:
        print_json(found)
        return
    for one in found:
        for text in explained.told(one):
            say(text)


@app.command("reconcile")
def reconcile_statement(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The partner's statement, CSV.")],
    partner: Annotated[str, typer.Option(help="Partner location.")],
    as_json: AsJson = False,
) -> None:
    """A partner's statement beside our ledger. Exit 1 when a line, an adjustment or another row does not agree.

    Columns: transaction_id, amount, currency, month, and rate if there is one; Partner Center's names do as well. Rows
    without a transaction_id are compared by adjustment_id, entry_id or payment_id.

    \b
    Example: incentives reconcile statement.csv --partner 4391507
    """
    from app.reconcile import reconcile

    with _current() as con:
        found = reconcile(con, file, partner)
    if as_json:
        print_json(found)
    else:
        print_table(found["sums"])
        if found["lines"]:
            say("")
            print_table(found["lines"])
    raise typer.Exit(REFUSED if found["lines"] else 0)


@app.command("export")
def export_table(
    what: Annotated[str, typer.Argument(help="earnings, payments, ineligible, ledger or journal.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    partner: Annotated[str | None, typer.Option(help="One partner location.")] = None,
    period: Annotated[datetime | None, typer.Option(formats=["%Y-%m"], help="One month.")] = None,
    kind: Annotated[str, typer.Option("--format", help="csv, parquet or xlsx.")] = "csv",
) -> None:
    """Write earnings, payments or ineligible revenue as Partner Center's reports have them, the ledger, or the journal.

    A period is an accounting month; of payments the month of the cycle, of ineligible revenue the earning month.

    \b
    Examples: incentives export earnings --partner 4391507 --out earnings.xlsx --format xlsx
              incentives export journal --period 2022-03 --out journal.csv
    """
    from app import export

    in_a_folder(out, "--out")
    if what not in export.QUERIES:
        raise typer.BadParameter(f"[{what}] is not one of {list(export.QUERIES)}", param_hint="what")
    if kind not in export.WRITERS:
        raise typer.BadParameter(f"[{kind}] is not one of {list(export.WRITERS)}", param_hint="--format")
    if what in export.REPORTS:
        _names_products(releases.published())
    with _current(store.streaming() if what in export.REPORTS else None) as con:
        if partner:
            _known(con, partner)
        rows = export.export(con, what, out, kind=kind, partner=partner, period=period.date() if period else None)
    say(f"wrote {rows:,} rows to {out}")


@app.command("statement")
def write_statement(
    partner: Annotated[str, typer.Option(help="Partner location.")],
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Accounting month.")],
    out: Annotated[Path, typer.Option(help="File to write: .pdf or .xlsx.")],
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
) -> None:
    """A partner's statement of a month: balances, what moved them, what was paid.

    \b
    Example: incentives statement --partner 4391507 --month 2022-03 --out statement.pdf
    """
    from app import statements

    in_a_folder(out, "--out")
    kind = out.suffix.removeprefix(".").lower()
    if kind not in statements.WRITERS:
        raise typer.BadParameter(f"[{out.name}] does not end in .pdf or .xlsx", param_hint="--out")
    if language not in statements.LANGUAGES:
        raise typer.BadParameter(f"[{language}] is not one of {list(statements.LANGUAGES)}", param_hint="--language")
    with _current() as con:
        _known(con, partner)
        as_of = date.fromisoformat((releases.current() or {})["as_of_date"])
        made = statements.statement(statements.asked(con, partner), partner, month.date(), as_of)
        out.write_bytes(statements.WRITERS[kind](made, statements.reader(con, language)))
    say(f"wrote {out}")


@app.command()
def query(
    sql: Annotated[str | None, typer.Argument(help="A SELECT on the published tables.")] = None,
    shell: Annotated[bool, typer.Option("--shell", help="Read statements from the terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the current release, read-only.

    \b
    Example: incentives query "SELECT program, sum(program_earning) FROM earnings_monthly GROUP BY program"
    """
    with _current() as con:
        if shell:
            _shell(con)
        elif sql:
            print_rows(store.rows(con, sql), as_json)
        else:
            raise typer.BadParameter("give a statement or --shell", param_hint="sql")


def _names_products(manifest: dict[str, Any]) -> None:
    """Refuse a release of a version before 0.19, which does not say what products and customers are called."""
    if lacking := {"products", "customers"} - {table["name"] for table in manifest["tables"]}:
        raise LookupError(
            f"release [{manifest['release_id']}] lacks {sorted(lacking)}, as an earlier version made it; the next `incentives run` "
            "that settles a day publishes one that has them."
        )


def _known(con: duckdb.DuckDBPyConnection, partner: str) -> None:
    """Refuse a partner that the release does not know, who would get an empty answer."""
    if not store.rows(con, store.filled("SELECT 1 FROM partners WHERE partner_id = $partner LIMIT 1", partner=partner)):
        raise LookupError(f"partner [{partner}] is not in the current release; check the id.")


@contextmanager
def _current(within: dict[str, str] | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current release, read-only; `within` has the connection's limits."""
    with store.enough_memory("reading the release"), releases.reader(releases.published(), within) as con:
        yield con


def _shell(con: duckdb.DuckDBPyConnection) -> None:
    say("Tables: " + ", ".join(name for (name,) in con.execute("SHOW TABLES").fetchall()) + ". End with Ctrl-D.")
    for line in iter(lambda: _line("incentives> "), None):
        try:
            print_table(store.rows(con, line)) if line.strip() else None
        except duckdb.Error as fault:
            typer.echo(str(fault), err=True)


def _line(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        return None
