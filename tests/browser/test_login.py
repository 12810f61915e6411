"""The page of a cluster for all who log in, in a real browser; its API server knows a few tokens."""

import re
from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect
from socketio import SimpleClient
from socketio.exceptions import ConnectionError as RefusedSocketError
from testbed.pages import served_to_all

from .accounts import JOBS, TOKENS, accounts


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The API server."""
    with accounts() as found:
        yield found


@pytest.fixture(scope="module")
def url(server: str) -> Iterator[str]:
    """Of a page for all."""
    with served_to_all("--api-server", server) as place:
        yield place


@pytest.fixture(params=[(1280, "light"), (360, "dark")], ids=["wide and light", "narrow and dark"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """Of somebody who is not logged in."""
    width, scheme = request.param
    with browser.new_context(viewport={"width": width, "height": 740}, color_scheme=scheme) as context:
        yield context.new_page()


def _log_in(page: Page, token: str) -> None:
    page.get_by_label("Token").fill(token)
    page.keyboard.press("Enter")


def test_who_logs_in_gets_where_he_wanted_to_go_and_out_again(page: Page, url: str) -> None:
    page.goto(f"{url}?namespace=team-a")
    _log_in(page, "another")
    expect(page.get_by_role("alert")).to_contain_text("401 Unauthorized")
    _log_in(page, "a-token")
    expect(page.get_by_role("link", name="finch")).to_be_visible()
    expect(page.get_by_text("ada", exact=True)).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    assert "a-token" not in page.evaluate("JSON.stringify([localStorage, sessionStorage])") + page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("window.innerWidth")
    other = page.context.new_page()
    other.goto(url)
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_label("Token")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("You are logged out")
    _log_in(page, "b-token")
    expect(page.get_by_role("heading", name="Runs in team-a")).to_be_visible()


def test_namespaces_are_chosen_or_written(page: Page, url: str) -> None:
    page.goto(url)
    _log_in(page, "a-token")
    page.get_by_label("Namespace").click()
    page.get_by_role("option", name="all namespaces").click()
    for name in JOBS.values():
        expect(page.get_by_role("link", name=name)).to_be_visible()
    expect(page.get_by_role("cell", name="team-a")).to_be_visible()
    page.get_by_role("link", name="Chat").click()
    expect(page.get_by_text("nothing is served in any namespace")).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    _log_in(page, "b-token")
    page.get_by_label("Namespace").fill("team-a")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="finch")).to_be_visible()
    expect(page.get_by_role("link", name="bird")).to_have_count(0)


def test_a_token_that_is_revoked_takes_away_what_was_shown(browser: Browser, url: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{url}run/finetunejob/default/bird")
        _log_in(page, "c-token")
        expect(page.get_by_role("heading", name="finetunejob/bird")).to_be_visible()
        del TOKENS["c-token"]
        expect(page.get_by_role("alert").filter(has_text="no longer accepted")).to_be_visible()
        expect(page.get_by_text("bird")).to_have_count(0)
        _log_in(page, "b-token")
        expect(page.get_by_role("heading", name="finetunejob/bird")).to_be_visible()


def test_nobodys_socket_speaks_for_anothers_page(url: str) -> None:
    """Whoever reads the id of a page in a proxy's log, and has a token himself."""
    ada = {"Authorization": "Bearer a-token"}
    found = re.search(r"client_id[^0-9a-f]+([0-9a-f-]{36})", httpx.get(url, headers=ada).text)
    assert found
    address = f"{url}?client_id={found[1]}&tab_id=1&document_id=1&next_message_id=0&implicit_handshake=true"
    for token, is_heard in (("b-token", False), ("a-token", True)):
        with SimpleClient() as client:
            headers = {"Authorization": f"Bearer {token}"}
            try:
                client.connect(address, headers, socketio_path="/_nicegui_ws/socket.io", transports=["websocket"])
            except RefusedSocketError:
                assert not is_heard
            else:
                assert is_heard


def test_a_new_start_asks_who_is_there(browser: Browser, server: str, free_port: Callable[[], int]) -> None:
    port = free_port()
    with browser.new_context() as context:
        page = context.new_page()
        with served_to_all("--api-server", server, port=port) as url:
            page.goto(url)
            _log_in(page, "a-token")
            expect(page.get_by_role("link", name="bird")).to_be_visible()
        with served_to_all("--api-server", server, port=port):
            page.reload()
            expect(page.get_by_label("Token")).to_be_visible()
