"""One change at a time to the code that works out money: a test must fail for each, or a reason say why none can.

`python -m tests.mutants` makes the changes, runs the tests that look at the changed file, and holds what they let pass
against the reasons in mutants.yaml. Files stay as they are: each change is tested in a process of its own.
"""

import ast
import importlib
import importlib.util
import os
import resource
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from types import CodeType
from typing import NamedTuple, NoReturn

import pytest
import yaml
from hypothesis import Phase, settings
from rich.progress import track

ROOT = Path(__file__).parents[1]
REASONS = Path(__file__).with_suffix(".yaml")
TESTS = {  # those that look at a file itself and take a second or two
    "transforms/scales.py": ["tests/test_scales.py"],
    "transforms/money.py": ["transforms/money.py", "tests/test_money.py"],
    "transforms/ledger.py": ["tests/test_ledger.py"],
}
OURS = {"tests", "transforms", "warehouse"}
SECONDS = 60  # of processor time; a change that takes longer counts as noticed
MODULES = {"np", "pa", "pc", "pd"}
OTHERS: dict[type[ast.AST], tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.LtE), ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,), ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.FloorDiv,), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,), ast.Mod: (ast.FloorDiv,), ast.Pow: (ast.Mult,),
}  # fmt: skip
TURNED = {
    "minimum": "maximum", "maximum": "minimum", "min": "max", "max": "min", "argmin": "argmax", "argmax": "argmin",
    "any": "all", "all": "any",
}  # fmt: skip
Reasons = dict[str, dict[str, dict[str, str]]]  # file → function → change → why no test can fail for it


class Spot(NamedTuple):
    """Where a node stands in a tree: in which function, and as what of its parent."""

    function: str
    parent: ast.AST
    field: str
    number: int | None
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        """Have a node stand here."""
        if self.number is None:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.number] = node


class Change(NamedTuple):
    """One change of a file: in which function, in words that occur once there, where, and the file's code with it."""

    file: str
    function: str
    words: str
    line: int
    code: CodeType

    @property
    def key(self) -> tuple[str, str, str]:
        """What its reason is found by."""
        return self.file, self.function, self.words


def changes(file: str, text: str) -> Iterator[Change]:
    """Every change of a file's text."""
    tree = ast.parse(text)
    seen: Counter[tuple[str, str]] = Counter()
    for spot in list(_spots(tree, "module")):
        for other in _others(spot):
            words = _words(spot, other)
            seen[spot.function, words] += 1
            again = f" ({seen[spot.function, words]})" if seen[spot.function, words] > 1 else ""
            spot.put(ast.copy_location(other, spot.node))
            code = compile(ast.fix_missing_locations(tree), file, "exec")
            spot.put(spot.node)
            yield Change(file, spot.function, words + again, getattr(spot.node, "lineno", 0), code)


def _spots(node: ast.AST, function: str) -> Iterator[Spot]:
    """The places of all nodes below one, but for types and docstrings."""
    for field, held in ast.iter_fields(node):
        for number, child in enumerate(held if isinstance(held, list) else [held]):
            is_docstring = isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)
            if field in ("annotation", "returns") or is_docstring or not isinstance(child, ast.AST):
                continue
            yield Spot(function, node, field, number if isinstance(held, list) else None, child)
            yield from _spots(child, child.name if isinstance(child, ast.FunctionDef | ast.ClassDef) else function)


def _others(spot: Spot) -> Iterator[ast.AST]:
    """What can stand in a node's place and means something else."""
    match spot.node:
        case ast.Compare(left, [operator], right):
            yield from (ast.Compare(left, [other()], right) for other in OTHERS[type(operator)])
        case ast.BoolOp(_, values):
            yield from values
        case ast.BinOp(left, ast.BitAnd() | ast.BitOr(), right):
            yield from (left, right)
        case ast.BinOp(left, operator, right):
            yield from (ast.BinOp(left, other(), right) for other in OTHERS[type(operator)])
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Call(ast.Attribute(value)) if not isinstance(spot.parent, ast.Expr) and not _is_module(value):
            yield value
        case ast.Attribute(value, name, context) if name in TURNED:
            yield ast.Attribute(value, TURNED[name], context)
        case ast.List([_, _, *_] as held, context):
            yield from (ast.List(held[:number] + held[number + 1 :], context) for number in range(len(held)))
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(str(value)) if not isinstance(spot.parent, ast.Call | ast.Subscript | ast.keyword):
            yield ast.Constant(value + "x")
        case ast.AugAssign() | ast.Raise() | ast.Expr() | ast.Continue():
            yield ast.Pass()
    yield from _decided(spot)


