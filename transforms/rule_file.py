"""A YAML 1.2 file as plain values whose numbers are exact decimals, with the line of each of them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Place = tuple[str | int, ...]
TAG = "tag:yaml.org,2002:"


class RuleFault(Exception):
    """A rule file that cannot be used: says file, line, key, value and remedy."""

    def __init__(self, file: str, line: int, key: str, value: object, remedy: str) -> None:
        self.file, self.line, self.key, self.value, self.remedy = file, line, key, value, remedy
        super().__init__(f"{file}:{line}: {key} [{value}]: {remedy}")


def read(path: Path) -> tuple[Any, dict[Place, int]]:
    """A file's content, and for each place in it the line that it stands on.

    Raises RuleFault for what is not YAML, a key that stands twice, or a date that does not exist.
    """
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(path)
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise RuleFault(
            path.name, line, "file", "…", f"not valid YAML: {fault.problem}; mend the indentation or quotes"
        ) from None
    lines: dict[Place, int] = {}
    try:
        return _plain(path.name, node, (), lines), lines
    except RecursionError:
        raise RuleFault(path.name, 1, "file", "…", "an anchor holds itself; write the values out") from None


def _plain(file: str, node: Node | None, place: Place, lines: dict[Place, int]) -> Any:
    if node is None:
        return None
    lines[place] = node.start_mark.line + 1
    if isinstance(node, MappingNode):
        return _mapping(file, node, place, lines)
    if isinstance(node, SequenceNode):
        return [_plain(file, item, (*place, number), lines) for number, item in enumerate(node.value)]
    return _scalar(file, node, place)


def _mapping(file: str, node: MappingNode, place: Place, lines: dict[Place, int]) -> dict:
    made: dict = {}
    for key_node, value_node in node.value:
        key = _scalar(file, key_node, place)
        if key in made:
            raise RuleFault(file, key_node.start_mark.line + 1, str(key), "twice", "this key stands twice; keep one")
        made[key] = _plain(file, value_node, (*place, key if isinstance(key, str | int) else str(key)), lines)
        lines[(*place, str(key))] = key_node.start_mark.line + 1
    return made


def _scalar(file: str, node: Node, place: Place) -> Any:
    if not isinstance(node, ScalarNode):
        raise RuleFault(file, node.start_mark.line + 1, "key", "…", "a key is one word or date, not a list or mapping")
    text, kind = node.value, (node.tag or "").removeprefix(TAG)
    try:
        if kind == "null":
            return None
        if kind == "bool":
            return text.lower() == "true"
        if kind in ("int", "float"):
            return Decimal(text)
        if kind == "timestamp":
            return date.fromisoformat(text)
    except (ValueError, ArithmeticError):
        key = str(place[-1]) if place else "file"
        raise RuleFault(
            file, node.start_mark.line + 1, key, text, "not a number or date that exists; write 0.06 or 2019-07-01"
        ) from None
    return text
