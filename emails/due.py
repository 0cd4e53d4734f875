"""Which e-mails the current release and the alerts call for, written out."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from email.message import EmailMessage
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import iso4217
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from warehouse import releases, sent

LETTERS = Path(__file__).parent / "letters"
LEDGER = "emails"
RECENT = timedelta(days=30)  # what is older was told elsewhere, or the e-mails were set up after it
SUBJECTS = {
    "invitation": "Partner Incentive Enrollment Invitation",  # Partner Center's words (Incentives FAQ, 2023)
    "users": "Your organization's incentives users",
    "action_required": "Action required: {program_title}",
    "claim_action_required": "Action required: co-op claim {request_id}",
    "payment_sent": "Payment {payment_id} is on its way",
    "payment_failed": "Payment {payment_id} could not be made",
    "alert": "{severity}: {condition}",
}
NEEDED = {"enrolments", "invitations", "coop_claims", "payments", "programs", "users"}
ADDRESSED = (LETTERS / "addressed.sql").read_text()


class Event(NamedTuple):
    """What calls for an e-mail of a kind: whom it is to, and what the letter is written from."""

    kind: str
    key: str
    to: list[str]
    values: dict[str, Any]


@dataclass(frozen=True)
class Email:
    """One e-mail that is due; `key` names the event that it tells of, and no person."""

    key: str
    kind: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str

    def message(self, sender: str) -> EmailMessage:
        """The e-mail as it is sent: text, with HTML as the alternative. Its id is the same at every try."""
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = sender, ", ".join(self.to), self.subject
        made["Message-ID"] = f"<{sha256(self.key.encode()).hexdigest()[:32]}@{sender.rsplit('@', 1)[-1].rstrip('>')}>"
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(self.text)
        made.add_alternative(self.html, subtype="html")
        return made


def due(alerts: Iterable[dict[str, Any]] = ()) -> list[Email]:
    """The e-mails that the current release calls for, and one for each alert to the operators.

    Partners' e-mails go to the incentives admins of the location and program. `alerts` are those of `monitoring.alerts`;
    operators are named in INCENTIVES_OPERATORS.
    """
    return [_written(event) for event in _events(alerts)]


def unsent(alerts: Iterable[dict[str, Any]] = ()) -> list[Email]:
    """The due e-mails that have not gone out."""
    gone = sent.sent(LEDGER)
    return [_written(event) for event in _events(alerts) if event.key not in gone]


def record_sent(key: str) -> None:
    """Remember an e-mail as gone out, so that it goes once."""
    sent.record(LEDGER, [key])


def _events(alerts: Iterable[dict[str, Any]]) -> Iterator[Event]:
    operators = [name.strip() for name in os.environ.get("INCENTIVES_OPERATORS", "").split(",") if name.strip()]
    yield from (Event("alert", f"alert:{alert['key']}", operators, alert) for alert in alerts if operators)
    manifest = releases.current()
    if manifest and {table["name"] for table in manifest["tables"]} >= NEEDED:
        as_of = date.fromisoformat(manifest["as_of_date"])
        with releases.reader(manifest) as con:
            for kind in (path.stem for path in sorted(LETTERS.glob("*.sql")) if path.stem in SUBJECTS):
                for row in _rows(con, kind, as_of):
                    yield Event(kind, f"{kind}:{row['key']}", row["recipients"], row)


def _rows(con: duckdb.DuckDBPyConnection, kind: str, as_of: date) -> list[dict[str, Any]]:
    """What one kind of e-mail is due for, with the addresses it goes to."""
    query = ADDRESSED.replace("$due", f"({(LETTERS / f'{kind}.sql').read_text()})")
    return con.execute(query, {"since": as_of - RECENT}).to_arrow_table().to_pylist()


def _written(event: Event) -> Email:
    shown = event.values | {"dashboard": os.environ.get("INCENTIVES_DASHBOARD_URL", "")}
    text, html = (_letters().get_template(f"{event.kind}.{form}").render(shown) for form in ("txt", "html"))
    return Email(event.key, event.kind, tuple(event.to), SUBJECTS[event.kind].format_map(event.values), text, html)


@cache
def _letters() -> Environment:
    made = Environment(
        loader=FileSystemLoader(LETTERS),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters["money"] = _money
    return made


def _money(amount: Decimal, currency: str) -> str:
    """An amount with its currency.

    >>> _money(Decimal("1234.500"), "EUR"), _money(Decimal("1234.000"), "JPY")
    ('EUR 1,234.50', 'JPY 1,234')
    """
    return f"{currency} {amount:,.{iso4217.Currency(currency).exponent or 0}f}"
