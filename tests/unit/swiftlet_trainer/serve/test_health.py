"""The health port over HTTP."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from swiftlet_trainer.serve.health import State, serve_health


@pytest.fixture
def port() -> Iterator[tuple[State, httpx.Client]]:
    state = State()
    server = serve_health("127.0.0.1", 0, state)
    with httpx.Client(base_url=f"http://127.0.0.1:{server.server_address[1]}", trust_env=False) as client:
        yield state, client
    server.shutdown()
    server.server_close()


def _get(client: httpx.Client, path: str) -> tuple[int, Any]:
    answer = client.get(path)
    return answer.status_code, answer.json()


def test_not_ready_shows_the_phase_and_is_alive(port: tuple[State, httpx.Client]) -> None:
    state, client = port
    state.phase = "loading weights"
    assert _get(client, "/readyz") == (503, {"phase": "loading weights"})
    assert _get(client, "/livez")[0] == 200


def test_ready_names_what_is_served(port: tuple[State, httpx.Client]) -> None:
    state, client = port
    state.ready(["base", "bird"], 12.34, lambda: None)
    assert _get(client, "/readyz") == (200, {"names": ["base", "bird"], "seconds": 12.3})
    assert _get(client, "/livez") == (200, {"phase": "serving"})


def test_engine_that_stops_answering_is_not_alive(port: tuple[State, httpx.Client]) -> None:
    state, client = port
    state.ready(["base"], 1.0, lambda: "it hangs")
    assert _get(client, "/livez") == (503, {"phase": "it hangs"})


def test_stopping_takes_no_new_requests(port: tuple[State, httpx.Client]) -> None:
    state, client = port
    state.ready(["base"], 1.0, lambda: None)
    state.stopping()
    assert _get(client, "/readyz") == (503, {"phase": "stopping"})
    assert _get(client, "/livez")[0] == 200


def test_other_paths_are_not_found(port: tuple[State, httpx.Client]) -> None:
    assert _get(port[1], "/")[0] == 404
