"""Airflow's local executor with the pipeline at hand."""

from importlib import import_module

from airflow.executors.local_executor import LocalExecutor

AT_HAND = ("pipeline", "expectations.gate", "payouts", "operations")


class WarmExecutor(LocalExecutor):
    """A task is a fork of a worker, which is a fork of the scheduler: what is imported here, none of them imports anew.

    To import the pipeline and Great Expectations takes 2.5 s of a task that needs both. They start no thread, which a fork
    would lose.
    """

    def start(self) -> None:
        """Import the pipeline, then start the workers."""
        for module in AT_HAND:
            import_module(module)
        super().start()
