"""How fast the dashboard answers over many partners: `make bench-dashboard`.

A sample day is settled and published, and its release multiplied to so many partners. One browser and some websocket
clients, each a partner's user with a cookie of its own, then go from page to page, look at each for a while, and follow
the release meanwhile as a browser does. With --pause 0 they go as fast as pages come: what the server can do at most.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).with_name("dashboard.csv")
SECRET = "0123456789abcdef0123456789abcdef"
SEED = 1
NUMBERED = (
    "partner_id",
    "transaction_id",
    "entry_id",
    "claim_id",
    "request_id",
    "seller_id",
    "reseller_id",
    "user_email",
)
SET_UP = "SELECT user_email FROM users WHERE set_up_on IS NOT NULL AND role = 'incentives_admin' ORDER BY hash(user_email) LIMIT 20"


@dataclass
class Shown:
    """What a run of the script brought: the pages that it offers, the fragment to run every few seconds, errors."""

    pages: list[str]
    fragment: str = ""
    every: float = 0
    faults: int = 0


def main() -> int:
    """Make the release, serve it, look at it, report, append to benchmarks/dashboard.csv."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--copies", type=int, default=333, help="how often 300 partners are taken")
    parser.add_argument("--lines", type=int, default=3_000, help="lines of the sample day; four times as many in all")
    parser.add_argument("--seconds", type=int, default=60, help="for which the clients go from page to page")
    parser.add_argument("--clients", type=int, default=19, help="readers beside the browser")
    parser.add_argument(
        "--pause", type=float, default=3, help="seconds for which a client looks at a page at most, a third at least"
    )
    parser.add_argument("--keep", action="store_true", help="use the release of an earlier call")
    parser.add_argument("--work", type=Path, default=Path("var"), help="its folder dashboard/ holds it all")
    wanted = parser.parse_args()
    console, home = Console(), wanted.work.absolute() / "dashboard"
    os.environ["INCENTIVES_HOME"] = str(home)
    if not (wanted.keep and home.exists()):
        shutil.rmtree(home, ignore_errors=True)
        with console.status("settling a sample day"):
            settle(home, wanted.lines)
        with console.status(f"taking it {wanted.copies} times"):
            multiply(wanted.copies)
    partners, rows, people = _held()
    with console.status(f"{wanted.clients} clients and a browser look at it"):
        found = _looked_at(people, wanted.clients, wanted.seconds, wanted.pause)
    _report(
        console, {"partners": partners, "earnings": rows, "clients": wanted.clients, "pause, s": wanted.pause, **found}
    )
    return 0


def settle(home: Path, lines: int) -> None:
    """Publish a sample day of 300 partners in a home."""
    import pipeline
    from app import land
    from app.sample import sample

    day = date(2022, 3, 23)
    sample(home / "sample", first_day=day, days=1, partners=300, transactions=lines, seed=SEED, defects=False)
    land.deliveries([home / "sample"])
    pipeline.run()


def multiply(copies: int) -> None:
    """Take every row of the release so many times, each time with partners and lines of its own."""
    from warehouse import parts, releases, store

    manifest = releases.published()
    [part] = manifest["parts"]
    with store.connect() as con:
        for name, file in part["tables"].items():
            path = store.quoted(store.place("releases") / file["file"])
            made = store.place("releases") / f"partitions/{name}/many.parquet"
            query = _many(con, f"read_parquet({path})", copies)
            con.execute(
                f"COPY ({query} ORDER BY {parts.order(parts.TABLES[name])}) TO {store.quoted(made)} (FORMAT parquet, COMPRESSION zstd)"
            )
            file["file"] = str(made.relative_to(store.place("releases")))
    with store.connect(releases.database(manifest)) as out:
        small = [table["name"] for table in manifest["tables"] if table["name"] not in parts.TABLES]
        for name in small:
            out.execute(f"CREATE OR REPLACE TABLE {name} AS {_many(out, name, copies)}")
        parts.show(out, [part])
    releases.point_to(manifest)


def _many(con: Any, source: str, copies: int) -> str:
    columns = [name for name, *_ in con.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()]
    numbered = ", ".join(f"copy || '-' || {name} AS {name}" for name in columns if name in NUMBERED)
    if not numbered or source == "programs":
        return f"FROM {source}"
    return f"SELECT held.* REPLACE ({numbered}) FROM {source} AS held, range({copies:d}) AS copies(copy)"


def _held() -> tuple[int, int, list[str]]:
    """How many partners and earnings there are, and e-mail addresses of some admins."""
    from warehouse import releases

    manifest = releases.published()
    with releases.reader(manifest) as con:
        counts = con.execute("SELECT (SELECT count(*) FROM partners), (SELECT count(*) FROM earnings)").fetchall()[0]
        return *counts, [email for (email,) in con.execute(SET_UP).fetchall()]


