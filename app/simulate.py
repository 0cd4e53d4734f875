"""`incentives simulate`: what changed rule files would earn over past days, as tables, JSON, CSV and a plot."""

import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import iso4217
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    import pandas as pd

    from operations import Simulation

VIEWS = {"program": [], "lever": ["lever"], "month": ["earning_month"], "partner": ["partner_id"]}
AMOUNTS = ("in_force", "simulated", "difference", "coop_difference")
SHOWN = 20  # partners in a table; files and JSON have all
DAYS = ["%Y-%m-%d", "%Y-%m"]


def simulate(
    programs: Annotated[Path, typer.Option(exists=True, file_okay=False, help="Folder of the changed rule files.")],
    first: Annotated[datetime, typer.Option("--from", formats=DAYS, help="First reference date.")],
    end: Annotated[datetime, typer.Option("--to", formats=DAYS, help="The day after the last one.")],
    partner: Annotated[str | None, typer.Option(help="Report on one partner location.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for simulation.csv, .svg and .vl.json.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
) -> None:
    """What lines of past days would earn under changed rule files, beside the rules in force. Nothing is posted or kept.

    All rule files of the folder count, drafts as if they were active; a program that it lacks counts as retired.
    Eligibility is judged anew. Sums are in program currency; simulation.csv has the currency of the lines too.

    \b
    Examples: incentives simulate --programs edited --from 2022-01 --to 2022-04
              incentives simulate --programs edited --from 2022-01-01 --to 2022-01-16 --partner 4391507 --json
              incentives simulate --programs edited --from 2021-07 --to 2022-07 --out what-if
    """
    _usable(programs, first.date(), end.date(), out)
    import operations
    from transforms.simulation import in_major_units, summed

    found = operations.simulate(programs, first.date(), end.date(), lambda line: typer.echo(line, err=True))
    rows = found.rows if partner is None else found.rows[found.rows["partner_id"] == partner]
    if partner and rows.empty:
        typer.echo(f"partner [{partner}] has no line in these days that earns, now or then; check the id.", err=True)
    if out:
        _write(out, in_major_units(rows), in_major_units(summed(rows, ["lever", "earning_month"])))
    views = {name: in_major_units(summed(rows, by)) for name, by in VIEWS.items()}
    days = {"as_of": found.as_of, "from": first.date(), "to": end.date()}
    _print_json(found, days, views) if as_json else _print(found, days, views)


def _usable(programs: Path, first: date, end: date, out: Path | None) -> None:
    """Refuse what cannot be meant, before any work."""
    if end <= first:
        raise typer.BadParameter(
            f"[{end}] is not after [{first}]; --to is the day after the last one", param_hint="--to"
        )
    if not list(programs.glob("*.yaml")):
        raise typer.BadParameter(f"[{programs}] holds no rule file (*.yaml)", param_hint="--programs")
    if out and not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"folder [{out.absolute().parent}] does not exist; make it first", param_hint="--out")


def _write(out: Path, rows: "pd.DataFrame", by_month: "pd.DataFrame") -> None:
    """All rows as CSV; the difference by month and lever as a plot and as its Vega-Lite description."""
    import vl_convert

    out.mkdir(exist_ok=True)
    rows.to_csv(out / "simulation.csv", index=False)
    spec = _plot(by_month)
    (out / "simulation.vl.json").write_text(json.dumps(spec, indent=2) + "\n")
    (out / "simulation.svg").write_text(vl_convert.vegalite_to_svg(spec))
    typer.echo(f"wrote simulation.csv, simulation.svg and simulation.vl.json to {out}", err=True)


def _plot(by_month: "pd.DataFrame") -> dict[str, Any]:
    """A Vega-Lite description, its data inside: bars of the difference by month, a colour a lever, a row a program."""
    import altair

    months = sorted({f"{month:%Y-%m}" for month in by_month["earning_month"]})
    values = [
        {
            "program": f"{row.program}, {row.program_currency}", "lever": _marked(row.lever, row.is_illustrative),
            "month": f"{row.earning_month:%Y-%m}", "difference": float(row.difference),
        }
        for row in by_month.itertuples() if row.difference
    ]  # fmt: skip
    bars = altair.Chart(altair.Data(values=values)).mark_bar()
    bars = bars.encode(
        x=altair.X("month:O", title="earning month", scale=altair.Scale(domain=months)),
        y=altair.Y("difference:Q", title="difference"),
        color=altair.Color("lever:N", legend=altair.Legend(symbolLimit=0)),
    ).properties(width=480, height=200)
    rows = bars.facet(
        row=altair.Row("program:N", title=None), title="What the changed rules add (~: illustrative rates)"
    )
    return rows.resolve_scale(y="independent").to_dict()


def _print_json(found: "Simulation", days: dict[str, date], views: dict[str, "pd.DataFrame"]) -> None:
    said = {**days, "rules": found.programs, "waiting": found.waiting}
    shown = {f"by_{name}": _records(rows) for name, rows in views.items()}
    typer.echo(json.dumps({**said, **shown}, indent=2, default=str))


def _records(rows: "pd.DataFrame") -> list[dict[str, Any]]:
    months = {"earning_month": rows["earning_month"].dt.date} if "earning_month" in rows else {}
    return rows.assign(**months).to_dict("records")


def _print(found: "Simulation", days: dict[str, date], views: dict[str, "pd.DataFrame"]) -> None:
    typer.echo("Lines of [{from}, {to}) as known on {as_of}; ~: illustrative rates".format(**days))
    for standing in ("edited", "new", "draft", "retired", "unchanged"):
        if names := sorted(name for name, said in found.programs.items() if said == standing):
            typer.echo(f"{standing:<10} {', '.join(names)}")
    if silent := sorted(set(found.programs) - set(found.rows["program"])):
        typer.echo(f"no line earns anything in {', '.join(silent)}")
    if found.waiting:
        typer.echo(f"counted on both sides, though they wait for the next settled day: {', '.join(found.waiting)}")
    console = Console(width=None if Console().is_terminal else 200, highlight=False)
    for name, rows in views.items():
        _print_view(console, name, rows)


def _print_view(console: Console, name: str, rows: "pd.DataFrame") -> None:
    keys = ["program", *VIEWS[name]]
    if name == "partner":  # those that gain or lose most come first
        rows = rows.iloc[rows["difference"].abs().argsort(kind="stable")[::-1]]
    table = Table(title=f"\nBy {name}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for key in [*keys, "currency"]:
        table.add_column(key.removesuffix("_id").replace("_", " "), overflow="fold")
    for amount in ("in force", "simulated", "difference", "of it co-op"):
        table.add_column(amount, justify="right", no_wrap=True)
    for row in _records(rows[:SHOWN] if name == "partner" else rows):
        told = [f"{row[key]:%Y-%m}" if isinstance(row[key], date) else row[key] for key in keys]
        told[-1] = _marked(told[-1], row["is_illustrative"])
        currency = row["program_currency"]
        table.add_row(*map(Text, [*told, currency, *(_amount(row[amount], currency) for amount in AMOUNTS)]))
    console.print(table if len(rows) else f"\nBy {name}: none")
    if name == "partner" and len(rows) > SHOWN:
        console.print(f"… and {len(rows) - SHOWN:,} more; --json and --out have all")


def _marked(name: str, is_illustrative: bool) -> str:
    return f"{name} ~" if is_illustrative else name


def _amount(value: Decimal, currency: str) -> str:
    """An amount with the decimals of its currency.

    >>> _amount(Decimal("-123456.780"), "USD"), _amount(Decimal("1200.000"), "JPY")
    ('-123,456.78', '1,200')
    """
    return f"{value:,.{iso4217.Currency(currency).exponent}f}"
