"""Files as Partner Center sends them, mapped to our columns.

The eleven lines are those of Microsoft's documentation of new-commerce seat changes, March 2022, retyped:
https://learn.microsoft.com/partner-center/nce-license-based-billing-scenarios
"""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import operations
import pipeline
from tests.deliveries import land_file
from warehouse import store

HEADER = (
    "OrderDate,ProductName,ChargeType,UnitPrice,BillableQuantity,EffectiveUnitPrice_shown,Subtotal,SubscriptionId,"
    "ChargeStartDate,ChargeEndDate,ReferenceId"
)
CHANGES = [
    ("2022-03-05", "new", 10, "120", "7d71c595"),
    ("2022-03-07", "addQuantity", 10, "-112.25", "12d33e18"),
    ("2022-03-07", "addQuantity", 15, "168.38", "12d33e18"),
    ("2022-03-10", "addQuantity", 15, "-150.96", "dc2a0a41"),
    ("2022-03-10", "addQuantity", 25, "251.61", "dc2a0a41"),
    ("2022-03-12", "removeQuantity", 25, "-232.25", "2f8965ff"),
    ("2022-03-12", "removeQuantity", 23, "213.67", "2f8965ff"),
    ("2022-03-14", "removeQuantity", 23, "-195.87", "73b3dc36"),
    ("2022-03-14", "removeQuantity", 20, "170.32", "73b3dc36"),
    ("2022-03-25", "addQuantity", 20, "-85.16", "6759acd5"),
    ("2022-03-25", "addQuantity", 30, "127.74", "6759acd5"),
]
GIVEN = {"partner": "4391507", "customer": "c1", "currency": "USD"}


def land_changes(folder: Path, changes: list[tuple], delivery_id: str) -> None:
    lines = [
        f"{on},Microsoft 365 Business Standard,{charge},12,{seats},0,{subtotal},284b0ff0,{on},2022-04-04,{reference}"
        for on, charge, seats, subtotal, reference in changes
    ]
    path = folder / f"{delivery_id}.csv"
    path.write_text("\n".join([HEADER, *lines]) + "\n")
    land_file(
        path, "transactions", "2022-03-25", delivery_id=delivery_id, source="partner-center-nce", settings=GIVEN,
        control_totals=None,
    )  # fmt: skip


def lines() -> list[tuple]:
    with store.locked("test"), store.warehouse() as con:
        return con.execute(
            "SELECT line.quantity, line.revenue_minor, original.revenue_minor FROM clean.transactions AS line "
            "LEFT JOIN clean.transactions AS original ON original.transaction_id = line.reverses ORDER BY line.line_number"
        ).fetchall()


def test_seat_changes_come_to_30_seats_and_275_23(home, tmp_path):
    land_changes(tmp_path, CHANGES, "nce")
    pipeline.ingest()
    found = lines()
    assert len(found) == 11
    assert sum(row[0] for row in found) == Decimal(30) and sum(row[1] for row in found) == 27523


def test_a_refund_reverses_the_positive_line_before_its_change(home, tmp_path):
    land_changes(tmp_path, CHANGES, "nce")
    pipeline.ingest()
    assert [(row[1], row[2]) for row in lines() if row[1] < 0] == [
        (-11225, 12000), (-15096, 16838), (-23225, 25161), (-19587, 21367), (-8516, 17032),
    ]  # fmt: skip


def test_the_same_file_again_is_all_duplicates(home, tmp_path):
    land_changes(tmp_path, CHANGES, "first")
    pipeline.ingest()
    land_changes(tmp_path, CHANGES, "again")
    assert pipeline.ingest()[0]["rows_duplicate"] == 11


# Line items of Partner Center's API reference, "Get invoice line items", licence-based and usage-based, retyped:
# https://learn.microsoft.com/partner-center/developer/get-invoiceline-items
LINE_ITEMS = [
    {
        "customerId": "74221236-D09C-4870-AC1D-33E155E9AEBE", "mpnId": 4391507, "tier2MpnId": -1,
        "subscriptionId": "4KIKawEAAAAAAAEA", "offerId": "AAA5B3F0-0EE2-431B-A42F-3F18F3C6D540",
        "chargeStartDate": "2017-05-12T00:00:00", "chargeType": "New", "quantity": "3", "subtotal": "12.00", "tax": 0.0,
        "currency": "USD", "attributes": {"objectType": "LicenseBasedLineItem"},
    },
    {
        "customerId": "65726577-c208-40fd-9735-8c85ac000000", "mpnId": 4390934, "tier2MpnId": 4847383, "sku": "7UD-00001",
        "subscriptionId": "87f4b92f-a490-485e-ad34-5b70cb000000", "consumedQuantity": 745, "pretaxCharges": 63.33,
        "taxAmount": 6.34, "chargeType": "Assess usage fee for current cycle", "currency": "usd",
        "usageDate": "2019-08-02T21:20:46.3727561Z", "attributes": {"objectType": "UsageBasedLineItem"},
    },
    {
        "customerId": "", "mpnId": "0", "productId": "DZH318Z0BXWC", "quantity": 1, "subtotal": 5, "currency": "USD",
        "chargeType": "new", "chargeStartDate": "0001-01-01T00:00:00",
    },
]  # fmt: skip


def test_line_items_as_json_are_taken_in_and_a_date_of_year_1_is_missing(home, tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_text("".join(json.dumps(item) + "\n" for item in LINE_ITEMS))
    land_file(
        path, "transactions", "2019-08-02", delivery_id="json", source="partner-center-line-items",
        settings={"customer": "c9"}, control_totals=None,
    )  # fmt: skip
    pipeline.ingest()
    with store.locked("test"), store.warehouse() as con:
        found = con.execute(
            "SELECT seller_id, reseller_id, product_id, transaction_at, charge_type, quantity, revenue_minor, tax_minor "
            "FROM clean.transactions ORDER BY line_number"
        ).fetchall()
    assert found == [
        ("4391507", None, "AAA5B3F0-0EE2-431B-A42F-3F18F3C6D540", datetime(2017, 5, 12), "new", 3, 1200, 0),
        ("4390934", "4847383", "7UD-00001", datetime(2019, 8, 2, 21, 20, 46, 372756), "usage", 745, 6333, 634),
    ]
    assert [row["rules_broken"] for row in operations.quarantined()] == ["required:transaction_at"]
