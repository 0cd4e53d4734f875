"""Work out and publish every day that is due, in date order.

Woken after every ingestion, and by a clock besides. Which days are due is looked up, never read from the event. The
pipeline refuses a day while an earlier one is due, so days behind one that fails wait for it. Bad data and a bad rule
file fail at once: trying again would not mend them.
"""

import logging
from datetime import date

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.assets import TRIED_AGAIN, clean, published, woken_by

log = logging.getLogger(__name__)


@task
def due_days() -> list[str]:
    """The days to settle, oldest first."""
    import pipeline

    return [str(day) for day in pipeline.due_days()]


@task(outlets=[published], max_active_tis_per_dagrun=1, map_index_template="{{ task.op_kwargs['day'] }}")
def settle_day(day: str) -> str:
    """The day's release; skipped when the day was settled meanwhile, as by a try that was cut off at its very end."""
    import pipeline

    if day not in map(str, pipeline.due_days()):
        raise AirflowSkipException(f"[{day}] is not due any more.")
    try:
        return pipeline.settle(date.fromisoformat(day), log.info)["release_id"]
    except (pipeline.Refused, pipeline.RuleFault) as fault:
        raise AirflowFailException(str(fault)) from fault


@task(trigger_rule="none_failed")
def report(releases: list[str]) -> None:
    """One line on the run."""
    log.info("published: %s", releases[:] or "nothing was due")  # a slice, since list() logs an error at the end


@dag(
    schedule=woken_by(clean),
    catchup=False,
    max_active_runs=1,
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def settle():
    report(settle_day.expand(day=due_days()))


settle()
