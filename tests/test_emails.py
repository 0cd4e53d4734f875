"""E-mails to partners and operators: what they say, to whom, and that each goes once, through a real SMTP server."""

import email
import email.policy
import json
import logging
import shutil
from contextlib import nullcontext
from datetime import date

import duckdb
import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

import emails
import monitoring
import pipeline
import rulebook
from app.cli import app
from emails.due import NEEDED
from tests.deliveries import WORLD, land, land_world
from tests.ports import free_port
from warehouse import releases
from warehouse.tables import PUBLISHED

pytestmark = pytest.mark.usefixtures("one_program")
NEXT = "2021-03-24"
KIM = {"request_kind": "assign_role", "user_email": "kim@contoso.example", "user_name": "Kim <b>Ng</b>"}
PROFILE = {"partner_id": "1000001", "bank_status": "missing"}


class Mailbox:
    """Keeps what is delivered; refuses recipients that it is told to."""

    def __init__(self) -> None:
        self.held: list[email.message.EmailMessage] = []
        self.refused: set[str] = set()

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802, aiosmtpd's name
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.held.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@pytest.fixture
def mailbox(monkeypatch):
    box = Mailbox()
    server = Controller(box, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=False)
    server.start()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "incentives@publisher.example"}
    at = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_INCENTIVES_SMTP", json.dumps(at))
    yield box
    server.stop()


@pytest.fixture(scope="module")
def send():
    """What the DAG's task does."""
    from dags.send_emails import send

    return send.function


@pytest.fixture(scope="module")
def invited(tmp_path_factory):
    """The home of a reseller that was invited by its sale."""
    made, programs = tmp_path_factory.mktemp("invited"), tmp_path_factory.mktemp("programs")
    shutil.copy(rulebook.programs_folder() / "csp-indirect-reseller.yaml", programs)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(made))
        patch.setenv("INCENTIVES_PROGRAMS", str(programs))
        land_world(enrolments=[], payee_profiles=[PROFILE])
        land("transactions", [{"transaction_id": "t1"}])
        pipeline.run()
    return made


@pytest.fixture
def aboard(invited, home):
    """A copy of it; on the next day the admin completes the set-up, names Kim and enrols."""
    shutil.copytree(invited, home, dirs_exist_ok=True)
    releases.rehome()
    asked = {
        "set_up": {},
        "kim": KIM | {"role": "incentives_user"},
        "enrol": {"request_kind": "enrol", "program": "csp-indirect-reseller"},
    }
    rows = [{"request_id": name, "partner_id": "1000001"} | row for name, row in asked.items()]

    def go_on() -> None:
        land("partner_requests", rows, NEXT)
        land("agreements", WORLD["agreements"], NEXT)
        land("transactions", [], NEXT)
        pipeline.run()

    return go_on


def bodies(message) -> tuple[str, str]:
    return tuple(message.get_body((form,)).get_content() for form in ("plain", "html"))


def test_a_partner_is_told_of_each_step_once(aboard, mailbox, send, monkeypatch):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_URL", "https://incentives.publisher.example")
    assert send() == ["invitation:csp-indirect-reseller:1000001"]
    [invitation] = mailbox.held
    assert (invitation["Subject"], invitation["To"]) == (
        "Partner Incentive Enrollment Invitation",
        "pat@contoso.example",
    )
    for body in bodies(invitation):
        assert "Contoso" in body and "t1" in body and "2021-04-21" in body and "https://incentives" in body

    aboard()
    assert set(send()) == {f"action_required:csp-indirect-reseller:1000001:{NEXT}", "users:1000001"}
    people = next(m for m in mailbox.held if "users" in m["Subject"])
    text, html = bodies(people)
    assert people["To"] == "pat@contoso.example"  # Kim is a user, no admin
    assert "- Kim <b>Ng</b> <kim@contoso.example>: incentives user" in text and "Kim &lt;b&gt;Ng&lt;/b&gt;" in html
    assert "Complete the bank and tax profiles." in bodies(mailbox.held[1])[0]
    assert emails.unsent() == [] and len({m["Message-ID"] for m in mailbox.held}) == 3


def test_an_email_that_is_refused_is_tried_again(aboard, mailbox, send, home, caplog):
    from airflow.sdk.exceptions import AirflowFailException

    mailbox.refused = {"pat@contoso.example"}
    with caplog.at_level(logging.WARNING), pytest.raises(AirflowFailException, match="1 are refused"):
        send()
    assert "pat@" not in caplog.text  # addresses stay out of the logs
    mailbox.refused = set()
    assert send() == ["invitation:csp-indirect-reseller:1000001"]
    assert "@" not in (home / "sent" / "emails.txt").read_text()


def land_what_is_refused(home):
    bad = home / "landing" / "bad"
    bad.mkdir(parents=True)
    (bad / "manifest.json").write_text("{}")
    pipeline.ingest()


@pytest.mark.parametrize("operator", ["zoë@publisher.example", "ops@publisher.example\nBcc: kim@contoso.example"])
def test_an_address_that_cannot_be_written_to_holds_up_no_other_email(
    aboard, mailbox, send, home, monkeypatch, operator
):
    from airflow.sdk.exceptions import AirflowFailException

    monkeypatch.setenv("INCENTIVES_OPERATORS", operator)
    land_what_is_refused(home)
    alerts = len(monitoring.alerts())
    with pytest.raises(
        AirflowFailException, match=rf"1 e-mails are sent, {alerts} are refused: .*delivery refused:bad"
    ):
        send()
    assert [message["To"] for message in mailbox.held] == ["pat@contoso.example"]


