"""What a partner's user asks for: a delivery of partner_requests in the landing area. No page writes a database."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from app import land
from app.dashboard.access import ALL_PROGRAMS, Forbidden
from app.dashboard.view import View
from warehouse.tables import FEEDS


def ask(view: View, kind: str, **said: str) -> str:
    """Land one request of the viewer for the open location; its id. The next run answers it.

    Raises Forbidden for an operator, who is no partner.
    """
    if view.scope.viewer.is_operator:
        raise Forbidden("only a partner's own users ask for something.")
    request = {
        "request_id": str(uuid4()),
        "requested_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "requested_by": view.scope.viewer.email,
        "partner_id": view.scope.partner_id,
        "program": (view.scope.admin_programs or [ALL_PROGRAMS])[0],
        "request_kind": kind,
        **said,
    }
    with TemporaryDirectory() as folder:
        path = Path(folder) / "partner_requests.csv"
        with path.open("w", newline="") as stream:
            writer = csv.DictWriter(stream, list(FEEDS["partner_requests"].delivered))
            writer.writeheader()
            writer.writerow(request)
        land.files(
            [path], feed="partner_requests", day=view.as_of + timedelta(days=1), source=None, settings={}, mode="delta",
            part="1/1", supersedes=None,
        )  # fmt: skip
    return request["request_id"]
