"""Fixtures that many tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import stack as airflow_stack


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of its own for one test."""
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[airflow_stack.Stack]:
    """A real Airflow for a home of its own, up until the last test has ended."""
    with airflow_stack.running(tmp_path_factory.mktemp("stack")) as running:
        yield running
