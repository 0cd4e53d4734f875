"""Airflow on this machine, and the dashboard beside it: started, asked and stopped.

All of it lies in the home's folder airflow/: database, logs, process numbers, passwords, secrets. Only 127.0.0.1 can
reach it.
"""

import base64
import json
import os
import secrets
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from app import processes

ROOT = Path(__file__).parents[1]
COMPONENTS = {
    "scheduler": ("--skip-serve-logs",),  # log servers would listen on every address
    "triggerer": ("--skip-serve-logs",),
    "dag-processor": (),
    "api-server": (),
}
HEALTHY = ("metadatabase", "scheduler", "triggerer", "dag_processor")
DAGS = {"close", "data_docs", "freshness", "ingest", "propose_payments", "send_emails", "send_payments", "settle"}
USERS = {"admin": "admin", "operator": "op", "viewer": "viewer"}
PORT, DASHBOARD_PORT = 8080, 8501  # if they are free
READY_SECONDS = 300
OF_DEMO = (
    "the dashboard is a demonstration: without sign-in, who uses this machine sees all partners, and nothing can be asked for; "
    "`incentives dashboard --help` lists what signing in needs"
)
Say = Callable[[str], None]
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


def environment(home: Path, port: int) -> dict[str, str]:
    """The environment of every Airflow process of a home."""
    folder = home / "airflow"
    url = f"http://127.0.0.1:{port}"
    settings = {
        "CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTOR": "app.executor.WarmExecutor",
        "CORE__PARALLELISM": "4",
        "CORE__EXECUTION_API_SERVER_URL": f"{url}/execution/",
        "CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "False",
        "CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(folder / "passwords.json"),
        "DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{folder / 'airflow.db'}",
        "API__HOST": "127.0.0.1",
        "API__PORT": str(port),
        "API__BASE_URL": url,
        "API__ENABLE_SWAGGER_UI": "False",
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "LOGGING__BASE_LOG_FOLDER": str(folder / "logs"),
        **_kept(folder / "secrets.json", _new_secrets),
    }
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return inherited | {
        "INCENTIVES_HOME": str(home),
        "INCENTIVES_APPROVERS": inherited.get("INCENTIVES_APPROVERS", "operator"),
        "AIRFLOW_HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "127.0.0.1,localhost",
        **{f"AIRFLOW__{name}": value for name, value in settings.items()},
    }


def _new_secrets() -> dict[str, str]:
    return {
        "CORE__FERNET_KEY": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "API__SECRET_KEY": secrets.token_urlsafe(48),
        "API_AUTH__JWT_SECRET": secrets.token_urlsafe(64),
    }


def _new_passwords() -> dict[str, str]:
    return {user: secrets.token_urlsafe(12) for user in USERS}


def _kept(path: Path, make: Callable[[], dict[str, str]]) -> dict[str, str]:
    """What is in a file that only its owner can read; made at the first call."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())


@dataclass
class Stack:
    """A running Airflow: the home that it works for, and the port that it listens on."""

    home: Path
    port: int

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str) -> Any:
        """The answer of the REST API to its admin; `path` begins behind /api/v2."""
        return _asked(urllib.request.Request(f"{self.url}/api/v2{path}", headers=self._signed_in))

    @cached_property
    def _signed_in(self) -> dict[str, str]:
        password = _kept(self.home / "airflow" / "passwords.json", _new_passwords)["admin"]
        body = json.dumps({"username": "admin", "password": password}).encode()
        headers = {"Content-Type": "application/json"}
        token = _asked(urllib.request.Request(f"{self.url}/auth/token", body, headers))["access_token"]
        return {"Authorization": f"Bearer {token}"}

    def is_idle(self) -> bool:
        """Whether no run is under way or waits."""
        return not self.get("/dags/~/dagRuns?state=running&state=queued&limit=1")["total_entries"]

    def wait(self, reached: Callable[[], Any], what: str, seconds: float) -> Any:
        """What `reached` returns, once that is true; while the API does not answer, it is not.

        Raises RuntimeError, with the end of its log, when a component ends, and TimeoutError after `seconds`.
        """
        return _waited(self.home / "airflow", COMPONENTS, reached, what, seconds)

    def down(self) -> None:
        """Stop it."""
        down(self.home)


def _waited(folder: Path, names: Iterable[str], reached: Callable[[], Any], what: str, seconds: float) -> Any:
    """As `Stack.wait`, while processes of some names run."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name in names:
            if not processes.running(folder, name):
                raise RuntimeError(f"the {name} has ended; its log ends:\n{processes.tail(folder, name)}")
        with suppress(OSError):
            if found := reached():
                return found
        time.sleep(0.25)
    raise TimeoutError(f"not reached in [{seconds}] seconds: {what}; logs are in [{folder}].")


def _asked(request: urllib.request.Request) -> Any:
    with _open(request, timeout=10) as answer:
        return json.load(answer)


