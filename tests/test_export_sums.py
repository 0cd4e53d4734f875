"""The report of earnings beside that of payments, over sample days across the end of a half year: what is paid is what was earned."""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import payouts
import pipeline
from app import export, land
from app.sample import sample
from tests.deliveries import ask
from warehouse import releases

CYCLE = date(2022, 2, 15)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The reports of a home in which a cycle is paid after co-op of the half year has become rebate, by their names."""
    home, out = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("sample")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        sample(out, first_day=date(2021, 12, 30), days=4, partners=40, transactions=100, seed=1, defects=False)
        *first, last = sorted({path.name[:10] for path in out.iterdir() if path.is_dir()})
        land.deliveries([path for day in first for path in sorted(out.glob(f"{day}*"))])
        pipeline.run()
        batch = payouts.propose(CYCLE, "anna")
        payouts.decide(batch["batch_id"], "approved", "ben", batch["batch_hash"])
        land.deliveries(sorted(out.glob(f"{last}*")))
        pipeline.run()
        known = dict(ask("SELECT payment_id, payment FROM payments WHERE earning_type = 'rebate'"))
        yield {what: _rows(what, home / f"{what}.csv") for what in ("earnings", "payments")} | {"known": known}


def _rows(what: str, out: Path) -> list[dict]:
    with releases.reader(releases.published()) as con:
        export.export(con, what, out, kind="csv", partner=None, period=None)
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_earnings_of_each_payment_sum_to_it_before_tax(told):
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in told["earnings"]:
        if row["paymentId"]:
            sums[row["paymentId"]] += Decimal(row["earningAmount"])
    assert sums == told["known"] and len(sums) > 5
    assert {row["paymentID"] for row in told["payments"]} == set(sums)
    paid = Counter(row["reasonCode"] for row in told["earnings"] if row["paymentId"])
    assert paid["coop_converted"] and paid["new_line"]
