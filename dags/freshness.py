"""Tell operators, every quarter of an hour, what they should look at: each new alert once.

It runs by the clock alone, because what it looks for is that something did not happen.
"""

from airflow.sdk import dag, get_current_context, task

from dags.assets import CLOCK, TRIED_AGAIN
from dags.notify import OperatorLog


@task
def send_alerts() -> list[str]:
    """The keys of the alerts that went out; one that cannot be sent is tried again."""
    import monitoring

    sent = []
    for alert in monitoring.unsent_alerts():
        OperatorLog(alert).notify(get_current_context())
        monitoring.record_alerts_sent([alert["key"]])
        sent.append(alert["key"])
    return sent


@dag(schedule=CLOCK, catchup=False, max_active_runs=1, default_args=TRIED_AGAIN, tags=["incentives"], doc_md=__doc__)
def freshness():
    send_alerts()


freshness()
