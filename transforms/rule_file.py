"""A YAML 1.2 file as plain values whose numbers are exact decimals, with the line of each of them."""

import re
import traceback
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from yaml.events import CollectionEndEvent, CollectionStartEvent
from yaml.nodes import MappingNode, Node, ScalarNode

Place = tuple[str | int, ...]
TAG = "tag:yaml.org,2002:"
MOST_DEEP, MOST_VALUES, MOST_DIGITS = 100, 1_000_000, 99
TOO_DEEP = f"lists and mappings lie more than {MOST_DEEP} deep within one another; close the brackets"


class RuleFault(Exception):
    """A rule file that cannot be used: says file, line, key, value and remedy."""

    def __init__(self, file: str, line: int, key: str, value: object, remedy: str) -> None:
        self.file, self.line, self.key, self.value, self.remedy = file, line, key, value, remedy
        super().__init__(f"{file}:{line}: {key} [{value}]: {remedy}")


class Unforeseen(RuleFault):
    """What goes wrong with a file that no check foresees, and where it was raised."""

    def __init__(self, file: str, raised: Exception) -> None:
        self.trace = traceback.format_exception(raised)
        remedy = f"could not be checked: {raised}; report this to the developers, with the file and what --json says"
        super().__init__(file, 1, "file", type(raised).__name__, remedy)


class RuleText(NamedTuple):
    """What a file holds, the line of each place in it, and what is wrong with it as a text."""

    content: Any
    lines: dict[Place, int]
    faults: list[RuleFault]


class _Yaml12(yaml.CSafeLoader):
    """The scanner of libyaml, 10 times as fast as one in Python, with what YAML 1.2 reads into plain words."""

    yaml_implicit_resolvers: dict = {}


for kind, pattern, first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("timestamp", r"\d{4}-\d{1,2}-\d{1,2}", list("0123456789")),
    ("float", r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?", list("-+.0123456789")),
):
    _Yaml12.add_implicit_resolver(TAG + kind, re.compile(f"^(?:{pattern})$"), first)


def read(path: Path) -> tuple[Any, dict[Place, int]]:
    """A file's content, and for each place in it the line that it stands on. Raises RuleFault for its first fault."""
    text = parsed(path)
    if text.faults:
        raise text.faults[0]
    return text.content, text.lines


def parsed(path: Path) -> RuleText:
    """A file's content with its faults: what is not YAML, a key that stands twice, a date that does not exist."""
    reading = _Reading(path.name)
    try:
        text = path.read_text("utf-8")
        reading.refuse_depths(text)
        return RuleText(reading.plain(yaml.compose(text, Loader=_Yaml12), ()), *reading.found)
    except RuleFault as fault:
        reading.faults.append(fault)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        reading.refuse(line, "file", "…", f"not valid YAML: {fault.problem}; mend the indentation or quotes")
    except (yaml.YAMLError, UnicodeDecodeError):
        reading.refuse(1, "file", "…", "not a text in UTF-8; save it as one")
    return RuleText(None, *reading.found)


def kind_of(content: Any) -> str:
    """What a file holds that is no mapping, in a word."""
    return "nothing" if content is None else type(content).__name__


class _Reading:
    """The lines and faults of one file, as its nodes are read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.around: list[Node] = []
        self.lines: dict[Place, int] = {}
        self.faults: list[RuleFault] = []

    @property
    def found(self) -> tuple[dict[Place, int], list[RuleFault]]:
        return self.lines, self.faults

    def refuse(self, line: int, key: str, value: object, remedy: str) -> None:
        self.faults.append(RuleFault(self.file, line, key, value, remedy))

    def refuse_depths(self, text: str) -> None:
        """Raise RuleFault where a text is nested so deeply that the nodes of it would not fit onto the stack."""
        depth = 0
        for event in yaml.parse(text, Loader=_Yaml12):
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > MOST_DEEP:
                raise RuleFault(self.file, event.start_mark.line + 1, "file", "…", TOO_DEEP)

    def plain(self, node: Node | None, place: Place) -> Any:
        """The value of a node and all below it. Raises RuleFault where that has no end, or not soon."""
        if node is None:
            return None
        line = self.lines[place] = node.start_mark.line + 1
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        if remedy := self._endless(node, place):
            raise RuleFault(self.file, line, str(place[0]), "…", remedy)
        self.around.append(node)
        made = self._mapping(node, place) if isinstance(node, MappingNode) else self._sequence(node, place)
        self.around.pop()
        return made

    def _endless(self, node: Node, place: Place) -> str | None:
        """What to do about a list or mapping that has no end, or not soon."""
        if node in self.around:
            return "an anchor holds itself; write the values out"
        if len(self.lines) > MOST_VALUES:
            return f"by its anchors the file holds more than {MOST_VALUES:,} values; write out those that are meant"
        return TOO_DEEP if len(place) > MOST_DEEP else None

    def _sequence(self, node: Node, place: Place) -> list:
        return [self.plain(item, (*place, number)) for number, item in enumerate(node.value)]

    def _mapping(self, node: MappingNode, place: Place) -> dict:
        made: dict = {}
        for key_node, value_node in node.value:
            key, line = self._scalar(key_node, place), key_node.start_mark.line + 1
            if key in made:
                self.refuse(line, str(key), "twice", "this key stands twice; keep one")
            made[key] = self.plain(value_node, (*place, key if isinstance(key, str | int) else str(key)))
            self.lines[(*place, str(key))] = line
        return made

    def _scalar(self, node: Node, place: Place) -> Any:
        line, text = node.start_mark.line + 1, node.value
        if not isinstance(node, ScalarNode):
            return self.refuse(line, "key", "…", "a key is one word or date, not a list or mapping")
        kind = (node.tag or "").removeprefix(TAG)
        key = str(place[-1]) if place else "file"
        try:
            if kind == "null":
                return None
            if kind == "bool":
                return text.lower() == "true"
            if kind in ("int", "float"):
                return _decimal(text)
            if kind == "timestamp":
                return date.fromisoformat(text)
        except OverflowError:
            remedy = (
                f"a number of more than {MOST_DIGITS} digits before or after its point; write the one that is meant"
            )
            self.refuse(line, key, text, remedy)
        except (ValueError, ArithmeticError):
            self.refuse(line, key, text, "not a number or date that exists; write 0.06 or 2019-07-01")
        return text


def _decimal(text: str) -> Decimal:
    """An exact number. Raises OverflowError where it is too large or small to be worked with."""
    number = Decimal(text)
    if abs(number.adjusted()) > MOST_DIGITS:
        raise OverflowError(text)
    return number
