"""Payments from the balance to the bank and back, by everybody's hands: proposed, approved, sent once, settled or returned."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from contextlib import nullcontext
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from lxml import etree
from typer.testing import CliRunner

import emails
import monitoring
import operations
import payouts
import pipeline
import remittance
import replays
from app import keeping
from app.cli import app
from banking.orders import Account
from tests.deliveries import ask, land, land_world
from tests.ports import free_port
from warehouse import frames, handover, payout_batches, releases, store

ROOT = Path(__file__).parents[1]
CYCLE, LATER = date(2021, 5, 15), date(2021, 6, 15)
PAYER = Account("Publisher B.V.", "NL41MOCK0000000001")
PARTNERS = ("1000001", "1000002", "1000003")
AGREEMENTS = [{"agreement_id": f"a{partner}", "partner_id": partner} for partner in PARTNERS]
IBANS = (
    "DE89370400440532013000",
    "FR1420041010050500013M02606",
    "NL84MOCK0000000003",
)  # the bank knows the last as closed
PROFILE = {"request_kind": "payee_profile", "payout_currency": "EUR"}
DUE = {"currency": "EUR", "revenue": "50000.00"}
PAID = {"1000001": "1200.00", "1000002": "1200.00", "1000003": "1200.00"}  # 60 % of 4 %


@pytest.fixture(scope="module")
def due(tmp_path_factory) -> Path:
    """A home on the eve of a payment cycle: three partners with an account and something due, March's earnings."""
    home, programs = tmp_path_factory.mktemp("due"), tmp_path_factory.mktemp("programs")
    shutil.copy(ROOT / "programs" / "csp-indirect-reseller.yaml", programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        each = [{"partner_id": partner} for partner in PARTNERS]
        land_world(
            partners=[*each, {"partner_id": "2000001", "partner_type": "indirect_provider"}],
            agreements=AGREEMENTS, competencies=each, enrolments=each, payee_profiles=each, users=each,
        )  # fmt: skip
        land(
            "partner_requests",
            [
                {"request_id": f"r{partner}", "partner_id": partner, "account_holder": f"Partner Ä {partner}", "iban": iban, **PROFILE}
                for partner, iban in zip(PARTNERS, IBANS, strict=True)
            ] + [{"request_id": f"s{partner}", "partner_id": partner} for partner in PARTNERS],
        )  # fmt: skip
        land("transactions", [DUE | {"transaction_id": f"t{p}", "reseller_id": p} for p in PARTNERS])
        pipeline.run()
        land("fx_rates", [{"fx_month": "2021-05"}], "2021-05-14")
        settle("2021-05-14", [{"transaction_id": "may", **DUE}])
        yield home


@pytest.fixture
def home(due, tmp_path, monkeypatch) -> Path:
    """A copy of that home for one test."""
    shutil.copytree(due, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path))
    monkeypatch.setenv("INCENTIVES_PAYER_NAME", PAYER.name)
    monkeypatch.setenv("INCENTIVES_PAYER_IBAN", PAYER.iban)
    releases.rehome()
    return tmp_path


def approved(cycle: date = CYCLE) -> str:
    """A batch that anna proposed and ben approved."""
    batch = payouts.propose(cycle, "anna")
    payouts.decide(batch["batch_id"], "approved", "ben", batch["batch_hash"])
    return batch["batch_id"]


def statuses(batch: str) -> dict[str, str]:
    return {row["partner_id"]: row["payment_status"] for row in payouts.payments_of(batch)}


def settle(day: str, lines: list[dict] | None = None) -> None:
    """Settle a day on which the partners' agreements hold on; with a line that earns nothing unless others are given."""
    land("agreements", AGREEMENTS, day)
    land("transactions", lines or [{"transaction_id": f"x{day}", "currency": "EUR", "reseller_id": "9999999"}], day)
    [_] = pipeline.run()


def entries() -> dict[str, list[tuple]]:
    found: dict[str, list[tuple]] = {}
    for partner, cause, amount in ask(
        "SELECT partner_id, cause, amount FROM earnings_ledger WHERE lever = 'settlement' ORDER BY ALL"
    ):
        found.setdefault(partner, []).append((cause, str(amount)))
    return found


@pytest.mark.parametrize(("is_reserved", "reason"), [(False, None), (True, "REQDUE")])
def test_a_payout_is_asked_for_where_something_is_due_that_no_payment_reserves(home, is_reserved, reason):
    if is_reserved:
        payouts.propose(CYCLE, "anna")
        settle(str(CYCLE))
    asked = {"request_id": "pay", "partner_id": "1000001", "request_kind": "payout"}
    land("partner_requests", [asked], "2021-05-16", mode="delta")
    settle("2021-05-16")
    assert ask("SELECT reason_code FROM partner_requests WHERE request_id = 'pay'") == [(reason,)]


def test_a_batch_pays_what_is_due_and_reserves_it(home):
    batch = payouts.propose(CYCLE, "anna")
    assert (batch["payouts"], batch["payments"]) == ({"EUR": Decimal("3600.00")}, 3)
    assert set(statuses(batch["batch_id"]).values()) == {"upcoming"}
    with pytest.raises(LookupError, match="nothing is to be paid"):
        payouts.propose(CYCLE, "anna")


