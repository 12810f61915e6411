"""Reports over a real connection: who is let in, who is refused, and what standbys do."""

import logging
from typing import Any

import pytest
from swiftlet.observability.progress_rates import RateLimit
from swiftlet.observability.server_forward import FORWARDED, Leadership

from .conftest import claims_document, signed

NOW = "2026-01-01T12:00:00Z"
REPORT = [{"time": NOW, "step": 3, "totalSteps": 9}]


def test_a_report_lands_on_the_board(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")

    async def scenario(endpoint: Any) -> None:
        for path in ("/progress", "/progress/uid-bird"):
            status, answer, _ = await endpoint.post(REPORT, token, path)
            assert (status, answer) == (200, {"accepted": 1, "intervalSeconds": 2.0})
        assert endpoint.board.of("uid-bird") == {"time": NOW, "type": "progress", "step": 3, "totalSteps": 9}

    serve(scenario)


def test_missing_and_wrong_tokens(serve: Any, cluster: Any, caplog: pytest.LogCaptureFixture) -> None:
    cluster.add("bird-0", "bird")
    caplog.set_level(logging.DEBUG)

    async def scenario(endpoint: Any) -> None:
        status, answer, _ = await endpoint.post(REPORT, None)
        assert status == 401 and "projected token" in answer["error"]
        status, answer, _ = await endpoint.post(REPORT, None, headers={"Authorization": "Basic abc"})
        assert status == 401
        status, answer, _ = await endpoint.post(REPORT, "a.secret.token")
        assert status == 401 and "not a ServiceAccount token" in answer["error"]
        status, answer, _ = await endpoint.post(REPORT, signed(claims_document("bird-0"), "secret"))
        assert status == 401 and "not valid" in answer["error"]
        assert len(endpoint.board) == 0

    serve(scenario)
    assert "secret" not in caplog.text


def test_the_token_of_another_jobs_pod(serve: Any, cluster: Any) -> None:
    cluster.add("bird-0", "bird")
    fish = cluster.add("fish-0", "fish")

    async def scenario(endpoint: Any) -> None:
        status, answer, _ = await endpoint.post(REPORT, fish, "/progress/uid-bird")
        assert status == 403 and "for its own only" in answer["error"]
        assert endpoint.board.of("uid-bird") is None and endpoint.board.of("uid-fish") is None

    serve(scenario)


def test_a_malformed_report(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")

    async def scenario(endpoint: Any) -> None:
        status, answer, _ = await endpoint.post([{"time": NOW, "step": "many"}], token)
        assert status == 400 and "[0].step" in answer["error"]

    serve(scenario)


def test_one_pod_that_reports_too_often_does_not_hinder_another(serve: Any, cluster: Any) -> None:
    bird, fish = cluster.add("bird-0", "bird"), cluster.add("fish-0", "fish")

    async def scenario(endpoint: Any) -> None:
        found = [await endpoint.post(REPORT, bird) for _ in range(4)]
        assert [status for status, *_ in found] == [200, 200, 429, 429]
        assert found[-1][2]["Retry-After"] == "10"
        status, *_ = await endpoint.post(REPORT, fish)
        assert status == 200

    serve(scenario, rates=RateLimit(burst=2, per_second=0.1))


def test_the_api_server_is_away(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")
    cluster.is_down = True

    async def scenario(endpoint: Any) -> None:
        status, answer, headers = await endpoint.post(REPORT, token)
        assert status == 503 and "could not check" in answer["error"] and headers["Retry-After"] == "5"

    serve(scenario)


def test_a_standby_hands_the_report_to_the_leader(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")

    async def leader(endpoint: Any) -> None:
        from aiohttp import ClientSession
        from prometheus_client import CollectorRegistry
        from swiftlet.observability.authentication import Authenticator
        from swiftlet.observability.progress import ProgressBoard
        from swiftlet.observability.server import PROGRESS_LIMITS, HttpServer, progress_app
        from swiftlet.observability.server_progress import ProgressEndpoint

        registry, board = CollectorRegistry(), ProgressBoard()
        role = Leadership(lambda: False, lambda: endpoint.url)
        standby = ProgressEndpoint(board, Authenticator(cluster), cluster, role, registry)
        server = HttpServer(progress_app(standby), PROGRESS_LIMITS, "127.0.0.1", 0)
        await server.start()
        try:
            async with ClientSession() as session:
                there = type(endpoint)(board, f"http://127.0.0.1:{server.port}", session, registry)
                status, answer, _ = await there.post(REPORT, token, "/progress/uid-bird")
                assert (status, answer) == (200, {"accepted": 1, "intervalSeconds": 2.0})
                status, answer, _ = await there.post(REPORT, token, "/progress/uid-fish")
                assert status == 403 and "for its own only" in answer["error"]
                status, *_ = await there.post(b"x" * 70000, token)
                assert status == 413
        finally:
            await server.stop()
        assert endpoint.board.of("uid-bird") is not None
        assert len(board) == 0

    serve(leader)


@pytest.mark.parametrize(
    ("leader", "headers", "words"),
    [
        (None, {}, "no replica"),
        ("http://127.0.0.1:1", {FORWARDED: "1"}, "no replica"),
        ("http://127.0.0.1:1", {}, "leader does not answer"),
    ],
)
def test_nobody_leads(serve: Any, cluster: Any, leader: str | None, headers: dict[str, str], words: str) -> None:
    token = cluster.add("bird-0", "bird")

    async def scenario(endpoint: Any) -> None:
        status, answer, told = await endpoint.post(REPORT, token, headers=headers)
        assert status == 503 and words in answer["error"] and told["Retry-After"] == "5"

    serve(scenario, leadership=Leadership(lambda: False, lambda: leader))


def test_reports_are_counted_by_answer(serve: Any, cluster: Any) -> None:
    token = cluster.add("bird-0", "bird")

    async def scenario(endpoint: Any) -> None:
        await endpoint.post(REPORT, token)
        await endpoint.post(b"{", token)
        await endpoint.post(b"x" * 70000, token)
        await endpoint.post(REPORT, None)
        counted = {code: endpoint.registry.get_sample_value("swiftlet_progress_reports_total", {"code": code})
                   for code in ("200", "400", "413", "401")}  # fmt: skip
        assert counted == dict.fromkeys(counted, 1)

    serve(scenario)
