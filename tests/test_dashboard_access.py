"""Who sees what: by location, program and role, on every way from a page to a row."""

import asyncio
import io
import json
import re
import runpy
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient
from streamlit.auth_util import get_signing_secret
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

import pipeline
from app import explain, export
from app.dashboard import access, asgi, asking, current, downloads, login, main, signed_out
from app.dashboard.access import Forbidden, Grant, Scope, Viewer, matching
from app.dashboard.current import Release, current_release
from app.dashboard.screens import health, ineligible
from app.dashboard.view import View
from app.dashboard.words import Words
from tests.deliveries import land, land_world
from warehouse import store
from warehouse.tables import PUBLISHED

ADMIN, USER, OTHER = "pat@contoso.example", "kim@contoso.example", "lee@fabrikam.example"
PART = "sam@contoso.example"  # an admin in one program
LOCATIONS = ("1000001", "1000002")
PROGRAMS = ("csp-direct-bill", "csp-indirect-reseller")
SCOPED = (*access.HAS_PROGRAM, access.BY_LINE, *access.LOCATION_ONLY, *access.ADMINS_ONLY, access.REQUESTS)
PARTNERS = [
    {"partner_id": "1000001"},
    {"partner_id": "1000002", "partner_name": "Fabrikam", "tenant_id": "tenant-2"},
    {"partner_id": "2000001", "partner_type": "indirect_provider"},
]
USERS = [
    {"partner_id": "1000001"},
    {"partner_id": "1000001", "user_email": USER, "role": "incentives_user", "program": "csp-direct-bill"},
    {"partner_id": "1000001", "user_email": PART, "program": "csp-indirect-reseller"},
    {"partner_id": "1000002", "user_email": OTHER},
]


