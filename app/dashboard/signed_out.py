"""Sign-ins that ended here before the provider's word did, in dashboard/ of the home: a restart does not forget them.

A line is the keyed hash of a sign-in and when it would end by itself, after which it is left out. Nothing else is written there.
"""

import hmac
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from warehouse import store

_writing = Lock()


def remember(claims: Mapping[str, Any]) -> None:
    """Keep that somebody has signed out."""
    with _writing:
        store.place("dashboard")
        path = _path()
        held = {name: end for name, end in _held(path, _changed(path)).items() if end > time.time()}
        held[_hash(claims)] = float(claims.get("exp") or 0)
        fresh = path.with_name(f".{path.name}")
        fresh.touch(mode=0o600)
        fresh.write_text("".join(f"{name} {end:.0f}\n" for name, end in held.items()))
        store.sync(fresh)
        os.replace(fresh, path)


def holds(claims: Mapping[str, Any]) -> bool:
    """Whether somebody has signed out of a sign-in."""
    path = _path()
    return _hash(claims) in _held(path, _changed(path))


def _hash(claims: Mapping[str, Any]) -> str:
    secret = os.environ.get("INCENTIVES_OIDC_COOKIE_SECRET", "")
    return hmac.digest(secret.encode(), f"{claims.get('email')} {claims.get('exp')}".encode(), "sha256").hex()


def _path() -> Path:
    return store.home() / "dashboard" / "signed_out.txt"


def _changed(path: Path) -> tuple[int, int] | None:
    """Which file it is, None before the first; each writing makes another."""
    if not path.exists():
        return None
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


@lru_cache(maxsize=2)
def _held(path: Path, changed: tuple[int, int] | None) -> dict[str, float]:
    lines = path.read_text().splitlines() if changed else []
    return {name: float(end) for name, end in (line.split() for line in lines)}
