"""Take in what has landed, as soon as it has.

The landing folder's doorbell rings for it, and a clock besides. Which deliveries wait is looked up, never read from the
event. The pipeline sets a bad delivery aside with its reason, so it fails no task and is not tried again.
"""

import logging
from collections import Counter

from airflow.sdk import dag, task

from dags.assets import TRIED_AGAIN, clean, landing, woken_by

log = logging.getLogger(__name__)


@task.short_circuit
def landed() -> list[str]:
    """The deliveries that wait; none ends the run."""
    import pipeline

    return pipeline.landed()


@task(outlets=[clean])
def take_in() -> list[str]:
    """What became of each delivery."""
    import pipeline

    return [line["delivery_status"] for line in pipeline.ingest(log.info)]


@task
def completeness() -> list[str]:
    """The days that lack something, each with what it lacks."""
    import pipeline

    return [f"{day['business_date']} lacks {day['missing']}" for day in pipeline.completeness() if day["missing"]]


@task
def report(statuses: list[str], lacking: list[str]) -> None:
    """One line on the run."""
    log.info("deliveries: %s; incomplete days: %s", dict(Counter(statuses)), lacking or "none")


@dag(
    schedule=woken_by(landing),
    catchup=False,
    max_active_runs=1,
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def ingest():
    statuses, lacking = take_in(), completeness()
    landed() >> statuses >> lacking
    report(statuses, lacking)


ingest()
