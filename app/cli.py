"""The `incentives` command: everything that a DAG does, by hand."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from app import emails, payouts, programs
from app.dashboard.serve import dashboard
from app.output import REFUSED, AsJson
from app.output import print_json as _print_json
from app.output import print_rows as _print
from app.output import print_table as _print_table
from app.output import say as _say
from app.simulate import simulate
from warehouse import releases, store
from warehouse.tables import FEEDS

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
quarantine_app = typer.Typer(no_args_is_help=True, help="Rows that were set aside: list, show, release.")
releases_app = typer.Typer(no_args_is_help=True, help="Published releases: list, current, rollback.")
app.add_typer(programs.app, name="programs")
app.add_typer(payouts.app, name="payouts")
app.add_typer(emails.app, name="emails")
app.add_typer(quarantine_app, name="quarantine")
app.add_typer(releases_app, name="releases")


@app.callback()
def home() -> None:
    """Partner incentives: files in, eligibility and earnings worked out, tables published.

    All data lies in INCENTIVES_HOME (./var unless it is set); rule files in INCENTIVES_PROGRAMS (programs/).
    """


@app.command()
def sample(
    out: Annotated[Path, typer.Option(help="Folder for the deliveries.")] = Path("sample"),
    first_day: Annotated[
        datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First business date.")
    ] = datetime(2022, 3, 23),
    days: Annotated[int, typer.Option(min=1, help="How many business days.")] = 3,
    partners: Annotated[int, typer.Option(min=10, help="Partner locations.")] = 300,
    transactions: Annotated[int, typer.Option(min=10, help="Transactions a day.")] = 2000,
    seed: Annotated[int, typer.Option(help="The same seed makes the same files.")] = 1,
    defects: Annotated[
        bool, typer.Option("--defects", help="Seed every kind of fault, with a key of where it lands.")
    ] = False,
) -> None:
    """Make faithful, made-up deliveries.

    Example: incentives sample --out sample --days 3 --defects
    """
    from app.sample import sample as make

    make(
        out,
        first_day=first_day.date(),
        days=days,
        partners=partners,
        transactions=transactions,
        seed=seed,
        defects=defects,
        progress=_say,
    )


@app.command()
def land(
    files: Annotated[list[Path], typer.Argument(exists=True, dir_okay=True, help="Files, or folders of deliveries.")],
    feed: Annotated[str | None, typer.Option(help=f"One of {', '.join(FEEDS)}.")] = None,
    day: Annotated[datetime | None, typer.Option("--date", formats=["%Y-%m-%d"], help="Business date.")] = None,
    source: Annotated[str | None, typer.Option(help="Source format, if not our own.")] = None,
    given: Annotated[list[str] | None, typer.Option("--set", help="name=value for what the file lacks.")] = None,
    mode: Annotated[str | None, typer.Option(help="snapshot (the whole feed) or delta (what is new).")] = None,
    part: Annotated[str, typer.Option(help="n/m when a day's feed comes in m deliveries.")] = "1/1",
    supersedes: Annotated[str | None, typer.Option(help="Delivery that this one replaces.")] = None,
) -> None:
    """Hand files over as a delivery: writes the manifest. Folders that are deliveries already are copied as they are.

    Examples: incentives land transactions.csv --feed transactions --date 2022-03-25
              incentives land recon.csv --source partner-center-nce --feed transactions --date 2022-03-25
                  --set partner=4391507 --set customer=c1 --set currency=USD
              incentives land sample
    """
    from app import land as landing
    from warehouse import handover

    if all(path.is_dir() for path in files):
        for name in landing.deliveries(files):
            _say(f"landed {name}")
        return
    if not feed or not day:
        raise typer.BadParameter("give --feed and --date with files", param_hint="--feed/--date")
    settings = dict(_pair(text) for text in given or [])
    if empty := sorted(name for name, value in settings.items() if not value):
        raise typer.BadParameter(f"{empty} have no value; write name=value", param_hint="--set")
    try:
        name = handover.files(
            files,
            feed=feed,
            day=day.date(),
            source=source,
            settings=settings,
            mode=mode,
            part=part,
            supersedes=supersedes,
        )
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None
    _say(f"landed {name}")


@app.command()
def ingest(as_json: AsJson = False) -> None:
    """Take in what has landed. Exit 1 when a delivery was refused.

    Example: incentives ingest --json
    """
    import pipeline

    lines = pipeline.ingest(progress=_quiet if as_json else _say)
    if as_json:
        _print_json(lines)
    raise typer.Exit(REFUSED if any(line["delivery_status"] == "refused" for line in lines) else 0)


@app.command()
def settle(
    day: Annotated[datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="Business date.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    as_json: AsJson = False,
) -> None:
    """Work out and publish one day, or every due day of a range, which is published once, at its end.

    Examples: incentives settle 2022-03-23
              incentives settle --from 2022-03-01 --to 2022-03-31
    """
    import pipeline

    if day:
        due = [day.date()]
    elif first and last:
        due = [d for d in pipeline.due_days() if first.date() <= d <= last.date()]
    else:
        raise typer.BadParameter("give a day, or --from and --to", param_hint="day")
    reports = pipeline.backfill(due, progress=_quiet if as_json else _say)
    if as_json:
        _print_json(reports)


@app.command()
def run(as_json: AsJson = False) -> None:
    """Ingest, then settle every due day: what the DAGs do, without a scheduler.

    Example: incentives run
    """
    import pipeline
    from app.summary import summary

    reports = pipeline.run(progress=_quiet if as_json else _say)
    if as_json:
        _print_json(reports)
    else:
        typer.echo("\n" + summary())


@app.command()
def status(
    now: Annotated[datetime | None, typer.Option(help="Judge as of this instant, UTC.")] = None, as_json: AsJson = False
) -> None:
    """Which days are complete, late or settled, and what an operator should look at. Exit 1 when there is something.

    Example: incentives status --now 2022-03-26T06:00:00
    """
    import pipeline

    days, found = pipeline.completeness(), pipeline.alerts(now)
    if as_json:
        _print_json({"days": days, "alerts": found, "release": (pipeline.current_release() or {}).get("release_id")})
    else:
        shown = [
            {
                "day": day["business_date"],
                "state": "settled" if day["is_settled"] else "due" if day["is_complete"] else "incomplete",
                "missing": ", ".join(day["missing"]),
                "last known": ", ".join(day["last_known"]),
            }
            for day in days
        ]
        _print_table(shown)
        for alert in found:
            _say(
                f"{alert['severity']:<8} {alert['condition']}: {alert['message']} See docs/runbook.md: {alert['runbook']}."
            )
    raise typer.Exit(REFUSED if found else 0)


@app.command()
def close(
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="Accounting month.")],
    by: Annotated[str, typer.Option(help="Who closes it.")],
) -> None:
    """Close an accounting month and those before it: what changes later is posted in the first open one.

    Example: incentives close 2022-03 --by anna
    """
    import operations

    for closed in operations.close(month.date(), by):
        _say(f"closed {closed:%Y-%m}")


@app.command()
def restate(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day whose lines change.")],
    by: Annotated[str | None, typer.Option(help="Who wrote the rule edit.")] = None,
    approved_by: Annotated[
        str | None, typer.Option(help="Who approves it; not the author. Without it: the plan.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a held rule edit would change, partner by partner; with --approved-by, post it.

    Examples: incentives restate --from 2022-01-01
              incentives restate --from 2022-01-01 --by anna --approved-by ben
    """
    import operations

    if not approved_by:
        rows = operations.restate_plan(first.date())
        _print(
            [
                {name: row[name] for name in ("program", "partner_id", "earning_month", "earning_type", "line_count")}
                | {"difference": _major(row["amount_minor"], row["exponent"]), "currency": row["currency"]}
                for row in rows
            ],
            as_json,
        )
        return
    if not by:
        raise typer.BadParameter("say who wrote the edit", param_hint="--by")
    report = operations.restate(first.date(), by=by, approved_by=approved_by)
    _print_json(report) if as_json else _say(f"published {report['release_id']}: {report['entries']} ledger entries")


