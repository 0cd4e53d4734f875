"""E-mails to partners and operators: what they say, to whom, and that each goes once, through a real SMTP server."""

import email
import email.policy
import json
import logging
import shutil

import pytest
from aiosmtpd.controller import Controller
from typer.testing import CliRunner

import emails
import pipeline
import rulebook
from app.cli import app
from tests.deliveries import WORLD, land, land_world
from tests.ports import free_port
from warehouse import releases

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
    server = Controller(box, hostname="127.0.0.1", port=free_port())
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


def test_operators_are_told_of_a_refused_delivery(home, mailbox, send, monkeypatch):
    monkeypatch.setenv("INCENTIVES_OPERATORS", "ops@publisher.example, duty@publisher.example")
    bad = home / "landing" / "bad"
    bad.mkdir(parents=True)
    (bad / "manifest.json").write_text("{}")
    pipeline.ingest()
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
