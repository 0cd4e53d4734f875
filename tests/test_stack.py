"""What only a real Airflow shows: deliveries dropped in any order are taken in and settled, without anyone asking."""

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

import payouts
import pipeline
from app import processes
from app.land import drop
from app.stack import COMPONENTS, DASHBOARD_PORT, free_port, serve_dashboard
from tests.deliveries import WORLD, land, land_world
from warehouse import releases, store

MON, TUE, WED, THU, FRI, SAT, SUN = (f"2021-03-{day}" for day in range(22, 29))
SECONDS = 600  # a machine that does other work takes ten times as long as an idle one

pytestmark = [pytest.mark.stack, pytest.mark.timeout(3 * SECONDS)]


@pytest.fixture(autouse=True)
def home(stack, monkeypatch) -> Path:
    """The home of the running stack, once nothing is under way in it."""
    monkeypatch.setenv("INCENTIVES_HOME", str(stack.home))
    stack.wait(lambda: not pipeline.due_days() and stack.is_idle(), "earlier days are settled", SECONDS)
    return stack.home


@pytest.fixture
def made(home, tmp_path, monkeypatch) -> Callable[..., Path]:
    """Makes a delivery that has not landed yet; its folder."""

    def make(feed: str, rows: list[dict], day: str, **manifest: Any) -> Path:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("INCENTIVES_HOME", str(tmp_path))
            return tmp_path / "landing" / land(feed, rows, day, **manifest)

    return make


def settled() -> list[str]:
    """The days that were settled, in the order in which they were."""
    path = store.home() / "runs.jsonl"
    return [json.loads(line)["business_date"] for line in path.read_text().splitlines()] if path.exists() else []


def settle_runs(stack) -> int:
    """How many runs of settle have ended well; a run that fails ends the wait for it."""
    assert stack.get("/dags/settle/dagRuns?state=failed")["total_entries"] == 0
    return stack.get("/dags/settle/dagRuns?state=success")["total_entries"]


def taken_in(stack, *folders: Path) -> None:
    """Drop deliveries and wait until they are taken in and the run of settle that this brings about has ended."""
    stack.wait(stack.is_idle, "earlier runs have ended", SECONDS)
    runs = settle_runs(stack)
    for folder in folders:
        drop(folder)
    stack.wait(lambda: not pipeline.landed() and settle_runs(stack) > runs, "deliveries are taken in", SECONDS)


def sums(*transactions: str) -> list[tuple]:
    """What lines have earned, by program and currency."""
    with releases.reader(pipeline.current_release()) as con:
        return con.execute(
            "SELECT program, currency, sum(rebate), sum(coop), count(*) FROM earnings "
            "WHERE list_contains(?, transaction_id) GROUP BY ALL ORDER BY ALL",
            [list(transactions)],
        ).fetchall()


def line(number: int) -> dict[str, str]:
    return {"transaction_id": f"t{number}", "subscription_id": f"s{number}"}


def test_days_dropped_newest_first_settle_in_date_order(stack, made):
    days = {MON: line(1), TUE: line(2), WED: line(3)}
    land_world(MON)
    for day in (TUE, WED):
        land("agreements", WORLD["agreements"], day)
    stack.wait(lambda: not pipeline.landed(), "the other feeds are taken in", SECONDS)
    last = [made("transactions", [days[day]], day) for day in sorted(days, reverse=True)]
    for folder in last:
        drop(folder)
    stack.wait(lambda: len(settled()) == len(days), "three days are settled", SECONDS)
    assert settled() == [MON, TUE, WED]


@pytest.mark.slow
def test_half_a_day_is_not_settled_until_its_other_half_comes(stack, made):
    before = settled()
    taken_in(stack, made("transactions", [line(4)], THU))
    assert settled() == before
    drop(made("agreements", WORLD["agreements"], THU))
    stack.wait(lambda: settled() == [*before, THU], "the late half completes the day", SECONDS)


