"""Close an accounting month: run by hand, with the month and the name of who closes it.

What changes later is posted in the first open month. A month that is not over, or closed, fails at once.
"""

import logging
from datetime import date

from airflow.sdk import Param, dag, task
from airflow.sdk.exceptions import AirflowFailException

from dags.assets import TRIED_AGAIN

log = logging.getLogger(__name__)


@task
def close_month(params: dict | None = None) -> list[str]:
    """The months that this closed."""
    import operations

    given = params or {}
    try:
        closed = operations.close(date.fromisoformat(f"{given['month']}-01"), given["by"])
    except LookupError as fault:
        raise AirflowFailException(str(fault)) from fault
    log.info("closed %s", [f"{month:%Y-%m}" for month in closed])
    return [f"{month:%Y-%m}" for month in closed]


@dag(
    schedule=None,
    catchup=False,
    max_active_runs=1,
    params={
        "month": Param(type="string", description="Such as 2022-03.", pattern=r"^\d{4}-(0[1-9]|1[0-2])$"),
        "by": Param(type="string", minLength=1, description="Who closes the month."),
    },
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def close():
    close_month()


close()
