"""The page of a cluster behind a real reverse proxy, where TLS ends and from where plain HTTP goes on."""

import os
import re
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from playwright.sync_api import Browser, expect
from testbed.beds import Bed
from testbed.errors import MissingProgramError
from testbed.nginx import NAME, Nginx
from testbed.pages import served_to_all

from .accounts import accounts

SOCKET = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.fixture(scope="module")
def page_port(browser: Browser) -> Iterator[int]:
    """Of a page for all, under the proxy's name. Like a pod, it trusts no header of a proxy."""
    with pytest.MonkeyPatch.context() as environment, accounts() as server:
        environment.setenv("FORWARDED_ALLOW_IPS", "192.0.2.1")
        with served_to_all("--api-server", server, "--host", NAME) as url:
            yield int(re.findall(r"\d+", url)[-1])


@pytest.fixture(scope="module")
def bed() -> Iterator[Bed]:
    made = Bed.create()
    yield made
    made.end()


@pytest.fixture(scope="module")
def proxy(bed: Bed, page_port: int) -> Nginx:
    try:
        return Nginx(bed, page_port)
    except MissingProgramError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def _client(proxy: Nginx) -> httpx.Client:
    trusted = ssl.create_default_context(cafile=str(proxy.ca))
    return httpx.Client(base_url=proxy.address, headers={"host": proxy.host}, verify=trusted)


def _log_in(client: httpx.Client, **headers: str) -> httpx.Response:
    return client.post("/login", data={"token": "a-token", "next": "/"}, headers=headers)


def test_a_browser_logs_in_and_its_web_socket_passes(browser: Browser, proxy: Nginx) -> None:
    sockets: list[str] = []
    wrong: list[str] = []
    with browser.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        page.goto(f"{proxy.url}/?namespace=team-a")
        page.get_by_label("Token").fill("a-token")
        page.keyboard.press("Enter")
        expect(page.get_by_role("link", name="finch")).to_be_visible()
        (cookie,) = context.cookies()
        assert (cookie["name"], cookie["secure"], cookie["httpOnly"]) == ("__Host-swiftlet", True, True)
        page.get_by_role("link", name="Chat").click()
        expect(page.get_by_text("nothing is served in team-a")).to_be_visible()
        assert sockets and all(one.startswith(proxy.url.replace("https", "wss")) for one in sockets)
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_label("Token")).to_be_visible()
    assert wrong == []


def test_forged_origins_are_refused_behind_it_too(proxy: Nginx) -> None:
    evil = {"origin": "https://evil.example"}
    with _client(proxy) as client:
        assert _log_in(client, **evil).status_code == 403
        # Whoever forges headers of a proxy, too, has them before the proxy's own.
        forged = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "https", "forwarded": "host=evil.example"}
        assert _log_in(client, **evil, **forged).status_code == 403
        assert _log_in(client, origin=proxy.url.replace("https", "http")).status_code == 403
        assert _log_in(client, origin=proxy.url, host="evil.example").status_code == 403
        assert not client.cookies
        assert _log_in(client, origin=proxy.url).status_code == 303
        assert client.get("/").status_code == 200
        assert client.get("/", headers=evil).status_code == 403
        assert _status_of_socket(client, evil) == 403
        assert _status_of_socket(client, {"origin": proxy.url}) == 101
        client.cookies.clear()
        assert _status_of_socket(client, {"origin": proxy.url}) == 403


def _status_of_socket(client: httpx.Client, headers: dict[str, Any]) -> int:
    with client.stream("GET", SOCKET, headers={**UPGRADE, **headers}) as answer:
        return answer.status_code


def test_no_answer_leads_out_of_tls(proxy: Nginx) -> None:
    with _client(proxy) as client:
        assert _log_in(client, origin=proxy.url).status_code == 303
        for path in ("/chat/", "/run/finetunejob/team-a/finch/", "//evil.example/", "/login"):
            location = urljoin(f"{proxy.url}/", client.get(path).headers.get("location", "/"))
            assert location.startswith(f"{proxy.url}/"), f"{path} leads to {location}"


@pytest.mark.parametrize("host", ["$host", "$proxy_host"])
def test_a_proxy_that_does_not_pass_the_name_on_is_told_apart(
    bed: Bed, proxy: Nginx, page_port: int, host: str
) -> None:
    """Without its port, and nginx's own default: the address of the server behind."""
    other = Nginx(bed, page_port, host)
    with _client(other) as client:
        refused = _log_in(client, origin=other.url)
    assert refused.status_code == 403
    assert "a proxy before this page has to pass on the Host that the browser asked for" in refused.text