def test_a_batch_that_nobody_decides_on_is_found_again_and_told_of(home):
    batch = payouts.propose(CYCLE, "anna")
    assert payouts.undecided(CYCLE) == batch and payouts.undecided(LATER) is None
    settle("2021-05-18")
    told = {alert["key"]: alert["message"] for alert in monitoring.alerts()}
    assert told["batch not decided:20210515-1"] == (
        "batch [20210515-1] of [3] payments, proposed as of [2021-05-14], is not decided; it reserves what it would pay."
    )
    payouts.decide(batch["batch_id"], "rejected", "ben", batch["batch_hash"])
    assert payouts.undecided(CYCLE) is None


def test_what_is_earned_since_is_due_in_its_own_time(home):
    approved()
    plan = payouts.plan(date(2021, 7, 15))
    assert plan[["partner_id", "payment_minor", "reason_code"]].to_numpy().tolist() == [["1000001", 120_000, None]]


@pytest.mark.parametrize("approval", ["rejected", "expired"])
def test_what_is_not_approved_is_free_again(home, approval):
    batch = payouts.propose(CYCLE, "anna")
    payouts.decide(batch["batch_id"], approval, "ben", batch["batch_hash"])
    assert set(statuses(batch["batch_id"]).values()) == {"rejected_during_review"}
    assert payouts.propose(CYCLE, "anna")["batch_id"] == "20210515-2"
    with pytest.raises(LookupError, match="only an approved one"):
        remittance.send(batch["batch_id"], PAYER)
    settle("2021-05-15")
    assert entries() == {}


def test_nobody_approves_an_own_batch_or_another_than_was_shown(home):
    batch = payouts.propose(CYCLE, "anna")
    known = batch["batch_id"], batch["batch_hash"]
    for approval, by, shown, why in (
        ("approved", " Anna", known[1], "own batch"), ("approved", "ben", "0" * 64, "look again"),
        ("approved", "ben", "", "look again"), ("approved", " ", known[1], "name"),
    ):  # fmt: skip
        with pytest.raises(LookupError, match=why):
            payouts.decide(known[0], approval, by, shown)
    payouts.decide(*known[:1], "approved", "ben", known[1][:12])
    with pytest.raises(LookupError, match="approved already"):
        payouts.decide(known[0], "approved", "carl", known[1])


def test_a_batch_is_sent_once_and_checked_against_the_schema(home):
    batch = approved()
    [path] = remittance.send(batch, PAYER)
    assert remittance.send(batch, PAYER) == []
    with pytest.raises(LookupError, match="approved already"):
        payouts.decide(batch, "rejected", "carl", payouts.batch_of(batch)["batch_hash"])
    assert path.stat().st_mode & 0o777 == 0o600
    document = etree.parse(path).getroot()
    texts = {name: document.xpath(f"//*[local-name()='{name}']/text()") for name in ("EndToEndId", "InstdAmt", "CtrlSum", "MsgId", "Nm")}  # fmt: skip
    assert texts["EndToEndId"] == [f"{batch}-00000{n}" for n in (1, 2, 3)]
    assert (texts["InstdAmt"], texts["MsgId"]) == (["1200.00"] * 3, [f"{batch}-EUR-1"])
    assert "Partner A 1000001" in texts["Nm"]
    settle("2021-05-15")
    assert entries() == {partner: [("paid", f"-{amount}0")] for partner, amount in PAID.items()}
    assert operations.verify()["differences"] == []


POINTS = ("orders prepared", "orders landed", "order handed over", "delivery staged", "delivery accepted")


@pytest.mark.parametrize(
    "point",
    [p if p == "orders landed" else pytest.param(p, marks=pytest.mark.slow) for p in POINTS],
)
def test_a_sending_that_is_cut_off_is_taken_up_and_pays_once(home, point):
    batch = approved()
    command = [sys.executable, "-m", "app.cli", "payouts", "send", batch]
    cut = {**os.environ, "INCENTIVES_TEST_KILLED_AT": point}
    assert subprocess.run(command, env=cut, cwd=ROOT, capture_output=True, check=False).returncode == -signal.SIGKILL
    seen = {path.name: path.read_bytes() for path in (home / "outbox").glob("*.xml")}
    first = remittance.send(batch, PAYER)
    assert [path.name for path in first] == ([] if seen else [f"{batch}-EUR-1.xml"])
    assert remittance.send(batch, PAYER) == []
    settle("2021-05-15")
    assert entries() == {partner: [("paid", f"-{amount}0")] for partner, amount in PAID.items()}


