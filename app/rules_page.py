"""The rules as a page for those who are paid by them: every program, figure, source and worked example."""

from collections.abc import Iterable, Iterator
from typing import Any

from app.rules_in_words import program_in_words
from transforms.levers_in_words import LeverInWords
from transforms.programs import Program
from transforms.worked_examples import Line, Written


def rules_page(programs: Iterable[Program]) -> str:
    """Every program file in words, as Markdown."""
    head = "# Rules\n\nMade by `make docs` from programs/. ~ marks a figure that no source states.\n"
    return "\n".join([head, *(text for program in programs for text in _program(program))])


def _program(program: Program) -> Iterator[str]:
    said = program_in_words(program)
    yield f"## {program.title}\n\n`{program.program}`\n"
    yield _table(["", "rule"], said.head)
    yield "\n### Who may earn\n\nAll of these hold at once.\n"
    yield _table(["criterion", "the partner"], said.criteria)
    yield "\n### What is paid\n"
    yield _table(
        ["lever", "in force", "pays", "on", "documented"],
        [(_named(row), row.in_force, row.pays, row.selects, row.documented) for row in said.levers],
    )
    for row in said.levers:
        if row.brackets or row.conditions:
            yield f"\n**{row.title}** (`{row.lever}`)\n"
            yield from (f"- {condition}" for condition in row.conditions)
            yield from (f"- {threshold}: {pays}" for threshold, pays in row.brackets)
    yield "\n### What becomes of it\n"
    yield _table(["", "rule"], said.terms)
    if program.examples:
        yield "\n### Worked examples\n"
        yield from (text for example in program.examples for text in _example(example))


def _named(row: LeverInWords) -> str:
    return f"{row.title} (`{row.lever}`){' ~' if row.illustrative else ''}"


def _example(example: Written) -> Iterator[str]:
    given: dict[str, Any] = {**example.get("given", {})}
    yield f"**{example.get('example', '')}**\n"
    for feed, rows in given.items():
        if feed == "days":
            rows = [line for day in rows for line in day["transactions"]]
        yield _rows(feed, rows)
    expected = "; ".join(
        f"{key.replace('coop', 'co-op')} {_shown(value)}" for key, value in example.get("expect", {}).items()
    )
    yield f"Expected: {expected}.\n"


def _rows(feed: str, rows: list[Line] | list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(column for row in rows for column in row))
    heading = "transaction" if feed in ("transactions", "days") else feed.replace("_", " ")
    return (
        _table(
            [heading if column == "id" else column for column in columns],
            [[row.get(c, "") for c in columns] for row in rows],
        )
        + "\n"
    )


def _shown(value: Any) -> str:
    """A value as people write it.

    >>> _shown({"t1": "eligible"}), _shown([]), _shown(True)
    ('t1 eligible', 'none', 'yes')
    """
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not known"
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(one)}" for key, one in value.items())
    if isinstance(value, list):
        return " and ".join(_shown(one) for one in value) or "none"
    return str(value)


def _table(columns: list[str], rows: Iterable[Iterable[Any]]) -> str:
    cells = ["| " + " | ".join(_shown(cell).replace("|", "\\|") for cell in row) + " |" for row in [columns, *rows]]
    return "\n".join([cells[0], "|" + "---|" * len(columns), *cells[1:]])
