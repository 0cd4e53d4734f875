"""The view that a page draws: whose data, which period and programs, in which language."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from app.dashboard import figures
from app.dashboard.access import Scope
from app.dashboard.words import Words


@dataclass(frozen=True)
class View:
    """What every page gets. `first` and `end` bound earning months, half open; empty `programs`: all that are seen."""

    scope: Scope
    words: Words
    first: date
    end: date
    chosen: tuple[str, ...] = ()

    @property
    def locale(self) -> str:
        return self.words.locale

    @property
    def as_of(self) -> date:
        return date.fromisoformat(self.scope.release.manifest["as_of_date"])

    def months(self, table: str, columns: str, tail: str = "", **values: Any) -> pd.DataFrame:
        """A partner's rows of a table with earning months, within the period and the programs chosen."""
        return self.scope.ask(
            f"SELECT {columns} FROM {{{table}}} WHERE earning_month >= $first AND earning_month < $end "
            f"AND (len($chosen) = 0 OR list_contains($chosen, program)) {tail}",
            first=self.first,
            end=self.end,
            chosen=list(self.chosen),
            **values,
        )

    def money(self, amount: Any, currency: str) -> str:
        return figures.money(amount, currency, self.locale)

    def short_money(self, amount: Any, currency: str) -> str:
        return figures.short_money(amount, currency, self.locale)

    def number(self, value: Any) -> str:
        return figures.number(value, self.locale)

    def share(self, value: Any) -> str:
        return figures.share(value, self.locale)

    def day(self, value: Any) -> str:
        return figures.day(value, self.locale)

    def days(self, first: Any, end: Any) -> str:
        return figures.days(first, end, self.locale)

    def month(self, value: Any) -> str:
        return figures.month(value, self.locale)

    def instant(self, value: Any) -> str:
        return figures.instant(value, self.locale)

    def program(self, program: str) -> str:
        """A program's title."""
        return self.scope.release.programs.get(program, program)

    def lever(self, program: str, lever: str) -> str:
        """A lever's title."""
        return self.scope.release.levers.get((program, lever), lever)

    def product(self, product: str | None) -> str:
        """What a product is called; a line may name it so itself."""
        return self.scope.release.products.get(product, product) if product else ""

    def rule(self, row: Any, about: str) -> str:
        """What a row of `programs` says about a rule in words: `selects`, `pays` or `bounds`."""
        return getattr(row, about if self.locale == "en" else f"{about}_{self.locale}") or ""