def up(home: Path, say: Say = print) -> Stack:
    """Airflow of a home: started, healthy, every DAG read. Raises RuntimeError when it is up or cannot start."""
    folder = home / "airflow"
    if any(processes.running(folder, name) for name in COMPONENTS):
        raise RuntimeError(f"Airflow of [{home}] is up already; `make down` stops it.")
    stack = Stack(home, free_port(PORT))
    env = environment(home, stack.port)
    _kept(folder / "passwords.json", _new_passwords)
    airflow = [sys.executable, "-m", "airflow"]
    try:
        say("preparing Airflow's database ...")
        if processes.start(folder, "migration", [*airflow, "db", "migrate"], env).wait() != 0:
            raise RuntimeError(f"airflow db migrate has failed; its log ends:\n{processes.tail(folder, 'migration')}")
        for name, options in COMPONENTS.items():
            processes.start(folder, name, [*airflow, name, *options], env)
        healthy: set[str] = set()
        stack.wait(lambda: _is_healthy(stack, healthy, say), "Airflow is healthy", READY_SECONDS)
        stack.wait(lambda: _has_read_dags(stack), "the DAGs are read", READY_SECONDS)
    except BaseException:
        down(home)
        raise
    return stack


def serve_dashboard(home: Path, port: int) -> None:
    """Start the dashboard of a home beside Airflow; it answers. Raises as `Stack.wait` when it does not."""
    folder = home / "airflow"
    options = ["--demo"] if is_demo() else []
    command = [sys.executable, "-m", "app.cli", "dashboard", "--port", str(port), *options]
    processes.start(folder, "dashboard", command, os.environ | {"INCENTIVES_HOME": str(home), "PYTHONPATH": str(ROOT)})
    healthy = f"http://127.0.0.1:{port}/healthy"
    _waited(folder, ["dashboard"], lambda: _open(healthy, timeout=10), "the dashboard answers", READY_SECONDS)


def is_demo() -> bool:
    """Whether the dashboard is a demonstration, as there is no provider to sign in with."""
    return not os.environ.get("INCENTIVES_OIDC_CLIENT_ID")


def free_port(wanted: int) -> int:
    """The port wanted on 127.0.0.1, or any that is free."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return probe.getsockname()[1]
    raise RuntimeError("no port is free on 127.0.0.1.")


def _is_healthy(stack: Stack, healthy: set[str], say: Say) -> bool:
    health = stack.get("/monitor/health")
    for part in HEALTHY:
        if part not in healthy and (health[part] or {}).get("status") == "healthy":
            healthy.add(part)
            say(f"Airflow: {part} is healthy")
    return healthy.issuperset(HEALTHY)


def _has_read_dags(stack: Stack) -> bool:
    for fault in stack.get("/importErrors")["import_errors"]:
        raise RuntimeError(f"Airflow cannot read [{fault['filename']}]:\n{fault['stack_trace']}")
    return {dag["dag_id"] for dag in stack.get("/dags")["dags"]} >= DAGS


def down(home: Path) -> None:
    """Stop Airflow of a home, whoever started it; the API server last, because tasks that end report to it."""
    folder = home / "airflow"
    processes.end(folder, ["dashboard", "migration", "scheduler", "triggerer", "dag-processor"])
    processes.end(folder, ["api-server"])


@contextmanager
def running(home: Path, say: Say = print) -> Iterator[Stack]:
    """Airflow of a home for as long as the block lasts."""
    stack = up(home, say)
    try:
        yield stack
    finally:
        say("stopping Airflow ...")
        stack.down()


def main(command: str) -> int:
    """`up`, `down` or `demo` on the home in INCENTIVES_HOME; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a killed `make` stops what it has started
    home = Path(os.environ.get("INCENTIVES_HOME", "var")).absolute()
    try:
        if command == "demo":
            from app.demo import run_demo

            return run_demo(home)
        if command == "up":
            port = free_port(DASHBOARD_PORT)
            local = f"http://127.0.0.1:{port}"
            address = os.environ.setdefault("INCENTIVES_DASHBOARD_URL", local)  # to which Airflow and e-mails link
            stack = up(home)
            try:
                serve_dashboard(home, port)
            except BaseException:
                down(home)
                raise
            print(f"Airflow is up at {stack.url}; users and passwords are in {home / 'airflow' / 'passwords.json'}")
            print(f"the dashboard is up at {address}; its log is {home / 'airflow' / 'dashboard.log'}")
            if is_demo():
                print(OF_DEMO)
        else:
            down(home)
    except (RuntimeError, TimeoutError) as fault:
        print(fault, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if sys.argv[1:] not in (["up"], ["down"], ["demo"]):
        sys.exit("usage: python -m app.stack up | down | demo")
    sys.exit(main(sys.argv[1]))
