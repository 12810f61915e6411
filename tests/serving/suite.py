"""What every server does, whatever its engine: a test file of an engine has `class TestConformance(Conformance)`.

It also has a fixture `server`, scope module: the one that all of its tests ask.
"""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import openai
import pytest

from .conformance import CASES, cases, check, clients

AT_ONCE = 8
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
UNDOCUMENTED = ("/", "/metrics", "/metrics/", "/docs", "/redoc", "/openapi.json", "/invocations", "/ping", "/nothing")
"""Asked beside what /openapi.json lists; some of them are there on one engine only."""


@dataclass(frozen=True)
class Server:
    """A server with a key. names: base first, then adapters."""

    engine: str
    url: str
    key: str
    names: tuple[str, ...]


class Conformance:
    """The suite."""

    @pytest.fixture(scope="class")
    def client(self, server: Server) -> Iterator[openai.OpenAI]:
        with clients(server.url, server.key) as client:
            yield client

    @pytest.fixture
    def keyless(self, server: Server) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as client:
            yield client

    @pytest.mark.parametrize("name", CASES)
    def test_requests_are_answered_as_on_every_engine(self, server: Server, client: openai.OpenAI, name: str) -> None:
        check(client, server.names[0], cases(server.engine)[name])

    def test_requests_together_are_answered_as_alone(self, server: Server, client: openai.OpenAI) -> None:
        asked = zip(itertools.cycle(server.names), cases(server.engine).values(), strict=False)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for one in [pool.submit(check, client, name, case) for name, case in asked]:
                one.result()

    def test_models_are_listed_and_told_by_their_names(self, server: Server, client: openai.OpenAI) -> None:
        assert [card.id for card in client.models.list()] == list(server.names)
        assert [client.models.retrieve(name).id for name in server.names] == list(server.names)
        with pytest.raises(openai.NotFoundError) as caught:
            client.models.retrieve("no/such")
        assert caught.value.code == "model_not_found"

    def test_unknown_model_has_the_code_that_clients_look_for(self, client: openai.OpenAI) -> None:
        with pytest.raises(openai.NotFoundError) as caught:
            client.completions.create(model="nope", prompt="x")
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")

    def test_the_next_is_answered_when_a_client_left_in_a_stream(self, server: Server, client: openai.OpenAI) -> None:
        for name in server.names:
            with client.completions.create(model=name, prompt="Once", max_tokens=200, stream=True) as stream:
                next(iter(stream))
            check(client, server.names[0], CASES["text"])

    def test_health_answers_get_and_head_without_a_key(self, keyless: httpx.Client) -> None:
        assert keyless.get("/health").status_code == httpx.codes.OK
        assert (keyless.head("/health").status_code, keyless.head("/health").content) == (httpx.codes.OK, b"")

    @pytest.mark.parametrize("key", ["", "wrong", "S3CRET"])
    def test_no_route_answers_without_the_key(self, server: Server, keyless: httpx.Client, key: str) -> None:
        known = keyless.get("/openapi.json", headers={"Authorization": f"Bearer {server.key}"}).json()["paths"]
        assert "/v1/chat/completions" in known
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        asked = itertools.product(METHODS, {*known, *UNDOCUMENTED} - {"/health"})
        answers = {(method, path): keyless.request(method, path, headers=headers) for method, path in asked}
        assert {asked: one.status_code for asked, one in answers.items() if one.status_code != 401} == {}
        assert answers["POST", "/v1/chat/completions"].json()["error"]["code"] == "invalid_api_key"

    @pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
    def test_scheme_of_the_key_is_read_in_any_case(self, server: Server, keyless: httpx.Client, scheme: str) -> None:
        answer = keyless.get("/v1/models", headers={"Authorization": f"{scheme} {server.key}"})
        assert answer.status_code == httpx.codes.OK
