"""The `incentives programs` commands: check rule files, and say what is in force on a day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.output import REFUSED, AsJson, print_json, print_table, say

if TYPE_CHECKING:  # these bring pandas, which takes half a second
    from app.rules_in_words import ProgramInWords
    from transforms.programs import Program
    from transforms.rule_file import RuleFault

app = typer.Typer(no_args_is_help=True, help="Rule files: check them, show what is in force.")


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Rule files or folders; all of programs/ unless given.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Run the examples of files as well that were found sound before.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load rule files and run their examples. Exit 1 at a fault: file, line, key, value, remedy.

    A file that was found sound is run again once it, or this software, has changed.

    \b
    Example: incentives programs check programs/csp-direct-bill.yaml
    """
    import rulebook
    from transforms.programs import rule_files

    named = paths or [rulebook.programs_folder()]
    files = [file for path in named for file in (rule_files(path) if path.is_dir() else [path])]
    found = _found(files, again=again)
    checked = [row | {"faults": len(of_file)} for row, of_file in found if row]
    faults = [fault for _, of_file in found for fault in of_file]
    if as_json:
        print_json({"checked": checked, "faults": [_told(fault) for fault in faults]})
    else:
        if checked or not faults:
            print_table(checked)
        for fault in faults:
            typer.echo(str(fault), err=True)
    raise typer.Exit(REFUSED if faults else 0)


def _found(files: list[Path], *, again: bool) -> list[tuple[dict[str, Any] | None, list[RuleFault]]]:
    """What a check says of each file, in order: worked out, or remembered where the same file was found sound."""
    from app import checked

    marks = {file: checked.mark(file) for file in files}
    sound = {} if again else checked.sound()
    edited = [file for file in files if marks[file] not in sound]
    made = dict(zip(edited, _each(edited), strict=True))
    found = [made[file] if file in made else (sound[marks[file]], []) for file in files]
    if made:
        known = {mark: row for mark, row in checked.sound().items() if mark not in map(marks.get, made)}
        fit = {file: row for file, (row, faults) in made.items() if row and not faults}
        # a file that was edited meanwhile is not what its mark says
        checked.remember(known | {marks[file]: row for file, row in fit.items() if checked.mark(file) == marks[file]})
    return found


def _each(files: list[Path]) -> list[tuple[dict[str, Any] | None, list[RuleFault]]]:
    """What each file holds, None where it cannot be loaded, and its faults in order of lines; whatever goes wrong is one."""
    loads = [_loaded(file) for file in files]
    tried = iter(_tried([(program, file) for file, (program, *_) in zip(files, loads, strict=True) if program]))
    return [(row, next(tried) if program else faults) for program, row, faults in loads]


def _loaded(path: Path) -> tuple[Program | None, dict[str, Any] | None, list[RuleFault]]:
    from transforms.buckets import bucket_key
    from transforms.programs import loaded
    from transforms.rule_file import Unforeseen

    try:
        program, faults = loaded(path)
        if program is None:
            return None, None, sorted(faults, key=lambda fault: fault.line)
        row = {
            "program": program.program,
            "status": program.status,
            "bucket key": bucket_key(program),
            "levers": len(program.levers),
            "examples": len(program.examples),
        }
        return program, row, []
    except Exception as raised:
        return None, None, [Unforeseen(path.name, raised)]


def _tried(files: list[tuple[Program, Path]]) -> list[list[RuleFault]]:
    """What the examples of each file come to: of all together, of each alone where that goes wrong."""
    from transforms.examples import try_all
    from transforms.rule_file import Unforeseen

    try:
        return try_all(files)
    except Exception as raised:
        if len(files) == 1:
            return [[Unforeseen(files[0][1].name, raised)]]
        return [found for one in files for found in _tried([one])]


def _told(fault: RuleFault) -> dict[str, Any]:
    """A fault as JSON; of an example also what it expects, what was computed, and what became of its lines.

    Of what nobody foresaw `trace` is where it was raised.
    """
    names = ("file", "line", "key", "value", "remedy", "expected", "computed", "trace")
    return {name: getattr(fault, name) for name in names if hasattr(fault, name)}


@app.command()
def show(
    program: Annotated[str, typer.Argument(help="Program, or its file.")],
    on: Annotated[datetime, typer.Option("--on", formats=["%Y-%m-%d"], help="Day.")],
    as_json: AsJson = False,
) -> None:
    """The rules of a program that are in force on a day, in words, with their figures and sources.

    \b
    Example: incentives programs show csp-indirect-reseller --on 2022-03-25
    """
    from app.rules_in_words import program_in_words

    found = _program(program)
    said = program_in_words(found, on.date())
    if as_json:
        print_json(
            {
                "program": found.program,
                "title": found.title,
                "on": on.date(),
                **{part: [row._asdict() for row in rows] for part, rows in said._asdict().items()},
            }
        )
        return
    say(f"{found.title} ({found.program}) on {on.date()}")
    for heading, rows in _tables(said):
        say(f"\n{heading}")
        print_table(rows)


def _tables(said: ProgramInWords) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The tables that show a program, each with its heading."""
    yield "Program", [row._asdict() for row in said.head]
    yield "Eligibility: every criterion holds at once", [row._asdict() for row in said.criteria]
    yield (
        "Levers in force (~: no source states the figure)",
        [
            {
                "lever": f"{row.lever}{' ~' if row.illustrative else ''}",
                "pays": row.pays,
                "on": row.selects,
                "in force": row.in_force,
            }
            for row in said.levers
        ],
    )
    if brackets := [{"lever": row.lever, "threshold": t, "pays": p} for row in said.levers for t, p in row.brackets]:
        yield "Brackets", brackets
    if bounds := [{"lever": row.lever, "rule": rule} for row in said.levers for rule in row.conditions]:
        yield "Bounds", bounds
    yield "Terms", [row._asdict() for row in said.terms]
    yield "Sources", [{"lever": row.lever, "documented": row.documented} for row in said.levers if row.documented]


def _program(named: str) -> Program:
    """A program by its name or its file. Raises LookupError where there is none."""
    import rulebook
    from transforms.programs import load

    path = Path(named)
    if path.suffix != ".yaml":
        path = rulebook.programs_folder() / f"{named}.yaml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in rulebook.programs_folder().glob("*.yaml")))
        raise LookupError(f"no program [{named}]; there are {known}")
    return load(path)