@pytest.mark.slow
@pytest.mark.parametrize("point", ["delivery copied", "delivery landed"])
def test_a_proposal_and_a_decision_that_are_cut_off_are_made_once(home, point):
    def killed(command: str) -> bool:
        """Whether a command that is killed has landed what it says."""
        cut = {**os.environ, "INCENTIVES_TEST_KILLED_AT": point}
        run = [sys.executable, "-m", "app.cli", "payouts", *command.split()]
        assert subprocess.run(run, env=cut, cwd=ROOT, capture_output=True, check=False).returncode == -signal.SIGKILL
        return point == "delivery landed"

    with pytest.raises(payouts.NothingDue) if killed(f"propose --on {CYCLE} --by anna") else nullcontext():
        payouts.propose(CYCLE, "anna")
    [batch] = payouts.batches()
    said = batch["batch_id"], "approved", "ben", batch["batch_hash"]
    is_landed = killed(f"approve {batch['batch_id']} --hash {batch['batch_hash']} --by ben")
    with pytest.raises(LookupError, match="approved already") if is_landed else nullcontext():
        payouts.decide(*said)
    assert [(row["payments"], row["approval"]) for row in payouts.batches()] == [(3, "approved")]


def test_a_restored_home_names_the_batches_that_the_bank_may_not_have(home, tmp_path_factory):
    batch, out = approved(), tmp_path_factory.mktemp("backup") / "b.tar.gz"
    keeping.backup(out)
    with store.at(tmp_path_factory.mktemp("approved")):  # it may have been sent since
        assert keeping.restore(out) == [batch]
    remittance.send(batch, PAYER)
    keeping.backup(out)
    with store.at(tmp_path_factory.mktemp("sent")):
        assert keeping.restore(out) == [batch]
        assert remittance.send(batch, PAYER) == [] and set(statuses(batch).values()) == {"sent"}
        lost = {"reported_status": "rejected", "bank_reason": "", "reported_at": "2099-01-01T00:00:00Z"}
        ids = [row["payment_id"] for row in payouts.payments_of(batch)]
        handover.rows("bank_messages", CYCLE, [{"message_id": one, "payment_id": one, **lost} for one in ids])
        pipeline.ingest()
        assert payouts.unfinished() == [] and payouts.propose(CYCLE, "anna")["payments"] == 3


def test_many_orders_are_parted_over_files_that_the_bank_can_name(home, monkeypatch, bank):
    monkeypatch.setattr(payout_batches, "ORDER_FILE", payout_batches.ORDER_FILE.replace("25000", "2"))
    monkeypatch.setattr(payout_batches, "ORDERS", payout_batches.ORDERS.replace("25000", "2"))
    batch = approved()
    files = remittance.send(batch, PAYER)
    assert [path.name for path in files] == [f"{batch}-EUR-1.xml", f"{batch}-EUR-2.xml"]
    files[0].unlink()
    bank.ask("accounts/ACME", "PATCH", behaviour="reject-file")
    bank.ask("drop/scan")
    remittance.receive(bank.said())
    assert statuses(batch) == {"1000001": "sent", "1000002": "sent", "1000003": "rejected"}


def test_every_point_of_a_sending_is_tried():
    assert {point for point in POINTS if point.startswith("order")} == {
        line.split('"')[1] for line in (ROOT / "remittance.py").read_text().splitlines() if "reached(" in line
    }


@pytest.mark.slow
def test_what_was_paid_and_is_owed_back_is_taken_from_the_next_payment_at_once(home):
    remittance.send(approved(), PAYER)
    land("fx_rates", [{"fx_month": "2021-06"}], "2021-06-14")
    refunds = [
        {"transaction_id": f"b{p}", "reseller_id": p, "revenue": "-30000.00", "reverses": f"t{p}"} for p in PARTNERS
    ]
    settle("2021-06-14", [DUE | refund for refund in refunds])
    plan = payouts.plan(LATER).set_index("partner_id")
    assert plan["due_minor"].to_dict() == {"1000001": 120_000 - 72_000, "1000002": -72_000, "1000003": -72_000}
    assert list(plan["reason_code"]) == [None, "PAYNEG", "PAYNEG"]

    remittance.send(approved(LATER), PAYER)
    settle("2021-06-15")
    paid: Counter[tuple[str, str]] = Counter()  # the refund was posted after the first payment was worked out
    for row in report("earnings", home):
        if row["earningType"] == "REBATE":
            paid[row["participantId"], row["paymentId"]] += Decimal(row["earningAmount"])
        assert (row["lastPaymentCurrency"], row["earningAmountInLastPaymentCurrency"]) == ("EUR", row["earningAmount"])
    assert paid == {("1000001", "20210515-1-000001"): 1200, ("1000001", "20210615-1-000001"): 480} | {
        (partner, payment): amount
        for partner, number in (("1000002", 2), ("1000003", 3))
        for payment, amount in ((f"20210515-1-00000{number}", 1200), ("", -720))
    }


def test_what_is_owed_back_in_another_currency_is_offset_on_the_day_of_the_cycle(home):
    back = {
        "transaction_id": "back",
        "revenue": "-5000.00",
        "currency": "USD",
        "transaction_at": "2021-03-20T10:00:00Z",
    }
    settle("2021-05-15", [back])
    found = ask("SELECT currency, amount, program_amount FROM earnings_ledger WHERE cause = 'offset' ORDER BY 1")
    assert [tuple(map(str, row)) for row in found] == [("EUR", "-99.000", "-120.000"), ("USD", "120.000", "120.000")]
    for cycle in (CYCLE, LATER):  # an offset counts in the cycle on whose day it was posted
        plan = payouts.plan(cycle)
        mine = plan[(plan["partner_id"] == "1000001") & (plan["earning_type"] == "rebate")]
        assert "USD" not in set(mine["currency"]) and not mine["reason_code"].fillna("").str.contains("PAYNEG").any()
    found = operations.verify()
    assert found["broken"] == found["differences"] == []


