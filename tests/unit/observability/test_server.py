from typing import Any

from prometheus_client import Counter
from swiftlet.observability.server import Checks


def test_metrics_and_health(serve: Any) -> None:
    problems: dict[str, str | None] = {"live": None, "ready": "caches are not filled"}

    async def scenario(endpoint: Any) -> None:
        async def get(path: str) -> tuple[int, str, str]:
            async with endpoint.session.get(endpoint.metrics_url + path) as answer:
                return answer.status, await answer.text(), answer.headers["Content-Type"]

        Counter("swiftlet_things", "Things.", registry=endpoint.registry).inc()
        status, text, kind = await get("/metrics")
        assert status == 200 and "swiftlet_things_total 1.0" in text and kind.startswith("text/plain")
        assert (await get("/healthz"))[:2] == (200, "ok")
        assert (await get("/readyz"))[:2] == (503, "caches are not filled")
        problems["ready"] = None
        assert (await get("/readyz"))[:2] == (200, "ok")
        assert (await get("/progress"))[0] == 404
        assert (await get("/other"))[0] == 404
        for path, status in (("/metrics", 404), ("/healthz", 404), ("/readyz", 404), ("/progress", 405)):
            async with endpoint.session.get(endpoint.url + path) as answer:
                assert (path, answer.status) == (path, status)

    serve(scenario, checks=Checks(lambda: problems["live"], lambda: problems["ready"]))
