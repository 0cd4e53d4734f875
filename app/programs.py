"""The `incentives programs` commands: check rule files, and say what is in force on a day."""

from pathlib import Path
from typing import Annotated, Any

import typer

from app.output import REFUSED, AsJson, print_json, print_table, say

app = typer.Typer(no_args_is_help=True, help="Rule files: check them, show what is in force.")


@app.command()
def check(
    paths: Annotated[
        list[Path] | None, typer.Argument(exists=True, help="Rule files or folders; all of programs/ unless given.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Load rule files and run their examples. Exit 1 at a fault: file, line, key, value, remedy.

    Example: incentives programs check programs/csp-direct-bill.yaml
    """
    import pipeline

    checked, faults = [], []
    for path in paths or [pipeline.programs_folder()]:
        for file in sorted(path.glob("*.yaml")) if path.is_dir() else [path]:
            row, found = _checked(file)
            checked += [row] if row else []
            faults += found
    if as_json:
        print_json({"checked": checked, "faults": [_told(fault) for fault in faults]})
    else:
        print_table([row | {"not run": len(row["not run"])} for row in checked])
        for row in checked:
            for name, words in row["not run"].items():
                say(f"{row['program']}: example [{name}] is not run, as it uses {', '.join(words)}")
        for fault in faults:
            typer.echo(str(fault), err=True)
    raise typer.Exit(REFUSED if faults else 0)


def _checked(path: Path) -> tuple[dict[str, Any] | None, list[Any]]:
    """What a file holds, None where it cannot be loaded, and its faults in order of lines."""
    from transforms.buckets import bucket_key
    from transforms.examples import try_examples
    from transforms.programs import loaded

    program, faults = loaded(path)
    if program is None:
        return None, sorted(faults, key=lambda fault: fault.line)
    tried = try_examples(program, path)
    return {
        "program": program.program,
        "status": program.status,
        "bucket key": bucket_key(program),
        "levers": len(program.levers),
        "examples": len(program.examples),
        "not run": tried.not_run,
    }, tried.faults


def _told(fault: Any) -> dict[str, Any]:
    """A fault as JSON; of an example also what it expects, what was computed, and what became of its lines."""
    names = ("file", "line", "key", "value", "remedy", "expected", "computed", "trace")
    return {name: getattr(fault, name) for name in names if hasattr(fault, name)}
