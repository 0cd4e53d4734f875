"""Work out and publish every day that is due, in date order: a task each, or several a task where many have landed.

Woken after every ingestion, and by a clock besides. Which days are due is looked up, never read from the event. The
pipeline refuses a day while an earlier one is due, so days behind one that fails wait for it. Bad data and a bad rule
file fail at once: trying again would not mend them.
"""

import logging

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.assets import TRIED_AGAIN, clean, published, woken_by

log = logging.getLogger(__name__)


ONE_BY_ONE = 3  # more due days are a backlog
BACKLOG = 10  # of whose days so many are a task, which takes 3.6 s beside its work


@task
def due_days() -> list[list[str]]:
    """The days to settle, oldest first, by task."""
    import pipeline

    days = [str(day) for day in pipeline.due_days()]
    size = 1 if len(days) <= ONE_BY_ONE else BACKLOG
    return [days[first : first + size] for first in range(0, len(days), size)]


@task(outlets=[published], max_active_tis_per_dagrun=1, map_index_template="{{ task.op_kwargs['days'] | join(', ') }}")
def settle_days(days: list[str]) -> str:
    """The release of the last of some days; skipped when all were settled meanwhile, as by a try that was cut off at its very end."""
    import pipeline

    due = [day for day in pipeline.due_days() if str(day) in days]
    if not due:
        raise AirflowSkipException(f"{days} are not due any more.")
    try:
        return pipeline.backfill(due, log.info)[-1]["release_id"]
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
    report(settle_days.expand(days=due_days()))


settle()
