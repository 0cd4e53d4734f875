"""Hand approved batches over to the bank, each once.

Woken by every approval, and by a clock besides. Which batches are approved and not sent is looked up, never read from
the event. INCENTIVES_PAYER_NAME and INCENTIVES_PAYER_IBAN say from which account; the files lie in outbox/ of the home.
"""

import logging
import os

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowFailException

from dags.assets import TRIED_AGAIN, approved, woken_by

log = logging.getLogger(__name__)


@task
def unsent() -> list[str]:
    """The approved batches that are not in the bank's hands."""
    import remittance

    return remittance.unsent()


@task(max_active_tis_per_dagrun=1, map_index_template="{{ task.op_kwargs['batch'] }}")
def send(batch: str) -> list[str]:
    """The files of a batch that the bank finds in the outbox."""
    import remittance

    try:
        files = remittance.send(batch, remittance.payer(os.environ))
    except LookupError as fault:
        raise AirflowFailException(str(fault)) from fault
    log.info("batch [%s] is handed over: %s", batch, [path.name for path in files])
    return [path.name for path in files]


@dag(
    schedule=woken_by(approved),
    catchup=False,
    max_active_runs=1,
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def send_payments():
    send.expand(batch=unsent())


send_payments()
