"""The dashboard as a web application: Streamlit, a route for downloads, and a guard before what Streamlit leaves open."""

import json
import os
from http.cookies import SimpleCookie
from pathlib import Path
from threading import Lock
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from streamlit.auth_util import get_signing_secret
from streamlit.starlette import App
from streamlit.web.server.starlette.starlette_app_utils import decode_signed_value

from app.dashboard import downloads
from app.dashboard.access import Forbidden
from app.dashboard.login import identified, is_demo

COOKIE = "_streamlit_user"
_making = Lock()  # one file at a time: each is held in memory
SECURITY = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
]
TLS_ALONE = (b"strict-transport-security", b"max-age=31536000")
NOT_KEPT = (b"cache-control", b"no-store")
ASSETS = "/static/"  # Streamlit's own files, which are the same for everybody


def signed_in(request: Request) -> str | None:
    """Who Streamlit's signed cookie says is signed in, None without a good one."""
    cookie = SimpleCookie(request.headers.get("cookie", "")).get(COOKIE)
    value = decode_signed_value(get_signing_secret(), COOKIE, cookie.value) if cookie else None
    return identified(json.loads(value)) if value else None


def download(request: Request) -> Response:
    """The file behind a link; 401 without a sign-in, 403 when it is not for who asks.

    It is made in a thread of its own, as a large one takes seconds, for which pages would stand still.
    """
    asks = None if is_demo() else signed_in(request)
    if asks is None and not is_demo():
        return PlainTextResponse("Sign in first.", 401)
    try:
        with _making:
            content, name, kind = downloads.file(request.query_params.get("ticket", ""), asks)
    except Forbidden as fault:
        return PlainTextResponse(str(fault), 403)
    return Response(content, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def overview(request: Request) -> Response:
    """The first page, which Streamlit knows by no name of its own."""
    return RedirectResponse(request.url.replace(path="/"), 307)


async def healthy(_: Request) -> Response:
    """Whether the process answers."""
    return PlainTextResponse("ok")


class Guard:
    """Keeps Streamlit's /media files, which it serves to anybody who knows their name, from those not signed in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["path"].startswith("/media/")
            and not is_demo()
            and signed_in(Request(scope)) is None
        ):
            await PlainTextResponse("Sign in first.", 401)(scope, receive, send)
            return

        async def secured(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*_sealed(scope, message["headers"]), *SECURITY]
            await send(message)

        await self.app(scope, receive, secured)


def _sealed(scope: Scope, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers, so that nothing is kept but assets, and cookies travel over TLS alone where people do."""
    if not scope["path"].startswith(ASSETS):
        headers = [*((n, v) for n, v in headers if n != NOT_KEPT[0]), NOT_KEPT]
    if not _is_by_tls(scope):
        return headers
    sealed = [(n, v + b"; Secure") if n == b"set-cookie" and b"secure" not in v.lower() else (n, v) for n, v in headers]
    return [*sealed, TLS_ALONE]


def _is_by_tls(scope: Scope) -> bool:
    """Whether people come by TLS, also where it ends before this process, on another host."""
    is_redirected = os.environ.get("INCENTIVES_OIDC_REDIRECT_URI", "").startswith("https:") and not is_demo()
    return scope.get("scheme") == "https" or is_redirected


def application() -> App:
    """The application, with the identity provider of the environment."""
    names = ("client_id", "client_secret", "server_metadata_url", "redirect_uri", "cookie_secret")
    given = {name: os.environ.get(f"INCENTIVES_OIDC_{name.upper()}", "") for name in names}
    secrets: dict[str, Any] = (
        {} if is_demo() else {"auth": given | {"client_kwargs": {"scope": "openid email profile"}}}
    )
    return App(
        Path(__file__).parent / "main.py",
        secrets=secrets,
        routes=[Route("/download", download), Route("/healthy", healthy), Route("/overview", overview)],
        middleware=[Middleware(Guard)],
    )
