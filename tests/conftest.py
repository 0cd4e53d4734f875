"""Fixtures that many tests share."""

from pathlib import Path

import pytest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of its own for one test."""
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path))
    return tmp_path
