"""The `incentives` command: everything that a DAG does, by hand."""

import errno
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import duckdb
import typer

from app import ask, emails, operate, payouts, programs, quarantine, releases
from app.dashboard.serve import dashboard
from app.output import REFUSED, AsJson, pair, print_json, print_table, quiet, say
from app.simulate import simulate
from warehouse import store
from warehouse.tables import FEEDS

UNUSABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.ENOTDIR, errno.EISDIR, errno.EEXIST)
app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def _tell_version(wanted: bool) -> None:
    if wanted:
        from pipeline import ENGINE_VERSION

        say(
            f"partner-incentives {ENGINE_VERSION}, warehouse schema {store.SCHEMA_VERSION}, DuckDB {duckdb.__version__}"
        )
        raise typer.Exit


@app.callback()
def home(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Which versions these are.")
    ] = False,
) -> None:
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

    \b
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
        progress=say,
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
    withdraws_most: Annotated[
        bool, typer.Option("--withdraws-most", help="The snapshot is meant to withdraw more than half of its feed.")
    ] = False,
) -> None:
    """Hand files over as a delivery: writes the manifest. Folders that are deliveries already are copied as they are.

    \b
    Examples: incentives land transactions.csv --feed transactions --date 2022-03-25
              incentives land recon.csv --source partner-center-nce --feed transactions --date 2022-03-25
                  --set partner=4391507 --set customer=c1 --set currency=USD
              incentives land sample
    """
    from app import land as landing
    from warehouse import handover

    if all(path.is_dir() for path in files):
        found = landing.deliveries(files)
        if not found:
            raise typer.BadParameter(
                f"no deliveries in {[str(path) for path in files]}: each is a folder with a manifest.json; "
                "or give files with --feed and --date",
                param_hint="files",
            )
        for name in found:
            say(f"landed {name}")
        return
    if not feed or not day:
        raise typer.BadParameter("give --feed and --date with files", param_hint="--feed/--date")
    settings = dict(pair(text) for text in given or [])
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
            withdraws_most=withdraws_most,
        )
    except ValueError as fault:
        raise typer.BadParameter(str(fault)) from None
    say(f"landed {name}")


@app.command()
def ingest(as_json: AsJson = False) -> None:
    """Take in what has landed. Exit 1 when a delivery was refused.

    \b
    Example: incentives ingest --json
    """
    import pipeline

    lines = pipeline.ingest(progress=quiet if as_json else say)
    if as_json:
        print_json(lines)
    raise typer.Exit(REFUSED if any(line["delivery_status"] == "refused" for line in lines) else 0)


@app.command()
def settle(
    day: Annotated[datetime | None, typer.Argument(formats=["%Y-%m-%d"], help="Business date.")] = None,
    first: Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"])] = None,
    last: Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"])] = None,
    as_json: AsJson = False,
) -> None:
    """Work out and publish one day, or every due day of a range, which is published once, at its end.

    \b
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
    reports = pipeline.backfill(due, progress=quiet if as_json else say)
    if as_json:
        print_json(reports)


@app.command()
def run(as_json: AsJson = False) -> None:
    """Ingest, then settle every due day: what the DAGs do, without a scheduler.

    \b
    Example: incentives run
    """
    import pipeline
    from app.summary import summary

    reports = pipeline.run(progress=quiet if as_json else say)
    if as_json:
        print_json(reports)
    else:
        typer.echo("\n" + summary())


@app.command()
def status(
    now: Annotated[datetime | None, typer.Option(help="Judge as of this instant, UTC.")] = None, as_json: AsJson = False
) -> None:
    """Which days are complete, late or settled, and what an operator should look at. Exit 1 when there is something.

    \b
    Example: incentives status --now 2022-03-26T06:00:00
    """
    import monitoring
    import pipeline

    days, found = monitoring.days_and_alerts(now)
    if as_json:
        print_json({"days": days, "alerts": found, "release": (pipeline.current_release() or {}).get("release_id")})
    else:
        shown = [
            {
                "day": day["business_date"],
                "state": _state(day),
                "missing": ", ".join(day["missing"]),
                "last known": ", ".join(day["last_known"]),
            }
            for day in days
        ]
        print_table(shown)
        for alert in found:
            say(
                f"{alert['severity']:<8} {alert['condition']}: {alert['message']} See docs/runbook.md: {alert['runbook']}."
            )
    raise typer.Exit(REFUSED if found else 0)


def _state(day: dict[str, Any]) -> str:
    if day["is_settled"]:
        return "settled"
    return "passed over" if day["is_passed_over"] else "due" if day["is_complete"] else "incomplete"


app.add_typer(operate.app)
app.add_typer(ask.app)
app.command()(simulate)
app.command()(dashboard)
app.add_typer(programs.app, name="programs")
app.add_typer(payouts.app, name="payouts")
app.add_typer(emails.app, name="emails")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(releases.app, name="releases")


def main() -> None:
    """Run the command; a fault of the data or of a rule file is one message and exit 1."""
    try:
        app()
    except Exception as fault:
        import pipeline

        told = (
            pipeline.Refused, pipeline.RuleFault, pipeline.NotYet, pipeline.Busy, pipeline.ResourceSetting, LookupError,
            duckdb.Error,
        )  # fmt: skip
        if isinstance(fault, OSError) and fault.filename and fault.errno in UNUSABLE:
            said = f"[{fault.filename}] cannot be used: {fault.strerror}; INCENTIVES_HOME is [{store.home()}]."
        elif isinstance(fault, told):
            said = str(fault)
        else:
            raise
        typer.echo("\n".join([said, *getattr(fault, "__notes__", ())]), err=True)
        raise SystemExit(REFUSED) from None


if __name__ == "__main__":
    main()