def test_operators_are_told_of_a_refused_delivery(home, mailbox, send, monkeypatch):
    monkeypatch.setenv("INCENTIVES_OPERATORS", "ops@publisher.example, duty@publisher.example")
    land_what_is_refused(home)
    assert "alert:delivery refused:bad" in send()
    told = next(m for m in mailbox.held if "delivery refused" in m["Subject"])
    assert told["To"] == "ops@publisher.example, duty@publisher.example"
    assert all("A delivery was refused" in body for body in bodies(told))


def test_without_a_server_nothing_is_lost(aboard, send):
    from airflow.sdk.exceptions import AirflowSkipException

    with pytest.raises(AirflowSkipException, match="no connection"):
        send()
    assert len(emails.unsent()) == 1


def test_due_emails_can_be_read_before_they_go(aboard):
    run = CliRunner().invoke
    [row] = json.loads(run(app, ["emails", "list", "--json"]).stdout)
    assert row["subject"] == "Partner Incentive Enrollment Invitation"
    shown = run(app, ["emails", "show", row["key"]]).stdout
    assert (
        shown.startswith("To: pat@contoso.example\nSubject: Partner")
        and "holds up to and including 2021-04-21" in shown
    )
    assert run(app, ["emails", "show", row["key"], "--html"]).stdout.startswith("<!doctype html>")


PAT, LEE, SAM = ("pat@contoso.example", "*"), ("lee@contoso.example", "a"), ("sam@contoso.example", "b")
USER = ("kim@contoso.example", "b", "incentives_user")
CLAIM = {
    "request_id": "r1", "partner_id": "p1", "program": "a", "requested": 1250, "currency": "JPY", "activity_type": "demo_units",
    "coop_claim_status": "action_required", "status_on": date(2021, 3, 20),
}  # fmt: skip


@pytest.fixture
def told(monkeypatch, home):
    """Who is told what, kind by kind, of a release that holds some rows and no others."""

    def found(
        people: list[tuple], as_of: str = "2021-03-24", set_up_on: str | None = "2021-03-24", **rows: list[dict]
    ) -> list:
        con = duckdb.connect()
        roles = [
            {"user_email": name, "user_name": name[:3], "role": (*role, "incentives_admin")[0], "partner_id": "p1", "program": program, "set_up_on": set_up_on}
            for name, program, *role in people
        ]  # fmt: skip
        held = {"users": roles, "partners": [{"partner_id": "p1", "partner_name": "Contoso"}]} | rows
        held |= {"programs": [{"program": name, "program_title": name.upper()} for name in "ab"]}
        for table in (*NEEDED, "partners"):
            columns = ", ".join(f"{name} {kind}" for name, kind in PUBLISHED[table].published_columns.items())
            con.execute(f"CREATE TABLE {table} ({columns})")
            for row in held.get(table, []):
                con.execute(
                    f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()]
                )
        manifest = {"as_of_date": as_of, "tables": [{"name": name} for name in NEEDED]}
        monkeypatch.setattr(releases, "current", lambda: manifest)
        monkeypatch.setattr(releases, "reader", lambda _: nullcontext(con))
        return emails.due()

    return found


def test_a_claim_that_waits_for_the_partner_is_told_to_the_admins_of_its_program(told):
    [letter] = told([PAT, LEE, SAM, USER], set_up_on="2020-01-01", coop_claims=[CLAIM])
    assert letter.to == ("lee@contoso.example", "pat@contoso.example")
    assert all("JPY 1,250 for demo units" in body for body in (letter.text, letter.html))
    assert told([PAT], set_up_on=None, coop_claims=[CLAIM]) == []
    assert told([PAT], set_up_on="2020-01-01", coop_claims=[CLAIM | {"coop_claim_status": "approved"}]) == []


@pytest.mark.parametrize(("as_of", "count"), [("2021-04-19", 1), ("2021-04-20", 0)])
def test_what_is_older_than_thirty_days_is_not_told(told, as_of, count):
    assert len(told([PAT], as_of, "2020-01-01", coop_claims=[CLAIM])) == count


def test_an_admin_of_one_program_is_told_of_the_users_of_that_program_alone(told):
    [all_of_them] = told([PAT, LEE, USER])
    assert all_of_them.to == (PAT[0],) and "lee@" in all_of_them.text and "kim@" in all_of_them.text
    of_a, of_b = told([LEE, SAM, USER, ("ann@contoso.example", "*", "incentives_user")])
    assert (of_a.to, of_b.to) == ((LEE[0],), (SAM[0],))
    assert "ann@" in of_a.text and "kim@" not in of_a.text + of_a.html and "sam@" not in of_a.text + of_a.html
    assert "kim@" in of_b.text and of_a.key != of_b.key


def test_an_email_has_one_id_at_every_try(told):
    ids = [told([PAT])[0].message("Incentives <a@b.example>")["Message-ID"] for _ in range(2)]
    assert ids[0] == ids[1] and ids[0].endswith("@b.example>")
