"""`make up` serves a dashboard that answers, and says what it is; a demonstration sends nothing."""

from datetime import date
from types import SimpleNamespace

import pytest

import pipeline
from app import processes, stack
from app.dashboard import asking
from app.dashboard.access import Forbidden


@pytest.fixture
def up(home, monkeypatch):
    """`make up` beside an Airflow that is only said to be up; ended after the test."""
    (home / "airflow").mkdir()
    monkeypatch.setattr(stack, "up", lambda home: stack.Stack(home, 1))
    monkeypatch.setattr(stack.signal, "signal", lambda *_: None)
    monkeypatch.setenv("INCENTIVES_DASHBOARD_URL", "http://127.0.0.1")
    monkeypatch.setenv("COLUMNS", "200")
    yield lambda: stack.main("up")
    stack.down(home)


def test_up_says_that_a_dashboard_without_sign_in_is_a_demonstration(up, home, monkeypatch, capsys):
    monkeypatch.delenv("INCENTIVES_OIDC_CLIENT_ID", raising=False)
    assert up() == 0
    assert "without sign-in" in capsys.readouterr().out and processes.running(home / "airflow", "dashboard")


def test_up_fails_with_a_dashboard_that_cannot_start(up, home, monkeypatch, capsys):
    monkeypatch.setenv("INCENTIVES_OIDC_CLIENT_ID", "alone")
    assert up() == 1
    said = capsys.readouterr()
    assert "INCENTIVES_OIDC_CLIENT_SECRET" in said.err and "is up" not in said.out


def test_a_demonstration_lands_nothing(first_day, monkeypatch):
    viewer = SimpleNamespace(is_operator=False, email="pat@contoso.example")
    scope = SimpleNamespace(viewer=viewer, is_admin=True, admin_programs=None, partner_id="1000001")
    view = SimpleNamespace(scope=scope, as_of=date(2021, 3, 23))
    asking.ask(view, "complete_set_up")
    assert len(pipeline.landed()) == 1
    monkeypatch.setenv("INCENTIVES_DASHBOARD_DEMO", "1")
    with pytest.raises(Forbidden):
        asking.ask(view, "complete_set_up")
    assert len(pipeline.landed()) == 1
