"""A process that is killed between any two writes leaves nothing lost, doubled or unseen: the next run ends the same."""

import json
import os
import shutil
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

import operations
import pipeline
import rulebook
from tests.conftest import PROGRAM
from tests.deliveries import DAY, T1, WORLD, land
from warehouse import books, releases, store

pytestmark = pytest.mark.usefixtures("one_program")
NEXT = "2021-03-24"
POINTS = (
    "rules copied", "delivery staged", "delivery accepted", "day staged", "taken over", "release built", "run committed",
    "release named", "release shown",
)  # fmt: skip
SOONER = ("run committed",)  # the others are slow tests


def run(home: Path, killed_at: str = "") -> int:
    env = {**os.environ, "INCENTIVES_HOME": str(home), "INCENTIVES_TEST_KILLED_AT": killed_at}
    done = subprocess.run([sys.executable, "-m", "app.cli", "run"], env=env, check=False, capture_output=True, cwd=ROOT)
    return done.returncode


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


def test_every_point_is_one_of_the_code():
    files = (ROOT / "pipeline.py", ROOT / "rulebook.py", ROOT / "warehouse" / "releases.py")
    code = "".join(path.read_text() for path in files)
    assert {point for point in POINTS if f'reached("{point}")' in code} == set(POINTS)
    assert code.count("reached(") == len(POINTS)


@pytest.fixture(scope="module")
def wanted(landed, tmp_path_factory) -> dict[str, tuple]:
    programs = tmp_path_factory.mktemp("programs")
    shutil.copy(rulebook.programs_folder() / PROGRAM, programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        assert run(landed[1]) == 0
    with store.at(landed[1]):
        return content()


@pytest.mark.parametrize(
    "point", [point if point in SOONER else pytest.param(point, marks=pytest.mark.slow) for point in POINTS]
)
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


@pytest.mark.parametrize("point", ["run committed", pytest.param("release shown", marks=pytest.mark.slow)])
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


def test_a_home_that_was_cut_off_while_it_was_made_is_made_by_the_next_command(home):
    assert run(home, "warehouse made") == -signal.SIGKILL
    assert run(home) == 0
