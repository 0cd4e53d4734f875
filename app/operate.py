"""What operators do by hand: months closed, rules restated, persons erased, days replayed, backups, checks."""

from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer

from app.output import REFUSED, AsJson, in_a_folder, print_json, print_rows, print_table, quiet, say
from warehouse import store

app = typer.Typer()


@app.command()
def close(
    month: Annotated[datetime, typer.Argument(formats=["%Y-%m"], help="Accounting month.")],
    by: Annotated[str, typer.Option(help="Who closes it.")],
) -> None:
    """Close an accounting month and those before it: what changes later is posted in the first open one.

    \b
    Example: incentives close 2022-03 --by anna
    """
    import operations

    for closed in operations.close(month.date(), by):
        say(f"closed {closed:%Y-%m}")


@app.command()
def restate(
    first: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="First day whose lines change.")],
    by: Annotated[str | None, typer.Option(help="Who wrote the rule edit.")] = None,
    approved_by: Annotated[
        str | None, typer.Option(help="Who approves it; not the author. Without it: the plan.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what a held rule edit would change, partner by partner; with --approved-by, post it.

    \b
    Examples: incentives restate --from 2022-01-01
              incentives restate --from 2022-01-01 --by anna --approved-by ben
    """
    import operations

    if not approved_by:
        rows = operations.restate_plan(first.date(), progress=quiet if as_json else say)
        print_rows(
            [
                {name: row[name] for name in ("program", "partner_id", "earning_month", "earning_type", "line_count")}
                | {"difference": _major(row["amount_minor"], row["exponent"]), "currency": row["currency"]}
                for row in rows
            ],
            as_json,
        )
        return
    if not by:
        raise typer.BadParameter("say who wrote the edit", param_hint="--by")
    report = operations.restate(first.date(), by=by, approved_by=approved_by, progress=quiet if as_json else say)
    print_json(report) if as_json else say(f"published {report['release_id']}: {report['entries']} ledger entries")


@app.command("accept-volume")
def accept_volume(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Due business date.")],
    by: Annotated[str, typer.Option(help="Who accepts it.")],
) -> None:
    """Accept how much, or how little, a due day holds: `volume:critical` then warns of it instead of refusing it.

    \b
    Example: incentives accept-volume 2022-12-26 --by anna && incentives run
    """
    import operations

    say(f"landed {operations.accept_volume(day.date(), by)}; the next `incentives run` settles the day")


@app.command()
def erase(
    email: Annotated[str, typer.Argument(help="The person's e-mail address.")],
    by: Annotated[
        str | None, typer.Option(help="Who erases the person. Without it: where the person is named.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show where a person is named; with --by, erase the person and remove all releases but the current.

    What the person did stays under a token. Backups, and files outside the home, are not reached.

    \b
    Examples: incentives erase pat@contoso.example
              incentives erase pat@contoso.example --by anna
    """
    import operations

    if not by:
        plan = operations.erase_plan(email)
        places = [{"place": table, "count": count} for table, count in plan["rows"].items()]
        print_rows([*places, *({"place": f"delivery {name}", "count": 1} for name in plan["deliveries"])], as_json)
        return
    done = operations.erase(email, by)
    told = f"erased from [{sum(done['rows'].values())}] rows and [{len(done['files'])}] delivered files; now [{done['token']}]"
    print_json(done) if as_json else say(told)


def _major(minor: int, exponent: int) -> str:
    """An amount in major units, with the decimals of its currency.

    >>> _major(-123456, 2)
    '-1,234.56'
    """
    return f"{Decimal(minor).scaleb(-exponent):,.{exponent}f}"


@app.command()
def replay(
    day: Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="Settled business date.")],
    as_json: AsJson = False,
) -> None:
    """Work out a settled day anew from the archive and compare it with its release. Exit 1 when they differ.

    \b
    Example: incentives replay 2022-03-24
    """
    import replays

    found = replays.replay(day.date(), progress=quiet if as_json else say)
    if as_json:
        print_json(found)
    elif found["differing"]:
        say(
            f"differs from release {found['against']}, made by engine {', '.join(found['engines'])}; this is {found['engine']}:"
        )
        print_table(found["differing"])
    else:
        say(f"equal to release {found['against']}, table by table ({found['runs']} runs)")
    raise typer.Exit(REFUSED if found["differing"] else 0)


@app.command()
def backup(out: Annotated[Path, typer.Argument(help="File to write, such as backup.tar.gz.")]) -> None:
    """Write the warehouse, the archive, the releases and what waits in landing to one file.

    \b
    Example: incentives backup backup-2022-03-31.tar.gz
    """
    from app import keeping

    in_a_folder(out, "out")
    say(f"wrote {keeping.backup(out) >> 20:,} MiB to {out}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="What `incentives backup` wrote.")],
) -> None:
    """Restore a backup into an empty INCENTIVES_HOME, then verify it. Exit 1 when it does not hold.

    What was cut off is taken up by running it again with the same file.
    Names the payment batches to ask the bank about: their order files are not restored, or were sent since.

    \b
    Example: INCENTIVES_HOME=/srv/incentives incentives restore backup-2022-03-31.tar.gz
    """
    from app import keeping

    unfinished = keeping.restore(file)
    say(f"restored to {store.home()}")
    if unfinished:
        say(
            f"ask the bank whether it has the order files of batches {unfinished} before anything is sent: the backup holds "
            "none, and they may have been sent since. See the runbook, Payments."
        )
    verify()


@app.command()
def gc(
    keep: Annotated[int, typer.Option(min=1, help="How many releases keep their data; manifests stay for ever.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Merge the current release's parts of past months, remove old releases' data, and write the warehouse anew.

    Files that no kept release names go too. Readers find the same as before.

    \b
    Example: incentives gc --keep 30
    """
    from app import keeping

    found = keeping.gc(keep)
    print_json(found) if as_json else print_table([found])


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Check the hash chain, the ledger against a full recomputation, and the books. Exit 1 when one does not hold.

    \b
    Example: incentives verify
    """
    import operations

    found = operations.verify(progress=quiet if as_json else say)
    if as_json:
        print_json(found)
    else:
        say(f"as of {found['as_of']}: {found['entries']:,} ledger entries")
        say("the chain holds" if not found["broken"] else "edited since they were posted:")
        print_table(found["broken"]) if found["broken"] else None
        say("a full recomputation says the same" if not found["differences"] else "a full recomputation differs by:")
        print_table(found["differences"]) if found["differences"] else None
        say("the books are sound" if not found["books"] else "\n".join(["the books are not sound:", *found["books"]]))
        if found["waiting"]:
            say(f"not compared, as they wait for the next settled day: {', '.join(found['waiting'])}")
    raise typer.Exit(REFUSED if found["broken"] or found["differences"] or found["books"] else 0)


@app.command()
def adjustments(as_json: AsJson = False) -> None:
    """Declared adjustments: posted, waiting, or why not. Exit 1 when one cannot be posted.

    \b
    Example: incentives adjustments
    """
    import operations

    rows = operations.declared_adjustments()
    print_rows(rows, as_json)
    raise typer.Exit(REFUSED if any(row["message"] for row in rows) else 0)