@pytest.fixture(scope="module")
def release(tmp_path_factory):
    """A day of two resellers, of whom the first has completed its set-up."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INCENTIVES_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setenv("INCENTIVES_DASHBOARD_SECRET", "a secret of the test")
        land_world(
            partners=PARTNERS, users=USERS,
            enrolments=[{"partner_id": "1000001", "enrolment_status": "action_required"}],
            customers=[{"customer_id": "c1"}, {"customer_id": "c2", "customer_name": "Tailspin"}],
        )  # fmt: skip
        by_user = {
            "request_id": "r2",
            "requested_by": USER.upper(),
            "request_kind": "certification",
            "program": "csp-direct-bill",
        }
        land("partner_requests", [{"request_id": "r1", "partner_id": "1000001"}, {"partner_id": "1000001"} | by_user])
        others = {"transaction_id": "theirs", "reseller_id": "1000002", "customer_id": "c2"}
        land("transactions", [{"transaction_id": "mine"}, others])
        pipeline.run()
        yield current_release()


def scope(release, email: str, partner: str) -> Scope:
    return Scope(release, access.viewer(release, email), partner)


@pytest.fixture(scope="module")
def crowded():
    """A release that holds a row of each of two locations in each of two programs, in every table of a partner."""
    con = duckdb.connect()
    places = [(partner, program) for partner in LOCATIONS for program in PROGRAMS]
    for table in SCOPED:
        columns = PUBLISHED[table].published_columns
        con.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
        named = [name for name in (owner(table), "program") if name in columns]
        con.executemany(
            f"INSERT INTO {table} ({', '.join(named)}) VALUES ({', '.join('?' * len(named))})",
            [place[: len(named)] for place in places],
        )
    con.execute("UPDATE users SET set_up_on = DATE '2021-03-23'")
    made = object.__new__(Release)  # not opened, as it has no files
    made._con, made._answered = con, made._answer
    return made


def owner(table: str) -> str:
    """The column that says whose a row is."""
    return "reseller_id" if table == access.BY_LINE else "partner_id"


@pytest.mark.parametrize("table", SCOPED)
def test_a_user_sees_the_rows_of_an_own_location_alone(crowded, table):
    assert set(crowded.rows(f"FROM {table}")[owner(table)]) == set(LOCATIONS)
    for partner in LOCATIONS:
        admin = Viewer(ADMIN, (Grant(partner, "*", "incentives_admin"),))
        assert set(Scope(crowded, admin, partner).ask(f"FROM {{{table}}}")[owner(table)]) == {partner}


@pytest.mark.parametrize("table", [*access.HAS_PROGRAM, *access.ADMINS_ONLY, access.REQUESTS])
def test_a_role_in_one_program_shows_no_row_of_another(crowded, table):
    for program in PROGRAMS:
        admin = Viewer(PART, (Grant("1000001", program, "incentives_admin"),))
        assert set(Scope(crowded, admin, "1000001").ask(f"FROM {{{table}}}")["program"]) == {program}


def test_another_location_is_forbidden(release):
    with pytest.raises(Forbidden):
        scope(release, ADMIN, "1000002")


def test_an_operator_sees_every_location(release, monkeypatch):
    monkeypatch.setenv("INCENTIVES_OPERATORS", "ops@example.com, Boss@example.com")
    assert access.viewer(release, "boss@EXAMPLE.com").is_operator
    assert len(scope(release, "ops@example.com", "1000002").ask("SELECT 1 FROM {decisions}"))


def test_a_stranger_is_nobody(release):
    assert access.viewer(release, "stranger@example.com") is None


@pytest.mark.parametrize(("role", "shown"), [("incentives_admin", "action_required"), ("incentives_user", "enrolling")])
def test_who_is_no_admin_sees_that_an_enrolment_is_under_way_and_no_more(release, role, shown):
    viewer = Viewer("x@contoso.example", (Grant("1000001", "csp-indirect-reseller", role),))
    found = Scope(release, viewer, "1000001").ask_rows("SELECT enrolment_status, what_to_do FROM {enrolments}")
    assert [(row["enrolment_status"], row["what_to_do"] is None) for row in found] == [
        (shown, role == "incentives_user")
    ]


def test_a_role_in_one_program_shows_that_program_alone(release):
    user = scope(release, USER, "1000001")
    assert user.programs == ["csp-direct-bill"]
    assert user.ask("SELECT 1 FROM {decisions}").empty and user.ask("SELECT 1 FROM {eligibility_status}").empty
    assert user.explained("mine") is None


@pytest.mark.parametrize("table", access.ADMINS_ONLY)
def test_what_is_for_admins_is_forbidden_to_users(release, table):
    with pytest.raises(Forbidden):
        scope(release, USER, "1000001").ask(f"SELECT * FROM {{{table}}}")


@pytest.mark.parametrize("table", ["sqlite_master", "earnings_ledger_ended"])
def test_a_table_that_is_not_by_partner_cannot_be_asked(release, table):
    with pytest.raises(Forbidden):
        scope(release, ADMIN, "1000001").ask(f"SELECT * FROM {{{table}}}")


def test_only_an_own_line_is_explained(release):
    mine = scope(release, ADMIN, "1000001")
    assert mine.explained("theirs") is None
    found = mine.explained("mine")
    assert {row["partner_id"] for part in ("decisions", "prices", "entries") for row in found[part]} == {"1000001"}
    by_program = {row["program"] for row in found["decisions"]}
    of_one = {row["program"] for row in scope(release, PART, "1000001").explained("mine")["decisions"]}
    assert of_one == {"csp-indirect-reseller"} < by_program


@pytest.mark.parametrize(
    "query",
    [
        explain.LINE,
        explain.DECISIONS,
        explain.CRITERIA,
        explain.PRICES,
        explain.LEFT,
        explain.ENTRIES,
        explain.ORIGINAL_MOVED,
    ],
)
def test_a_line_is_explained_by_tables_in_scope_alone(query):
    assert set(re.findall(r"(?:FROM|JOIN) (\w+)", query)) <= {"programs", "family"}


def test_a_partner_is_told_what_its_own_customers_are_called_and_no_others(release):
    both = ["c1", "c2", None]
    assert scope(release, ADMIN, "1000001").customers(both) == {"c1": "Woodgrove"}
    operator = Viewer("ops@example.com", is_operator=True)
    assert Scope(release, operator, "1000002").customers(both) == {"c2": "Tailspin"}
    with pytest.raises(Forbidden):
        scope(release, OTHER, "1000002").customers(both)


def test_what_refunds_leave_is_told_of_own_lines_alone(release):
    for role, line, found in ((ADMIN, "mine", 1), (ADMIN, "theirs", 0)):
        values = {"original": line, "is_first": 1, "at": "2021-12-31T00:00:00Z", "id": "z"}
        rows = scope(release, role, "1000001").ask_rows(explain.LEFT, **values, partner="1000001")
        assert len([row for row in rows if row["program"] == "csp-indirect-reseller"]) == found


@pytest.mark.parametrize(
    ("feed", "status", "age", "state"),
    [
        ("transactions", "accepted", 0, "Accepted"),
        ("customers", "accepted", 1, "Last known data"),
        ("transactions", "missing", None, "Missing"),
        ("bank_messages", "missing", None, "Never delivered"),
    ],
)
def test_only_a_feed_that_days_wait_for_is_missing(feed, status, age, state):
    assert health._state(SimpleNamespace(feed=feed, delivery_status=status, age_days=age)) == state


def test_a_user_sees_what_they_asked_for_and_nothing_that_others_did(release):
    asked = "SELECT request_id FROM {partner_requests} ORDER BY ALL"
    assert list(scope(release, USER, "1000001").ask(asked)["request_id"]) == ["r2"]
    assert list(scope(release, ADMIN, "1000001").ask(asked)["request_id"]) == ["r1", "r2"]
    assert {"iban", "account_holder"}.isdisjoint(release.rows("FROM partner_requests LIMIT 0"))


def test_data_shows_when_the_admin_has_completed_the_set_up(release):
    assert scope(release, ADMIN, "1000001").is_set_up
    assert not scope(release, OTHER, "1000002").is_set_up
    assert Scope(release, Viewer("ops@example.com", is_operator=True), "1000002").is_set_up


def test_nothing_is_read_before_the_set_up(release):
    with pytest.raises(Forbidden):
        scope(release, OTHER, "1000002").ask("SELECT * FROM {decisions}")
    assert len(scope(release, OTHER, "1000002").ask("SELECT * FROM {users}"))


def test_an_admin_of_one_program_sees_the_users_of_that_program(release):
    seen = scope(release, PART, "1000001").ask("SELECT user_email FROM {users} ORDER BY 1")
    assert list(seen["user_email"]) == [ADMIN, PART]


def test_who_has_a_role_in_one_program_asks_in_it(release, monkeypatch):
    wishes = []
    monkeypatch.setattr(asking.handover, "files", lambda paths, **_: wishes.append(paths[0].read_text()))
    for email, program, kind in (
        (ADMIN, "*", "complete_set_up"),
        (PART, "csp-indirect-reseller", "complete_set_up"),
        (USER, "csp-direct-bill", "association_claim"),
    ):
        view = View(scope(release, email, "1000001"), Words("en"), date(2021, 1, 1), date(2022, 1, 1))
        asking.ask(view, kind)
        assert f",1000001,{program},{kind}," in wishes[-1]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("payee_profile", {"account_holder": "Contoso", "iban": "DE89370400440532013000", "payout_currency": "EUR"}),
        ("hold_payment", {"program": "*"}),
        ("payout", {"program": "csp-indirect-reseller"}),
        ("enrol", {"program": "csp-indirect-reseller"}),
        ("assign_role", {"user_email": "new@contoso.example", "user_name": "New", "role": "incentives_user", "program": "*"}),
        ("remove_role", {"user_email": USER, "program": "csp-direct-bill"}),
        ("certification", {"subject": "cloud_platform"}),
        ("association_claim", {"subject": "c1", "product_family": "azure", "association": "pal_owner"}),
        ("dispute", {"subject": "claim-1", "note": "The invoice was enclosed"}),
        (
            "coop_claim",
            {
                "program": "csp-indirect-reseller", "currency": "USD", "activity_type": "training", "occurred_on": "2021-03-01",
                "requested": "12.50", "note": "",
            },
        ),
    ],
)  # fmt: skip
def test_what_a_form_asks_for_is_taken_in_as_it_was_said(release, monkeypatch, tmp_path, kind, said):
    view = View(scope(release, ADMIN, "1000001"), Words("en"), date(2021, 1, 1), date(2022, 1, 1))
    monkeypatch.setenv("INCENTIVES_HOME", str(tmp_path))
    request = asking.ask(view, kind, **said)
    [line] = pipeline.ingest()
    assert (line["delivery_status"], line["rows_accepted"]) == ("accepted", 1)
    with store.warehouse() as con:
        [found] = store.rows(con, "FROM clean.partner_requests")
    assert (found["request_id"], found["request_kind"], found["requested_by"]) == (request, kind, ADMIN)
    assert found["iban"] == said.get("iban") and found["requested_minor"] == (1250 if kind == "coop_claim" else None)


def test_a_release_without_the_tables_of_this_version_is_none(release, monkeypatch):
    assert current.current_release() is not None
    tables = release.manifest["tables"]
    without_column = [t | {"columns": [c for c in t["columns"] if c != "requested_by"]} for t in tables]
    for older in ([t for t in tables if t["name"] != "users"], without_column):
        monkeypatch.setattr(current, "_pointer", lambda older=older: json.dumps(release.manifest | {"tables": older}))
        assert current.current_release() is None


GOOD = {"email": "Pat@contoso.example", "email_verified": True, "exp": datetime(2100, 1, 1, tzinfo=UTC).timestamp()}


@pytest.mark.parametrize(
    ("changed", "who"),
    [
        ({}, ADMIN),
        ({"exp": datetime(2026, 1, 1, tzinfo=UTC).timestamp()}, None),
        ({"exp": None}, None),
        ({"email_verified": False}, None),
        ({"email_verified": None}, None),
        ({"email": None}, None),
    ],
)
def test_who_is_signed_in_is_whom_the_provider_vouches_for(changed, who):
    assert login.identified(GOOD | changed) == who


def test_who_has_signed_out_is_nobody_until_the_next_sign_in(home):
    signed_out.remember(GOOD)
    assert login.identified(GOOD) is None and login.identified(GOOD | {"exp": GOOD["exp"] + 1}) == ADMIN


def test_a_sign_out_outlives_the_process_and_says_nothing_of_the_person(home):
    signed_out.remember({"email": "past@contoso.example", "exp": 1})
    signed_out.remember(GOOD)
    signed_out._held.cache_clear()  # as after a restart
    assert login.identified(GOOD) is None
    [kept] = (home / "dashboard").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600 and (home / "dashboard").stat().st_mode & 0o777 == 0o700
    assert len(kept.read_text().splitlines()) == 1 and "contoso" not in kept.read_text().lower()


@pytest.fixture(scope="module")
def client(release):
    """The web application behind TLS, asked with a signed cookie of some claims, or with none."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CLIENT_ID", "CLIENT_SECRET", "SERVER_METADATA_URL", "REDIRECT_URI", "COOKIE_SECRET"):
            patch.setenv(f"INCENTIVES_OIDC_{name}", "0123456789abcdef0123456789abcdef")
        with TestClient(asgi.application(), base_url="https://localhost") as asking:

            def asked(path: str, **claims):
                signed = create_signed_value(get_signing_secret(), asgi.COOKIE, json.dumps(claims)).decode()
                return asking.get(path, headers={"cookie": f"{asgi.COOKIE}={signed}"} if claims else {})

            yield asked


