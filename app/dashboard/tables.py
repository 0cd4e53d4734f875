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
_templates = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True)
_template, _facts = (_templates.get_template(f"{name}.html") for name in ("tables", "facts"))


@dataclass(frozen=True)
class Column:
    """One column: its heading and how a row's cell reads; figures stand to the right.

    `link` makes an address of a row, `badge` one of good, bad, wait, none; `beside` is told less loudly after the text. Of an id
    as much is shown as there is room for.
    """

    title: str
    text: Callable[[Any], str]
    is_figure: bool = False
    link: Callable[[Any], str] | None = None
    badge: Callable[[Any], str] | None = None
    beside: Callable[[Any], str] | None = None
    is_id: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell as the template has it."""

    text: str
    kind: str = ""
    link: str = ""
    badge: str = ""
    beside: str = ""


@dataclass(frozen=True)
class Fact:
    """One thing that is known: what it is, how it reads, with a link, a badge or what is told beside it, as columns have them."""

    name: str
    text: str
    link: str = ""
    badge: str = ""
    beside: str = ""


def show(
    rows: pd.DataFrame,
    columns: Sequence[Column],
    *,
    label: str,
    empty: str,
    total: Sequence[str] = (),
    pages: str = "",
    stacks: bool = False,
) -> None:
    """Rows as a table, 25 a page; `empty` where there are none. `total` gives the texts of a last row.

    `pages` is what the address of the page calls the number of the open one, where somebody may come back to it. On a phone a
    table that `stacks`, as one of many words or columns does, has the cells of a row one below the other.
    """
    if rows.empty:
        st.info(empty)
        return
    first = _page(len(rows), label, pages) * PAGE_ROWS
    page = rows.iloc[first : first + PAGE_ROWS]
    st.html(html(_objects(page), columns, label=label, total=total, stacks=stacks))


def _objects(rows: pd.DataFrame) -> list[SimpleNamespace]:
    """Rows with their columns as attributes, None where a value is missing."""
    values = {
        name: [value if known else None for value, known in zip(column.tolist(), column.notna(), strict=True)]
        for name, column in rows.items()
    }
    return [SimpleNamespace(**dict(zip(values, row, strict=True))) for row in zip(*values.values(), strict=True)]


def html(
    rows: Sequence[Any], columns: Sequence[Column], *, label: str, total: Sequence[str] = (), stacks: bool = False
) -> str:
    """The HTML of a table; every text is escaped."""
    kinds = ["figure" if column.is_figure else "id" if column.is_id else "" for column in columns]
    cells = [[_cell(column, row, kind) for column, kind in zip(columns, kinds, strict=True)] for row in rows]
    last = [Cell(text, kind) for text, kind in zip(total, kinds, strict=True)] if total else []
    return _template.render(rows=cells, columns=columns, label=label, total=last, stacks=stacks)


def _cell(column: Column, row: Any, kind: str) -> Cell:
    return Cell(
        column.text(row),
        kind,
        column.link(row) if column.link else "",
        column.badge(row) if column.badge else "",
        column.beside(row) if column.beside else "",
    )


def facts(told: Sequence[Fact]) -> None:
    """What is known of one thing, one below the other; what is empty is left out."""
    st.html(_facts.render(facts=[fact for fact in told if fact.text]))


def _page(count: int, label: str, pages: str) -> int:
    """Which page of a long table is open, from 0."""
    number = -(-count // PAGE_ROWS)
    if number == 1:
        return 0
    return st.pagination(number, key=pages or f"page of {label}", bind="query-params" if pages else None) - 1
