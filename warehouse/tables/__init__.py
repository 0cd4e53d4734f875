"""Table contracts, a file a layer: what each table is, what one row is, which columns it has."""

from warehouse.tables.audit import AUDIT
from warehouse.tables.books import BOOKS
from warehouse.tables.contract import ARROW, Derived, Feed, Published, Table
from warehouse.tables.derived import DERIVED
from warehouse.tables.feeds import FEEDS
from warehouse.tables.published import PUBLISHED

__all__ = [
    "ARROW",
    "AUDIT",
    "BOOKS",
    "DERIVED",
    "FEEDS",
    "PUBLISHED",
    "TABLES",
    "Derived",
    "Feed",
    "Published",
    "Table",
]

TABLES: dict[str, Table] = {
    t.full_name: t for t in (*FEEDS.values(), *BOOKS.values(), *DERIVED.values(), *AUDIT.values(), *PUBLISHED.values())
}
