"""The dashboard's words in the reader's language. English is written in the pages; german.yaml translates it."""

from functools import cache
from pathlib import Path

import yaml

LANGUAGES = {"en": "English", "de": "Deutsch"}


class Words:
    """Words of one language, with what is put into them.

    >>> Words("de")("Earnings"), Words("en")("as of {day}", day="5 May")
    ('Einkünfte', 'as of 5 May')
    """

    def __init__(self, locale: str) -> None:
        self.locale = locale
        self._known = german() if locale == "de" else {}

    def __call__(self, text: str, **put_in: object) -> str:
        return self._known.get(text, text).format(**put_in) if put_in else self._known.get(text, text)

    def code(self, code: str) -> str:
        """A word of a table as people write it.

        >>> Words("de").code("action_required")
        'Handlung nötig'
        """
        return self(code.replace("_", " ").capitalize())


@cache
def german() -> dict[str, str]:
    """English text → German text."""
    return yaml.safe_load((Path(__file__).parent / "german.yaml").read_text())
