"""A process that DuckDB gives one thread, as on a machine with one core, settles what others settle."""

import shutil
from datetime import date
from pathlib import Path

import pytest

import pipeline
import rulebook
from app import land
from app.sample import sample

HOUSE = """program: house
title: House
status: active
reference: {title: a test}
earner: reseller
partner_types: [indirect_reseller]
currency: EUR
fiscal_year_start: "01-01"
reference_date: transaction_date
rounding: {mode: half_up, at: line}
eligibility: {earns_from: day_met, criteria: [{criterion: active_reseller}]}
split: {rebate: {2018-01-01: 1, 2022-03-24: 0.5}, coop: {2022-03-24: 0.5}}
levers:
  - lever: volume
    title: Volume of a quarter
    effective: {from: 2018-01-01}
    select: {product_family: [office365, microsoft365]}
    measure: revenue
    accumulate: {over: quarter}
    scale: {mode: retroactive, brackets: [{threshold: 0, rate: 0.01}, {threshold: 1000, rate: {2018-01-01: 0.02, 2022-03-24: 0.03}}]}
  - lever: seats
    title: Seats
    effective: {from: 2018-01-01}
    select: {product_family: [azure]}
    measure: quantity
    amount: 0.75
    cap: [{over: month, amount: 50, excess: defer}]
examples:
  - example: nothing sold
    given: {transactions: []}
    expect: {earned: 0}
"""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_two_days_of_many_stages_are_settled(home: Path, tmp_path_factory, monkeypatch):
    programs = tmp_path_factory.mktemp("programs")
    shutil.copytree(rulebook.programs_folder(), programs, dirs_exist_ok=True)
    (programs / "house.yaml").write_text(HOUSE)
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(programs))
    monkeypatch.setenv("INCENTIVES_THREADS", "1")
    out = tmp_path_factory.mktemp("sample")
    sample(out, first_day=date(2022, 3, 23), days=2, partners=300, transactions=2000, seed=1, defects=False)
    land.deliveries([out])
    assert [report["business_date"].day for report in pipeline.run()] == [23, 24]