@pytest.mark.slow
def test_an_offset_that_a_payment_took_into_account_is_among_its_earnings(home):
    settle("2021-05-17")
    land("fx_rates", [{"fx_month": "2021-06"}], "2021-06-10")
    back = {
        "transaction_id": "back",
        "revenue": "-5000.00",
        "currency": "USD",
        "transaction_at": "2021-03-20T10:00:00Z",
    }
    settle("2021-06-10", [back])
    approved(LATER)
    settle("2021-06-15")
    assert ask("SELECT count(*) FROM earnings_ledger WHERE cause = 'offset' AND posted_on > '2021-06-10'") == [(2,)]
    sums: Counter[str] = Counter()
    for row in report("earnings", home):
        sums[row["paymentId"]] += Decimal(row["earningAmount"]) if row["paymentId"] else 0
    assert {name: sums[name] for name in sums if name} == dict(ask("SELECT payment_id, payment FROM payments"))


def test_what_is_published_says_when_and_for_what_each_cent_is_paid(home):
    expected = "SELECT partner_id, earning_type, due_on, upcoming, reason_code FROM upcoming_payments ORDER BY ALL"
    coop = [(partner, "coop", None, Decimal(1600 if partner == "1000001" else 800), None) for partner in PARTNERS]
    due = [(partner, "rebate", CYCLE, Decimal(1200), None) for partner in PARTNERS]
    late = [("1000001", "rebate", LATER, Decimal(1200), None)]
    assert ask(expected) == sorted([*coop, *due, *late], key=str)
    remittance.send(approved(), PAYER)
    land(
        "partner_requests",
        [{"request_id": "hold", "partner_id": "1000001", "request_kind": "hold_payment"}],
        "2021-05-15",
    )
    settle("2021-05-15")
    assert ask(expected) == sorted([*coop, ("1000001", "rebate", LATER, Decimal(1200), "PAYHOLD")], key=str)
    done = CliRunner().invoke(app, ["explain", "20210515-1-000001"])
    assert (
        "for         2021-03" in done.output and "1,200.00 EUR  1 line" in done.output and "carried" not in done.output
    )


def test_a_partner_is_told_that_a_payment_waits_for_a_tax_invoice(home):
    land("tax_rates", [{"country": "US", "tax_kind": "sales_tax", "tax_rate": "0.19"}], "2021-05-14", number=2)
    invoices = [
        {"partner_id": partner, "invoice_number": f"i{partner}", "invoice_status": status}
        for partner, status in zip(PARTNERS, ("approved", "submitted"), strict=False)
    ]
    land("tax_invoices", invoices, "2021-05-14", number=2)
    settle("2021-05-15")
    told = "SELECT partner_id, reason_code FROM upcoming_payments WHERE earning_type = 'rebate' ORDER BY ALL"
    assert ask(told) == list(zip(PARTNERS, (None, "PAYINVREV", "PAYINV"), strict=True))
    rows = report("earnings", home)
    said = {(row["participantId"], row["paymentStatus"]) for row in rows if row["earningType"] == "REBATE"}
    statuses = ("Unprocessed", "Tax invoice under review", "Pending tax invoice")
    assert said == set(zip(PARTNERS, statuses, strict=True))
    plan = payouts.plan(LATER).sort_values("partner_id")
    assert ask(told) == plan[["partner_id", "reason_code"]].to_records(index=False).tolist()
    payouts.propose(LATER, "anna")
    land("fx_rates", [{"fx_month": "2021-06"}], "2021-06-14")
    settle("2021-06-14", [{"transaction_id": "june", **DUE}])
    assert ask(told)[0] == ("1000001", "PAYINV")  # the invoice is used up


def test_the_commands_lead_from_a_plan_to_the_outbox(home):
    def told(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, ["payouts", *words])
        assert done.exit_code == code, done.output + str(done.exception)
        return done.output

    assert "1,200.00 EUR" in told("plan", "--on", "2021-05-15")
    planned = json.loads(told("plan", "--on", "2021-05-15", "--json"))
    assert {tuple(row["payout"].values()) for row in planned} == {("1200.00", "EUR")}
    shown = told("propose", "--on", "2021-05-15", "--by", "anna").split("hash ")[1].strip()
    assert "upcoming" in told("show", "20210515-1")
    told("approve", "20210515-1", "--by", "ben", "--hash", shown[:12])
    assert "20210515-1-EUR-1.xml" in told("send", "20210515-1")
    assert "already" in told("send", "20210515-1")
    assert "approved" in told("list")


