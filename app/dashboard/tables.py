"""Tables as HTML that everybody can read: figures aligned, headings named, long ones by the page."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import streamlit as st
from jinja2 import Environment, FileSystemLoader

PAGE_ROWS = 25
_template = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template("tables.html")


@dataclass(frozen=True)
class Column:
    """One column: its heading and how a row's cell reads; figures stand to the right.

    `link` makes an address of a row, `badge` one of good, bad, wait, none.
    """

    title: str
    text: Callable[[Any], str]
    is_figure: bool = False
    link: Callable[[Any], str] | None = None
    badge: Callable[[Any], str] | None = None


@dataclass(frozen=True)
class Cell:
    """A cell as the template has it."""

    text: str
    kind: str = ""
    link: str = ""
    badge: str = ""


def show(rows: pd.DataFrame, columns: Sequence[Column], *, label: str, empty: str, total: Sequence[str] = ()) -> None:
    """Rows as a table, 25 a page; `empty` where there are none. `total` gives the texts of a last row."""
    if rows.empty:
        st.info(empty)
        return
    first = _page(len(rows), label) * PAGE_ROWS
    page = rows.iloc[first : first + PAGE_ROWS]
    st.html(html(_objects(page), columns, label=label, total=total))


def _objects(rows: pd.DataFrame) -> list[SimpleNamespace]:
    """Rows with their columns as attributes, None where a value is missing."""
    values = {
        name: [value if known else None for value, known in zip(column.tolist(), column.notna(), strict=True)]
        for name, column in rows.items()
    }
    return [SimpleNamespace(**dict(zip(values, row, strict=True))) for row in zip(*values.values(), strict=True)]


def html(rows: Sequence[Any], columns: Sequence[Column], *, label: str, total: Sequence[str] = ()) -> str:
    """The HTML of a table; every text is escaped."""
    kinds = ["figure" if column.is_figure else "" for column in columns]
    cells = [[_cell(column, row, kind) for column, kind in zip(columns, kinds, strict=True)] for row in rows]
    last = [Cell(text, kind) for text, kind in zip(total, kinds, strict=True)] if total else []
    return _template.render(rows=cells, columns=columns, label=label, total=last)


def _cell(column: Column, row: Any, kind: str) -> Cell:
    return Cell(
        column.text(row),
        kind,
        column.link(row) if column.link else "",
        column.badge(row) if column.badge else "",
    )


def _page(count: int, label: str) -> int:
    """Which page of a long table is open, from 0."""
    pages = -(-count // PAGE_ROWS)
    if pages == 1:
        return 0
    chosen = st.pagination(pages, key=f"page of {label}") if hasattr(st, "pagination") else 1
    return (chosen or 1) - 1
