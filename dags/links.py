"""What Airflow's page links to besides: the incentives dashboard, and Data Docs, served to whoever is signed in to Airflow."""

import os
from pathlib import Path

from airflow.api_fastapi.core_api.security import GetUserDep
from airflow.plugins_manager import AirflowPlugin
from fastapi import FastAPI, Request, Response
from starlette.staticfiles import StaticFiles

DATA_DOCS = "/incentives/data-docs"
built = StaticFiles(directory=Path(os.environ.get("INCENTIVES_HOME", "var")).absolute() / "data_docs", check_dir=False)
data_docs = FastAPI(title="Data Docs", docs_url=None, redoc_url=None, openapi_url=None)


@data_docs.get("/{page:path}")
async def served(page: str, request: Request, user: GetUserDep) -> Response:
    """A page of Data Docs; 401 for who is not signed in, 404 where there is none, as before the first publication."""
    return await built.get_response(page, request.scope)


class Links(AirflowPlugin):
    """The links in Airflow's navigation; the dashboard's where INCENTIVES_DASHBOARD_URL says where it is."""

    name = "incentives"
    fastapi_apps = [{"app": data_docs, "url_prefix": DATA_DOCS, "name": "Data Docs"}]
    external_views = [
        {"name": name, "href": address, "destination": "nav"}
        for name, address in (
            ("Incentives dashboard", os.environ.get("INCENTIVES_DASHBOARD_URL")),
            ("Data Docs", f"{DATA_DOCS}/index.html"),
        )
        if address
    ]
