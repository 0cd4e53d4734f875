"""Background processes that outlive the command that started them: started, found again, ended.

Each leads a session of its own and is known by its number and the instant of its start, so that another process that
has got the number since is never taken for it. Its output is in `<folder>/<name>.log`.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import psutil

STOP_SECONDS = 30


def start(folder: Path, name: str, command: Sequence[str], env: dict[str, str]) -> psutil.Popen:
    """A command in the background."""
    with (folder / f"{name}.log").open("wb") as log:
        process = psutil.Popen(
            command, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    (folder / f"{name}.pid").write_text(json.dumps([process.pid, process.create_time()]))
    return process


def running(folder: Path, name: str) -> psutil.Process | None:
    """The process started under a name, while it runs."""
    with suppress(psutil.NoSuchProcess, FileNotFoundError):
        number, started = json.loads((folder / f"{name}.pid").read_text())
        process = psutil.Process(number)
        if abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def tail(folder: Path, name: str) -> str:
    """The last lines of a process's log."""
    return "\n".join((folder / f"{name}.log").read_text(errors="replace").splitlines()[-30:])


def end(folder: Path, names: Sequence[str]) -> None:
    """Ask processes to end, and kill what is left of their sessions after half a minute."""
    leaders = [process for name in names if (process := running(folder, name))]
    for leader in leaders:
        leader.terminate()
    psutil.wait_procs(leaders, timeout=STOP_SECONDS)
    for process in (member for name in names for member in _session(folder, name)):
        with suppress(psutil.NoSuchProcess):
            process.kill()
            process.wait(STOP_SECONDS)
    for name in names:
        (folder / f"{name}.pid").unlink(missing_ok=True)


def _session(folder: Path, name: str) -> list[psutil.Process]:
    """A process and those that it started, even when it has ended itself; none when its number is another's now."""
    path = folder / f"{name}.pid"
    if not path.exists():
        return []
    number, _ = json.loads(path.read_text())
    if psutil.pid_exists(number) and not running(folder, name):
        return []
    return [process for process in psutil.process_iter() if _session_number(process.pid) == number]


def _session_number(number: int) -> int | None:
    with suppress(OSError):
        return os.getsid(number)
    return None