def _looked_at(people: list[str], clients: int, seconds: int, pause: float) -> dict[str, float]:
    from tests.ports import free_port

    port = free_port()
    set_up = {
        "CLIENT_ID": "bench", "CLIENT_SECRET": "bench", "COOKIE_SECRET": SECRET,
        "SERVER_METADATA_URL": "http://localhost:9/none", "REDIRECT_URI": f"http://localhost:{port}/oauth2callback",
    }  # fmt: skip
    env = os.environ | {f"INCENTIVES_OIDC_{name}": value for name, value in set_up.items()}
    command = [sys.executable, "-m", "app.cli", "dashboard", "--port", str(port)]
    address = f"http://localhost:{port}"
    with psutil.Popen(command, env=env, stdout=subprocess.DEVNULL) as server:
        try:
            _wait_for(address)
            asyncio.run(_go(address, people, clients, 5, pause))  # a fresh server imports and plans its first pages
            browser = subprocess.Popen([sys.executable, "-m", "benchmarks.dashboard_browser", address, _cookie(people[-1], address)], stdout=subprocess.PIPE)  # fmt: skip
            worked = _worked(server)
            taken, faults, peak = asyncio.run(_go(address, people, clients, seconds, pause, server))
            worked = _worked(server) - worked
            first = json.loads(browser.communicate(timeout=120)[0])
        finally:
            server.terminate()
    return {
        "first content, s": statistics.median(first),
        "rerun median, ms": statistics.median(taken) * 1000,
        "rerun p95, ms": statistics.quantiles(taken, n=20)[-1] * 1000,
        "processor a rerun, ms": worked / len(taken) * 1000,
        "reruns": len(taken),
        "errors": faults,
        "server, MiB": peak >> 20,
    }


def _worked(server: Any) -> float:
    """Seconds of processor time that the server has taken."""
    times = server.cpu_times()
    return float(times.user + times.system)


def _wait_for(address: str) -> None:
    for _ in range(600):
        try:
            urllib.request.urlopen(f"{address}/healthy", timeout=5)
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"[{address}] does not answer.")


def _cookie(email: str, address: str) -> str:
    """The cookie that Streamlit sets when somebody has signed in."""
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    claims = {
        "email": email,
        "email_verified": True,
        "exp": time.time() + 3600,
        "is_logged_in": True,
        "origin": address,
    }
    return create_signed_value(SECRET, "_streamlit_user", json.dumps(claims)).decode()


async def _go(
    address: str, people: list[str], count: int, seconds: int, pause: float, server: Any = None
) -> tuple[list[float], int, int]:
    """Seconds of each rerun of all clients, how many had an error, and the server's peak of resident memory."""
    until, peak = time.monotonic() + seconds, 0
    clients = [
        asyncio.create_task(_client(address, people[number % len(people)], number, until, pause))
        for number in range(count)
    ]
    while server and not all(client.done() for client in clients):
        peak = max(peak, server.memory_info().rss)
        await asyncio.sleep(0.2)
    found = await asyncio.gather(*clients)
    return [one for taken, _ in found for one in taken], sum(faults for _, faults in found), peak


async def _client(address: str, email: str, number: int, until: float, pause: float) -> tuple[list[float], int]:
    """Go from page to page as a reader does, and look at each for a while."""
    from streamlit.web.server.starlette.starlette_app_utils import generate_xsrf_token_string
    from websockets.asyncio.client import connect

    chance, taken, faults, shown = random.Random(number), [], 0, Shown([""])
    token = generate_xsrf_token_string()  # without one Streamlit takes no notice of who is signed in
    header = {"Cookie": f"_streamlit_user={_cookie(email, address)}; _streamlit_xsrf={token}"}
    where = f"{address.replace('http', 'ws')}/_stcore/stream"
    async with connect(
        where, additional_headers=header, origin=address, subprotocols=["streamlit", token], max_size=None
    ) as socket:
        await asyncio.sleep(chance.uniform(0, 3))
        while time.monotonic() < until:
            page, begun = chance.choice(shown.pages), time.perf_counter()
            shown = await _run(socket, page)
            taken.append(time.perf_counter() - begun)
            faults += shown.faults or shown.pages == [""]  # a page that offers no others is none of the dashboard's
            faults += await _look(socket, page, shown, chance.uniform(pause / 3, pause))
    return taken, faults


async def _look(socket: Any, page: str, shown: Shown, seconds: float) -> int:
    """Look at a page, whose fragment runs as often as a browser has it run; how many errors that shows."""
    faults = 0
    while shown.fragment and seconds > shown.every:
        await asyncio.sleep(shown.every)
        seconds -= shown.every
        faults += (await _run(socket, page, shown.fragment)).faults
    await asyncio.sleep(seconds)
    return faults


async def _run(socket: Any, page: str, fragment: str = "") -> Shown:
    """Have the script, or one fragment of it, run for a page."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    asked, shown = BackMsg(), Shown([""])
    asked.rerun_script.page_script_hash = page
    asked.rerun_script.fragment_id = fragment
    asked.rerun_script.is_auto_rerun = bool(fragment)
    await socket.send(asked.SerializeToString())
    while True:
        message = ForwardMsg.FromString(await asyncio.wait_for(socket.recv(), 60))
        kind = message.WhichOneof("type")
        if kind == "navigation":
            shown.pages = [one.page_script_hash for one in message.navigation.app_pages]
        if kind == "auto_rerun":
            shown.fragment, shown.every = message.auto_rerun.fragment_id, message.auto_rerun.interval
        shown.faults += message.delta.new_element.WhichOneof("type") == "exception"
        if kind == "script_finished":
            return shown


def _report(console: Console, found: dict[str, Any]) -> None:
    table = Table(title="The dashboard; goals for 19 clients: 1.5 s, p95 500 ms, no error, 600 MiB")
    table.add_column("measure")
    table.add_column("", justify="right")
    for measure, value in found.items():
        table.add_row(measure, f"{value:,.2f}" if isinstance(value, float) else f"{value:,}")
    console.print(table)
    is_new = not RESULTS.exists()
    with RESULTS.open("a", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        if is_new:
            writer.writerow(["date", *found])
        writer.writerow([f"{datetime.now(UTC):%Y-%m-%d}", *(round(v, 2) for v in found.values())])


if __name__ == "__main__":
    sys.exit(main())
