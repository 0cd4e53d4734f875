"""What has landed: deliveries of files with a manifest, made, checked and moved on.

A delivery is a folder below landing/. Its manifest is written last, by rename, so that a folder with a manifest is
whole. Nothing here looks into a file beyond counting and hashing it.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from warehouse import store
from warehouse.tables import FEEDS

MANIFEST = "manifest.json"
SCHEMA_VERSION = 1
Mode = Literal["snapshot", "delta"]
PLAIN_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"
PlainName = Annotated[str, StringConstraints(pattern=f"^{PLAIN_NAME}$")]


class Refused(Exception):
    """A whole delivery or day is refused: the data is at fault and running again will not help."""


class LandedFile(BaseModel):
    """One file of a delivery as its manifest promises it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: PlainName
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    rows: int = Field(ge=0)


class Manifest(BaseModel):
    """What a delivery says of itself; control totals are revenue per currency, as decimal text."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)
    delivery_id: PlainName
    feed: str
    business_date: date = Field(ge=date(2000, 1, 1), lt=date(2100, 1, 1))
    schema_version: Literal[1]
    mode: Mode
    part: str = Field(default="1/1", pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")
    supersedes: PlainName | None = None
    created_at: datetime
    source: PlainName | None = None
    settings: dict[str, str] = Field(default_factory=dict, alias="set")
    withdraws_most: bool = False
    volume_accepted_by: str | None = Field(default=None, min_length=1, max_length=200)
    files: list[LandedFile] = Field(min_length=1)
    control_totals: dict[str, Decimal] | None = None

    @model_validator(mode="after")
    def _sound(self) -> "Manifest":
        names = [file.name for file in self.files]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"files {twice} are listed more than once")
        number, of = self.part_of
        if number > of:
            raise ValueError(f"part [{self.part}] is beyond the last one")
        if self.supersedes == self.delivery_id:
            raise ValueError(f"[{self.delivery_id}] supersedes itself")
        if self.volume_accepted_by and self.feed != "transactions":
            raise ValueError("volume_accepted_by is of transactions alone")
        if not 2000 <= self.created_at.year < 2100:
            raise ValueError(f"created_at [{self.created_at}] is not between 2000 and 2100")
        return self

    @property
    def part_of(self) -> tuple[int, int]:
        """This part's number and how many there are."""
        number, of = self.part.split("/")
        return int(number), int(of)

    @property
    def made_at(self) -> datetime:
        """When the delivery was made, UTC; an instant without an offset is UTC."""
        made = self.created_at
        return made.astimezone(UTC).replace(tzinfo=None) if made.tzinfo else made

    @property
    def hash(self) -> str:
        """SHA-256 over what the manifest says."""
        since = ("withdraws_most", "volume_accepted_by")  # 0.13 and 0.17; manifests of before have not got them
        unsaid = {name for name in since if not getattr(self, name)}
        return hashlib.sha256(self.model_dump_json(by_alias=True, exclude=unsaid).encode()).hexdigest()


class Delivery(NamedTuple):
    """A delivery whose manifest could be read, and the folder that it lies in."""

    folder: Path
    manifest: Manifest


def landed() -> list[str]:
    """Names of the folders in landing/ that are whole, oldest business date first as far as their names tell.

    A hidden folder is being written.
    """
    return sorted(path.parent.name for path in store.place("landing").glob(f"[!.]*/{MANIFEST}"))


def read_manifest(name: str) -> Manifest:
    """The manifest of a landed folder; raises Refused when it cannot be used."""
    try:
        manifest = Manifest.model_validate_json((store.place("landing") / name / MANIFEST).read_bytes())
    except ValidationError as fault:
        raise Refused(
            f"[{name}] has a manifest that cannot be used: {first_fault(fault)}. Write it as in docs/deliveries.md."
        ) from None
    if manifest.feed not in FEEDS:
        raise Refused(f"[{name}] is for feed [{manifest.feed}], which does not exist; feeds are {sorted(FEEDS)}.")
    return manifest


def first_fault(fault: ValidationError) -> str:
    """The first thing that is wrong with a manifest: where, and what."""
    first = fault.errors()[0]
    where = ".".join(str(step) for step in first["loc"])
    return (f"{where}: " if where else "") + first["msg"].removeprefix("Value error, ")