@pytest.mark.parametrize("path", ["/media/a.csv", "/download?ticket=x"])
def test_what_lies_behind_the_sign_in_needs_one(client, path):
    assert client(path).status_code == 401
    assert client(path, **GOOD | {"exp": 1}).status_code == 401
    assert client(path, **GOOD).status_code in (403, 404)


def test_a_cookie_travels_over_tls_alone(monkeypatch):
    cookies = [(b"set-cookie", b"a=b; HttpOnly"), (b"set-cookie", b"c=d; Secure"), (b"etag", b"1")]
    sealed = [(b"set-cookie", b"a=b; HttpOnly; Secure"), *cookies[1:], asgi.TLS_ALONE]
    assert asgi._sealed({"scheme": "https", "path": "/static/a.js"}, cookies) == sealed
    plain = {"scheme": "http", "path": "/static/a.js"}
    monkeypatch.delenv("INCENTIVES_OIDC_REDIRECT_URI", raising=False)
    assert asgi._sealed(plain, cookies) == cookies
    monkeypatch.setenv("INCENTIVES_OIDC_REDIRECT_URI", "https://incentives.example/oauth2callback")
    assert asgi._sealed(plain, cookies) == sealed
    monkeypatch.setenv("INCENTIVES_DASHBOARD_DEMO", "1")
    assert asgi._sealed(plain, cookies) == cookies


