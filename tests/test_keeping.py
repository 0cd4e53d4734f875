"""The life of the data: backup, restore, gc."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
from datetime import date
from pathlib import Path

import pytest

import operations
import replays
from app import keeping
from tests.deliveries import T1, ask, land, settle_next
from warehouse import releases, store

pytestmark = pytest.mark.usefixtures("one_program")
ROOT = Path(__file__).parents[1]
NEXT = "2021-03-24"
LACKING = ("landing", "refused", "sent", "erasing.json")  # which a home has that settled one day and is at rest


def test_a_restored_backup_is_verified_and_goes_on(first_day, tmp_path_factory):
    out = tmp_path_factory.mktemp("backup") / "b.tar.gz"
    assert keeping.backup(out) == out.stat().st_size and out.stat().st_mode & 0o777 == 0o600
    other = tmp_path_factory.mktemp("elsewhere")
    with store.at(other):
        keeping.restore(out)
        assert operations.verify()["broken"] == operations.verify()["differences"] == []
        assert ask("SELECT count(*) FROM decisions") == [(1,)]
        assert settle_next(NEXT, [{"transaction_id": "t2"}])["entries"] == 2
        with pytest.raises(LookupError, match="holds .*warehouse.duckdb"):
            keeping.restore(out)


def test_a_restored_release_reads_its_closed_months_where_they_lie_now(first_day, tmp_path_factory):
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    settle_next("2021-04-01", [{"transaction_id": "t2"}])
    out = tmp_path_factory.mktemp("backup") / "b.tar.gz"
    keeping.backup(out)
    shutil.rmtree(store.home())
    with store.at(tmp_path_factory.mktemp("else'where")):
        keeping.restore(out)
        assert ask("SELECT count(*) FROM earnings_ledger") == [(4,)]
        assert ask("SELECT transaction_id FROM decisions_known_on(DATE '2021-03-23')") == [("t1",)]


def test_a_home_in_which_something_has_landed_is_left_as_it_is(first_day, tmp_path_factory):
    keeping.backup(out := tmp_path_factory.mktemp("backup") / "b.tar.gz")
    with store.at(tmp_path_factory.mktemp("elsewhere")):
        name = land("transactions", [T1], NEXT)
        for _ in range(2):
            with pytest.raises(LookupError, match=r"holds \['landing'\] already; move them away"):
                keeping.restore(out)
        assert {path.name for path in store.home().iterdir()} - {"lock", "staging"} == {"landing"}
        shutil.rmtree(store.place("landing") / name)
        keeping.restore(out)
        assert ask("SELECT count(*) FROM decisions") == [(1,)]


POINTS = ("backup unpacked", *(f"{name} restored" for name in keeping.KEPT if name not in LACKING), "release rehomed")


@pytest.mark.parametrize(
    "point",
    [point if point == "releases restored" else pytest.param(point, marks=pytest.mark.slow) for point in POINTS],
)
def test_a_restoration_that_is_killed_is_run_again(first_day, tmp_path_factory, point):
    folder = tmp_path_factory.mktemp("backup")
    keeping.backup(folder / "b.tar.gz")
    with tarfile.open(folder / "other.tar", "w") as tar:
        tar.add(store.home() / "health.json", arcname="health.json")
    other = tmp_path_factory.mktemp("elsewhere")
    command = [sys.executable, "-m", "app.cli", "restore", str(folder / "b.tar.gz")]
    env = os.environ | {"INCENTIVES_HOME": str(other), "INCENTIVES_TEST_KILLED_AT": point}
    assert subprocess.run(command, env=env, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    with store.at(other):
        if point != POINTS[0]:
            with pytest.raises(LookupError, match="half of another backup"):
                keeping.restore(folder / "other.tar")
        keeping.restore(folder / "b.tar.gz")
        assert operations.verify()["broken"] == operations.verify()["differences"] == []
        assert ask("SELECT count(*) FROM decisions") == [(1,)]
        assert list(other.glob(".[!.]*")) == []


@pytest.mark.slow
def test_a_backup_that_is_killed_has_no_name_and_is_written_by_the_same_command(first_day, tmp_path_factory):
    out = tmp_path_factory.mktemp("backup") / "b.tar.gz"
    command = [sys.executable, "-m", "app.cli", "backup", str(out)]
    env = os.environ | {"INCENTIVES_TEST_KILLED_AT": "backup written"}
    assert subprocess.run(command, env=env, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    assert not out.exists()
    keeping.backup(out)
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    with store.at(tmp_path_factory.mktemp("elsewhere")):
        keeping.restore(out)
        assert ask("SELECT count(*) FROM decisions") == [(1,)]


def test_an_erasure_under_way_is_taken_up_by_the_restored_home(home, tmp_path_factory):
    (store.home() / "erasing.json").write_text("{}")
    keeping.backup(out := tmp_path_factory.mktemp("backup") / "b.tar.gz")
    with store.at(tmp_path_factory.mktemp("elsewhere")):
        keeping.restore(out)
        assert (store.home() / "erasing.json").read_text() == "{}"


def test_what_is_no_backup_is_not_unpacked(home, tmp_path_factory):
    folder = tmp_path_factory.mktemp("other")
    (folder / "x").write_text("x")
    with tarfile.open(folder / "x.tar", "w") as tar:
        tar.add(folder / "x", arcname="holiday.jpg")
    for name, says in (("x.tar", "holiday.jpg"), ("x", "is not a backup")):
        with pytest.raises(LookupError, match=says):
            keeping.restore(folder / name)


@pytest.mark.slow
def test_gc_keeps_the_newest_releases_and_every_manifest(first_day):
    land("fx_rates", [{"fx_month": "2021-04"}], "2021-04-01")
    settle_next("2021-04-01", [{"transaction_id": "t2"}])
    land("transactions", [{"transaction_id": "late"}], "2021-03-23", number=2)
    settle_next("2021-04-02", [{"transaction_id": "t3"}])
    assert keeping.gc(5)["releases removed"] == 0
    found = keeping.gc(1)
    assert found["releases removed"] == 2 and found["bytes freed"] > 0
    assert len(releases.releases()) == 3 and ask("SELECT count(*) FROM transactions") == [(4,)]
    assert len(list((store.place("releases") / "partitions" / "transactions").glob("*.parquet"))) == 3
    with pytest.raises(LookupError, match="with its data"):
        releases.rollback()
    assert settle_next("2021-04-05", [T1])["entries"] == 0
    assert replays.replay(date(2021, 4, 2))["differing"] == []


TWO_SPILL = """
import threading
from warehouse import store

