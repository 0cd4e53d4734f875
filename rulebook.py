"""The rules that a run works with: those of programs/, those of the last run, those that are archived; and adjustments."""

import hashlib
import os
import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb

from transforms import adjustments, examples
from transforms.programs import Program, active, load, load_all, rule_files
from transforms.rule_file import RuleFault
from warehouse import books, store


def programs_folder() -> Path:
    """Where the rule files lie, from INCENTIVES_PROGRAMS; programs/ of this repository unless it is set.

    Raises LookupError where there is no such folder.
    """
    folder = Path(os.environ.get("INCENTIVES_PROGRAMS", Path(__file__).parent / "programs"))
    if not folder.is_dir():
        raise LookupError(
            f"INCENTIVES_PROGRAMS is [{folder}], which is no folder; name the one in which the rule files lie."
        )
    return folder


def adjustments_folder() -> Path:
    """Where manual adjustments are declared, from INCENTIVES_ADJUSTMENTS; adjustments/ of this repository unless it is set."""
    return Path(os.environ.get("INCENTIVES_ADJUSTMENTS", Path(__file__).parent / "adjustments"))


def programs() -> list[Program]:
    """Every program, its examples run, one of them active.

    Raises RuleFault for the first file that cannot be used, and LookupError where no program posts earnings.
    """
    folder = programs_folder()
    found = programs_in(folder)
    if not active(found):
        raise LookupError(
            f"INCENTIVES_PROGRAMS is [{folder}], which holds no active program; put the rule file (*.yaml) of one into it."
        )
    return found


def programs_in(folder: Path) -> list[Program]:
    """Every program of a folder, as `programs` has them."""
    files = tuple((path, path.read_bytes()) for path in rule_files(folder))
    return list(_checked(files))


@cache
def _checked(files: tuple[tuple[Path, bytes], ...]) -> list[Program]:
    """The programs of files that hold this; a backfill reads and tries them once."""
    loaded = [load(path) for path, _ in files]
    for program, (path, _) in zip(loaded, files, strict=True):
        _run_examples(path, program.rule_version)
    return loaded


@cache
def _run_examples(path: Path, rule_version: str) -> None:
    examples.check(load(path), path)


@dataclass(frozen=True)
class Rules:
    """The rules that a run works with, and those of the run before it."""

    now: list[Program]
    before: list[Program]
    hash: str

    @property
    def changed(self) -> bool:
        return {p.rule_version for p in active(self.now)} != {p.rule_version for p in active(self.before)}

    @property
    def splits_changed(self) -> bool:
        before = {p.program: p.split for p in active(self.before)}
        return any(before.get(p.program, p.split) != p.split for p in active(self.now))


def edited_rules(con: duckdb.DuckDBPyConnection) -> Rules:
    """The rules of programs/, archived under their hash, beside those of the last run, from the archive."""
    now = programs()
    digest = _archived(now)
    last = books.last_rules(con)
    before = load_all(rules_archive(last)) if last and last != digest else now
    return Rules(now, before, digest)


def rules_of_last_run(con: duckdb.DuckDBPyConnection) -> Rules:
    """The rules in force: those that the last run worked with, from the archive."""
    digest = str(books.last_rules(con))
    last = load_all(rules_archive(digest))
    return Rules(last, last, digest)


def _archived(rules: list[Program]) -> str:
    """A hash over the active rule files, which are archived under it, whole or not at all."""
    named = "".join(f"{program.program}:{program.rule_version};" for program in active(rules))
    digest = hashlib.sha256(named.encode()).hexdigest()
    kept = rules_archive(digest)
    if not kept.exists():
        unfinished = kept.with_name(f".{kept.name}")
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(programs_folder(), unfinished)
        store.reached("rules copied")
        os.replace(unfinished, kept)
    return digest


def rules_archive(rules_hash: str) -> Path:
    """Where the rule files of a run are kept."""
    return store.place("archive") / "rules" / rules_hash[:12]


def declared_adjustments(folder: Path) -> tuple[list[adjustments.Adjustment], list[str]]:
    """Every declared adjustment that can be read, and the faults of the others."""
    made, faults = [], []
    for path in sorted(folder.glob("*.yaml")):
        try:
            made.append(adjustments.load(path))
        except RuleFault as fault:
            faults.append(f"adjustment is not posted: {fault}")
    return made, faults


def adjustments_archive(run_id: str) -> Path:
    """Where the adjustments that a run posts are kept as they were declared."""
    return store.place("archive") / "adjustments" / run_id
