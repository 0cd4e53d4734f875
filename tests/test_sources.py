"""Files as Partner Center sends them, mapped to our columns.

The eleven lines are those of Microsoft's documentation of new-commerce seat changes, March 2022, retyped:
https://learn.microsoft.com/partner-center/nce-license-based-billing-scenarios
"""

from decimal import Decimal
from pathlib import Path

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
