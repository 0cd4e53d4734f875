"""How commands answer: lines, aligned tables, JSON."""

import json
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
REFUSED, USAGE = 1, 2


def say(line: str) -> None:
    """One line."""
    typer.echo(line)


def quiet(line: str) -> None:
    """No line: what progress is told to while JSON is printed."""


def print_rows(rows: list[dict[str, Any]], as_json: bool, figures: Sequence[str] = ()) -> None:
    """Rows as JSON or as a table."""
    print_json(rows) if as_json else print_table(rows, figures)


def print_json(found: Any) -> None:
    """Anything as JSON; dates and decimals as text."""
    typer.echo(json.dumps(found, indent=2, default=str))


def print_table(rows: Sequence[dict[str, Any]], figures: Sequence[str] = ()) -> None:
    """Rows as aligned columns; numbers, and the columns named as figures, to the right; `(none)` where there are none."""
    if not rows:
        typer.echo("(none)")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, value in rows[0].items():
        is_text = isinstance(value, str | date | None | bool) and name not in figures
        table.add_column(name, justify="left" if is_text else "right", overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 200, highlight=False).print(table)


def pair(text: str) -> tuple[str, str]:
    """What an option gives as name=value."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise typer.BadParameter(f"[{text}] is not name=value", param_hint="--set")
    return name.strip(), value.strip()


def in_a_folder(out: Path, hint: str) -> None:
    """Refuse a file to write whose folder is not there."""
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"folder [{out.absolute().parent}] does not exist; make it first", param_hint=hint)
