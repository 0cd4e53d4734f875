"""Rule files that were found sound, by their content and that of the engine, so that only what was edited is run again."""

import hashlib
import json
import os
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import transforms
from warehouse import store

FILE = "checked_programs.json"
KEPT = 1000
ENGINE = ("iso4217", "numpy", "pandas", "pyarrow", "pydantic", "pyyaml", "schwifty")  # what the transforms import


def mark(path: Path) -> str:
    """SHA-256 of a rule file's name and content, if it can be read, and of all that its examples are worked out with."""
    content = b""
    with suppress(OSError):
        content = path.read_bytes()
    return hashlib.sha256(f"{_engine()}\n{path.name}\n".encode() + content).hexdigest()


@cache
def _engine() -> str:
    folder = Path(transforms.__path__[0])
    sources = [*sorted(folder.glob("*.py")), folder.parent / "app" / "programs.py"]  # which says what is kept
    written = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    return " ".join([written, sys.version, *map(version, ENGINE)])


def sound() -> dict[str, dict[str, Any]]:
    """By mark, what `incentives programs check` said of each file that it found sound; nothing where that cannot be read."""
    with suppress(OSError, ValueError):
        return json.loads((store.home() / FILE).read_text())
    return {}


def remember(rows: dict[str, dict[str, Any]]) -> None:
    """Keep what was said of files, by mark, the latest `KEPT`, so that it does not grow with every edit.

    Where the home cannot be written nothing is kept: the next check runs all again.
    """
    fresh = store.home() / f".{FILE}.{os.getpid()}"
    with suppress(OSError):
        fresh.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh.write_text(json.dumps(dict(list(rows.items())[-KEPT:])))
        os.replace(fresh, store.home() / FILE)
