"""Propose the payments of a cycle, and have a person approve them.

On the 15th of each month, which is the day of payment of every program, and by hand for any other day. Who may answer
is named in INCENTIVES_APPROVERS; nobody answers for an own proposal. A batch that is rejected, or not answered within
three days, is free again for the next one. No other DAG waits for the answer.
"""

import logging
import os
from datetime import date, timedelta
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import CronTriggerTimetable, Param, dag, task
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from dags.assets import TRIED_AGAIN, approved

log = logging.getLogger(__name__)
APPROVERS = [name.strip() for name in os.environ.get("INCENTIVES_APPROVERS", "").split(",") if name.strip()]
ANSWER_WITHIN = timedelta(days=3)
BODY = """
| | |
|---|---|
| cycle | {{ ti.xcom_pull(task_ids='propose')['cycle_on'] }} |
| payments | {{ ti.xcom_pull(task_ids='propose')['payments'] }} |
{% for currency, amount in ti.xcom_pull(task_ids='propose')['payouts'].items() %}| {{ currency }} | {{ amount }} |
{% endfor %}| proposed by | {{ ti.xcom_pull(task_ids='propose')['proposed_by'] }} |
| hash | {{ ti.xcom_pull(task_ids='propose')['batch_hash'][:12] }} |

`incentives payouts show {{ ti.xcom_pull(task_ids='propose')['batch_id'] }}` lists them one by one.
"""


@task
def propose(dag_run: Any = None, params: dict | None = None) -> dict[str, Any]:
    """The batch that waits for an answer, or one of the cycle that waits already; skipped when there is none.

    A try that was cut off may have left its batch behind, for which nobody was asked.
    """
    import payouts

    if not APPROVERS:
        raise AirflowFailException("INCENTIVES_APPROVERS names nobody who may approve payments; set it and run again.")
    on = date.fromisoformat((params or {}).get("cycle_on") or str(dag_run.logical_date or dag_run.run_after)[:10])
    try:
        batch = payouts.propose(on, dag_run.triggering_user_name or "schedule")
    except payouts.NothingDue as nothing:
        if (waiting := payouts.undecided(on)) is None:
            raise AirflowSkipException(str(nothing)) from nothing
        batch = waiting
    except LookupError as fault:
        raise AirflowFailException(str(fault)) from fault
    totals = {currency: f"{amount:,}" for currency, amount in batch["payouts"].items()}
    named = {name: str(batch[name]) for name in ("batch_id", "cycle_on", "payments", "proposed_by", "batch_hash")}
    return named | {"payouts": totals}


@task(trigger_rule="all_done", outlets=[approved])
def decide(batch: dict[str, Any] | None, ti: Any = None) -> str:
    """Write down what was answered; the approved batch. Skipped when there is none, so that nothing is sent."""
    import payouts

    if not batch:
        raise AirflowSkipException("there is no batch to decide on.")
    answer = ti.xcom_pull(task_ids="approve") or {}
    by = (answer.get("responded_by_user") or {}).get("name") or "time"
    chosen = (answer.get("chosen_options") or ["expired"])[0]
    known = (batch["batch_id"], batch["batch_hash"])
    if chosen != ApprovalOperator.APPROVE:
        payouts.decide(known[0], "rejected" if answer else "expired", by, known[1])
        raise AirflowSkipException(f"batch [{known[0]}] is not approved: [{chosen}] by [{by}]; it is free again.")
    try:
        payouts.decide(known[0], "approved", by, known[1])
    except LookupError as fault:
        if payouts.batch_of(known[0])["approval"]:
            raise AirflowFailException(str(fault)) from fault
        payouts.decide(known[0], "rejected", by, known[1], note=str(fault))
        raise AirflowFailException(f"{fault} The batch is free again.") from fault
    return known[0]


@dag(
    schedule=CronTriggerTimetable("0 6 15 * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    params={"cycle_on": Param(None, type=["null", "string"], format="date", description="Day of the payment cycle.")},
    default_args=TRIED_AGAIN,
    tags=["incentives"],
    doc_md=__doc__,
)
def propose_payments():
    batch = propose()
    approve = ApprovalOperator(
        task_id="approve",
        subject="Pay batch {{ ti.xcom_pull(task_ids='propose')['batch_id'] }}?",
        body=BODY,
        assigned_users=[{"id": name, "name": name} for name in APPROVERS] or None,
        response_timeout=ANSWER_WITHIN,
        retries=1,
    )
    # what is directly behind an approval is skipped when it is refused; what comes after is not
    batch >> approve >> EmptyOperator(task_id="answered") >> decide(batch)


propose_payments()
