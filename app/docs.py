"""The generated pages: data dictionary and rules in docs/, the schema of program files, and Data Docs in the home."""

import argparse
import sys
from pathlib import Path

import monitoring
from app.program_schema import program_schema
from app.rules_page import rules_page
from expectations.rules import of
from transforms.programs import load_all
from transforms.reasons import REASONS
from warehouse.columns import COLUMNS, published_name
from warehouse.tables import AUDIT, BOOKS, DERIVED, FEEDS, PUBLISHED, Feed, Published, Table

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LAYERS = (
    ("Published tables, for readers", PUBLISHED),
    ("Feeds, as delivered", FEEDS),
    ("Derived tables of the warehouse", DERIVED),
    ("Books of the warehouse", BOOKS),
    ("Facts for the audit", AUDIT),
)


def dictionary() -> str:
    """The data dictionary as Markdown: every table, its key and columns, its rules; every reason code."""
    parts = ["# Data dictionary\n\nMade by `make docs` from warehouse/, expectations/ and transforms/reasons.py.\n"]
    for title, tables in LAYERS:
        parts.append(f"\n## {title}\n")
        parts += [_table(table) for table in tables.values()]
    rows = [f"| {code} | {r.kind} | {r.text} | {r.what_to_do or '–'} |" for code, r in REASONS.items()]
    parts.append(
        "\n## Reason codes\n\n| code | makes a line or claim | reason | what the partner can do |\n|---|---|---|---|\n"
    )
    return "".join([*parts, "\n".join(rows), "\n"])


def _table(table: Table) -> str:
    is_shown = isinstance(table, Published)
    schema = "main" if is_shown else table.layer
    rows = [
        f"| {published_name(c) if is_shown else c}{' (key)' if c in table.key else ''} | {_type(table, c)} "
        f"| {'may be empty' if c in table.nullable else ''} | {_means(c)} |"
        for c in table.columns
    ]
    rules = [f"- `{rule.id}` ({rule.severity}): {rule.means}; {rule.why}." for rule in of(f"{schema}.{table.name}")]
    head = f"\n### {table.name}\n\nOne row is {table.row}.\n\n| column | type | | meaning |\n|---|---|---|---|\n"
    if isinstance(table, Feed):
        kept = f" Kept for {table.keep_months} months" + (
            f"; a person without a role is erased after {table.erase_months}." if table.erase_months else "."
        )
        head = head.replace("\n\n|", f"{kept}\n\n|", 1)
    if isinstance(table, Published) and table.parts == "versions":
        head = head.replace("\n\n|", f" As known on an earlier day: `{table.name}_known_on(day)`.\n\n|", 1)
    return head + "\n".join(rows) + "\n" + ("\n" + "\n".join(rules) + "\n" if rules else "")


def _type(table: Table, column: str) -> str:
    return (
        table.published_columns[published_name(column)] if isinstance(table, Published) else table.duckdb_type(column)
    )


def _means(column: str) -> str:
    described = COLUMNS[column]
    codes = f" One of {', '.join(described.one_of)}." if described.one_of else ""
    return described.means + codes + (" Personal." if described.personal else "")


def pages() -> dict[Path, str]:
    """Every generated page of the repository with what it should hold."""
    return {
        DOCS / "dictionary.md": dictionary(),
        DOCS / "rules.md": rules_page(load_all(ROOT / "programs")),
        ROOT / "programs" / "program.schema.json": program_schema(),
    }


def main() -> int:
    """Write the pages, or with --check say which are stale; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when a page is stale")
    made = pages()
    if not parser.parse_args().check:
        for path, text in made.items():
            path.write_text(text)
            print(path)
        print(f"Data Docs  {monitoring.data_docs()}")
        return 0
    stale = [path for path, text in made.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path} is stale; run `make docs`.", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
