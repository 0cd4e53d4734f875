"""How commands answer: lines, aligned tables, JSON."""

import json
import math
import shutil
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import tabulate
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
REFUSED, USAGE = 1, 2
tabulate.MIN_PADDING = 0  # a column is as wide as what stands in it, also below a long name


def say(line: str) -> None:
    """One line."""
    typer.echo(line)


def quiet(line: str) -> None:
    """No line: what progress is told to while JSON is printed."""


def print_rows(rows: list[dict[str, Any]], as_json: bool, figures: Sequence[str] = ()) -> None:
    """Rows as JSON or as a table."""
    print_json(rows) if as_json else print_table(rows, figures)


def print_json(found: Any) -> None:
    """Anything as JSON; dates, decimals, and numbers that JSON has not got, as text."""
    typer.echo(json.dumps(_plain(found), indent=2, default=str))


def _plain(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _plain(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_plain(value) for value in found]
    return str(found) if isinstance(found, float) and not math.isfinite(found) else found


def print_table(rows: Sequence[dict[str, Any]], figures: Sequence[str] = ()) -> None:
    """Rows as aligned columns; numbers, and the columns named as figures, to the right; `(none)` where there are none.

    A line a row, unless a terminal is too narrow for that: rich folds columns, but takes ten times as long as tabulate.
    """
    if not rows:
        typer.echo("(none)")
        return
    cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
    sides = ["left" if _is_text(value) and name not in figures else "right" for name, value in rows[0].items()]
    text = tabulate.tabulate(
        cells, list(rows[0]), "plain", disable_numparse=True, colalign=sides, preserve_whitespace=True
    )
    if sys.stdout.isatty() and max(map(len, text.splitlines())) > shutil.get_terminal_size().columns:
        _print_folded(list(rows[0]), sides, cells)
    else:
        typer.echo(text)


def _is_text(value: Any) -> bool:
    return isinstance(value, str | date | None | bool)


def _print_folded(names: list[str], sides: list[Any], cells: list[list[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in zip(names, sides, strict=True):
        table.add_column(name, justify=side, overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def pair(text: str) -> tuple[str, str]:
    """What an option gives as name=value."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise typer.BadParameter(f"[{text}] is not name=value", param_hint="--set")
    return name.strip(), value.strip()


def in_a_folder(out: Path, hint: str) -> None:
    """Refuse a file to write whose folder is not there, or that is a folder."""
    if out.is_dir():
        raise typer.BadParameter(f"[{out}] is a folder; name a file in it", param_hint=hint)
    if not out.absolute().parent.is_dir():
        raise typer.BadParameter(f"folder [{out.absolute().parent}] does not exist; make it first", param_hint=hint)
