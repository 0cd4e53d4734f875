"""The largest amounts and quantities and the farthest days that a delivery may hold go through a whole day."""

from decimal import Decimal

import pytest

import operations
import pipeline
from tests.deliveries import DAY, WORLD, ask, land, settle_next
from transforms import adjustments
from transforms.rule_file import RuleFault

pytestmark = pytest.mark.usefixtures("one_program")
ALWAYS = {"valid_from": "1900-01-01", "valid_to": "9999-12-31"}
LARGEST = "999999999999.99"


def test_spans_without_end_and_the_largest_lines_are_settled_and_their_sums_published(home):
    for feed, rows in WORLD.items():
        spans = ALWAYS if feed in ("agreements", "competencies", "enrolments") else {}
        land(feed, [row | spans for row in rows])
    land("claims", [{"claim_id": "k1", "partner_id": "1000001", **ALWAYS, "approved_on": "1900-01-01"}])
    large = {"transaction_id": "t1", "revenue": LARGEST, "quantity": "999999999999.999999"}
    land(
        "transactions",
        [large | {"invoice_at": "9999-12-30T00:00:00Z"}, large | {"transaction_id": "t2", "currency": "EUR"}],
    )
    pipeline.run()
    assert ask("SELECT transaction_id, sum(amount) FROM earnings_ledger GROUP BY 1 ORDER BY 1") == [
        ("t1", Decimal("39999999999.990")),
        ("t2", Decimal("39999999999.990")),
    ]
    assert operations.verify()["differences"] == []
    settle_next("2021-03-24", [{"transaction_id": f"u{n}", "revenue": LARGEST} for n in range(300)])
    [(revenue,)] = ask("SELECT sum(revenue) FROM transactions WHERE currency = 'USD'")
    assert revenue == 301 * Decimal(LARGEST)


def test_a_line_of_a_million_units_is_settled(first_day):
    assert settle_next("2021-03-24", [{"transaction_id": "t2", "quantity": "1000000"}])["entries"] == 2


ADJUSTMENT = f"""adjustment: large
program: csp-indirect-reseller
partner: "1000001"
month: {DAY[:8]}01
earning_type: rebate
amount: "1000000000000.00"
currency: USD
reason: policy_exception
by: anna
approved_by: ben
reference: t
expect: {{earned: "0.00"}}
"""


def test_an_adjustment_beyond_what_a_line_may_be_is_refused(tmp_path):
    (tmp_path / "large.yaml").write_text(ADJUSTMENT)
    with pytest.raises(RuleFault, match=r"\[1000000000000.00\] is not below 1,000,000,000,000"):
        adjustments.load(tmp_path / "large.yaml")