@pytest.mark.parametrize(("iban", "why"), [("", "not set"), ("NL00MOCK0000000001", "check digits")])
def test_without_an_account_to_pay_from_nothing_is_sent_and_the_number_is_not_told(home, monkeypatch, iban, why):
    batch = approved()
    monkeypatch.setenv("INCENTIVES_PAYER_IBAN", iban)
    done = CliRunner().invoke(app, ["payouts", "send", batch])
    assert done.exit_code == 1 and why in str(done.exception) and "MOCK" not in str(done.exception)
    assert not list((home / "outbox").glob("*"))


def deliver_again(partner: str) -> None:
    """Have a partner's payment delivered a second time, of one euro more."""
    with store.warehouse() as con:
        [row] = store.rows(con, "SELECT * FROM clean.payout_payments WHERE partner_id = $partner", partner=partner)
    more = {"payment_minor": row["payment_minor"] + 100, "payout_minor": row["payout_minor"] + 100}
    handover.rows("payout_payments", date(2021, 5, 15), payouts._delivered(pd.DataFrame([row | more])))
    pipeline.ingest()


def rejected(batch: str) -> str:
    """That batch, as carl rejects it."""
    return payouts.decide(batch, "rejected", "carl", payouts.batch_of(batch)["batch_hash"])["approval"]


@pytest.mark.parametrize("changed", ["payment", "account"])
def test_what_is_not_what_was_approved_is_not_sent(home, changed):
    batch = approved()
    if changed == "payment":
        deliver_again("1000001")
    else:
        other = {
            "request_id": "r1000001",
            "partner_id": "1000001",
            "account_holder": "Thief",
            "iban": IBANS[1],
            **PROFILE,
        }
        land("partner_requests", [other], "2021-05-15")
    pipeline.ingest()
    with pytest.raises(LookupError, match="not what was approved"):
        remittance.send(batch, PAYER)
    assert not list((home / "outbox").glob("*"))
    assert rejected(batch) == "rejected" and set(statuses(batch).values()) == {"rejected_during_review"}
    assert payouts.propose(CYCLE, "anna")["batch_id"] == "20210515-2"


def test_a_payment_that_is_delivered_again_is_in_its_batch_once_and_the_batch_is_not_approved(home):
    batch = payouts.propose(CYCLE, "anna")["batch_id"]
    deliver_again("1000001")
    found = payouts.batch_of(batch)
    assert (found["payouts"], found["payments"]) == ({"EUR": Decimal("3601.00")}, 3)
    with store.warehouse() as con:
        assert len(store.rows(con, payout_batches.ORDERS, batch=batch)) == 3
    with pytest.raises(LookupError, match="delivered again"):
        payouts.decide(batch, "approved", "ben", found["batch_hash"])
    assert rejected(batch) == "rejected"


def test_a_batch_that_no_order_file_can_carry_is_not_approved(home):
    with store.warehouse() as con:
        con.execute("UPDATE clean.partner_requests SET account_holder = '\u2603' WHERE request_id = 'r1000002'")
    batch = payouts.propose(CYCLE, "anna")
    with pytest.raises(LookupError, match=r"\['20210515-1-000002'\] .* cannot be written"):
        payouts.decide(batch["batch_id"], "approved", "ben", batch["batch_hash"])
    assert rejected(batch["batch_id"]) == "rejected"


def test_nothing_is_sent_where_a_payee_has_another_account_or_is_held_since(home):
    batch = approved()
    asked = [
        {"request_id": "other", "partner_id": "1000001", "account_holder": "A", "iban": IBANS[1], **PROFILE},
        {"request_id": "hold", "partner_id": "1000002", "request_kind": "hold_payment"},
    ]
    land("partner_requests", asked, "2021-05-15", mode="delta")
    settle("2021-05-15")
    with pytest.raises(LookupError, match=rf"\['{batch}-000001', '{batch}-000002'\]"):
        remittance.send(batch, PAYER)
    assert not list((home / "outbox").glob("*")) and rejected(batch) == "rejected"
    assert payouts.plan(CYCLE)["reason_code"].tolist() == ["PAYNEW", "PAYHOLD", None]


def test_an_account_that_cannot_be_is_refused(home):
    wrong = {"partner_id": "1000001", "account_holder": "A", "iban": "DE89370400440532013001", **PROFILE}
    land("partner_requests", [{"request_id": "wrong", **wrong}], "2021-05-15")
    settle("2021-05-15")
    assert ask("SELECT request_id, reason_code FROM partner_requests WHERE outcome = 'refused'") == [
        ("wrong", "REQIBAN")
    ]


def test_an_account_for_one_program_stands_beside_that_for_all_and_counts_as_changed(home):
    named = {"program": "csp-indirect-reseller", "partner_id": "1000001", "account_holder": "A", "iban": IBANS[1]}
    land("partner_requests", [{"request_id": "named", **named, **PROFILE}], "2021-05-15", mode="delta")
    settle("2021-05-15")
    with store.warehouse() as con:
        found = frames.read_input(con, "payees", date(2021, 5, 15))
    mine = found[found["partner_id"] == "1000001"].sort_values("request_id")
    assert mine[["program", "request_id", "is_changed"]].to_numpy().tolist() == [
        ["csp-indirect-reseller", "named", True], ["*", "r1000001", False],
    ]  # fmt: skip
    assert payouts.plan(CYCLE)["reason_code"].tolist() == ["PAYNEW", None, None]


