"""Downloads: files made by a route of our own, which looks at who asks each time."""

import io
import os
from collections.abc import Callable
from datetime import date
from html import escape
from typing import Any
from urllib.parse import urlencode

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import streamlit as st
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app import export, statements
from app.dashboard import current, login
from app.dashboard.access import Forbidden, Scope
from app.dashboard.view import View
from app.dashboard.words import Words
from app.formulas import without_formulas

SECONDS = 15 * 60  # for which a link is good
KINDS = {
    "csv": ("CSV", "text/csv; charset=utf-8"),
    "xlsx": ("Excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "parquet": ("Parquet", "application/vnd.apache.parquet"),
}
STATEMENT = "statement"
STATEMENT_KINDS = {"pdf": ("PDF", "application/pdf"), "xlsx": KINDS["xlsx"]}
INELIGIBLE_LINES = "ineligible_lines"
OFFERED = {  # table → of what a link to it says that it is
    "adjustments": "Adjustments",
    "coop_funds": "Funds",
    "earnings": "Lines",
    "earnings_ledger": "Ledger",
    "earnings_monthly": "Earnings",
    "eligibility_criteria": "Criteria",
    INELIGIBLE_LINES: "Lines that earn nothing",
    "ineligible_revenue": "Ineligible revenue",
    "payments": "Payments",
    "upcoming_payments": "To be paid",
}
PARTS = {
    INELIGIBLE_LINES: "(FROM {decisions} WHERE decision <> 'eligible')"
}  # of tables, offered under a name of their own


def offer(view: View, table: str, month: date | None = None) -> None:
    """Links to a table as CSV, Excel and Parquet, within the view's period and programs."""
    first, end = (month, month + pd.DateOffset(months=1)) if month is not None else (view.first, view.end)
    wanted = {
        "email": view.scope.viewer.email, "partner_id": view.scope.partner_id, "table": table, "first": str(first)[:10],
        "end": str(end)[:10], "programs": list(view.chosen),
    }  # fmt: skip
    _link(view, view.words(OFFERED[table]), wanted, KINDS)


def offer_statement(view: View, month: date) -> None:
    """Links to the statement of a month as PDF and Excel."""
    wanted = {
        "email": view.scope.viewer.email, "partner_id": view.scope.partner_id, "table": STATEMENT, "first": str(month),
        "locale": view.locale,
    }  # fmt: skip
    _link(view, view.words("Statement of {month}", month=view.month(month)), wanted, STATEMENT_KINDS)


def _link(view: View, of: str, wanted: dict[str, Any], kinds: dict[str, tuple[str, str]]) -> None:
    links = [
        f'<a href="/download?{urlencode({"ticket": _signer().dumps(wanted | {"kind": kind})})}" '
        f'aria-label="{escape(of)}: {label}">{label}</a>'
        for kind, (label, _) in kinds.items()
    ]
    st.html(f'<p class="downloads">{escape(view.words("Download"))}: {" · ".join(links)}</p>')


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(os.environ["INCENTIVES_DASHBOARD_SECRET"], salt="download")


def file(ticket: str, signed_in: str | None) -> tuple[bytes, str, str]:
    """The file that a link stands for, its name and its media type.

    `signed_in` is the e-mail address of who asks; a demonstration does not look at it. Raises Forbidden for a link that is no good
    any more, that is somebody else's, or whose rows the viewer may no longer see.
    """
    try:
        wanted = _signer().loads(ticket, max_age=SECONDS)
    except BadSignature:
        raise Forbidden("this link is no good any more; open the page again.") from None
    if not login.is_demo() and signed_in != wanted["email"]:
        raise Forbidden("this link is somebody else's.")
    release = current.current_release()
    viewer = login.known(release, wanted["email"]) if release else None
    if release is None or viewer is None or wanted["table"] not in (*OFFERED, STATEMENT):
        raise Forbidden("you may not see this.")
    scope = Scope(release, viewer, wanted["partner_id"])
    if wanted["table"] == STATEMENT:
        return _statement(scope, wanted)
    made = WRITERS[wanted["kind"]](_rows(scope, wanted))
    name = f"{wanted['table']}-{wanted['partner_id']}-{release.manifest['as_of_date']}.{wanted['kind']}"
    return made, name, KINDS[wanted["kind"]][1]


def _statement(scope: Scope, wanted: dict[str, Any]) -> tuple[bytes, str, str]:
    month, release = date.fromisoformat(wanted["first"]), scope.release
    as_of = date.fromisoformat(release.manifest["as_of_date"])
    made = statements.statement(scope.ask_rows, scope.partner_id, month, as_of)
    reader = statements.Reader(Words(wanted["locale"]), release.programs, release.levers)
    name = f"statement-{scope.partner_id}-{month:%Y-%m}.{wanted['kind']}"
    return statements.WRITERS[wanted["kind"]](made, reader), name, STATEMENT_KINDS[wanted["kind"]][1]


def _rows(scope: Scope, wanted: dict[str, Any]) -> pa.Table:
    rows = PARTS.get(wanted["table"], f"{{{wanted['table']}}}")
    timed = "earning_month" in scope.ask_arrow(f"FROM {rows} LIMIT 0").column_names
    within = "WHERE earning_month >= $first AND earning_month < $end AND " if timed else "WHERE "
    values = {"first": wanted["first"], "end": wanted["end"]} if timed else {}
    return scope.ask_arrow(
        f"FROM {rows} {within} (len($chosen) = 0 OR list_contains($chosen, program)) ORDER BY ALL",
        chosen=wanted["programs"],
        **values,
    )


def _csv(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    out.write("\N{BYTE ORDER MARK}".encode())
    with pa.csv.CSVWriter(out, rows.schema) as writer:
        for batch in rows.to_batches():
            writer.write_batch(without_formulas(batch))
    return out.getvalue()


def _xlsx(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    export.workbook(rows.to_reader(export.BATCH), export.as_found, out)
    return out.getvalue()


def _parquet(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    pa.parquet.write_table(rows, out)
    return out.getvalue()


WRITERS: dict[str, Callable[[pa.Table], bytes]] = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}
