"""Who gets the credentials of a registry, and what of its answers is refused."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.storage import oci, registry_client
from swiftlet_trainer.storage.registry_client import Repository
from swiftlet_trainer.storage.transfer import TransferFailed

URI = parse_uri("oci://registry.example/team/birds:v1")
BASIC = f"Basic {base64.b64encode(b'ada:secret').decode()}"
Answer = Callable[[httpx.Request], httpx.Response]


def login(key: str) -> str:
    return json.dumps({"auths": {key: {"username": "ada", "password": "secret"}}})


@pytest.fixture
def answered_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Answer], list[httpx.Request]]:
    """Has a function answer all requests, which are listed."""
    client = httpx.Client

    def by(answer: Answer) -> list[httpx.Request]:
        asked: list[httpx.Request] = []

        def heard(request: httpx.Request) -> httpx.Response:
            asked.append(request)
            return answer(request)

        transport = httpx.MockTransport(heard)
        monkeypatch.setattr(registry_client.httpx, "Client", lambda **named: client(transport=transport, **named))
        return asked

    monkeypatch.setattr(registry_client, "PAUSES", (0,))
    monkeypatch.setenv(registry_client.CONFIG, login("registry.example"))
    return by


def asks_for_password(request: httpx.Request) -> httpx.Response | None:
    if "Authorization" in request.headers:
        return None
    return httpx.Response(401, headers={"WWW-Authenticate": "Basic"})


@pytest.mark.parametrize("place", ["http://registry.example/v2/up/1", "https://elsewhere.example/v2/up/1"])
def test_an_upload_that_goes_elsewhere_takes_no_password_along(
    answered_by: Callable[[Answer], list[httpx.Request]], tmp_path: Path, place: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if refused := asks_for_password(request):
            return refused
        if request.method == "HEAD":
            return httpx.Response(404)
        return httpx.Response(202, headers={"Location": place})

    asked = answered_by(answer)
    (tmp_path / "file").write_bytes(b"weights")
    with pytest.raises(InvalidInput, match="refuses it"):
        Repository(URI).put_blob(f"sha256:{hashlib.sha256(b'weights').hexdigest()}", 7, tmp_path / "file")
    given = {(request.url.scheme, request.url.host) for request in asked if "Authorization" in request.headers}
    assert given == {("https", "registry.example")}


@pytest.mark.parametrize("how", ["redirection", "realm without TLS"])
def test_no_password_goes_to_who_is_not_the_registry(
    answered_by: Callable[[Answer], list[httpx.Request]], how: str
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if how == "redirection" and request.url.host == "registry.example":
            return httpx.Response(307, headers={"Location": "https://elsewhere.example/v2/x"})
        if request.url.path == "/token":
            return httpx.Response(200, json={"token": "t"})
        realm = ("https" if how == "redirection" else "http") + "://elsewhere.example/token"
        return httpx.Response(401, headers={"WWW-Authenticate": f'Bearer realm="{realm}"'})

    asked = answered_by(answer)
    with pytest.raises(InvalidInput, match="refuses it"):
        Repository(URI).manifest("v1")
    assert not [request for request in asked if "Authorization" in request.headers]


def test_a_token_comes_from_where_the_registry_says(answered_by: Callable[[Answer], list[httpx.Request]]) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.example":
            return httpx.Response(200 if request.headers["Authorization"] == BASIC else 401, json={"token": "t"})
        if request.headers.get("Authorization") == "Bearer t":
            return httpx.Response(200, content=b"{}")
        return httpx.Response(401, headers={"WWW-Authenticate": 'Bearer realm="https://login.example/token"'})

    answered_by(answer)
    assert Repository(URI).manifest("v1") == b"{}"


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_giver_of_tokens_is_no_refusal_and_is_asked_again(
    answered_by: Callable[[Answer], list[httpx.Request]], monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.example":
            return httpx.Response(status)
        return httpx.Response(401, headers={"WWW-Authenticate": 'Bearer realm="https://login.example/token"'})

    asked = answered_by(answer)
    monkeypatch.setattr(registry_client, "PAUSES", (0, 0))
    said = rf"^registry\.example/team/birds: https://login\.example/token gives no token: {status}, 2 times$"
    with pytest.raises(TransferFailed, match=said):
        Repository(URI).manifest("v1")
    assert [request.url.host for request in asked] == ["registry.example", "login.example"] * 2


@pytest.mark.parametrize(
    "key",
    [
        "registry.example",
        "https://registry.example",
        "https://registry.example/v1/",
        "registry.example/v2/",
        "registry.example/team",
        "https://registry.example/team/birds",
    ],
)
def test_logins_are_found_as_kubelets_find_them(
    answered_by: Callable[[Answer], list[httpx.Request]], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    asked = answered_by(lambda request: asks_for_password(request) or httpx.Response(200, content=b"{}"))
    monkeypatch.setenv(registry_client.CONFIG, login(key))
    assert Repository(URI).manifest("v1") == b"{}"
    assert asked[-1].headers["Authorization"] == BASIC


@pytest.mark.parametrize(
    "key", ["other.example", "registry.example/te", "registry.example:5000", "registry.example.evil"]
)
def test_logins_of_others_are_left_alone(
    answered_by: Callable[[Answer], list[httpx.Request]], monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    asked = answered_by(lambda request: httpx.Response(401, headers={"WWW-Authenticate": "Basic"}))
    monkeypatch.setenv(registry_client.CONFIG, login(key))
    with pytest.raises(InvalidInput, match="refuses it"):
        Repository(URI).manifest("v1")
    assert not [request for request in asked if "Authorization" in request.headers]


@pytest.mark.parametrize("config", ["[]", "{", '{"auths": []}', '{"auths": {"registry.example": {"username": "ada"}}}'])
def test_a_broken_secret_is_told(monkeypatch: pytest.MonkeyPatch, config: str) -> None:
    monkeypatch.setenv(registry_client.CONFIG, config)
    with pytest.raises(InvalidInput, match=r"storage\.oci\.secretName is no \.dockerconfigjson"):
        Repository(URI)


def test_a_registry_that_lets_no_upload_be_abandoned_is_written_to(
    answered_by: Callable[[Answer], list[httpx.Request]],
) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(202, headers={"Location": "/up/1"}) if request.method == "POST" else httpx.Response(405)

    asked = answered_by(answer)
    oci.probe(URI, "team/birds")
    assert [request.method for request in asked] == ["POST", "DELETE"]


@pytest.mark.parametrize(
    "layer",
    [
        {"digest": f"sha512:{'0' * 128}", "size": 3},
        {"digest": "sha256:../../../other", "size": 3},
        {"digest": f"sha256:{'0' * 64}"},
        {"digest": f"sha256:{'0' * 64}", "size": "3"},
        {"digest": f"sha256:{'0' * 64}", "size": -3},
    ],
)
def test_what_cannot_be_compared_is_not_begun(
    answered_by: Callable[[Answer], list[httpx.Request]], tmp_path: Path, layer: dict[str, object]
) -> None:
    named = {**layer, "annotations": {oci.TITLE: "config.json"}}
    asked = answered_by(lambda request: httpx.Response(200, json={"layers": [named]}))
    with pytest.raises(InvalidInput, match=r"layer config\.json has no size, or no digest of sha256"):
        oci.fetch_folder(URI, tmp_path, 100)
    assert len(asked) == 1