@pytest.mark.slow
def test_a_delivery_that_comes_again_changes_no_sum(stack, made, home):
    before = sums("t1", "t2", "t3", "t4")
    taken_in(stack, home / "archive" / f"{THU}-transactions-1")
    assert settled()[-1] == THU
    drop(made("transactions", [line(4), line(5)], FRI))
    drop(made("agreements", WORLD["agreements"], FRI))
    stack.wait(lambda: settled()[-1] == FRI, "the next day is settled", SECONDS)
    assert before and sums("t1", "t2", "t3", "t4") == before
    assert sums("t5")


def test_a_refused_delivery_says_why_and_is_not_tried_again(stack, made, home):
    runs = stack.get("/dags/ingest/dagRuns?state=success")["total_entries"]
    folder = made("customers", WORLD["customers"], FRI)
    (folder / "customers.csv").write_text("damaged")
    drop(folder)
    reason = home / "refused" / folder.name / "reason.txt"
    stack.wait(reason.exists, "the delivery is refused", SECONDS)
    stack.wait(lambda: stack.get("/dags/ingest/dagRuns?state=success")["total_entries"] > runs, "its run ends", SECONDS)
    assert "bytes" in reason.read_text()
    tries = stack.get("/dags/ingest/dagRuns/~/taskInstances?task_id=take_in&limit=100")["task_instances"]
    assert {task["try_number"] for task in tries if task["state"] == "success"} == {1}


def test_a_mapped_day_is_named_by_its_date(stack):
    tasks = stack.get("/dags/settle/dagRuns/~/taskInstances?task_id=settle_days&limit=100")["task_instances"]
    assert {MON, TUE} <= {task["rendered_map_index"] for task in tasks}


def answered(stack, user: str, path: str, method: str = "GET", **said: Any) -> tuple[int, Any]:
    """What the REST API answers to a user: status and content. On a busy machine, its database may be locked for seconds."""
    for _ in range(20):
        status, content = answered_once(stack, user, path, method, **said)
        if status < 500:
            break
        time.sleep(1)
    return status, content


def answered_once(stack, user: str, path: str, method: str, **said: Any) -> tuple[int, Any]:
    passwords = json.loads((stack.home / "airflow" / "passwords.json").read_text())
    status, signed_in = asked(f"{stack.url}/auth/token", "POST", {"username": user, "password": passwords[user]}, {})
    if status >= 400:
        return status, signed_in
    token = signed_in["access_token"]
    return asked(f"{stack.url}/api/v2{path}", method, said, {"Authorization": f"Bearer {token}"})


