"""Whether a lever selects a line."""

from tests.oracle.lines import Line


def matches(wanted: object, value: object) -> bool | None:
    """Whether a value is the one wanted, one of a list, or not one of `not`; None where it is not known."""
    if value is None:
        return None
    if isinstance(wanted, dict):
        return not matches(wanted["not"], value)
    return value in wanted if isinstance(wanted, list | tuple) else value == wanted


def in_force(lever: dict, line: Line) -> bool:
    """Whether the lever is effective on the line's date."""
    effective = lever.get("effective") or {}
    if "from" in effective and line.on < effective["from"]:
        return False
    return effective.get("to") is None or line.on < effective["to"]


def matching(lever: dict, line: Line) -> bool | None:
    """Whether every key of the lever matches, whatever the date; None where that hangs on a value not known."""
    found = [matches(wanted, line.attributes.get(name)) for name, wanted in (lever.get("select") or {}).items()]
    if False in found:
        return False
    return None if None in found else True


def selects(lever: dict, line: Line) -> bool:
    """Whether the lever is in force and every key matches; undecided is no."""
    return in_force(lever, line) and matching(lever, line) is True