def work(number):
    with store.connect(within=store.limits(8)) as con:  # 50 MiB, of which each fills 100
        con.execute(f"CREATE TEMP TABLE made AS SELECT range AS i, md5(range::VARCHAR || '{number}') AS h FROM range(2000000)")
        print(con.execute(f"SELECT count(*) FROM made WHERE h = md5(i::VARCHAR || '{number}')").fetchall())
threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def test_two_connections_that_spill_at_once_read_their_own_and_leave_nothing(home, monkeypatch):
    monkeypatch.setenv("INCENTIVES_MEMORY_MIB", "400")
    (home / "two_spill.py").write_text(
        TWO_SPILL
    )  # a file, since DuckDB takes what has none for a person to show progress to
    done = subprocess.run(
        [sys.executable, home / "two_spill.py"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines() == ["[(2000000,)]"] * 2
    assert list(store.place("staging").iterdir()) == []


def test_what_was_spilled_before_a_kill_is_removed_after_a_day(home):
    old, new = (store.place("staging") / name for name in ("spilled-old", "spilled-new"))
    for folder in (old, new):
        folder.mkdir()
        (folder / "duckdb_temp_storage_DEFAULT-0.tmp").touch()
    os.utime(old, (0, 0))
    with store.locked("test"):
        assert not old.exists() and new.exists()


def test_gc_does_not_begin_without_the_space(first_day, monkeypatch):
    usage = shutil.disk_usage(store.home())
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=1))
    with pytest.raises(LookupError, match="compacting needs"):
        keeping.gc(1)