@pytest.mark.parametrize("path", ["/", "/download?ticket=x", "/media/a.csv", "/healthy"])
def test_nothing_that_may_show_data_is_kept(client, path):
    assert client(path, **GOOD).headers.get_list("cache-control") == ["no-store"]


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
        (ticket(email=OTHER, partner_id="1000002"), OTHER),
    ):
        with pytest.raises(Forbidden):
            downloads.file(wrong, asks)


def test_lines_that_earn_nothing_are_downloaded_whole_and_the_page_says_of_how_many_it_shows_the_newest(
    release, monkeypatch
):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_SECRET", "a secret of the test")
    admin = scope(release, ADMIN, "1000001")
    expected = admin.ask("SELECT transaction_id, program FROM {decisions} WHERE decision <> 'eligible' ORDER BY ALL")
    content, _, _ = downloads.file(ticket(table="ineligible_lines"), ADMIN)
    found = pd.read_csv(io.BytesIO(content))
    assert found[["transaction_id", "program"]].values.tolist() == expected.values.tolist() != []
    said = []
    monkeypatch.setattr(ineligible, "MOST_LINES", 0)
    monkeypatch.setattr(ineligible.st, "markdown", said.append)
    ineligible.ineligible(View(admin, Words("en"), date(2021, 1, 1), date(2022, 1, 1)))
    assert f"The newest 0 of {len(expected)} lines; the download has all." in said