def _decided(spot: Spot) -> Iterator[ast.AST]:
    """For a condition, that it always holds, and that it never does."""
    match spot.parent:
        case ast.If(test) | ast.IfExp(test) if spot.node is test:
            yield from (ast.Constant(True), ast.Constant(False))
        case ast.Call(ast.Attribute(_, "where"), [test, _, _]) if spot.node is test:
            yield ast.BinOp(test, ast.BitOr(), ast.Constant(True))
            yield ast.BinOp(test, ast.BitAnd(), ast.Constant(False))


def _is_module(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in MODULES


def _words(spot: Spot, other: ast.AST) -> str:
    """A change in words; a small one with what stands around it."""
    before, after = ast.unparse(spot.node), ast.unparse(other)
    if isinstance(other, ast.Pass):
        return f"{before} left out"
    if isinstance(spot.node, ast.Call) and getattr(spot.node.func, "value", None) is other:
        return f"{before.removeprefix(after)} left out"
    is_listed = isinstance(spot.parent, ast.Dict | ast.List | ast.Tuple)
    is_told = isinstance(spot.parent, ast.expr | ast.keyword) and not is_listed
    if isinstance(spot.node, ast.Constant | ast.Attribute) and is_told:
        before = ast.unparse(spot.parent)
        spot.put(other)
        after = ast.unparse(spot.parent)
        spot.put(spot.node)
    return f"{before} → {after}"


def passes(file: str, code: CodeType) -> bool:
    """Whether the tests of a file pass with other code in its place."""
    child = os.fork()
    if not child:
        _test(file, code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def _test(file: str, code: CodeType) -> NoReturn:
    """Run the tests of a file, and end this process as they do."""
    status = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        settings.register_profile("mutants", phases=[Phase.explicit])  # chance must not decide
        settings.load_profile("mutants")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # to find plugins takes a quarter of a second
        _put_in_place(file, code)
        status = pytest.main(["-x", "-q", "--noconftest", "-p", "no:cacheprovider", *TESTS[file]])
    finally:
        os._exit(status)


def _put_in_place(file: str, code: CodeType) -> None:
    """Have all that imports a file from here on get other code."""
    for name in [name for name in sys.modules if name.split(".")[0] in OURS]:
        del sys.modules[name]
    spec = importlib.util.spec_from_file_location(_module(file), ROOT / file)
    assert spec  # a Python file has one
    sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    exec(code, vars(sys.modules[spec.name]))


def _module(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def faults(made: Collection[Change], passed: Collection[Change], reasons: Reasons) -> list[str]:
    """What is wrong: changes that pass without a reason, and reasons for what does not pass."""
    why = {
        (file, function, words): reason
        for file, functions in reasons.items()
        for function, held in functions.items()
        for words, reason in held.items()
    }
    unseen = [
        f"{change.file}:{change.line} {change.function}: no test fails for [{change.words}]; "
        f"write one, or say in {REASONS.name} why none can"
        for change in passed
        if not why.get(change.key)
    ]
    keys = {change.key for change in made}
    idle = [
        f"{REASONS.name} gives a reason for [{words}] in {file} {function}, but "
        f"{'a test fails for it' if (file, function, words) in keys else 'there is no such change'}; take it out"
        for file, function, words in why.keys() - {change.key for change in passed}
    ]
    return unseen + sorted(idle)


def main() -> int:
    """Make, test and judge all changes; how many faults there are."""
    begun = time.monotonic()
    made: list[Change] = []
    for file, tests in TESTS.items():
        text = (ROOT / file).read_text()
        for test in tests:  # so that the processes to come find imported what is not ours
            importlib.import_module(_module(test))
        if not passes(file, compile(text, file, "exec")):
            sys.exit(f"the tests of {file} fail on the file as it is; mend them first: pytest {' '.join(tests)}")
        made += changes(file, text)
    passed = [change for change in track(made, "changes") if passes(change.file, change.code)]
    found = faults(made, passed, yaml.safe_load(REASONS.read_text()))
    noticed, seconds = len(made) - len(passed), time.monotonic() - begun
    print(
        *found,
        f"{len(made)} changes: {noticed} noticed, {len(passed)} not; {len(found)} faults; {seconds:.0f} s",
        sep="\n",
    )
    return len(found)


if __name__ == "__main__":
    os.chdir(ROOT)
    sys.exit(min(main(), 1))
