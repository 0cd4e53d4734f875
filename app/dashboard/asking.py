"""What a partner's user asks for: a delivery of partner_requests in the landing area. No page writes a database."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from app.dashboard import login
from app.dashboard.access import ALL_PROGRAMS, Forbidden
from app.dashboard.view import View
from warehouse import handover


def ask(view: View, kind: str, **said: str) -> str:
    """Land one request of the viewer for the open location; its id. The next run answers it.

    A request that names no program is one of the location as a whole; any of the viewer's programs stands behind it.
    Raises Forbidden for an operator, who is no partner, and in a demonstration, where anybody may look as anybody.
    """
    if login.is_demo():
        raise Forbidden("in a demonstration nobody has signed in.")
    if view.scope.viewer.is_operator:
        raise Forbidden("only a partner's own users ask for something.")
    own = view.scope.admin_programs if view.scope.is_admin else view.scope.programs
    request = {
        "request_id": str(uuid4()),
        "requested_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "requested_by": view.scope.viewer.email,
        "partner_id": view.scope.partner_id,
        "program": (own or [ALL_PROGRAMS])[0],
        "request_kind": kind,
        **said,
    }
    handover.rows("partner_requests", view.as_of + timedelta(days=1), [request])
    return request["request_id"]