def test_a_link_is_good_for_a_while_only(release, monkeypatch):
    monkeypatch.setenv("INCENTIVES_DASHBOARD_SECRET", "a secret of the test")
    monkeypatch.setattr(downloads, "SECONDS", -1)
    with pytest.raises(Forbidden):
        downloads.file(ticket(), ADMIN)


def test_a_downloaded_text_is_no_formula(release):
    assert downloads._csv(pa.table({"note": ["=1+1", "plain"]})).decode("utf-8-sig").splitlines()[1] == '"\'=1+1"'


def test_a_workbook_has_a_further_sheet_for_rows_that_do_not_fit_on_one(monkeypatch):
    monkeypatch.setattr(export, "SHEET_ROWS", 2)
    rows = pa.table({"note": ["=1+1", "b", "c"], "amount": [Decimal("1.50")] * 3, "posted_on": [date(2021, 3, 23)] * 3})
    sheets = pd.read_excel(io.BytesIO(downloads._xlsx(rows)), sheet_name=None)
    assert [sheet["note"].tolist() for sheet in sheets.values()] == [["=1+1", "b"], ["c"]]
    assert sheets["Sheet2"].loc[0, ["amount", "posted_on"]].tolist() == [1.5, pd.Timestamp("2021-03-23")]


def test_a_file_is_made_beside_what_serves_the_pages(monkeypatch):
    def made(*_):
        asyncio.run(asyncio.sleep(0))  # which raises where an event loop runs
        return b"rows", "rows.csv", "text/csv"

    monkeypatch.setattr(asgi, "is_demo", lambda: True)
    monkeypatch.setattr(downloads, "file", made)
    answer = TestClient(Starlette(routes=[Route("/download", asgi.download)])).get("/download?ticket=x")
    assert (answer.status_code, answer.content) == (200, b"rows")


def test_an_operator_finds_a_partner_by_a_part_of_its_name_or_number(release):
    assert matching(release.partners, " fabri") == matching(release.partners, "0002") == ["1000002"]
    assert matching(release.partners, "") == list(release.partners) and not matching(release.partners, "nobody")
    assert release.names(["1000002", "gone"]) == {"gone": "?", "1000002": "Fabrikam"}


def test_a_release_remembers_what_it_was_asked_by_whom(release, monkeypatch):
    query = "SELECT partner_id FROM {decisions}"
    mine, theirs = (
        scope(release, ADMIN, "1000001"),
        Scope(release, Viewer("ops@publisher.example", is_operator=True), "1000002"),
    )
    first = [one.ask(query) for one in (mine, theirs)]
    monkeypatch.setattr(release, "_con", None)  # what is asked anew fails
    assert [len(one.ask(query)) for one in (mine, theirs)] == [len(rows) for rows in first]
    assert set(mine.ask(query)["partner_id"]) == {"1000001"} and set(theirs.ask(query)["partner_id"]) == {"1000002"}
    with pytest.raises(AttributeError):
        mine.ask("SELECT program FROM {decisions}")


def test_what_files_say_of_themselves_is_kept_for_every_query(release):
    [kept] = release.rows("SELECT current_setting('parquet_metadata_cache') AS kept")["kept"]
    assert kept


def test_the_script_draws_nothing_when_it_is_imported(first_day):
    """As tests collect it, also where a release is to be shown."""
    runpy.run_path(main.__file__, run_name="imported")
