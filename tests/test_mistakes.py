"""Mistakes of those who type commands: each answered in a sentence that says what, where and what to do, never by a traceback."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import pipeline
from app import keeping
from app.cli import app
from tests.deliveries import DAY, T1, WORLD, land, settle_next
from warehouse import store

ROOT = Path(__file__).parents[1]


def asked(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"INCENTIVES_HOME": str(home)}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        env=environment,
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=120,
    )


@pytest.mark.parametrize("words", [["status"], ["ingest"], ["gc"]])
def test_a_home_that_cannot_be_written_is_named(words):
    found = asked(Path("/sys/incentives"), *words)  # where not even root makes a folder
    assert found.returncode == 1 and "Traceback" not in found.stderr
    assert "[/sys/incentives] cannot be used" in found.stderr


def test_a_home_that_is_a_file_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    found = asked(tmp_path / "file", "status")
    assert found.returncode == 1 and "Traceback" not in found.stderr and "INCENTIVES_HOME is" in found.stderr


def test_a_home_that_duckdb_cannot_hold_is_named(tmp_path):
    told = asked(tmp_path / "why?", "run")
    assert told.returncode == 1 and "name a folder without a question mark" in told.stderr
    assert not (tmp_path / "why?").exists()


def test_an_empty_home_is_the_usual_one(monkeypatch):
    monkeypatch.setenv("INCENTIVES_HOME", "")
    assert store.home() == Path("var").absolute()


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(words))
    return done.exit_code, " ".join((done.output + str(done.exception or "")).replace("│", " ").split())


@pytest.mark.parametrize(
    "words",
    [
        ["export", "earnings", "--out"],
        ["statement", "--partner", "1000001", "--month", "2021-03", "--out"],
        ["backup"],
    ],
)
def test_a_folder_in_the_place_of_a_file_is_said(first_day, tmp_path, words):
    code, output = run(*words, str(tmp_path))
    assert code == 2 and "is a folder; name a file in it" in output


@pytest.mark.parametrize(
    "words",
    [["export", "earnings", "--partner", "9", "--out"], ["statement", "--partner", "9", "--month", "2021-03", "--out"]],
)
def test_a_partner_that_nobody_knows_is_said(first_day, tmp_path, words):
    code, output = run(*words, str(tmp_path / "x.pdf"))
    assert code == 1 and "partner [9] is not in the current release" in output


@pytest.mark.parametrize("amount", ["inf", "-Infinity", "1" * 40, "0.0001"])
def test_an_amount_that_no_statement_holds_is_named(first_day, tmp_path, amount):
    (tmp_path / "s.csv").write_text(f"transaction_id,amount,currency,month\nt1,{amount},USD,2021-03\n")
    code, output = run("reconcile", str(tmp_path / "s.csv"), "--partner", "1000001")
    assert code == 1 and f"[s.csv] line [2]: amount [{amount}] is not a number" in output


def test_a_backup_that_was_cut_off_leaves_the_home_empty(first_day, tmp_path_factory):
    folder = tmp_path_factory.mktemp("backups")
    keeping.backup(folder / "whole.tar.gz")
    whole = (folder / "whole.tar.gz").read_bytes()
    (folder / "cut.tar.gz").write_bytes(whole[: len(whole) // 2])
    with store.at(home := tmp_path_factory.mktemp("home")):
        with pytest.raises(LookupError, match="not a whole one"):
            keeping.restore(folder / "cut.tar.gz")
        assert not {path.name for path in home.rglob("*")} - {"lock", "staging"}
        keeping.restore(folder / "whole.tar.gz")


def test_a_query_keeps_columns_of_one_name_and_is_json_whatever_it_finds(first_day):
    code, output = run("query", "SELECT 1 AS a, 2 AS a, 'nan'::DOUBLE AS b, 'infinity'::DOUBLE AS c", "--json")
    assert code == 0 and json.loads(output) == [{"a": 1, "a_1": 2, "b": "nan", "c": "inf"}]


def test_a_folder_without_deliveries_is_said(home, tmp_path_factory):
    code, output = run("land", str(tmp_path_factory.mktemp("none")))
    assert code == 2 and "no deliveries in" in output


def test_files_that_do_not_say_what_a_source_needs_are_not_landed(home, tmp_path):
    (tmp_path / "recon.csv").write_text("OrderDate\n")
    words = ["--feed", "transactions", "--date", DAY, "--source", "partner-center-nce", "--set", "partner=1"]
    code, output = run("land", str(tmp_path / "recon.csv"), *words)
    assert code == 2 and "do not say ['currency', 'customer']; give each as --set name=value" in output


def test_the_same_file_twice_in_a_delivery_is_said(home, tmp_path):
    (tmp_path / "users.csv").write_text("user_email\n")
    code, output = run("land", *[str(tmp_path / "users.csv")] * 2, "--feed", "users", "--date", DAY)
    assert code == 2 and "files ['users.csv'] are listed more than once" in output


def test_a_day_that_was_passed_over_says_so(first_day):
    land("transactions", [{"transaction_id": "t0"}], "2021-03-22")
    land("agreements", WORLD["agreements"], "2021-03-22")
    settle_next("2021-03-24", [T1])
    code, output = run("status")
    assert "2021-03-22 passed over" in output and "2021-03-24 settled" in output
    assert pipeline.due_days() == []


def test_who_waits_for_the_home_is_told_for_whom(home, monkeypatch, caplog):
    monkeypatch.setattr(store, "PATIENCE", 0.1)
    entered = threading.Event()

    def hold() -> None:
        with store.locked("settle 2021-03-23"):
            entered.set()
            time.sleep(0.5)

    other = threading.Thread(target=hold)
    other.start()
    entered.wait()
    with store.locked("status"):
        pass
    other.join()
    assert "waiting for [settle 2021-03-23, process" in caplog.text
