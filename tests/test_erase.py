"""A person who asks for it is erased: from warehouse, deliveries and releases; sums, answers and replays stay."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

import operations
import pipeline
import replays
import rulebook
from app import keeping
from app.cli import app
from tests.deliveries import DAY, PLAIN, WORLD, ask, land, land_file, land_world
from warehouse import erasure, landing, releases, retention, store
from warehouse.tables import FEEDS

pytestmark = pytest.mark.usefixtures("one_program")
NEXT, AFTER = "2021-03-24", "2021-03-25"
EMAIL, NAME = "kim@contoso.example", 'Kim "K" Ñg'
KIM = {"user_email": "Kim@Contoso.example", "user_name": NAME, "role": "incentives_user"}
OTHERS = [
    {"partner_id": "1000001"},
    {"partner_id": "1000001", "user_email": "not-kim@contoso.example", "user_name": "Kimberly"},
]


def go_on(day: str, users: Path) -> None:
    """Settle a day with users from a file of some kind."""
    land_file(users, "users", day, delivery_id=f"{day}-users")
    land("agreements", WORLD["agreements"], day)
    land("transactions", [{"transaction_id": f"t-{day}"}], day)
    pipeline.run()


def users_file(folder: Path, kind: str) -> Path:
    """The users as a file of some kind; one of Kim's roles is misspelt, so that its row is set aside."""
    each = [
        *OTHERS,
        {"partner_id": "1000001", **KIM},
        {"partner_id": "1000001", **KIM, "program": "x y", "role": "boss"},
    ]
    rows = [PLAIN["users"] | row for row in each]
    path = folder / f"users{kind}"
    if kind == ".parquet":
        pd.DataFrame(rows).to_parquet(path)
    elif kind == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        text = pd.DataFrame(rows).to_csv(index=False)
        path.write_bytes(gzip.compress(text.encode()) if kind.endswith(".gz") else text.encode())
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Three days on which Kim has a role and asks for something; all that was delivered of Kim, in several kinds of files."""
    folder, home, programs = (tmp_path_factory.mktemp(name) for name in ("files", "home", "programs"))
    shutil.copy(rulebook.programs_folder() / "csp-indirect-reseller.yaml", programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(home))
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        land_world(users=[])
        land_file(users_file(folder, ".csv.gz"), "users", DAY, delivery_id=f"{DAY}-users-2", number=2)
        land("transactions", [{"transaction_id": "t1"}])
        asked = {"request_id": "r1", "partner_id": "1000001", "requested_by": EMAIL, "note": f"call {EMAIL}"}
        assign = {"request_id": "r2", "partner_id": "1000001", "request_kind": "assign_role"}
        land("partner_requests", [asked, assign | KIM])
        pipeline.run()
        go_on(NEXT, users_file(folder, ".jsonl"))
        go_on(AFTER, users_file(folder, ".parquet"))
    return home


@pytest.fixture
def known(made, home):
    """A copy of that home for one test."""
    shutil.copytree(made, home, dirs_exist_ok=True)
    releases.rehome()
    return home


def traces(home: Path) -> list[str]:
    """Files in which Kim is still named, deliveries unpacked and tables read."""
    found = []
    for path in (path for path in home.rglob("*") if path.is_file()):
        held = path.read_bytes()
        if path.suffix == ".gz":
            held = gzip.decompress(held)
        elif path.suffix == ".parquet":
            held = pd.read_parquet(path).to_csv().encode()
        elif path.suffix == ".duckdb":
            held += everything(path).encode()
        texts = held.lower().replace(b"not-kim@", b"")
        if EMAIL.encode() in texts or any(form.encode() in held for form in ("Ñg", "\\u00d1g", "\\xd1g")):
            found.append(str(path.relative_to(home)))
    return found


def everything(path: Path) -> str:
    with duckdb.connect(str(path), read_only=True) as con:
        tables = con.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
        return "\n".join(str(con.execute(f'FROM "{schema}"."{name}"').fetchall()) for schema, name in tables)


def test_nothing_is_left_of_a_person_and_nothing_else_changes(known):
    assert len(traces(known)) >= 7
    before = ask("SELECT * EXCLUDE (user_email, user_name) FROM users ORDER BY ALL")
    ledger = ask("FROM earnings_ledger ORDER BY ALL")
    hashes = {table["name"]: table["content_hash"] for table in releases.current()["tables"]}
    said = operations.erase(EMAIL.upper(), "anna")
    assert traces(known) == []
    assert ask("SELECT * EXCLUDE (user_email, user_name) FROM users ORDER BY ALL") == before
    names = dict(ask("SELECT DISTINCT user_email, user_name FROM users"))
    assert names[said["token"]] == "(erased)" and names["not-kim@contoso.example"] == "Kimberly" and len(names) == 3
    assert ask("FROM earnings_ledger ORDER BY ALL") == ledger
    assert {table["name"]: table["content_hash"] for table in releases.current()["tables"]} == hashes
    [kept] = [m for m in releases.releases() if releases.database(m).exists()]
    assert kept["release_id"] == releases.current()["release_id"]

    assert replays.replay(pd.Timestamp(AFTER).date())["differing"] == []
    assert operations.verify()["differences"] == []
    acts = [json.loads(path.read_text()) for path in (store.place("archive") / "acts").glob("*-erase.json")]
    assert [(act["by"], len(act["files"])) for act in acts] == [("anna", 4)]
    for folder in store.place("archive").glob("*-users*"):
        folder.rename(store.place("landing") / folder.name)
        landing.open_delivery(folder.name, landing.read_manifest(folder.name))  # its manifest fits its files
    assert {line["delivery_status"] for line in pipeline.ingest()} == {"duplicate"}


def test_names_that_stand_only_where_rows_were_set_aside_or_files_refused_are_erased(known, tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd")
    row = PLAIN["users"] | {"partner_id": "1000001"} | KIM | {"user_name": "Kimmie Ñgo", "role": "boss"}
    land("users", [*OTHERS, row], "2021-03-26")
    text = pd.DataFrame([row | {"user_name": "K. Ñguyen"}, PLAIN["users"] | OTHERS[1]]).to_csv(index=False)
    for name, coding in (("eight", "utf-8"), ("sixteen", "utf-16")):
        path = folder / f"{name}.csv"
        path.write_bytes(text.encode(coding))
        landing.deliver(
            store.place("landing"), [path], feed="users", business_date=pd.Timestamp(AFTER).date(), delivery_id=name,
            mode="snapshot", rows=[9],
        )  # fmt: skip
    assert [line["delivery_status"] for line in pipeline.ingest()].count("refused") == 2
    for name in ("broken.parquet", "broken.csv.gz"):
        (known / "refused" / "eight" / name).write_bytes(b"PAR1 cut off")
    operations.erase(EMAIL, "anna")
    (known / "refused" / "eight" / "broken.csv.gz").unlink()
    (known / "refused" / "eight" / "broken.parquet").unlink()
    assert traces(known) == []
    kept = (known / "refused" / "eight" / "eight.csv").read_text()
    assert "Kimberly" in kept and "(erased)" in kept
    assert (known / "refused" / "sixteen" / "sixteen.csv").read_text() == "(erased)\n"


def cut_off(point: str) -> None:
    """Begin to erase Kim in a process that ends at a point."""
    command = [sys.executable, "-m", "app.cli", "erase", EMAIL, "--by", "anna"]
    cut = subprocess.run(
        command, env=os.environ | {"INCENTIVES_TEST_KILLED_AT": point}, capture_output=True, check=False
    )
    assert cut.returncode == -9


def test_an_erasure_that_is_cut_off_before_it_is_marked_as_begun_begins_anew(known):
    cut_off("erasure written down")
    operations.erase(EMAIL, "anna")
    assert traces(known) == []


@pytest.mark.parametrize("place", ["refused", "landing"])
@pytest.mark.parametrize(
    "manifest",
    ['{"files": [{"bytes": 1}]}', '{"files": 1}', '{"feed": ["users"]}', '{"feed": "user"}', "[" * 100_000],
    ids=lambda text: text[:24],
)
def test_a_delivery_whose_manifest_is_malformed_is_looked_through_as_well(home, place, manifest):
    folder = home / place / "bad"
    folder.mkdir(parents=True)
    (folder / landing.MANIFEST).write_text(manifest)
    (folder / "users.csv").write_text(f"user_email\n{EMAIL}\n")
    who = erasure.Person(EMAIL, frozenset(), "erased-1@erased.invalid")
    assert erasure.deliveries_naming(who) == ["bad"]
    assert [changed["file_name"] for changed in erasure.erase_files(who)] == ["users.csv"]
    assert traces(home) == [] and (folder / landing.MANIFEST).read_text() == manifest


@pytest.mark.parametrize(
    "point",
    [
        "person erased from deliveries",
        *(
            pytest.param(later, marks=pytest.mark.slow)
            for later in (
                "file rewritten",
                "file replaced",
                "warehouse copied",
                "warehouse compacted",
                "person erased from warehouse",
                "release named",
                "pointer written",
                "release file removed",
                "erasure archived",
            )
        ),
    ],  # fmt: skip
)
def test_an_erasure_that_is_cut_off_is_taken_up(known, point):
    plan = operations.erase_plan(EMAIL)
    cut_off(point)
    with pytest.raises(LookupError, match="another erasure was cut off"):
        operations.erase("pat@contoso.example", "anna")
    done = operations.erase(EMAIL, "anna")
    assert traces(known) == [] and ask(f"SELECT count(*) FROM users WHERE user_email = '{done['token']}'") == [(1,)]
    [act] = (store.place("archive") / "acts").glob("*-erase.json")
    assert json.loads(act.read_text()) | plan == json.loads(act.read_text())
    assert [path for folder in ("archive", "releases") for path in (known / folder).rglob(".*")] == []


def test_a_file_that_an_erasure_had_half_written_is_written_anew(known):
    for path in [path for path in (known / "archive").glob("*/users.*") if path.suffix in (".gz", ".parquet")]:
        path.with_name(f".erasing{path.suffix}").write_bytes(b"PAR1 cut off")
    operations.erase(EMAIL, "anna")
    assert traces(known) == [] and list((known / "archive").rglob(".*")) == []


def test_the_plan_names_the_places_and_changes_nothing(known):
    run = CliRunner().invoke
    places = {row["place"]: row["count"] for row in json.loads(run(app, ["erase", EMAIL, "--json"]).stdout)}
    assert places["clean.users"] == 1 and places["clean.quarantine"] == 3 and f"delivery {NEXT}-users" in places
    assert len(traces(known)) >= 7
    with pytest.raises(LookupError, match="named nowhere"):
        operations.erase("nobody@contoso.example", "anna")


@pytest.mark.parametrize("text", ["", " ", "@", "kim", "kim@contoso", "kim @contoso.example", "@contoso.example"])
def test_what_is_no_address_erases_nothing(home, text):
    for act in (operations.erase_plan, lambda email: operations.erase(email, "anna")):
        with pytest.raises(LookupError, match="is not an e-mail address"):
            act(text)
    assert not (home / "erasing.json").exists()


def test_who_has_no_role_any_more_is_erased_when_the_time_is_over(known, tmp_path, monkeypatch):
    nobody_new = tmp_path / "users.csv"
    pd.DataFrame([PLAIN["users"] | row for row in OTHERS]).to_csv(nobody_new, index=False)
    go_on("2021-03-26", nobody_new)
    with store.warehouse() as con:
        told = [retention.people_to_erase(con, pd.Timestamp(day).date()) for day in ("2023-03-26", "2023-03-27")]
    assert told == [[], [EMAIL]]
    assert retention.deliveries_to_remove(pd.Timestamp("2031-03-23").date()) == []
    assert len(retention.deliveries_to_remove(pd.Timestamp("2031-03-24").date())) > 5

    monkeypatch.setitem(FEEDS, "users", replace(FEEDS["users"], erase_months=-1))
    monkeypatch.setitem(FEEDS, "fx_rates", replace(FEEDS["fx_rates"], keep_months=0))
    found = keeping.gc(1)
    assert (found["people erased"], found["deliveries removed"]) == (1, 1) and traces(known) == []
    with pytest.raises(LookupError):
        replays.replay(pd.Timestamp("2021-03-26").date())
