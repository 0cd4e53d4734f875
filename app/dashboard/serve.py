"""`incentives dashboard`: the dashboard, served on this machine."""

import os
import secrets
from typing import Annotated

import typer

from app.output import say

NEEDED = ("CLIENT_ID", "CLIENT_SECRET", "SERVER_METADATA_URL", "REDIRECT_URI", "COOKIE_SECRET")


def dashboard(
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8501,
    host: Annotated[str, typer.Option(help="Address to listen on; with --demo always 127.0.0.1.")] = "127.0.0.1",
    demo: Annotated[
        bool, typer.Option("--demo", help="Without sign-in, on this machine alone: look as anybody.")
    ] = False,
) -> None:
    """Serve the incentives dashboard on the current release, which it follows.

    People sign in with an OpenID Connect provider, set by INCENTIVES_OIDC_CLIENT_ID, _CLIENT_SECRET,
    _SERVER_METADATA_URL, _REDIRECT_URI (ending in /oauth2callback) and _COOKIE_SECRET; _PASSWORD_URL is its page for
    changing a password. Who sees what comes from the published table `users`; INCENTIVES_OPERATORS names, by e-mail
    address, who sees all partners.

    \b
    Examples: incentives dashboard --demo
              incentives dashboard --host 0.0.0.0 --port 8501
    """
    if not demo and (lacking := [name for name in NEEDED if not os.environ.get(f"INCENTIVES_OIDC_{name}")]):
        named = ", ".join(f"INCENTIVES_OIDC_{name}" for name in lacking)
        raise typer.BadParameter(f"nobody could sign in: set {named}, or try it with --demo", param_hint="--demo")
    import uvicorn

    os.environ["INCENTIVES_DASHBOARD_DEMO"] = "1" if demo else ""
    os.environ.setdefault("INCENTIVES_DASHBOARD_SECRET", secrets.token_urlsafe(48))
    address = "127.0.0.1" if demo else host
    say(f"the dashboard is at http://{address}:{port}{' (demonstration)' if demo else ''}; Ctrl-C ends it")
    uvicorn.run("app.dashboard.asgi:application", factory=True, host=address, port=port, log_level="warning")
