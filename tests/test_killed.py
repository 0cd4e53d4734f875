"""A process that is killed between any two writes leaves nothing lost, doubled or unseen: the next run ends the same."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

import operations
import pipeline
import rulebook
from app.cli import app
from tests.conftest import PROGRAM
from tests.deliveries import DAY, T1, WORLD, copy_home, land, settle_next
from warehouse import books, releases, store
from warehouse.content import content_hash as hashed
from warehouse.tables import TABLES

pytestmark = pytest.mark.usefixtures("one_program")
NEXT = "2021-03-24"
POINTS = (
    "rules copied", "delivery staged", "delivery accepted", "day staged", "taken over", "release built", "run committed",
    "release named", "pointer written", "release shown",
)  # fmt: skip
COMMANDS = {
    "ingest": ("delivery refused", "reason written"),
    "close 2021-03 --by anna": ("month closed", "act written down"),
    "gc --keep 1": (
        "act written down", "removal archived", "delivered file removed", "delivery removed", "release named", "pointer written",
        "release file removed", "warehouse copied", "warehouse compacted",
    ),
}  # fmt: skip
SOONER = ("run committed", "delivery refused", "month closed", "delivery removed")  # the others are slow tests


def run(home: Path, killed_at: str = "", command: str = "run") -> int:
    env = {**os.environ, "INCENTIVES_HOME": str(home), "INCENTIVES_TEST_KILLED_AT": killed_at}
    command_line = [sys.executable, "-m", "app.cli", *command.split()]
    return subprocess.run(command_line, env=env, check=False, capture_output=True, cwd=ROOT).returncode


ROOT = Path(__file__).parents[1]


def content() -> dict[str, tuple]:
    return {table["name"]: (table["rows"], table["content_hash"]) for table in releases.current()["tables"]}


@pytest.fixture(scope="module")
def landed(settled, tmp_path_factory):
    """A home with a settled day and the next one landed, and what is published of it when nothing goes wrong."""
    made = tmp_path_factory.mktemp("landed") / "home"
    shutil.copytree(settled[0], made)
    shutil.rmtree(made / "archive" / "rules")  # so that the next run archives them
    with store.at(made):
        land("agreements", WORLD["agreements"], NEXT)
        land("transactions", [T1 | {"revenue": "50.00"}, {"transaction_id": "t2"}], NEXT)
    whole = tmp_path_factory.mktemp("whole") / "home"
    shutil.copytree(made, whole)
    return made, whole


def test_the_process_is_killed_at_every_point_of_the_code():
    code = "".join(
        path.read_text() for folder in (".", "warehouse", "app", "banking") for path in (ROOT / folder).glob("*.py")
    )
    tests = "".join(path.read_text() for path in (ROOT / "tests").glob("test_*.py"))
    points = set(re.findall(r'reached\(f?"([^"]+)"\)', code))
    assert len(points) > 30 and {point for point in points if f'"{point}"' not in tests} == set()


@pytest.fixture(scope="module")
def wanted(landed, tmp_path_factory) -> dict[str, tuple]:
    programs = tmp_path_factory.mktemp("programs")
    shutil.copy(rulebook.programs_folder() / PROGRAM, programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        assert run(landed[1]) == 0
    with store.at(landed[1]):
        return content()


def tried(*given: str):
    """A point, after what else a test is given; it is left to the slow tests unless it is one of SOONER."""
    return pytest.param(*given, marks=[] if given[-1] in SOONER else pytest.mark.slow)


@pytest.mark.parametrize("point", map(tried, POINTS))
def test_killed_between_two_writes_the_next_run_ends_the_same(landed, wanted, tmp_path, point):
    home = tmp_path / "home"
    shutil.copytree(landed[0], home)
    assert run(home, point) == -signal.SIGKILL
    assert run(home) == 0
    with store.at(home):
        assert content() == wanted
        assert releases.current()["as_of_date"] == NEXT and pipeline.landed() == []
        with store.locked("test"), store.warehouse() as con:
            assert books.broken_links(con) == []


@pytest.fixture(scope="module")
def april(settled, tmp_path_factory) -> Path:
    """A home with two days of March and one of April settled, deliveries that are kept no longer, and a bad one landed."""
    made = tmp_path_factory.mktemp("april") / "home"
    programs = tmp_path_factory.mktemp("programs")
    shutil.copy(rulebook.programs_folder() / PROGRAM, programs)
    with pytest.MonkeyPatch.context() as patch, store.at(made):
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        copy_home(settled[0])
        settle_next(
            NEXT, [{"transaction_id": "t2"}, {"transaction_id": "bad", "transaction_at": "1999-01-01T10:00:00Z"}]
        )
        for month in ("2010-01", "2010-02"):
            land("fx_rates", [{"fx_month": month}], f"{month}-04")
        land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
        settle_next("2021-04-01", [T1 | {"revenue": "50.00"}, {"transaction_id": "t3"}])
        bad = land("products", [{"product_id": "new"}], "2021-04-01")
        (made / "landing" / bad / "products.csv").write_text("cut off")
    return made


def held(home: Path) -> dict:
    """All that a home holds, but for clock times and names that are made of them."""
    with store.at(home), store.locked("test"), store.warehouse() as con:
        tables = [t.full_name for t in TABLES.values() if t.layer in ("clean", "derived")]
        acts = [json.loads(path.read_text()) for path in sorted(home.glob("archive/acts/[!.]*.json"))]
        return {
            "readers see": content(),
            "warehouse": {name: hashed(con, name) for name in tables},
            "acts": [{name: value for name, value in act.items() if name != "at"} for act in acts],
            "deliveries": sorted(str(path.relative_to(home)) for place in ("landing", "archive", "refused") for path in home.glob(f"{place}/*/*")
                                 if path.parent.name != "acts"),
            "Parquet files": sorted(path.name for path in home.glob("releases/partitions/*/*")),
            "unfinished": [str(path.relative_to(home)) for path in home.rglob(".*")],
        }  # fmt: skip


@pytest.fixture(scope="module")
def unkilled(april, tmp_path_factory):
    """What each command leaves when nothing goes wrong."""
    made: dict[str, dict] = {}

    def of(command: str) -> dict:
        if command not in made:
            home = copied(april, tmp_path_factory.mktemp("unkilled"))
            again(home, command)
            made[command] = held(home)
        return made[command]

    return of


def copied(made: Path, folder: Path) -> Path:
    with store.at(folder / "home"):
        copy_home(made)
    return folder / "home"


def again(home: Path, command: str) -> int:
    """Run a command within this process."""
    with store.at(home):
        return CliRunner().invoke(app, command.split()).exit_code


@pytest.mark.parametrize("point", [tried("delivery copied"), tried("delivery landed")])
def test_the_release_of_a_row_that_is_killed_lands_it_once_and_says_so(april, tmp_path, point):
    home = copied(april, tmp_path)
    row = f"{NEXT}-transactions-1/transactions.csv/3"
    command = f"quarantine release {row} --set transaction_at={NEXT}T10:00:00Z --by anna"
    with store.at(home):
        assert [one["quarantine_id"] for one in operations.quarantined()] == [row]
        assert run(home, point, command) == -signal.SIGKILL
        if not [name for name in pipeline.landed() if "release" in name]:
            assert again(home, command) == 0
        again(home, "ingest")
        assert operations.quarantined() == [] and again(home, command) == 1
        with store.warehouse() as con:
            assert con.execute("SELECT count(*) FROM clean.transactions WHERE transaction_id = 'bad'").fetchall() == [
                (1,)
            ]


def test_ready_deliveries_whose_copying_was_killed_are_copied_by_the_same_command(home, tmp_path_factory):
    ready = tmp_path_factory.mktemp("ready")
    with store.at(ready):
        names = [land("products", [{"product_id": "new"}], number=number) for number in (1, 2)]
    command = f"land {ready}"
    assert run(home, "ready delivery copied", command) == -signal.SIGKILL and pipeline.landed() == []
    for _ in range(2):
        assert again(home, command) == 0 and pipeline.landed() == names
        assert list((home / "landing").glob(".*")) == []


@pytest.mark.slow
def test_a_replay_that_is_killed_leaves_no_copy_of_the_data(first_day, home):
    assert run(home, "delivery staged", f"replay {DAY}") == -signal.SIGKILL
    assert list((home / "staging").glob("replay-*"))
    with store.locked("test"):
        assert not list((home / "staging").glob("replay-*"))


@pytest.mark.parametrize(
    ("command", "point"), [tried(command, point) for command, points in COMMANDS.items() for point in points]
)
def test_a_command_that_is_killed_is_run_again_and_leaves_the_same(april, unkilled, tmp_path, command, point):
    home, wanted = copied(april, tmp_path), unkilled(command)
    assert run(home, point, command) == -signal.SIGKILL
    again(home, command)
    assert held(home) == wanted
    with store.at(home):
        found = operations.verify()
    assert found["broken"] == found["differences"] == found["books"] == []


@pytest.mark.slow
@pytest.mark.parametrize("point", ["run committed", "release shown"])
def test_a_restatement_that_is_killed_is_archived_and_published_by_the_next_command(first_day, one_program, point):
    path = one_program / PROGRAM
    path.write_text(path.read_text().replace("lever: azure-fy21", "lever: azure-in-fy21"))
    env = {**os.environ, "INCENTIVES_TEST_KILLED_AT": point}
    command = "restate --from 2021-03-01 --by anna --approved-by ben"
    done = subprocess.run([sys.executable, "-m", "app.cli", *command.split()], env=env, check=False, cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    for _ in range(2):
        with pytest.raises(LookupError, match="no rule edit is held"):
            operations.restate(date(2021, 3, 1), by="anna", approved_by="ben")
        assert releases.current()["run_id"] == f"{DAY}-restate-2"
        [path] = (store.place("archive") / "acts").glob("*-restate.json")
        act = json.loads(path.read_text())
        assert (act["run_id"], act["by"], act["approved_by"]) == (f"{DAY}-restate-2", "anna", "ben")
        assert act["from"] == "2021-03-01" and {row["line_count"] for row in act["plan"]} == {1}


def test_rules_whose_copying_was_cut_off_are_archived_whole(home, monkeypatch):
    copytree = shutil.copytree

    def cut_off(source, target):
        copytree(source, target, ignore=lambda _, names: names)
        raise KeyboardInterrupt

    with store.locked("test"), store.warehouse() as con:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(shutil, "copytree", cut_off)
            rulebook.edited_rules(con)
        rules = rulebook.edited_rules(con)
    kept = rulebook.rules_archive(rules.hash)
    assert [path.name for path in kept.parent.iterdir()] == [kept.name]
    assert {path.name for path in kept.iterdir()} == {path.name for path in rulebook.programs_folder().iterdir()}


@pytest.mark.slow
def test_a_warehouse_that_was_cut_off_while_it_was_migrated_is_migrated_by_the_next_command(home):
    with store.connect(home / "warehouse.duckdb") as con:
        con.execute((store.MIGRATIONS / "0001.sql").read_text())
        con.execute("CREATE SCHEMA meta; CREATE TABLE meta.schema_version AS SELECT 1 AS version")
        con.execute("CREATE TABLE meta.currencies (currency VARCHAR, exponent INTEGER)")
    assert run(home, "warehouse migrated", "status") == -signal.SIGKILL
    with store.locked("test"), store.warehouse() as con:
        assert con.execute("FROM meta.schema_version").fetchall() == [(1,), (store.SCHEMA_VERSION,)]


def test_a_home_that_was_cut_off_while_it_was_made_is_made_by_the_next_command(home):
    assert run(home, "warehouse made") == -signal.SIGKILL
    assert run(home) == 0
