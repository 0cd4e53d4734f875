"""How an alert reaches operators."""

import logging
from typing import Any

from airflow.sdk import BaseNotifier

LEVELS = {"critical": logging.ERROR, "warning": logging.WARNING}


class OperatorLog(BaseNotifier):
    """Writes an alert to the task's log. No field is a template, since a message may quote delivered data."""

    def __init__(self, alert: dict[str, Any]) -> None:
        super().__init__()
        self.alert = alert

    def notify(self, context: Any) -> None:
        """Write the alert with the heading of docs/runbook.md that says what to do."""
        self.log.log(
            LEVELS.get(self.alert["severity"], logging.INFO),
            "%(severity)s for %(channel)s: %(condition)s: %(message)s See docs/runbook.md: %(runbook)s.",
            self.alert,
        )