def asked(url: str, method: str, said: dict, headers: dict[str, str]) -> tuple[int, Any]:
    body = json.dumps(said).encode() if said else None
    request = urllib.request.Request(url, body, headers | {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as fault:
        return fault.code, fault.read().decode()
    except TimeoutError:
        return 504, "no answer in 20 seconds"


PAYEE = {
    "request_id": "account", "partner_id": "1000001", "request_kind": "payee_profile", "account_holder": "Contoso",
    "iban": "DE89370400440532013000", "payout_currency": "USD",
}  # fmt: skip


@pytest.mark.slow
def test_payments_wait_for_a_named_person_and_days_do_not_wait_for_them(stack, made, home):
    drop(made("partner_requests", [PAYEE], SAT))
    drop(made("agreements", WORLD["agreements"], SAT))
    drop(made("transactions", [line(6) | {"revenue": "20000.00", "transaction_at": f"{SAT}T10:00:00Z"}], SAT))
    stack.wait(lambda: settled()[-1] == SAT, "a day with earnings to pay is settled", SECONDS)
    status, run = answered(
        stack, "admin", "/dags/propose_payments/dagRuns", "POST", logical_date=None, conf={"cycle_on": "2021-05-15"}
    )
    assert status == 200, run
    here = f"/dags/propose_payments/dagRuns/{run['dag_run_id']}"
    wait = f"{here}/taskInstances/approve/-1/hitlDetails"
    stack.wait(lambda: answered(stack, "admin", f"{here}/taskInstances/approve")[1]["state"] == "awaiting_input", "a person is asked", SECONDS)  # fmt: skip
    said = {"chosen_options": ["Approve"], "params_input": {}}
    assert [answered(stack, user, wait, "PATCH", **said)[0] for user in ("viewer", "admin")] == [403, 403]

    drop(made("agreements", WORLD["agreements"], SUN))
    drop(made("transactions", [line(7)], SUN))
    stack.wait(lambda: settled()[-1] == SUN, "a day is settled meanwhile", SECONDS)
    assert not list((home / "outbox").glob("*.xml"))

    status, answer = answered(stack, "operator", wait, "PATCH", **said)
    assert status in (200, 409), answer  # the latter when the first try was taken, and its answer lost
    order = home / "outbox" / "20210515-1-USD-1.xml"
    stack.wait(order.exists, "the approved batch is sent", SECONDS)
    stack.wait(lambda: answered(stack, "admin", here)[1]["state"] == "success", "the run ends", SECONDS)
    assert answered(stack, "operator", wait, "PATCH", **said)[0] == 409
    [batch] = payouts.batches()
    assert (batch["proposed_by"], batch["decided_by"], batch["approval"]) == ("admin", "operator", "approved")


def test_nothing_listens_beyond_this_machine(stack):
    """Airflow, and the dashboard that is served beside it."""
    folder, port = stack.home / "airflow", free_port(DASHBOARD_PORT)
    address = f"http://127.0.0.1:{port}"
    serve_dashboard(stack.home, port)
    stack.wait(lambda: is_answering(address), "the dashboard answers", SECONDS)
    leaders = [processes.running(folder, name) for name in (*COMPONENTS, "dashboard")]
    family = [process for leader in leaders for process in (leader, *leader.children(recursive=True))]
    assert {address for process in family for address in listened_on(process)} == {"127.0.0.1"}
    processes.end(folder, ["dashboard"])
    assert not is_answering(address)


def test_airflow_links_to_data_docs_and_shows_them_to_who_is_signed_in(stack, home):
    page = home / "data_docs" / "index.html"
    stack.wait(page.exists, "Data Docs are built after a publication", SECONDS)
    [plugin] = [plugin for plugin in stack.get("/plugins")["plugins"] if plugin["name"] == "incentives"]
    [address] = [view["href"] for view in plugin["external_views"] if view["name"] == "Data Docs"]
    token = stack._signed_in["Authorization"].removeprefix("Bearer ")
    for headers, expected in (({}, 401), ({"Cookie": "_token=forged"}, 403), ({"Cookie": f"_token={token}"}, 200)):
        status, text = read(f"{stack.url}{address}", headers)
        assert status == expected
        assert ("earnings_monthly" in text) == (status == 200)
    outside = f"{stack.url}{address.removesuffix('index.html')}"
    for name in ("..%2Fairflow%2Fsecrets.json", "../airflow/secrets.json", "%2e%2e/health.json"):
        assert read(outside + name, {"Cookie": f"_token={token}"})[0] in (401, 404)


def read(url: str, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            urllib.request.Request(url, headers=headers)
        ) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as fault:
        return fault.code, ""


def is_answering(address: str) -> bool:
    with suppress(OSError), urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address) as answer:
        return answer.status == 200
    return False


def listened_on(process: psutil.Process) -> list[str]:
    """The addresses that a process listens on; none once it has ended, as short-lived children may meanwhile."""
    try:
        return [c.laddr.ip for c in process.net_connections() if c.status == psutil.CONN_LISTEN]
    except psutil.NoSuchProcess:
        return []


def test_secrets_are_for_their_owner_only(stack):
    folder = stack.home / "airflow"
    assert {(folder / name).stat().st_mode & 0o777 for name in ("secrets.json", "passwords.json")} == {0o600}
