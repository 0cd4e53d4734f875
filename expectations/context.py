"""Great Expectations contexts that keep nothing and look nothing up."""

from functools import cache
from typing import Any

from great_expectations.data_context import EphemeralDataContext, set_context
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)


class Context(EphemeralDataContext):
    """A context without progress bars.

    GX's own wrote its configuration as YAML 52 times a day, for nobody to read, and took in all environment variables
    29 times a judged file, to fill them in where a setting has a `$`.
    """

    def __init__(self) -> None:
        kept, quiet = InMemoryStoreBackendDefaults(), ProgressBarsConfig(globally=False)
        super().__init__(DataContextConfig(store_backend_defaults=kept, progress_bars=quiet))

    def _save_project_config(self) -> None:
        pass

    def _register_providers(self, config_provider: Any) -> None:
        pass


def judging() -> Context:
    """The context of this process in which files are judged, made current; to make one takes 20 ms."""
    set_context(context := _of_process())
    return context


@cache
def _of_process() -> Context:
    return Context()
