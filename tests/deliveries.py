"""Small deliveries for tests: name only the columns that matter, the rest is filled in."""

import csv
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pipeline
from settlement import Progress, silent
from warehouse import files, landing, releases, store
from warehouse.tables import FEEDS

DAY = "2021-03-23"
T1 = {"transaction_id": "t1"}
PLAIN = {
    "partners": {
        "global_partner_id": "9000001", "partner_name": "Contoso", "country": "US", "tenant_country": "US",
        "tenant_id": "own-tenant", "partner_type": "indirect_reseller", "reseller_status": "active",
    },
    "agreements": {
        "agreement_type": "mpn", "agreement_status": "active", "signed_on": "2018-01-01", "valid_from": "2018-01-01",
        "valid_to": "",
    },
    "competencies": {
        "competency": "cloud_platform", "competency_level": "gold", "valid_from": "2018-01-01", "valid_to": "",
    },
    "enrolments": {
        "program": "csp-indirect-reseller", "enrolment_status": "enrolled", "valid_from": "2018-01-01", "valid_to": "",
    },
    "payee_profiles": {
        "bank_status": "approved", "tax_status": "approved", "payout_currency": "USD", "validated_on": "2018-01-01",
    },
    "products": {
        "product_name": "Azure plan", "product_family": "azure", "product_segment": "commercial", "is_strategic": "false",
        "term": "P1M", "is_trial": "false", "is_add_on": "false",
    },
    "customers": {
        "customer_name": "Woodgrove", "country": "US", "customer_segment": "commercial", "tenant_created_on": "2015-05-05",
    },
    "claims": {
        "customer_id": "c1", "product_family": "azure", "association": "cpor", "claim_status": "approved",
        "approved_on": "2021-01-01", "valid_from": "2021-01-01", "valid_to": "",
    },
    "fx_rates": {"fx_month": "2021-03", "from_currency": "EUR", "to_currency": "USD", "fx_rate": "1.2121"},
    "users": {"user_email": "pat@contoso.example", "user_name": "Pat", "role": "incentives_admin", "program": "*"},
    "partner_requests": {
        "requested_at": f"{DAY}T08:00:00Z", "requested_by": "pat@contoso.example", "program": "*", "request_kind": "complete_set_up",
    },
    "request_reviews": {},
    "tax_rates": {"valid_from": "2018-01-01", "valid_to": ""},
    "tax_invoices": {
        "partner_id": "1000001", "program": "csp-indirect-reseller", "invoiced_on": "2021-05-01",
        "invoice_status": "approved",
    },
    "transactions": {
        "seller_id": "2000001", "reseller_id": "1000001", "customer_id": "c1", "product_id": "azure",
        "subscription_id": "s1", "transaction_at": f"{DAY}T10:00:00Z", "invoice_at": "", "charge_type": "new",
        "quantity": "1", "revenue": "100.00", "tax": "0.00", "currency": "USD", "association": "reseller", "reverses": "",
    },
}  # fmt: skip
WORLD = {
    "partners": [{"partner_id": "1000001"}, {"partner_id": "2000001", "partner_type": "indirect_provider"}],
    "agreements": [{"agreement_id": "a1", "partner_id": "1000001"}],
    "competencies": [{"partner_id": "1000001"}],
    "enrolments": [{"partner_id": "1000001"}],
    "payee_profiles": [{"partner_id": "1000001"}],
    "products": [{"product_id": "azure"}],
    "customers": [{"customer_id": "c1"}],
    "fx_rates": [{}],
    "users": [{"partner_id": "1000001"}],
}  # fmt: skip


_made: dict[str, TemporaryDirectory] = {}


def land(feed: str, rows: list[dict], day: str = DAY, *, number: int = 1, **manifest) -> str:
    """Land rows of a feed as a CSV delivery of a day; its id."""
    delivery_id = manifest.pop("delivery_id", f"{day}-{feed}-{number}")
    columns = list(FEEDS[feed].delivered)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{feed}.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, columns)
            writer.writeheader()
            writer.writerows(PLAIN[feed] | row for row in rows)
        return land_file(path, feed, day, delivery_id=delivery_id, number=number, **manifest)


def land_file(path: Path, feed: str, day: str = DAY, *, delivery_id: str, number: int = 1, **manifest) -> str:
    """Land a file as it is; its delivery's id."""
    rows, totals = files.measure(path)
    made = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1, hours=4, minutes=number)
    defaults = {
        "mode": "delta" if feed in ("transactions", "fx_rates") else "snapshot",
        "rows": [rows],
        "control_totals": totals if feed == "transactions" else None,
        "created_at": made,
    }
    landing.deliver(
        store.place("landing"), [path], feed=feed, business_date=datetime.fromisoformat(day).date(),
        delivery_id=delivery_id, **{**defaults, **manifest},
    )  # fmt: skip
    return delivery_id


def land_world(day: str = DAY, **changed: list[dict]) -> None:
    """Land every feed but transactions, with rows that make partner 1000001 eligible unless changed."""
    for feed, rows in {**WORLD, **changed}.items():
        land(feed, rows, day)


def take_in_world(day: str = DAY, **changed: list[dict]) -> None:
    """The same, taken in."""
    as_made(_take_in_world, day, changed)


def _take_in_world(day: str, changed: dict[str, list[dict]]) -> None:
    land_world(day, **changed)
    pipeline.ingest()


def as_made(make: Callable[..., Any], *given: Any) -> None:
    """Copy into the home what a function makes of an empty one, which it does once in a process."""
    made = f"{make.__module__}.{make.__name__} {json.dumps(given, sort_keys=True)}"
    if made not in _made:
        _made[made] = TemporaryDirectory()
        with store.at(Path(_made[made].name)):
            make(*given)
    copy_home(_made[made].name)


def copy_home(folder: str | Path) -> None:
    """Copy another home into this one."""
    shutil.copytree(folder, store.home(), dirs_exist_ok=True)
    releases.rehome()


def settle_next(day: str, rows: list[dict], progress: Progress = silent, **manifest) -> dict:
    """Land a later day's agreements and transactions, ingest and settle it; `progress` is told of it."""
    land("agreements", WORLD["agreements"], day)
    land("transactions", rows, day, **manifest)
    [report] = pipeline.run(progress)
    return report


def accepted_before(request_id: str) -> None:
    """Have a refused request be one that an earlier version accepted."""
    with store.warehouse() as con:
        con.execute(
            "UPDATE derived.answered_requests SET outcome = 'accepted', reason_code = NULL WHERE request_id = $id",
            {"id": request_id},
        )


def ask(sql: str) -> list[tuple]:
    with releases.reader(pipeline.current_release()) as con:
        return con.execute(sql).fetchall()


def ledger(day: str | None = None) -> list[tuple]:
    scope = f"WHERE posted_on = DATE '{day}'" if day else ""
    return ask(f"SELECT transaction_id, earning_type, amount, cause FROM earnings_ledger {scope} ORDER BY ALL")
