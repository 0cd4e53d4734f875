"""Faults of a rule file as people who write it need them: file, line, key, value, remedy."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from typing import Any

from pydantic import ConfigDict, ValidationError
from typing_extensions import is_typeddict

from transforms import worked_examples
from transforms.rule_file import Place, RuleFault, RuleText
from transforms.rule_values import NAME, WORDS, Fault, Rule

REMEDIES = {  # those of pydantic's words that say what is wrong, but not what to do
    "date_type": "a date is needed; write it as 2019-07-01, without quotes",
    "bool_type": "write true or false",
    "is_instance_of": "a number is needed; write it as 0.06, without quotes or a unit",
    "list_type": "a list is needed; write it in brackets or with a dash before each item",
    "dict_type": "a mapping is needed; write it as {key: value}",
    "model_type": "a mapping is needed; write it as {key: value}",
    "typed_dict_type": "a mapping is needed; write it as {key: value}",
    "string_type": "a text is needed; write one, in quotes if it is a number, a date or one of true, false and null",
    "too_short": "the list is empty; give at least one item",
    "invalid_key": "a key is one word; a decimal has a point, as in 0.04",
}
NAMED_BY = ("lever", "criterion", "example", "id")
BOUNDS = {  # and those of a bound or pattern
    ("string_pattern_mismatch", WORDS): "nothing is said; write some words",
    ("string_pattern_mismatch", NAME): "use small letters, digits and hyphens, as in modern-work",
}


def named_faults(file: str, text: RuleText, faults: Iterable[Fault]) -> list[RuleFault]:
    """Faults at the innermost place of the file that each of them speaks of, one for each value."""
    made: dict[tuple, RuleFault] = {}
    for fault in faults:
        place, key, value = _innermost(fault.place, text)
        shown = fault.value if fault.value is not None else value if isinstance(value, SHOWN) else "…"
        named = RuleFault(file, text.lines.get(place, 1), key or "file", shown, fault.remedy)
        made.setdefault((place, str(shown)), named)
    return list(made.values())


SHOWN = (str, Decimal, date, bool)


def faults_of(refused: ValidationError) -> list[Fault]:
    """All that a model refuses."""
    return [fault for error in refused.errors() for fault in _faults(error)]


def _faults(error: Any) -> Iterator[Fault]:
    place: Place = error["loc"]
    last = str(place[-1]) if place else "file"
    kind = error["type"]
    if kind == "rule":
        for fault in error["ctx"]["faults"]:
            yield fault._replace(place=(*place, *fault.place))
    elif kind == "extra_forbidden":
        yield Fault(place, last, f"no such key; {_meant(last, _keys(place))}see docs/programs.md for the words")
    elif _is_dated(error["input"]) and kind in ("literal_error", "invalid_key"):
        yield Fault(place, None, "this cannot be dated; end the lever, and write a new one from that day")
    elif kind == "literal_error":
        words = re.findall(r"'([^']*)'", error["ctx"]["expected"])
        yield Fault(place, None, f"{_meant(str(error['input']), words)}write one of {', '.join(words)}")
    elif kind == "missing":
        yield Fault(place, last, "this key is missing; add it")
    elif kind == "string_type" and isinstance(error["input"], Decimal | date):
        yield Fault(place, None, f'a text is needed; write it in quotes: "{error["input"]}"')
    else:
        bound = next((str(value) for value in error.get("ctx", {}).values()), "")
        said = error["msg"].removeprefix("Value error, ")
        yield Fault(place, None, BOUNDS.get((kind, bound)) or REMEDIES.get(kind, said))


def _is_dated(written: object) -> bool:
    """Whether a value, or a key, is written as those of dates are."""
    return isinstance(written, date) or (isinstance(written, dict) and any(isinstance(key, date) for key in written))


def _meant(word: str, known: Iterable[str]) -> str:
    """A question whether the nearest of some words was meant, where one is near."""
    nearest = get_close_matches(word.lower(), list(known), 1)
    return f"is [{nearest[0]}] meant? " if nearest else ""


def _keys(place: Place) -> list[str]:
    """Every key that a rule file, or an example in it, may have somewhere."""
    return _keys_of_examples() if place[0] == "examples" else _keys_of_rules()


@cache
def _keys_of_examples() -> list[str]:
    parts = [part for part in vars(worked_examples).values() if is_typeddict(part) and part is not ConfigDict]
    return sorted({key for part in parts for key in part.__annotations__})


@cache
def _keys_of_rules() -> list[str]:
    parts, found = [Rule], set()
    for part in parts:
        parts += part.__subclasses__()
        found |= {field.alias or name for name, field in part.model_fields.items()}
    return sorted(found)


def _innermost(wanted: Place, text: RuleText) -> tuple[Place, str, Any]:
    """The innermost place of the file on the way to what is wanted, how people name it, and the value that it holds."""
    place: Place = ()
    names: list[str] = []
    value = text.content
    for step in wanted:
        if isinstance(value, dict | list) and (*place, step) in text.lines:
            held = value.items() if isinstance(value, dict) else enumerate(value)
            found = next(one for key, one in held if str(key) == str(step))
            names.append(_name(found, step) if isinstance(value, list) else str(step))
            place, value = (*place, step), found
    return place, ".".join(names), value


def _name(item: Any, number: Any) -> str:
    """An item of a list by its own name, or counted from 1, as brackets are in results."""
    named = [item[word] for word in NAMED_BY if isinstance(item, dict) and isinstance(item.get(word), str)]
    return named[0] if named else str(number + 1)
