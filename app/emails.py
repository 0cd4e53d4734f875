"""`incentives emails`: which e-mails are due, and how they read."""

from typing import Annotated

import typer

from app.output import AsJson, print_json, print_rows, say

app = typer.Typer(no_args_is_help=True, help="E-mails that are due: list, show. The DAG send_emails sends them.")


@app.command("list")
def list_emails(
    everything: Annotated[bool, typer.Option("--all", help="Also those that went out.")] = False,
    as_json: AsJson = False,
) -> None:
    """The e-mails that the release and the alerts call for and that have not gone out.

    \b
    Example: incentives emails list
    """
    import emails
    import monitoring

    found = emails.due(monitoring.alerts()) if everything else emails.unsent(monitoring.alerts())
    rows = [{"key": one.key, "recipients": len(one.to), "subject": one.subject} for one in found]
    print_rows(rows, as_json)


@app.command()
def show(
    key: Annotated[str, typer.Argument(help="As `list` prints it.")],
    html: Annotated[bool, typer.Option("--html", help="The HTML instead of the text.")] = False,
    as_json: AsJson = False,
) -> None:
    """One e-mail as it reads.

    \b
    Example: incentives emails show invitation:csp-indirect-reseller:1000001
    """
    import emails
    import monitoring

    found = next((one for one in emails.due(monitoring.alerts()) if one.key == key), None)
    if found is None:
        raise LookupError(f"no e-mail [{key}] is due; `incentives emails list --all` names them.")
    if as_json:
        print_json(vars(found))
        return
    say(found.html if html else f"To: {', '.join(found.to)}\nSubject: {found.subject}\n\n{found.text}")
