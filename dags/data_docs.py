"""Build Data Docs after a publication: every suite as a page, and the release's results. Airflow's page links to them.

It waits for nobody and nobody waits for it; a release whose Data Docs are there is left alone.
"""

import os

from airflow.sdk import dag, task

from dags.assets import TRIED_AGAIN, published, woken_by


@task
def build() -> str:
    """The first page."""
    import monitoring

    os.nice(19)  # the next day may be settled meanwhile: this leaves the processor to it
    return str(monitoring.data_docs())


@dag(
    schedule=woken_by(published),
    catchup=False,
    max_active_runs=1,
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def data_docs():
    build()


data_docs()
