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
    """Copy one ready delivery into landing/, whole at once; its name."""
    root = store.place("landing")
    shutil.copytree(folder, root / f".{folder.name}")
    os.replace(root / f".{folder.name}", root / folder.name)
    return folder.name