def test_the_journal_books_payments_against_the_bank(home, tmp_path):
    remittance.send(approved(), PAYER)
    settle("2021-05-15")
    out = tmp_path / "journal.csv"
    assert CliRunner().invoke(app, ["export", "journal", "--period", "2021-05", "--out", str(out)]).exit_code == 0
    rows = list(csv.DictReader(out.open()))
    assert {(r["account"], r["debit"], r["credit"]) for r in rows if r["kind"] == "payment"} == {
        ("bank", "0.000", "3600.000"), ("rebate payable", "3600.000", "0.000"),
    }  # fmt: skip
    assert sum(Decimal(r["debit"]) for r in rows) == sum(Decimal(r["credit"]) for r in rows)


def test_the_journal_books_the_taxes_that_leave_the_bank_and_come_back(home, tmp_path):
    """Each of three payouts is 1,200.00 less 120.00 plus 228.00; one comes back."""
    rates = [
        {"country": "US", "tax_kind": kind, "tax_rate": rate} for kind, rate in (("withholding", "0.1"), ("sales_tax", "0.19"))
    ]  # fmt: skip
    land("tax_rates", rates, "2021-05-14", number=2)
    land("tax_invoices", [{"partner_id": p, "invoice_number": f"i{p}"} for p in PARTNERS], "2021-05-14", number=2)
    pipeline.ingest()
    batch = approved()
    assert payouts.batch_of(batch)["payouts"] == {"EUR": Decimal("3924.00")}
    remittance.send(batch, PAYER)
    booked(tmp_path / "back.xml", f"{batch}-000001", "CRDT", "1308.00")
    settle("2021-05-18")
    out = tmp_path / "journal.csv"
    assert CliRunner().invoke(app, ["export", "journal", "--period", "2021-05", "--out", str(out)]).exit_code == 0
    left: Counter[str] = Counter()
    for row in csv.DictReader(out.open()):
        if row["kind"] in ("payment", "tax", "sales tax", "tax returned"):
            left[row["account"]] += Decimal(row["debit"]) - Decimal(row["credit"])
    assert left == {"bank": -2616, "tax payable": -240, "input tax": 456, "rebate payable": 2400}


def test_no_release_holds_an_account(home):
    remittance.send(approved(), PAYER)
    settle("2021-05-15")
    with releases.reader(pipeline.current_release()) as con:
        for (table,) in con.execute("SHOW TABLES").fetchall():
            text = str(con.execute(f"FROM {table}").fetchall())
            assert not any(iban in text for iban in IBANS), table


@pytest.mark.slow
def test_a_settled_day_with_payments_is_replayed_alike(home):
    remittance.send(approved(), PAYER)
    settle("2021-05-15")
    assert replays.replay(date(2021, 5, 15))["differing"] == []


def test_the_outbox_is_a_place_of_the_home(home):
    remittance.send(approved(), PAYER)
    assert (store.place("outbox").stat().st_mode & 0o777) == 0o700


class Bank:
    """A bank that answers for real: it takes files from our outbox and leaves its answers in its own folder."""

    def __init__(self, home: Path, answers: Path) -> None:
        self.outbox, self.answers, self.port = home / "outbox", answers, free_port()
        self.outbox.mkdir(exist_ok=True, mode=0o700)
        command = [
            Path(sys.executable).with_name("mock-bank"), "--port", str(self.port), "--clock", "2021-05-14T09:00", "--quiet",
            "--drop-dir", str(self.outbox), "--pickup-dir", str(answers), "--drop-settle-ms", "0",
        ]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ask(self, path: str, method: str = "POST", **said: object) -> None:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/_mock/{path}", json.dumps(said).encode() if said else b"", method=method,
            headers={"Content-Type": "application/json"},
        )  # fmt: skip
        for _ in range(50):
            try:
                return urllib.request.urlopen(request, timeout=10).close()
            except urllib.error.URLError as fault:
                if isinstance(fault, urllib.error.HTTPError):
                    raise
                time.sleep(0.1)
        raise AssertionError("the bank does not answer")

    def said(self, *kinds: str) -> list[Path]:
        return sorted(path for path in self.answers.glob("*.xml") if not kinds or path.name.startswith(kinds))


@pytest.fixture
def bank(home, tmp_path_factory):
    made = Bank(home, tmp_path_factory.mktemp("answers"))
    yield made
    made.process.terminate()
    made.process.wait(10)


def report(what: str, folder: Path) -> list[dict]:
    """A report as a partner's spreadsheet reads it."""
    out = folder / f"{what}.csv"
    assert CliRunner().invoke(app, ["export", what, "--out", str(out)]).exit_code == 0
    with out.open(newline="") as file:
        return list(csv.DictReader(file))


def told(batch: str) -> dict[str, str]:
    """Which e-mail each payment of a batch calls for, by its number's last digit; what each says of its payment."""
    found = {email.key.split(":")[1].removeprefix(f"{batch}-").lstrip("0"): email for email in emails.unsent()}
    for email in found.values():
        assert "EUR 1,200.00" in email.text and "EUR 1,200.00" in email.html and email.to == ("pat@contoso.example",)
    return {number: email.kind for number, email in found.items()}


