"""`incentives quarantine`: rows that were set aside."""

import json
from typing import Annotated

import typer

from app.output import AsJson, pair, print_json, print_rows, say

app = typer.Typer(no_args_is_help=True, help="Rows that were set aside: list, show, release.")


@app.command("list")
def list_quarantine(
    everything: Annotated[bool, typer.Option("--all", help="Released rows too.")] = False, as_json: AsJson = False
) -> None:
    """Rows that were set aside, each with every rule that it broke.

    \b
    Example: incentives quarantine list
    """
    import operations

    print_rows(operations.quarantined(everything=everything), as_json)


@app.command("show")
def show_quarantine(quarantine_id: str, as_json: AsJson = False) -> None:
    """One row with its delivery, file, line and original text, what was expected of it, and how to take it in.

    \b
    Example: incentives quarantine show 2022-03-23-transactions/transactions.csv/12
    """
    import operations

    row = operations.quarantined_row(quarantine_id)
    if as_json:
        print_json(row)
        return
    expected = row.pop("expected")
    for name, value in row.items():
        typer.echo(f"{name:<16} {json.dumps(value) if isinstance(value, dict) else '' if value is None else value}")
    for rule, means in expected.items():
        typer.echo(f"{rule}: expected is: {means}.")
    if not row["released_by"]:
        typer.echo(
            f"Deliver it again corrected, or: incentives quarantine release {quarantine_id} --set column=value --by you"
        )


@app.command("release")
def release_quarantine(
    quarantine_id: str,
    by: Annotated[str, typer.Option(help="Who takes the row in.")],
    given: Annotated[list[str] | None, typer.Option("--set", help="column=value to repair.")] = None,
) -> None:
    """Take a row in again, repaired or as it is; it lands as an archived delivery of its own.

    \b
    Example: incentives quarantine release 2022-03-23-transactions-1/transactions.csv/17 --set revenue=12.50 --by anna
    """
    import operations

    name = operations.release_row(quarantine_id, dict(pair(text) for text in given or []), by)
    say(f"landed {name}; `incentives run` takes it in")
