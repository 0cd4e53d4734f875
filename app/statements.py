"""Statements: what a partner's balances were when a month began, what moved them in it, and what they were when it ended.

Every figure is a sum of ledger entries of the accounting month, so that a statement and the ledger cannot differ.
"""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import typst
import xlsxwriter

from app.dashboard import figures, stored
from app.dashboard.words import LANGUAGES, Words
from warehouse import due, store

__all__ = ["LANGUAGES", "WRITERS", "asked", "pdf", "reader", "statement", "xlsx"]

Rows = list[dict[str, Any]]
Ask = Callable[..., Rows]
TEMPLATE = Path(__file__).with_name("statement.typ")
NAMES = {"rebate": "Rebate", "coop": "Co-op"}
MOVED = "lever <> 'settlement' AND cause <> 'adjustment'"
ADJUSTED = "cause IN ('adjustment', 'coop_converted', 'offset')"
BALANCES = f"""
SELECT program, earning_type, currency, coalesce(sum(amount) FILTER (period < $month), 0) AS opening,
    coalesce(sum(amount) FILTER (period = $month AND {MOVED}), 0) AS earned,
    coalesce(sum(amount) FILTER (period = $month AND {ADJUSTED}), 0) AS adjusted,
    coalesce(sum(amount) FILTER (period = $month AND cause IN {due.NOT_EARNED}), 0) AS paid,
    coalesce(sum(amount) FILTER (period = $month AND cause IN ('forfeited', 'escheated')), 0) AS given_up,
    sum(amount) AS closing
FROM {{earnings_ledger}} WHERE period <= $month GROUP BY ALL HAVING opening <> 0 OR count(*) FILTER (period = $month) > 0
ORDER BY ALL
"""
EARNED = f"""
SELECT program, lever, earning_month, earning_type, cause, cause_detail, count(DISTINCT transaction_id) AS lines,
    sum(amount) AS amount, currency
FROM {{earnings_ledger}} WHERE period = $month AND {MOVED} GROUP BY ALL HAVING sum(amount) <> 0 ORDER BY ALL
"""
ADJUSTMENTS = f"""
SELECT entry.program, entry.adjustment_id, coalesce(adjustment_reason, cause) AS adjustment_reason, reference, note,
    entry.earning_month, entry.earning_type, entry.amount, entry.currency
FROM {{earnings_ledger}} AS entry LEFT JOIN {{adjustments}} AS adjustment ON adjustment.adjustment_id = entry.adjustment_id
WHERE period = $month AND {ADJUSTED} ORDER BY ALL
"""
SETTLED = f"""
SELECT program, payment_id, cause, cause_detail, posted_on, earning_type, amount, currency
FROM {{earnings_ledger}} WHERE period = $month AND cause IN {(*due.NOT_EARNED, "forfeited", "escheated")}
ORDER BY ALL
"""


@dataclass(frozen=True)
class Section:
    """A table of a statement: its heading, its columns (title, field, kind) and its rows."""

    heading: str
    columns: tuple[tuple[str, str, str], ...]
    rows: Rows


@dataclass(frozen=True)
class Statement:
    """A partner's statement of a month."""

    partner: dict[str, Any]
    month: date
    as_of: date
    sections: list[Section]


def statement(ask: Ask, partner_id: str, month: date, as_of: date) -> Statement:
    """A partner's statement of an accounting month; `ask` sees that partner's rows of `{table}` alone.

    Raises LookupError when there is nothing to state.
    """
    made = [
        Section(heading, columns, ask(sql, month=month))
        for heading, columns, sql in (
            ("Balances", _BALANCES, BALANCES),
            ("Earned", _EARNED, EARNED),
            ("Adjustments", _ADJUSTMENTS, ADJUSTMENTS),
            ("Paid, returned and given up", _SETTLED, SETTLED),
        )
    ]
    if not made[0].rows:
        raise LookupError(f"partner [{partner_id}] has no balance up to [{month:%Y-%m}] and nothing posted in it.")
    [partner] = ask("SELECT partner_id, partner_name, country FROM {partners}") or [{"partner_id": partner_id}]
    return Statement(partner, month, as_of, made)