@app.command()
def erase(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    by: Annotated[
        str | None, typer.Option(help="Who erases the person. Without it: where the person is named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show where a person is named; with --by, erase the person and remove all releases but the current.

    What the person did stays under a token. Backups, and files outside the home, are not reached.

    Examples: incentives erase pat@contoso.example
              incentives erase pat@contoso.example --by anna
    """
    import operations

    if not by:
        plan = operations.erase_plan(email)
        places = [{"place": table, "count": count} for table, count in plan["rows"].items()]
        _print([*places, *({"place": f"delivery {name}", "count": 1} for name in plan["deliveries"])], as_json)
        return
    done = operations.erase(email, by)
    told = f"erased from [{sum(done['rows'].values())}] rows and [{len(done['files'])}] delivered files; now [{done['token']}]"
    _print_json(done) if as_json else _say(told)


app.command()(simulate)
app.command()(dashboard)


def _major(minor: int, exponent: int) -> str:
    """An amount in major units, with the decimals of its currency.

    >>> _major(-123456, 2)
    '-1,234.56'
    """
    return f"{Decimal(minor).scaleb(-exponent):,.{exponent}f}"


@app.command()
def replay(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Settled business date.")],
    as_json: AsJson = False,
) -> None:
    """Work out a settled day anew from the archive and compare it with its release. Exit 1 when they differ.

    Example: incentives replay 2022-03-24
    """
    import operations

    found = operations.replay(day.date(), progress=_quiet if as_json else _say)
    if as_json:
        _print_json(found)
    elif found["differing"]:
        _say(
            f"differs from release {found['against']}, made by engine {', '.join(found['engines'])}; this is {found['engine']}:"
        )
        _print_table(found["differing"])
    else:
        _say(f"equal to release {found['against']}, table by table ({found['runs']} runs)")
    raise typer.Exit(REFUSED if found["differing"] else 0)


@app.command()
def backup(out: Annotated[Path, typer.Argument(help="File to write, such as backup.tar.gz.")]) -> None:
    """Write the warehouse, the archive, the releases and what waits in landing to one file.

    Example: incentives backup backup-2022-03-31.tar.gz
    """
    from app import keeping

    _in_a_folder(out, "out")
    _say(f"wrote {keeping.backup(out) >> 20:,} MiB to {out}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `incentives backup` wrote.")],
) -> None:
    """Restore a backup into an empty INCENTIVES_HOME, then verify it. Exit 1 when it does not hold.

    Example: INCENTIVES_HOME=/srv/incentives incentives restore backup-2022-03-31.tar.gz
    """
    from app import keeping

    keeping.restore(file)
    _say(f"restored to {store.home()}")
    verify()


@app.command()
def gc(
    keep: Annotated[int, typer.Option(min=1, help="How many releases keep their data; manifests stay for ever.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Merge the current release's parts of past months, remove old releases' data, and write the warehouse anew.

    Files that no kept release names go too. Readers find the same as before.

    Example: incentives gc --keep 30
    """
    from app import keeping

    found = keeping.gc(keep)
    _print_json(found) if as_json else _print_table([found])


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Check the hash chain, and the ledger against a full recomputation. Exit 1 when either does not hold.

    Example: incentives verify
    """
    import operations

    found = operations.verify()
    if as_json:
        _print_json(found)
    else:
        _say(f"as of {found['as_of']}: {found['entries']:,} ledger entries")
        _say("the chain holds" if not found["broken"] else "edited since they were posted:")
        _print_table(found["broken"]) if found["broken"] else None
        _say("a full recomputation says the same" if not found["differences"] else "a full recomputation differs by:")
        _print_table(found["differences"]) if found["differences"] else None
        if found["waiting"]:
            _say(f"not compared, as they wait for the next settled day: {', '.join(found['waiting'])}")
    raise typer.Exit(REFUSED if found["broken"] or found["differences"] else 0)


@app.command()
def adjustments(as_json: AsJson = False) -> None:
    """Declared adjustments: posted, waiting, or why not. Exit 1 when one cannot be posted.

    Example: incentives adjustments
    """
    import operations

    rows = operations.declared_adjustments()
    _print(rows, as_json)
    raise typer.Exit(REFUSED if any(row["message"] for row in rows) else 0)


@quarantine_app.command("list")
def list_quarantine(
    everything: Annotated[bool, typer.Option("--all", help="Released rows too.")] = False, as_json: AsJson = False
) -> None:
    """Rows that were set aside, each with every rule that it broke."""
    import pipeline

    _print(pipeline.quarantined(everything=everything), as_json)


@quarantine_app.command("show")
def show_quarantine(quarantine_id: str, as_json: AsJson = False) -> None:
    """One row with its delivery, file, line and original text."""
    import pipeline

    row = pipeline.quarantined_row(quarantine_id)
    if as_json:
        _print_json(row)
        return
    for name, value in row.items():
        typer.echo(f"{name:<16} {json.dumps(value) if isinstance(value, dict) else value}")


@quarantine_app.command("release")
def release_quarantine(
    quarantine_id: str,
    by: Annotated[str, typer.Option(help="Who takes the row in.")],
    given: Annotated[list[str] | None, typer.Option("--set", help="column=value to repair.")] = None,
) -> None:
    """Take a row in again, repaired or as it is; it lands as an archived delivery of its own.

    Example: incentives quarantine release 2022-03-23-transactions-1/transactions.csv/17 --set revenue=12.50 --by anna
    """
    import pipeline

    name = pipeline.release_row(quarantine_id, dict(_pair(text) for text in given or []), by)
    _say(f"landed {name}; `incentives run` takes it in")


@releases_app.command("list")
def list_releases(as_json: AsJson = False) -> None:
    """Every release that is kept."""
    now = (releases.current() or {}).get("release_id")
    rows = [
        {
            "release": m["release_id"],
            "as of": m["as_of_date"],
            "current": "*" if m["release_id"] == now else "",
            "ledger rows": sum(_rows(t) for t in m["tables"] if t["name"] == "earnings_ledger"),
            "ledger hash": next(t["content_hash"][:12] for t in m["tables"] if t["name"] == "earnings_ledger"),
        }
        for m in releases.releases()
    ]
    _print(rows, as_json)


def _rows(table: dict[str, Any]) -> int:
    return table["rows"] + sum(month["rows"] for month in table.get("partitions", ()))


@releases_app.command("current")
def current_release(as_json: AsJson = False) -> None:
    """The release that readers see, table by table."""
    manifest = releases.current()
    if not manifest:
        raise LookupError("nothing is published yet; run `incentives run`.")
    if as_json:
        _print_json(manifest)
        return
    typer.echo(f"{manifest['release_id']} as of {manifest['as_of_date']}: {releases.database(manifest)}")
    _print_table(
        [{"table": t["name"], "rows": _rows(t), "content hash": t["content_hash"]} for t in manifest["tables"]]
    )


@releases_app.command("rollback")
def rollback() -> None:
    """Point readers to the release before the current one."""
    with store.locked("rollback"):
        manifest = releases.rollback()
    _say(f"readers see {manifest['release_id']} as of {manifest['as_of_date']}")


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

    Examples: incentives explain 0f4c1d2e-…
              incentives explain --partner 4391507 --period 2022-03
              incentives explain --file transactions.csv --line 17 --delivery 2022-03-23-transactions-1
    """
    from app import explain

    with _current() as con:
        if wanted:
            found: list[dict[str, Any]] = [explain.of_id(con, wanted)]
        elif file and line:
            found = explain.of_file_line(con, file, line, delivery)
        elif partner and period:
            month = explain.of_partner_month(con, partner, period.date())
            if as_json:
                _print_json(month)
                return
            for heading, rows in month.items():
                _say(f"{heading}")
                _print_table(rows)
            return
        else:
            raise typer.BadParameter("give an id, --partner with --period, or --file with --line", param_hint="wanted")
    if as_json:
        _print_json(found)
        return
    for one in found:
        for text in explain.told(one):
            _say(text)


@app.command("reconcile")
def reconcile_statement(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The partner's statement, CSV.")],
    partner: Annotated[str, typer.Option(help="Partner location.")],
    as_json: AsJson = False,
) -> None:
    """A partner's statement beside our ledger. Exit 1 when a line does not agree.

    Columns: transaction_id, amount, currency, month, and rate if there is one; Partner Center's names do as well.

    Example: incentives reconcile statement.csv --partner 4391507
    """
    from app.reconcile import reconcile

    with _current() as con:
        found = reconcile(con, file, partner)
    if as_json:
        _print_json(found)
    else:
        _print_table(found["sums"])
        if found["lines"]:
            _say("")
            _print_table(found["lines"])
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

    Examples: incentives export earnings --partner 4391507 --out earnings.xlsx --format xlsx
              incentives export journal --period 2022-03 --out journal.csv
    """
    from app import export

    _in_a_folder(out, "--out")
    if what not in export.QUERIES:
        raise typer.BadParameter(f"[{what}] is not one of {list(export.QUERIES)}", param_hint="what")
    if kind not in export.WRITERS:
        raise typer.BadParameter(f"[{kind}] is not one of {list(export.WRITERS)}", param_hint="--format")
    with _current() as con:
        rows = export.export(con, what, out, kind=kind, partner=partner, period=period.date() if period else None)
    _say(f"wrote {rows:,} rows to {out}")


@app.command("statement")
def write_statement(
    partner: Annotated[str, typer.Option(help="Partner location.")],
    month: Annotated[datetime, typer.Option(formats=["%Y-%m"], help="Accounting month.")],
    out: Annotated[Path, typer.Option(help="File to write: .pdf or .xlsx.")],
    language: Annotated[str, typer.Option(help="en or de.")] = "en",
) -> None:
    """A partner's statement of a month: balances, what moved them, what was paid.

    Example: incentives statement --partner 4391507 --month 2022-03 --out statement.pdf
    """
    from app import statements

    _in_a_folder(out, "--out")
    kind = out.suffix.removeprefix(".").lower()
    if kind not in statements.WRITERS:
        raise typer.BadParameter(f"[{out.name}] does not end in .pdf or .xlsx", param_hint="--out")
    if language not in statements.LANGUAGES:
        raise typer.BadParameter(f"[{language}] is not one of {list(statements.LANGUAGES)}", param_hint="--language")
    with _current() as con:
        as_of = date.fromisoformat((releases.current() or {})["as_of_date"])
        made = statements.statement(statements.asked(con, partner), partner, month.date(), as_of)
        out.write_bytes(statements.WRITERS[kind](made, statements.reader(con, language)))
    _say(f"wrote {out}")


@app.command()
def query(
    sql: Annotated[str | None, typer.Argument(help="A SELECT on the published tables.")] = None,
    shell: Annotated[bool, typer.Option("--shell", help="Read statements from the terminal.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ask the current release, read-only.

    Example: incentives query "SELECT program, sum(program_earning) FROM earnings_monthly GROUP BY program"
    """
    with _current() as con:
        if shell:
            _shell(con)
        elif sql:
            _print(store.rows(con, sql), as_json)
        else:
            raise typer.BadParameter("give a statement or --shell", param_hint="sql")


@contextmanager
def _current() -> Iterator[duckdb.DuckDBPyConnection]:
    """The current release, read-only."""
    manifest = releases.current()
    if not manifest:
        raise LookupError("nothing is published yet; run `incentives run`.")
    with releases.reader(manifest) as con:
        yield con


def _shell(con: duckdb.DuckDBPyConnection) -> None:
    _say("Tables: " + ", ".join(name for (name,) in con.execute("SHOW TABLES").fetchall()) + ". End with Ctrl-D.")
    for line in iter(lambda: _line("incentives> "), None):
        try:
            _print_table(store.rows(con, line)) if line.strip() else None
        except duckdb.Error as fault:
            typer.echo(str(fault), err=True)


def _line(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        return None


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise typer.BadParameter(f"[{text}] is not name=value", param_hint="--set")
    return name.strip(), value.strip()


def _in_a_folder(out: Path, hint: str) -> None:
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"folder [{out.absolute().parent}] does not exist; make it first", param_hint=hint)


def _quiet(line: str) -> None:
    return None


def main() -> None:
    """Run the command; a fault of the data or of a rule file is one message and exit 1."""
    try:
        app()
    except Exception as fault:
        import pipeline

        told = (
            pipeline.Refused, pipeline.RuleFault, pipeline.NotYet, pipeline.Busy, pipeline.MemorySetting, LookupError,
            duckdb.Error,
        )  # fmt: skip
        if not isinstance(fault, told):
            raise
        typer.echo(str(fault), err=True)
        raise SystemExit(REFUSED) from None


if __name__ == "__main__":
    main()
