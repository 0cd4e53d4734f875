"""Who sees which page, and nobody another partner's data: every role on every page by its address, and by the websocket."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.browsing import MARKS, OPERATOR, PAGES, STRANGER, WAIT, drawn, keep, served_with_sign_in, shown_home, sign_in
from tests.test_dashboard_access import ADMIN, OTHER, PART, USER

pytestmark = [*MARKS, pytest.mark.slow]
ALL, WITHOUT_USERS, NONE = set(PAGES), set(PAGES) - {"users"}, set()
SEES = {  # by who is signed in, what the page says instead of the others
    OPERATOR: (ALL, ""),
    ADMIN: (ALL, ""),
    PART: (ALL, ""),
    USER: (WITHOUT_USERS, "Page not found"),
    OTHER: (NONE, "when you have completed its set-up"),
    STRANGER: (NONE, "You have no incentives role"),
}
OF_OTHERS = ("Fabrikam", "theirs", "1000002")


@pytest.fixture(scope="module")
def signed(tmp_path_factory) -> Iterator[str]:
    with (
        shown_home(tmp_path_factory.mktemp("home")) as home,
        served_with_sign_in(home, INCENTIVES_OPERATORS=OPERATOR) as address,
    ):
        yield address


@pytest.mark.parametrize("who", SEES)
def test_a_role_sees_its_pages_and_no_other_partner(browser, signed, who):
    page = sign_in(browser, signed, who)
    seen, instead = SEES[who]
    for name in PAGES:
        page.goto(f"{signed}/{name}")
        expected = (
            page.get_by_role("heading", name=PAGES[name], exact=True) if name in seen else page.get_by_text(instead)
        )
        expected.first.wait_for(timeout=WAIT)
        if name in seen:
            drawn(page)
            keep(page, f"{name}-of-{who.split('@')[0]}")
        if who not in (OPERATOR, OTHER):
            assert not [word for word in OF_OTHERS if word in page.content()], name


def test_who_is_not_signed_in_sees_no_page(browser, signed):
    page = browser.new_context(locale="en").new_page()
    for name in (*PAGES, "line?id=mine"):
        page.goto(f"{signed}/{name}")
        page.get_by_role("button", name="Sign in").wait_for(timeout=WAIT)
        assert not [word for word in (*OF_OTHERS, "Contoso", "mine") if word in page.content()], name


@pytest.mark.parametrize("who", [OPERATOR, ADMIN, USER])
def test_a_forged_location_gets_nothing_by_the_websocket(browser, signed, who):
    """What an operator gets in this way, who may."""
    page = sign_in(browser, signed, who)
    cookies = {one["name"]: one["value"] for one in page.context.cookies()}
    _, location = told(signed, cookies)
    assert location
    forged, _ = told(signed, cookies, {location: "Fabrikam · 1000002"}, {location: "1000002"})
    heading = "Fabrikam</b> · 1000002".encode()
    assert (heading in forged) == (who == OPERATOR)
    assert who == OPERATOR or not [word for word in OF_OTHERS if word.encode() in forged]


def test_the_websocket_tells_nothing_to_who_is_not_signed_in(signed):
    said, location = told(signed, {})
    assert b"Sign in" in said and b"Contoso" not in said and location is None


def told(address: str, cookies: dict[str, str], *forged: dict[str, str]) -> tuple[bytes, str | None]:
    """All that the dashboard's server says by its websocket to who sends some cookies and widget states; the id of `Location`."""
    from streamlit.proto.BackMsg_pb2 import BackMsg
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
    from streamlit.proto.WidgetStates_pb2 import WidgetState
    from websockets.sync.client import connect

    said, location = b"", None
    header = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    where = f"ws://{urlsplit(address).netloc}/_stcore/stream"
    tokens = ["streamlit", *filter(None, [cookies.get("_streamlit_xsrf")])]
    with connect(where, additional_headers=header, origin=address, subprotocols=tokens, max_size=None) as socket:
        for states in ({}, *forged):
            asked = BackMsg()
            asked.rerun_script.query_string = ""
            asked.rerun_script.widget_states.widgets.extend(
                WidgetState(id=id, string_value=v) for id, v in states.items()
            )
            socket.send(asked.SerializeToString())
            while True:
                got = socket.recv(timeout=60)
                message = ForwardMsg.FromString(got)
                said += got
                element = message.delta.new_element
                if element.selectbox.label == "Location":
                    location = element.selectbox.id
                if message.WhichOneof("type") == "script_finished":
                    break
    return said, location
