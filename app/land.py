"""Deliveries that are ready, copied into landing/."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from warehouse import landing, store


def deliveries(folders: Sequence[Path]) -> list[str]:
    """Copy ready deliveries, or folders of them, into landing/; transactions last, so that a day is whole when it is."""
    ready = [p.parent for folder in folders for p in sorted(folder.glob(f"**/{landing.MANIFEST}"))]
    ordered = sorted(ready, key=lambda folder: (folder.name[:10], "-transactions" in folder.name, folder.name))
    return [drop(folder) for folder in ordered]


def drop(folder: Path) -> str:
    """Copy one ready delivery into landing/, whole at once, unless it is there already; its name.

    Raises LookupError where another delivery of that name waits.
    """
    root = store.place("landing")
    there = root / folder.name / landing.MANIFEST
    if there.exists() and there.read_bytes() == (folder / landing.MANIFEST).read_bytes():
        return folder.name
    if there.parent.exists():
        raise LookupError(
            f"[{folder}] is not landed: another delivery [{folder.name}] waits in [{root}]; `incentives ingest` takes that in, "
            "or give this one, its folder and its manifest, an id of its own."
        )
    unfinished = root / f".{folder.name}"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(folder, unfinished)
    store.reached("ready delivery copied")
    os.replace(unfinished, root / folder.name)
    return folder.name
