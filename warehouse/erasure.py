"""A person is erased: in the warehouse and in kept deliveries a token stands where the e-mail address stood.

What the person did as a user stays under the token, so that every answer and sum can still be worked out from the
archive. Bank accounts and their holders stay as long as the payments do: tax law asks for both.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.sqltypes import VARCHAR

from warehouse import files, landing, store
from warehouse.tables import FEEDS, TABLES

NOBODY = "(erased)"
ADDRESSES = ("user_email", "requested_by")
FREE_TEXT = ("delivered", "original", "row_key", "note")  # where an address may stand among other text
NAMING_NOBODY = [name for name, feed in FEEDS.items() if not set(ADDRESSES) & set(feed.columns)]
HELD = ("landing", "archive", "refused")
UNFINISHED = ".erasing"


class Person(NamedTuple):
    """Who is erased: the address in small letters, the names delivered with it, and the token that takes its place."""

    email: str
    names: frozenset[str]
    token: str

    def without(self, text: str) -> str:
        """A text without the address, and without the names in the lines that had it.

        >>> pat = Person("pat@contoso.example", frozenset({"Pat Lee"}), "erased-1@erased.invalid")
        >>> pat.without("PAT@contoso.example,Pat Lee\\nnot-pat@contoso.example,Pat Lee")
        'erased-1@erased.invalid,(erased)\\nnot-pat@contoso.example,Pat Lee'
        >>> pat.without("'pat@contoso.example' o'pat@contoso.example pat@contoso.example.org")
        "'erased-1@erased.invalid' o'pat@contoso.example pat@contoso.example.org"
        """
        return "".join(self._line_without(line) for line in text.splitlines(keepends=True))

    def _line_without(self, line: str) -> str:
        address = rf"(?<![\w.+-])(?<!\w'){re.escape(self.email)}(?![\w-]|\.\w)"
        made, found = re.subn(address, self.token, line, flags=re.IGNORECASE)
        for name in sorted(self._written_names(), key=len, reverse=True) if found else ():
            made = made.replace(name, NOBODY)
        return made

    def _written_names(self) -> Iterator[str]:
        """The names as CSV and JSON write them."""
        for name in self.names:
            yield from (
                name,
                name.replace('"', '""'),
                json.dumps(name)[1:-1],
                json.dumps(name, ensure_ascii=False)[1:-1],
            )


def address(email: str) -> str:
    """An e-mail address in small letters; raises LookupError for what is none, which could stand in any text."""
    made = email.strip().lower()
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", made):
        raise LookupError(f"[{email}] is not an e-mail address; give it whole, such as pat@contoso.example.")
    return made


def person(con: duckdb.DuckDBPyConnection, email: str, token: str) -> Person:
    """The person of an address, with every name that the warehouse has for it."""
    names = con.execute(
        "SELECT user_name FROM clean.users WHERE lower(user_email) = $email UNION "
        "SELECT user_name FROM clean.partner_requests WHERE lower(user_email) = $email AND user_name IS NOT NULL UNION "
        "SELECT name FROM (SELECT lower(trim(delivered ->> '$.user_email')) AS address, delivered ->> '$.user_name' AS name "
        "FROM clean.quarantine) WHERE address = $email AND name <> ''",
        {"email": email},
    ).fetchall()
    return Person(email, frozenset(name for (name,) in names) - {NOBODY}, token)


def rows_naming(con: duckdb.DuckDBPyConnection, who: Person) -> dict[str, int]:
    """How many rows of each table of the warehouse name the person, where any do."""
    found: dict[str, int] = {}
    with _finding(con, who):
        for table, places in _places():
            query = f"SELECT count(*) FROM {table} WHERE {' OR '.join(places.values())}"
            [(count,)] = con.execute(query, {"email": who.email}).fetchall()
            found |= {table: count} if count else {}
    return found


def erase_rows(con: duckdb.DuckDBPyConnection, who: Person) -> None:
    """Take the person out of every table of the warehouse."""
    with _finding(con, who):
        for table, places in _places():
            for column, condition in places.items():
                has_name = column == "user_email" and "user_name" in TABLES[table].columns
                made = f"{column} = without({column})" + (f", user_name = '{NOBODY}'" if has_name else "")
                con.execute(f"UPDATE {table} SET {made} WHERE {condition}", {"email": who.email})


def _places() -> Iterator[tuple[str, dict[str, str]]]:
    """Each table with the columns in which an address may stand, and the condition of rows that have it there."""
    for name, table in TABLES.items():
        columns = table.stored if table.layer in ("clean", "derived") else ()
        places = {c: f"lower({c}) = $email" for c in columns if c in ADDRESSES}
        places |= {c: f"contains(lower({c}), $email) AND without({c}) <> {c}" for c in columns if c in FREE_TEXT}
        if places:
            yield name, places


@contextmanager
def _finding(con: duckdb.DuckDBPyConnection, who: Person) -> Iterator[None]:
    """The function `without` in SQL."""
    con.create_function("without", who.without, [VARCHAR], VARCHAR)
    try:
        yield
    finally:
        con.remove_function("without")


def deliveries_naming(who: Person) -> list[str]:
    """The kept deliveries of which a file names the person."""
    return [folder.name for folder in _kept() if any(_rewritten(path, who) is not None for path in _files(folder))]


def erase_files(who: Person) -> list[dict[str, str]]:
    """Take the person out of every kept delivery; each file that is another now, with its SHA-256 before and after.

    A manifest in the archive that does not fit its files, as after an erasure that was cut off, is made to fit.
    """
    changed = []
    for folder in _kept():
        fitted = {path.name for path in _files(folder)} if folder.parent.name == "archive" else set()
        for path in _files(folder):
            made = _rewritten(path, who)
            if made is not None:
                before = landing.file_hash(path)
                _replace(path, made)
                named = {"delivery_id": folder.name, "file_name": path.name}
                changed.append(named | {"sha256_before": before, "sha256": landing.file_hash(path)})
                fitted.add(path.name)
        _fit(folder / landing.MANIFEST, fitted)
    return changed


def refit_register(con: duckdb.DuckDBPyConnection) -> None:
    """Let the register know the manifests of kept deliveries as they are now."""
    for folder in _kept():
        if folder.parent.name == "archive":
            manifest = landing.Manifest.model_validate_json((folder / landing.MANIFEST).read_bytes())
            con.execute(
                "UPDATE clean.deliveries SET manifest_hash = ? WHERE delivery_id = ? AND manifest_hash <> ?",
                [manifest.hash, manifest.delivery_id, manifest.hash],
            )


def _kept() -> Iterator[Path]:
    """The folders of kept deliveries that may name users; a manifest that names no feed of ours may be of any."""
    for place in HELD:
        for path in sorted((store.home() / place).glob(f"*/{landing.MANIFEST}")):
            if _manifest(path).get("feed") not in NAMING_NOBODY:
                yield path.parent


def _manifest(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _files(folder: Path) -> list[Path]:
    """The files of a delivery but its manifest; and but one that an erasure which was cut off had not finished to write."""
    found = (path for path in sorted(folder.iterdir()) if path.is_file() and path.name != landing.MANIFEST)
    return [path for path in found if not path.name.startswith(UNFINISHED)]


def _rewritten(path: Path, who: Person) -> str | pa.Table | None:
    """What a file holds without the person, None where it does not name the person, or was never readable."""
    place = path.parent.parent.name
    try:
        if path.suffix.lower() == ".parquet":
            return _table_without(path, who)
        text = files.text_of(path)
    except (OSError, EOFError, pa.ArrowException):
        if place == "archive":  # where all was read once
            raise
        return None
    made = _blotted(text, who) if place == "refused" else who.without(text)
    return None if made == text else made


def _blotted(text: str, who: Person) -> str:
    """The text of a refused file, whose names are not known, without the lines that name the person; nothing of UTF-16."""
    held = text.encode("utf-8", "surrogateescape").lower()
    if any(who.email.encode(code) in held for code in ("utf-16-le", "utf-16-be")):
        return f"{NOBODY}\n"
    lines = text.splitlines(keepends=True)
    return "".join(line if who.without(line) == line else f"{NOBODY}\n" for line in lines)


def _table_without(path: Path, who: Person) -> pa.Table | None:
    held = pq.read_table(path)
    texts = [
        n
        for n, field in enumerate(held.schema)
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    ]
    made = held
    for number in texts:
        field = held.schema.field(number)
        values = [value and who.without(value) for value in held.column(number).to_pylist()]
        made = made.set_column(number, field, pa.array(values, field.type))
    return None if made.equals(held) else _nameless(made, held)


def _nameless(made: pa.Table, held: pa.Table) -> pa.Table:
    """A Parquet file's rows, without the names of those that lost their address."""
    if not {"user_email", "user_name"} <= set(held.column_names):
        return made
    pairs = zip(
        made["user_email"].to_pylist(), held["user_email"].to_pylist(), held["user_name"].to_pylist(), strict=True
    )
    names = [name if now == before else NOBODY for now, before, name in pairs]
    place = held.column_names.index("user_name")
    return made.set_column(place, held.schema.field(place), pa.array(names, held.schema.field(place).type))


def _replace(path: Path, made: str | pa.Table) -> None:
    fresh = path.with_name(f"{UNFINISHED}{path.suffix}")
    if isinstance(made, pa.Table):
        pq.write_table(made, fresh)
    else:
        files.write_text(fresh, made)
    store.reached("file rewritten")
    os.replace(fresh, path)
    store.reached("file replaced")


def _fit(path: Path, names: set[str]) -> None:
    """Let a manifest say of some of its files what is so; one that cannot be used is left as it is."""
    try:
        landing.Manifest.model_validate_json(path.read_bytes())
    except ValueError:
        return
    manifest = _manifest(path)
    listed = [file for file in manifest["files"] if file["name"] in names]
    found = [
        {"bytes": (path.parent / f["name"]).stat().st_size, "sha256": landing.file_hash(path.parent / f["name"])}
        for f in listed
    ]
    if all(file | now == file for file, now in zip(listed, found, strict=True)):
        return
    for file, now in zip(listed, found, strict=True):
        file.update(now)
    fresh = path.with_name(f".{landing.MANIFEST}")
    fresh.write_text(json.dumps(manifest, indent=2) + "\n")
    os.replace(fresh, path)
