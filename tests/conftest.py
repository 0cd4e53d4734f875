"""Fixtures that many tests share."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import pipeline
import rulebook
from app import stack as airflow_stack
from tests.deliveries import T1, copy_home, land, take_in_world

PROGRAM = "csp-indirect-reseller.yaml"
LONGEST = (
    "test_stack.py",
    "test_settle.py",
    "test_associations.py",
    "test_dashboard_browser.py",
    "test_cells.py",
    "test_history.py",
)
settings.register_profile("untimed", deadline=None)  # a busy machine is no fault
settings.load_profile("untimed")
os.environ.setdefault(
    "INCENTIVES_THREADS", "1"
)  # as many as a worker's share of two cores: a fifth less processor time


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that no worker is left with one of them at the end."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of its own for one test."""
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def one_program(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Only the resellers' program, so that a line has one decision; the folder of its file."""
    folder = tmp_path_factory.mktemp("programs")
    shutil.copy(rulebook.programs_folder() / PROGRAM, folder)
    monkeypatch.setenv("INCENTIVES_PROGRAMS", str(folder))
    return folder


@pytest.fixture(scope="session")
def settled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A home in which one day is settled, to be copied, and the day's report."""
    made, programs = tmp_path_factory.mktemp("settled"), tmp_path_factory.mktemp("programs")
    shutil.copy(rulebook.programs_folder() / PROGRAM, programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(made))
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        take_in_world()
        land("transactions", [T1])
        [report] = pipeline.run()
    return made, report


@pytest.fixture
def first_day(home: Path, settled: tuple[Path, dict]) -> dict:
    """A settled day with one line of 100.00 that earns 4 percent."""
    copy_home(settled[0])
    return settled[1]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[airflow_stack.Stack]:
    """A real Airflow for a home of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("INCENTIVES_THREADS")
        patch.setenv("INCENTIVES_PAYER_NAME", "Publisher B.V.")
        patch.setenv("INCENTIVES_PAYER_IBAN", "NL41MOCK0000000001")
        with airflow_stack.running(tmp_path_factory.mktemp("stack")) as running:
            yield running


@pytest.fixture(scope="module")
def browser() -> Iterator:
    """A real browser, without a window."""
    from playwright.sync_api import sync_playwright

    from tests.browsing import ARGUMENTS, CHROMIUM

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()
