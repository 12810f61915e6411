import asyncio
from typing import Any

from swiftlet.observability.authentication_review import ClusterTokenReviewer


def test_the_question_names_the_audience() -> None:
    asked: list[dict[str, Any]] = []

    class Client:
        async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
            asked.append(manifest)
            return {**manifest, "status": {"authenticated": True}}

    answer = asyncio.run(ClusterTokenReviewer(Client()).token_review("a.b.c", ["swiftlet-operator"]))
    assert answer["status"] == {"authenticated": True}
    assert asked[0]["kind"] == "TokenReview"
    assert asked[0]["spec"] == {"token": "a.b.c", "audiences": ["swiftlet-operator"]}
