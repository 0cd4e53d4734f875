"""What docs/analysts.md shows, run as it stands on a release, and the notebook."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.deliveries import ask, copy_home, settle_next

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(
    r"```(python harlequin|python|sh)\n(.*?)```", (ROOT / "docs" / "analysts.md").read_text(), re.DOTALL
)
HARLEQUIN = Path(sys.prefix) / "readers" / "harlequin"


@pytest.fixture(scope="module")
def release(tmp_path_factory, settled) -> Iterator[None]:
    """Two settled days, only read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(tmp_path_factory.mktemp("release")))
        copy_home(settled[0])
        settle_next("2021-03-24", [{"transaction_id": "no", "product_id": "none"}])
        yield


@pytest.mark.parametrize(("language", "block"), BLOCKS, ids=[f"{number}" for number in range(len(BLOCKS))])
def test_what_the_page_shows_works_on_a_release(release, tmp_path, language, block):
    command = [sys.executable, "-c", block] if language.startswith("python") else ["bash", "-ec", block]
    packages = [str(HARLEQUIN)] if "harlequin" in language else []
    env = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": ":".join([*packages, str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(command, capture_output=True, text=True, env=env, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    if language != "sh":
        assert "2.400" in done.stdout


def test_the_notebook_answers_its_questions(release):
    [(lines,)] = ask("SELECT count(*) FROM decisions WHERE decision <> 'eligible'")
    made = importlib.util.spec_from_file_location("five_questions", ROOT / "notebooks" / "five_questions.py")
    notebook = importlib.util.module_from_spec(made)
    made.loader.exec_module(notebook)
    _, answers = notebook.app.run()
    assert answers["earned"]["rebate"].tolist() == [Decimal("2.400")]
    assert answers["ineligible"]["lines"].sum() == lines and answers["ineligible"]["reason_codes"].notna().all()
    assert answers["due"]["upcoming"].sum() == Decimal("4.000")
    assert set(answers["moved"]["cause"]) == {"new_line"}
    assert len(answers["almost"].columns) == 5