def test_the_bank_takes_rejects_settles_and_returns_payments(home, bank):
    batch = approved()
    bank.ask(
        "accounts/ACME", "PATCH", behaviour="return-later", parameters={"days": 2, "end_to_end_id": f"{batch}-000002"}
    )
    remittance.send(batch, PAYER)
    order = (home / "outbox" / f"{batch}-EUR-1.xml").read_bytes()
    bank.ask("drop/scan")
    remittance.receive(bank.said())
    assert statuses(batch) == {"1000001": "sent", "1000002": "sent", "1000003": "rejected"}

    bank.ask("advance?days=3")
    remittance.receive(bank.said())
    assert statuses(batch) == {"1000001": "settled", "1000002": "settled", "1000003": "rejected"}
    settle("2021-05-15")
    paid = {partner: ("paid", f"-{amount}0") for partner, amount in PAID.items()}
    back = ("payment_returned", "1200.000")
    assert entries() == {
        "1000001": [paid["1000001"]], "1000002": [paid["1000002"]], "1000003": [paid["1000003"], back],
    }  # fmt: skip

    assert told(batch) == {"1": "payment_sent", "2": "payment_sent", "3": "payment_failed"}

    bank.ask("advance?days=6")
    assert bank.said("pacs.004")
    remittance.receive(bank.said())
    again = remittance.receive(bank.said())
    assert {row["reported_status"] for row in again} == {"accepted", "settled", "rejected", "returned"}
    assert statuses(batch) == {"1000001": "settled", "1000002": "reversed", "1000003": "rejected"}

    (home / "outbox" / "again.xml").write_bytes(order)  # as if a person sent the file a second time
    bank.ask("drop/scan")
    assert {row["reported_status"] for row in remittance.receive(bank.said("pain.002"))} >= {"duplicate"}
    assert statuses(batch) == {"1000001": "settled", "1000002": "reversed", "1000003": "rejected"}

    settle("2021-05-16")
    assert entries() == {
        "1000001": [paid["1000001"]], "1000002": [paid["1000002"], back], "1000003": [paid["1000003"], back],
    }  # fmt: skip
    assert told(batch) == {"1": "payment_sent", "2": "payment_failed", "3": "payment_failed"}
    reported = {row["participantID"]: row for row in report("payments", home)}
    assert {partner: row["paymentStatus"] for partner, row in reported.items()} == {
        "1000001": "Sent", "1000002": "Reversed", "1000003": "Rejected",
    }  # fmt: skip
    assert {(row["earned"], row["totalPayment"], row["currencyCode"]) for row in reported.values()} == {
        ("1200.00", "1200.00", "EUR")
    }
    rebates = [
        row for row in report("earnings", home) if row["earningType"] == "REBATE" and row["transactionId"][0] == "t"
    ]
    paid_by = {row["participantId"]: (row["paymentId"], row["paymentStatus"]) for row in rebates}
    assert paid_by == {
        "1000001": (f"{batch}-000001", "Sent"),
        "1000002": ("", "Unprocessed"),
        "1000003": ("", "Unprocessed"),
    }
    assert payouts.propose(CYCLE, "anna")["payouts"] == {"EUR": Decimal("2400.00")}
    assert operations.verify()["differences"] == []


def test_what_the_bank_says_of_others_payments_is_named_and_left_alone(home, bank, tmp_path):
    batch = approved()
    remittance.send(batch, PAYER)
    text = (home / "outbox" / f"{batch}-EUR-1.xml").read_text()
    (home / "outbox" / f"{batch}-EUR-1.xml").write_text(text.replace(f"{batch}-00000", "strange-00000"))
    bank.ask("drop/scan")
    done = CliRunner().invoke(app, ["payouts", "bank", *map(str, bank.said())])
    assert (done.exit_code, done.output.count("unknown payment")) == (1, 3)
    assert set(statuses(batch).values()) == {"sent"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<a", "not XML"),
        ("<Document><Other/></Document>", "Other"),
        ("<Document><PmtRtr><GrpHdr><CreDtTm>soon</CreDtTm></GrpHdr></PmtRtr></Document>", "soon"),
    ],
)
def test_a_bank_file_that_cannot_be_used_is_refused_whole(home, tmp_path, text, why):
    path = tmp_path / "odd.xml"
    path.write_text(text)
    done = CliRunner().invoke(app, ["payouts", "bank", str(path)])
    assert done.exit_code == 1 and why in str(done.exception)


def test_a_file_that_is_refused_as_a_whole_frees_all_its_payments(home, bank):
    batch = approved()
    bank.ask("accounts/ACME", "PATCH", behaviour="reject-file")
    remittance.send(batch, PAYER)
    bank.ask("drop/scan")
    remittance.receive(bank.said())
    assert set(statuses(batch).values()) == {"rejected"}


