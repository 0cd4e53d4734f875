"""Who sees what: by location, program and role, on every way from a page to a row."""

import pytest

import pipeline
from app.dashboard import access, downloads
from app.dashboard.access import Forbidden, Grant, Scope, Viewer
from app.dashboard.current import current_release
from tests.deliveries import land, land_world

ADMIN, USER, OTHER = "pat@contoso.example", "kim@contoso.example", "lee@fabrikam.example"
PARTNERS = [
    {"partner_id": "1000001"},
    {"partner_id": "1000002", "partner_name": "Fabrikam", "tenant_id": "tenant-2"},
    {"partner_id": "2000001", "partner_type": "indirect_provider"},
]
USERS = [
    {"partner_id": "1000001"},
    {"partner_id": "1000001", "user_email": USER, "role": "incentives_user", "program": "csp-direct-bill"},
    {"partner_id": "1000002", "user_email": OTHER},
]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A day of two resellers, of whom the first has completed its set-up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("INCENTIVES_DASHBOARD_SECRET", "a secret of the test")
        land_world(partners=PARTNERS, users=USERS)
        land("partner_requests", [{"request_id": "r1", "partner_id": "1000001"}])
        land("transactions", [{"transaction_id": "mine"}, {"transaction_id": "theirs", "reseller_id": "1000002"}])
        pipeline.run()
        yield current_release()


def scope(release, email: str, partner: str) -> Scope:
    return Scope(release, access.viewer(release, email), partner)


def test_a_user_sees_the_rows_of_an_own_location_alone(release):
    mine = scope(release, ADMIN, "1000001")
    for table in (*access.HAS_PROGRAM, *access.LOCATION_ONLY, *access.ADMINS_ONLY):
        seen = mine.ask(f"SELECT partner_id FROM {{{table}}}")
        assert set(seen["partner_id"]) <= {"1000001"}, table
    assert len(mine.ask("SELECT 1 FROM {decisions}"))


def test_another_location_is_forbidden(release):
    with pytest.raises(Forbidden):
        scope(release, ADMIN, "1000002")


def test_an_operator_sees_every_location(release, monkeypatch):
    monkeypatch.setenv("INCENTIVES_OPERATORS", "ops@example.com, Boss@example.com")
    assert access.viewer(release, "boss@EXAMPLE.com").is_operator
    assert len(scope(release, "ops@example.com", "1000002").ask("SELECT 1 FROM {decisions}"))


def test_a_stranger_is_nobody(release):
    assert access.viewer(release, "stranger@example.com") is None


def test_a_role_in_one_program_shows_that_program_alone(release):
    user = scope(release, USER, "1000001")
    assert user.programs == ["csp-direct-bill"]
    assert user.ask("SELECT 1 FROM {decisions}").empty and user.ask("SELECT 1 FROM {eligibility_status}").empty
    assert user.explained("mine") is None


@pytest.mark.parametrize("table", access.ADMINS_ONLY)
def test_what_is_for_admins_is_forbidden_to_users(release, table):
    with pytest.raises(Forbidden):
        scope(release, USER, "1000001").ask(f"SELECT * FROM {{{table}}}")


@pytest.mark.parametrize("table", ["transactions", "sqlite_master", "earnings_ledger_ended"])
def test_a_table_that_is_not_by_partner_cannot_be_asked(release, table):
    with pytest.raises(Forbidden):
        scope(release, ADMIN, "1000001").ask(f"SELECT * FROM {{{table}}}")


def test_only_an_own_line_is_explained(release):
    mine = scope(release, ADMIN, "1000001")
    assert mine.explained("theirs") is None
    assert {row["partner_id"] for row in mine.explained("mine")["entries"]} == {"1000001"}


def test_data_shows_when_the_admin_has_completed_the_set_up(release):
    assert scope(release, ADMIN, "1000001").is_set_up
    assert not scope(release, OTHER, "1000002").is_set_up
    assert Scope(release, Viewer("ops@example.com", is_operator=True), "1000002").is_set_up


def test_roles_are_of_the_release(release):
    assert access.viewer(release, OTHER.upper()).grants == (Grant("1000002", "*", "incentives_admin"),)


def ticket(**changed) -> str:
    wanted = {
        "email": ADMIN, "partner_id": "1000001", "table": "earnings_ledger", "first": "2021-01-01", "end": "2022-01-01",
        "programs": [], "kind": "csv",
    }  # fmt: skip
    return downloads._signer().dumps(wanted | changed)


def test_a_download_is_for_whom_its_link_was_made(release, monkeypatch):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_SECRET", "a secret of the test")
    content, name, kind = downloads.file(ticket(), ADMIN)
    assert b"mine" in content and b"theirs" not in content
    assert name == "earnings_ledger-1000001-2021-03-23.csv" and kind.startswith("text/csv")
    for wrong, asks in (
        (ticket(), OTHER),
        (ticket()[:-2] + "xx", ADMIN),
        (ticket(partner_id="1000002"), ADMIN),
        (ticket(table="users"), ADMIN),
        (ticket(email="stranger@example.com"), "stranger@example.com"),
    ):
        with pytest.raises(Forbidden):
            downloads.file(wrong, asks)


def test_a_link_is_good_for_a_while_only(release, monkeypatch):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_SECRET", "a secret of the test")
    monkeypatch.setattr(downloads, "SECONDS", -1)
    with pytest.raises(Forbidden):
        downloads.file(ticket(), ADMIN)


def test_a_downloaded_text_is_no_formula(release):
    import pyarrow as pa

    assert downloads._csv(pa.table({"note": ["=1+1", "plain"]})).decode("utf-8-sig").splitlines()[1] == '"\'=1+1"'
