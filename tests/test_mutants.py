"""Every change to the code that works out money is noticed by a test, or a reason says why it cannot be."""

import subprocess
import sys

import pytest
import yaml

from tests.mutants import REASONS, ROOT, TESTS, Change, changes, faults

CODE = compile("", "a.py", "exec")
PASSES, NOTICED = (
    Change("a.py", "larger", "a > b → a >= b", 2, CODE),
    Change("a.py", "larger", "a > b → a <= b", 2, CODE),
)


def words(text: str) -> list[str]:
    return [change.words for change in changes("a.py", text)]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_every_change_is_noticed_or_has_a_reason():
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("a < b", ["a < b → a <= b", "a < b → a >= b"]),
        ("a == b", ["a == b → a != b"]),
        ("a + b", ["a + b → a - b"]),
        ("a & b", ["a & b → a", "a & b → b"]),
        ("a and b", ["a and b → a", "a and b → b"]),
        ("not a", ["not a → a"]),
        ("a if b else c", ["b → True", "b → False"]),
        ("np.where(a, b, c)", ["a → a | True", "a → a & False"]),
        ("np.minimum(a, b)", ["np.minimum(a, b) → np.maximum(a, b)"]),
        ("a.fillna(b)", [".fillna(b) left out"]),
        ("[a, b]", ["[a, b] → [b]", "[a, b] → [a]"]),
        ("a[0]", ["a[0] → a[1]"]),
        ("f(a=True)", ["a=True → a=False"]),
        ("('b', c)", ["'b' → 'bx'"]),
        ("a['b']", []),  # a name that is not there is an error
    ],
)
def test_what_is_changed(text, made):
    assert words(f"x = {text}") == made


def test_statements_that_only_do_something_are_left_out():
    assert words("a += b\nc(d)\nraise e") == ["a += b left out", "c(d) left out", "raise e left out"]


def test_types_and_docstrings_are_not_changed():
    assert words("def f(a: 'b' = c) -> 'd':\n    'says what it is'\n    return e\n") == []


def test_equal_changes_of_a_function_are_told_apart():
    assert words("x = a is b\ny = a is b") == ["a is b → a is not b", "a is b → a is not b (2)"]


def test_each_change_is_the_only_one():
    texts = []
    for change in changes("a.py", "def larger(a, b):\n    return a > b\n"):
        exec(change.code, held := {})
        texts.append((change.function, change.line, change.words, held["larger"](1, 1), held["larger"](1, 2)))
    assert texts == [("larger", 2, "a > b → a >= b", True, False), ("larger", 2, "a > b → a <= b", True, True)]


def test_what_passes_with_its_reason_is_right():
    assert faults([PASSES, NOTICED], [PASSES], {"a.py": {"larger": {PASSES.words: "equal never occurs"}}}) == []


@pytest.mark.parametrize("reason", [{}, {PASSES.words: None}, {PASSES.words: ""}])
def test_what_passes_without_a_reason_is_told(reason):
    [said] = faults([PASSES, NOTICED], [PASSES], {"a.py": {"larger": reason}})
    assert said.startswith("a.py:2 larger: no test fails for [a > b → a >= b]; write one")


@pytest.mark.parametrize(
    ("change", "says"), [(NOTICED.words, "a test fails for it"), ("c > d → c >= d", "there is no such change")]
)
def test_a_reason_for_what_does_not_pass_is_told(change, says):
    reasons = {"a.py": {"larger": {PASSES.words: "equal never occurs", change: "out of date"}}}
    [said] = faults([PASSES, NOTICED], [PASSES], reasons)
    assert f"[{change}] in a.py larger, but {says}; take it out" in said


def test_reasons_are_for_changes_that_there_are():
    """What takes minutes to see is looked at in `make test-all`, this here at once."""
    made = {change.key for file in TESTS for change in changes(file, (ROOT / file).read_text())}
    held = yaml.safe_load(REASONS.read_text())
    assert made >= {(file, at, change) for file, of in held.items() for at, listed in of.items() for change in listed}
