"""The current release as the dashboard reads it: opened once, one cursor a query, followed when a new one comes."""

import json
from contextlib import suppress
from functools import cached_property, lru_cache
from threading import Lock
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
from cachetools import LRUCache, cached
from cachetools.keys import hashkey

from warehouse import releases, store
from warehouse.tables import PUBLISHED

KEPT = 3  # a page that began on a release ends on it
ANSWERS = 32 << 20  # bytes of answers that a release keeps in memory
_opening = Lock()


def _asked(sql: str, values: dict[str, Any]) -> tuple:
    return hashkey(sql, repr(sorted(values.items())))


class Release:
    """One published release, read-only; it never changes."""

    def __init__(self, manifest: dict[str, Any]) -> None:
        self.manifest = manifest
        # a query takes a sixth less processor time in one thread, and readers ask at the same time
        self._con = releases.opened(manifest, store.limits() | {"threads": "1"})
        self._read_footers()
        kept: LRUCache = LRUCache(ANSWERS, getsizeof=lambda answer: answer.nbytes + 1024)
        self._answered = cached(kept, key=_asked, lock=Lock())(self._answer)

    @property
    def release_id(self) -> str:
        return self.manifest["release_id"]

    def _read_footers(self) -> None:
        """Have DuckDB keep what each file says of its row groups, before twenty readers have it read at once."""
        for file in releases.files(self.manifest):
            path = store.quoted(store.place("releases") / file)
            self._con.execute(f"SELECT count(*) FROM read_parquet({path})").fetchall()

    def rows(self, sql: str, **values: Any) -> pd.DataFrame:
        """The rows of a query; money is Python's Decimal, which sums of any width fit."""
        return self.arrow(sql, **values).to_pandas(use_threads=False)

    def arrow(self, sql: str, **values: Any) -> pa.Table:
        """The rows of a query as Arrow has them; values that it does not name are left out.

        A release never changes, so that what was asked before is answered from memory.
        """
        return self._answered(sql, {name: value for name, value in values.items() if f"${name}" in sql})

    def _answer(self, sql: str, values: dict[str, Any]) -> pa.Table:
        with self._con.cursor() as cursor:
            return cursor.execute(sql, values).to_arrow_table()

    @cached_property
    def partners(self) -> dict[str, str]:
        """Every partner location → its name, in the order of names; of the operators' use alone."""
        rows = self.rows("SELECT partner_id, partner_name FROM partners ORDER BY partner_name, partner_id")
        return dict(rows.itertuples(index=False, name=None))

    def names(self, locations: list[str]) -> dict[str, str]:
        """Some partner locations → their names, in the order of these; `?` for one that is not published."""
        rows = self.rows(
            "SELECT partner_id, partner_name FROM partners WHERE list_contains($ids, partner_id)", ids=locations
        )
        named = dict.fromkeys(locations, "?") | dict(rows.itertuples(index=False, name=None))
        return dict(sorted(named.items(), key=lambda item: (item[1], item[0])))

    @cached_property
    def programs(self) -> dict[str, str]:
        """Program → its title."""
        rows = self.rows("SELECT DISTINCT program, program_title FROM programs ORDER BY program")
        return dict(rows.itertuples(index=False, name=None))

    @cached_property
    def fiscal_starts(self) -> list[int]:
        """The months in which programs' fiscal years begin."""
        rows = self.rows(
            "SELECT DISTINCT CAST(left(fiscal_year_start, 2) AS INTEGER) AS month FROM programs ORDER BY 1"
        )
        return rows["month"].tolist()

    @cached_property
    def products(self) -> dict[str, str]:
        """Product → what the price list, which is everybody's, calls it."""
        return dict(self.rows("SELECT product_id, product_name FROM products").itertuples(index=False, name=None))

    def rule(self, program: str, lever: str) -> Any:
        """A lever's row of `programs`, None for one that is not published."""
        rows = self.arrow("FROM programs WHERE program = $program AND lever = $lever", program=program, lever=lever)
        return next((SimpleNamespace(**row) for row in rows.to_pylist()), None)

    @cached_property
    def levers(self) -> dict[tuple[str, str], str]:
        """Program and lever → the lever's title."""
        rows = self.rows("SELECT program, lever, lever_title FROM programs")
        return {(program, lever): title for program, lever, title in rows.itertuples(index=False, name=None)}


def current_id() -> str | None:
    """The id of the release that readers see, None before the first."""
    return _manifest(_pointer()).get("release_id")


def current_release() -> Release | None:
    """The release that readers see, None before the first that holds every table and column of this version."""
    pointer = _pointer()
    held = {table["name"]: set(table["columns"]) for table in _manifest(pointer).get("tables", ())}
    if not all(set(table.published_columns) <= held.get(name, set()) for name, table in PUBLISHED.items()):
        return None
    with _opening:
        return _opened(pointer)


def _pointer() -> str:
    """The pointer to the release as it is written, empty before the first."""
    path = store.place("releases") / releases.POINTER
    return path.read_text() if path.exists() else ""


@lru_cache(maxsize=KEPT)
def _manifest(pointer: str) -> dict[str, Any]:
    """A pointer read once: of 50 parts it takes 1.4 ms, and is looked at in each run."""
    return json.loads(pointer) if pointer else {}


@lru_cache(maxsize=KEPT)
def _opened(pointer: str) -> Release:
    return Release(_manifest(pointer))


def health() -> dict[str, Any]:
    """What the last attempt to publish came to; empty before the first, and where the file says nothing."""
    with suppress(FileNotFoundError, json.JSONDecodeError):
        return json.loads((store.home() / "health.json").read_text())
    return {}
