"""Programs whose worked examples are run together: alike in all but their names, levers and examples."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from transforms.levers import Lever
from transforms.programs import Program
from transforms.selection import SELECTABLE

NAME, OWN = "*", "program_number"  # of several programs as one, and the column that tells them apart
ANY = "\0"  # which no text has
UNSAID: dict[str, Any] = {"program": NAME, "title": "", "rule_version": "", "status": "active", "examples": []}


class Together(NamedTuple):
    """Several programs as one, in which a lever that several have as the same stands once.

    `selecting` has its levers as lines select them, each by the number of its own programs besides, where `ANY` is
    whatever one wants; `paying` as they pay. `names` are their own names, by those that they have in it.
    """

    selecting: Program
    paying: Program
    names: dict[str, str]


def alike(programs: Sequence[Program]) -> list[list[int]]:
    """The places of programs that can be run together."""
    groups = defaultdict(list)
    for place, program in enumerate(programs):
        plain = program.model_copy(update=UNSAID | {"reference": None, "levers": []})
        groups[repr(plain)].append(place)
    return list(groups.values())


def together(programs: Iterable[Program]) -> Together:
    """Programs that are alike as one, `program_number` being their place among them. Levers of each keep their order."""
    known: dict[tuple[int, str], tuple[Lever, list[int]]] = {}
    for number, program in enumerate(programs):
        for place, lever in enumerate(program.levers):
            said = repr(lever.model_copy(update={"title": "", "reference": None}))
            known.setdefault((place, said), (lever, []))[1].append(number)
    listed = [known[key] for key in sorted(known, key=lambda key: key[0])]
    paying = [_apart(str(n), lever) for n, (lever, _) in enumerate(listed)]
    selecting = [_open(lever, of) for lever, (_, of) in zip(paying, listed, strict=True)]
    plain = program.model_copy(update=UNSAID)
    return Together(
        plain.model_copy(update={"levers": selecting}),
        plain.model_copy(update={"levers": paying}),
        {str(n): lever.lever for n, (lever, _) in enumerate(listed)},
    )


def _apart(name: str, lever: Lever) -> Lever:
    """A lever under another name, in a stack that holds none of another kind."""
    stack = lever.stack and lever.stack.model_copy(update={"group": f"{lever.stack.group} {lever.stack.take}"})
    return lever.model_copy(update={"lever": name, "stack": stack})


def _open(lever: Lever, numbers: list[int]) -> Lever:
    select = {column: _or_any(wanted) for column, wanted in lever.select.items()}
    return lever.model_copy(update={"select": {OWN: numbers, **select}})


def _or_any(wanted: Any) -> Any:
    if isinstance(wanted, dict):  # {not: …}, which ANY is
        return wanted
    return [*(wanted if isinstance(wanted, list) else [wanted]), ANY]


def asked_by(row: dict[str, Any], said: set[str]) -> dict[str, Any]:
    """What levers select a line by: what is said of it, whatever they want for what is not."""
    return {OWN: row[OWN]} | {column: row[column] if column in said else ANY for column in SELECTABLE}