_PROGRAM = ("Program", "program", "program")
_KIND = ("Kind", "earning_type", "kind")
_AMOUNT = ("Amount", "amount", "money")
_BALANCES = (
    _PROGRAM, _KIND, ("Opening", "opening", "money"), ("Earned", "earned", "money"), ("Adjusted", "adjusted", "money"),
    ("Paid", "paid", "money"), ("Given up", "given_up", "money"), ("Closing", "closing", "money"),
)  # fmt: skip
_EARNED = (
    _PROGRAM, ("Lever", "lever", "lever"), ("Earned in", "earning_month", "month"), _KIND, ("Why", "cause", "code"),
    ("What changed", "cause_detail", "detail"), ("Lines", "lines", "number"), _AMOUNT,
)  # fmt: skip
_ADJUSTMENTS = (
    _PROGRAM, ("Adjustment", "adjustment_id", "text"), ("Reason", "adjustment_reason", "code"),
    ("Reference", "reference", "text"), ("Note", "note", "text"), ("Corrects", "earning_month", "month"), _KIND, _AMOUNT,
)  # fmt: skip
_SETTLED = (
    _PROGRAM, ("Payment", "payment_id", "text"), ("What", "cause", "code"), ("Detail", "cause_detail", "detail"),
    ("Posted", "posted_on", "day"), _KIND, _AMOUNT,
)  # fmt: skip


class _Tables(dict):
    """Each table as the rows of one partner."""

    def __missing__(self, name: str) -> str:
        return f"(SELECT * FROM {name} WHERE partner_id = $partner)"


def asked(con: duckdb.DuckDBPyConnection, partner_id: str) -> Ask:
    """How a partner's rows of a release are asked for, by whoever may see all."""

    def ask(sql: str, **values: Any) -> Rows:
        return store.rows(con, sql.format_map(_Tables()), partner=partner_id, **values)

    return ask


def reader(con: duckdb.DuckDBPyConnection, language: str) -> "Reader":
    """A reader of a release in a language."""
    rows = store.rows(con, "SELECT program, program_title, lever, lever_title FROM programs")
    programs = {row["program"]: row["program_title"] for row in rows}
    return Reader(Words(language), programs, {(row["program"], row["lever"]): row["lever_title"] for row in rows})


class Reader:
    """How a reader is told: in a language, with the titles of programs and levers."""

    def __init__(self, words: Words, programs: dict[str, str], levers: dict[tuple[str, str], str]) -> None:
        self.words, self.programs, self.levers = words, programs, levers

    def text(self, row: dict[str, Any], field: str, kind: str) -> str:
        """A cell as people read it."""
        value, locale = row[field], self.words.locale
        if value is None:
            return ""
        readers: dict[str, Callable[[], str]] = {
            "money": lambda: figures.money(value, row["currency"], locale),
            "month": lambda: figures.month(value, locale),
            "day": lambda: figures.day(value, locale),
            "number": lambda: figures.number(value, locale),
            "program": lambda: self.programs.get(value, value),
            "lever": lambda: self.levers.get((row["program"], value), value),
            "kind": lambda: self.words(NAMES[value]),
            "detail": lambda: stored.told(self.words, value),
            "code": lambda: self.words.code(str(value)),
        }
        return readers.get(kind, lambda: str(value))()


def pdf(made: Statement, reader: Reader) -> bytes:
    """A statement as a PDF of A4 pages."""
    words, partner = reader.words, made.partner
    month = figures.month(made.month, words.locale)
    sections = [
        {
            "heading": words(section.heading),
            "titles": [words(title) for title, _, _ in section.columns],
            "figures": [kind in ("money", "number") for _, _, kind in section.columns],
            "rows": [[reader.text(row, field, kind) for _, field, kind in section.columns] for row in section.rows],
        }
        for section in made.sections
        if section.rows
    ]
    said = {
        "title": words("Statement of {month}", month=month),
        "partner": " · ".join(str(part) for part in partner.values() if part),
        "as_of": words("Data as of {day}", day=figures.day(made.as_of, words.locale)),
        "language": words.locale,
        "sections": sections,
    }
    return typst.compile(str(TEMPLATE), sys_inputs={"said": json.dumps(said)})


def xlsx(made: Statement, reader: Reader) -> bytes:
    """A statement as a workbook, a sheet a section; amounts are numbers, each beside its currency."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
        for section in made.sections:
            sheet = book.add_worksheet(reader.words(section.heading)[:31])
            titles = [reader.words(title) for title, _, _ in section.columns]
            sheet.write_row(0, 0, [*titles, reader.words("Currency")], bold)
            sheet.freeze_panes(1, 0)
            for number, row in enumerate(section.rows, 1):
                for place, (_, field, kind) in enumerate(section.columns):
                    if kind in ("money", "number"):
                        sheet.write_number(number, place, row[field])
                    elif kind in ("month", "day"):
                        sheet.write_datetime(number, place, row[field], day)
                    else:
                        sheet.write_string(number, place, reader.text(row, field, kind))
                sheet.write_string(number, len(titles), row["currency"])
            sheet.autofit()
    return out.getvalue()


WRITERS = {"pdf": pdf, "xlsx": xlsx}
