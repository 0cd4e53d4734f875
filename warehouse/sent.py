"""What went out already, so that each goes once: a ledger of keys for each kind of thing, in sent/ of the home."""

from collections.abc import Iterable
from pathlib import Path

from warehouse import store


def sent(ledger: str) -> set[str]:
    """The keys of a ledger."""
    path = _path(ledger)
    return set(path.read_text().splitlines()) if path.exists() else set()


def record(ledger: str, keys: Iterable[str]) -> None:
    """Add keys to a ledger. A key says which thing it was, and nothing of a person."""
    path = _path(ledger)
    path.touch(mode=0o600)
    with path.open("a") as file:
        file.writelines(f"{key}\n" for key in keys)
    store.sync(path)


def _path(ledger: str) -> Path:
    return store.place("sent") / f"{ledger}.txt"
