"""`incentives releases`: what was published."""

from typing import Any

import typer

from app.output import AsJson, print_json, print_rows, print_table, say
from warehouse import releases, store

app = typer.Typer(no_args_is_help=True, help="Published releases: list, current, path, rollback.")


@app.command("list")
def list_releases(as_json: AsJson = False) -> None:
    """Every release that is kept.

    \b
    Example: incentives releases list
    """
    now = (releases.current() or {}).get("release_id")
    rows = [
        {
            "release": m["release_id"],
            "as of": m["as_of_date"],
            "current": "*" if m["release_id"] == now else "",
            "ledger rows": sum(_rows(t) for t in m["tables"] if t["name"] == "earnings_ledger"),
            "ledger hash": next(t["content_hash"][:12] for t in m["tables"] if t["name"] == "earnings_ledger"),
        }
        for m in releases.releases()
    ]
    print_rows(rows, as_json)


def _rows(table: dict[str, Any]) -> int:
    return table["rows"] + sum(month["rows"] for month in table.get("partitions", ()))


@app.command("current")
def current_release(as_json: AsJson = False) -> None:
    """The release that readers see, table by table.

    \b
    Example: incentives releases current
    """
    manifest = releases.published()
    if as_json:
        print_json(manifest)
        return
    typer.echo(f"{manifest['release_id']} as of {manifest['as_of_date']}: {releases.database(manifest)}")
    print_table([{"table": t["name"], "rows": _rows(t), "content hash": t["content_hash"]} for t in manifest["tables"]])


@app.command("path")
def path_of_release() -> None:
    """Where the file lies that readers open, for other tools.

    \b
    Example: harlequin -a duckdb -r "$(incentives releases path)"
    """
    typer.echo(releases.database(releases.published()))


@app.command("rollback")
def rollback() -> None:
    """Point readers to the release before the current one.

    \b
    Example: incentives releases rollback
    """
    with store.locked("rollback"):
        manifest = releases.rollback()
    say(f"readers see {manifest['release_id']} as of {manifest['as_of_date']}")