def booked(path: Path, payment: str, side: str, amount: str, on: str = "2021-05-18") -> list[dict]:
    """What is said of a payment that the bank's statement shows booked."""
    path.write_text(
        "<Document><BkToCstmrStmt><GrpHdr><CreDtTm>2021-05-18T06:00:00</CreDtTm></GrpHdr><Stmt><Ntry>"
        f"<Amt Ccy='EUR'>{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd><Sts>BOOK</Sts>"
        f"<BookgDt><Dt>{on}</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>{payment}</EndToEndId></Refs></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>"
    )
    return remittance.receive([path])


def test_a_payment_that_left_in_another_amount_is_named_and_left_alone(home, tmp_path):
    batch = approved()
    remittance.send(batch, PAYER)
    [row] = booked(tmp_path / "s.xml", f"{batch}-000001", "DBIT", "120.00")
    assert row["trouble"] == "booked 120.00 EUR, ordered 1200.00 EUR"
    assert statuses(batch)["1000001"] == "sent"
    done = CliRunner().invoke(app, ["payouts", "bank", str(tmp_path / "s.xml")])
    assert done.exit_code == 1 and "booked 120.00 EUR" in done.output
    [row] = booked(tmp_path / "s.xml", f"{batch}-000001", "DBIT", "1200")
    assert row["trouble"] is None and statuses(batch)["1000001"] == "settled"


def test_until_when_a_payee_was_known_is_kept(home):
    profiles = [{"partner_id": PARTNERS[0]}, {"partner_id": PARTNERS[1], "tax_status": "missing"}]
    land("payee_profiles", profiles, "2021-05-15", number=2)
    pipeline.ingest()
    with store.warehouse() as con:
        read = frames.read_input(con, "payees", LATER).set_index("partner_id")["known_until"]
    known = {partner: f"{day:%m-%d}" for partner, day in read.dropna().items()}
    assert known == {PARTNERS[0]: "06-15", PARTNERS[1]: "05-15", PARTNERS[2]: "05-15"}


@pytest.mark.slow
def test_what_was_paid_rightly_is_not_judged_by_later_rules_and_facts(home, tmp_path_factory, monkeypatch):
    batch = approved()
    remittance.send(batch, PAYER)
    rules = (ROOT / "programs" / "csp-indirect-reseller.yaml").read_text()
    edited = tmp_path_factory.mktemp("edited")
    (edited / "csp-indirect-reseller.yaml").write_text(rules.replace("day: 15}", "day: 20}"))
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(edited))
    still = [{"partner_id": partner} for partner in PARTNERS if partner != "1000002"]
    land("enrolments", still, "2021-05-15", number=2)
    settle("2021-05-15")  # the first to judge the payments
    booked(edited / "s.xml", f"{batch}-000002", "DBIT", "1200.00")
    settle("2021-05-16")
    assert ask("SELECT payment_status FROM payments WHERE partner_id = '1000002'") == [("settled",)]


def test_what_the_bank_says_of_a_payment_before_it_is_sent_is_named_and_left_alone(home, tmp_path):
    batch = payouts.propose(CYCLE, "anna")
    [row] = booked(tmp_path / "s.xml", f"{batch['batch_id']}-000001", "DBIT", "1200.00")
    assert row["trouble"] == "not sent by us"
    payouts.decide(batch["batch_id"], "approved", "ben", batch["batch_hash"])
    assert len(remittance.send(batch["batch_id"], PAYER)) == 1
    assert set(statuses(batch["batch_id"]).values()) == {"sent"} and remittance.unsent() == []


def test_a_return_that_the_bank_takes_back_is_named_for_a_person(home, tmp_path):
    batch = approved()
    remittance.send(batch, PAYER)
    path = tmp_path / "s.xml"
    for side, day in (("DBIT", "2021-05-16"), ("CRDT", "2021-05-17")):
        assert booked(path, f"{batch}-000001", side, "1200.00", day)[0]["trouble"] is None
    text = path.read_text().replace("CRDT</CdtDbtInd>", "DBIT</CdtDbtInd><RvslInd>true</RvslInd>")
    path.write_text(text.replace("05-17", "05-18"))
    [row] = remittance.receive([path])
    assert row["trouble"] == "what came back is debited again; see that it is not paid twice"
    assert statuses(batch)["1000001"] == "reversed"


def test_why_a_payment_came_back_stays_known_though_the_statement_does_not_say_it(home, tmp_path):
    batch = approved()
    remittance.send(batch, PAYER)
    (tmp_path / "r.xml").write_text(
        "<Document><PmtRtr><GrpHdr><CreDtTm>2021-05-17T06:00:00</CreDtTm></GrpHdr><TxInf><OrgnlEndToEndId>"
        f"{batch}-000001</OrgnlEndToEndId><RtrRsnInf><Rsn><Cd>AC04</Cd></Rsn></RtrRsnInf></TxInf></PmtRtr></Document>"
    )
    remittance.receive([tmp_path / "r.xml"])
    for day in range(8):  # the ids of messages, by which they would be ordered, are hashes
        booked(tmp_path / f"{day}.xml", f"{batch}-000001", "CRDT", "1190.00", on=f"2021-05-1{day}")
    known = {row["partner_id"]: (row["payment_status"], row["bank_reason"]) for row in payouts.payments_of(batch)}
    assert known["1000001"] == ("reversed", "AC04")