def open_delivery(name: str, manifest: Manifest) -> Delivery:
    """A landed delivery whose files are compared with its manifest.

    Raises Refused with one message that says what does not agree, where, and what to do.
    """
    folder = store.place("landing") / name
    if manifest.delivery_id != name:
        raise Refused(f"[{name}] holds a manifest for delivery [{manifest.delivery_id}]; name the folder after it.")
    if folder.is_symlink():
        raise Refused(f"[{name}] is a link, whose target may change; deliver the folder itself.")
    if manifest.mode == "snapshot" and manifest.part != "1/1":
        raise Refused(
            f"[{name}] is part [{manifest.part}] of a snapshot; deliver a snapshot whole, in several files if need be."
        )
    for file in manifest.files:
        _compare(name, folder / file.name, file)
    return Delivery(folder, manifest)


def _compare(name: str, path: Path, promised: LandedFile) -> None:
    if path.is_symlink():
        raise Refused(f"[{name}] file [{promised.name}] is a link, whose target may change; deliver the file itself.")
    if not path.is_file():
        raise Refused(
            f"[{name}] lacks file [{promised.name}] that its manifest lists; deliver it again with all files."
        )
    if (size := path.stat().st_size) != promised.bytes:
        raise Refused(
            f"[{name}] file [{promised.name}] has [{size}] bytes, its manifest says [{promised.bytes}]; deliver it again."
        )
    if (found := file_hash(path)) != promised.sha256:
        raise Refused(
            f"[{name}] file [{promised.name}] has SHA-256 [{found[:12]}…], its manifest says [{promised.sha256[:12]}…]; "
            "it was changed or damaged on the way: deliver it again."
        )


def file_hash(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def move(name: str, to: Literal["archive", "refused"], message: str | None = None) -> Path:
    """Move a landed folder on and keep it; a refused one gets a reason.txt beside its files first, by which it is told of."""
    landed = store.place("landing") / name
    if message:
        (landed / "reason.txt").write_text(message + "\n")
        store.reached("reason written")
    target = store.place(to) / name
    number = 1
    while target.exists():
        number += 1
        target = store.place(to) / f"{name}~{number}"
    os.replace(landed, target)
    return target


def deliver(
    root: Path,
    files: Sequence[Path],
    *,
    feed: str,
    business_date: date,
    delivery_id: str,
    mode: str,
    rows: Sequence[int],
    control_totals: dict[str, str] | None = None,
    part: str = "1/1",
    supersedes: str | None = None,
    created_at: datetime | None = None,
    source: str | None = None,
    settings: dict[str, str] | None = None,
    withdraws_most: bool = False,
    volume_accepted_by: str | None = None,
) -> Path:
    """The folder of a new delivery below `root`, its files copied and its manifest written last.

    `rows` counts the records of each file; warehouse.files.measure finds them and the control totals.
    Raises FileExistsError when the delivery is already there and ValidationError when its manifest could not be used.
    """
    listed = [
        {"name": path.name, "bytes": path.stat().st_size, "sha256": file_hash(path), "rows": count}
        for path, count in zip(files, rows, strict=True)
    ]
    manifest = Manifest.model_validate(
        {
            "delivery_id": delivery_id,
            "feed": feed,
            "business_date": business_date,
            "schema_version": SCHEMA_VERSION,
            "mode": mode,
            "part": part,
            "supersedes": supersedes,
            "created_at": created_at or datetime.now(UTC),
            "source": source,
            "set": settings or {},
            "withdraws_most": withdraws_most,
            "volume_accepted_by": volume_accepted_by,
            "files": listed,
            "control_totals": control_totals,
        }
    )
    folder = root / delivery_id
    folder.mkdir(parents=True)
    for path in files:
        shutil.copyfile(path, folder / path.name)
    unfinished = folder / f".{MANIFEST}"
    text = json.dumps(manifest.model_dump(mode="json", by_alias=True), indent=2)
    unfinished.write_text(text + "\n")
    store.reached("delivery copied")
    os.replace(unfinished, folder / MANIFEST)
    store.reached("delivery landed")
    return folder
