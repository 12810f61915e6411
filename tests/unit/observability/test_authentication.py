import asyncio
from typing import Any

import pytest
from swiftlet.observability.authentication import (
    Authenticator,
    PodIdentity,
    ReviewUnavailableError,
    UnauthenticatedError,
    pod_of,
)

POD = PodIdentity("team", "bird-0", "uid-of-bird-0")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_an_answer_is_remembered_for_a_minute(cluster: Any) -> None:
    token, clock = cluster.add("bird-0", "bird"), Clock()
    authenticator = Authenticator(cluster, clock)

    async def ask() -> PodIdentity:
        return await authenticator.authenticate(token)

    assert [asyncio.run(ask()) for _ in range(3)] == [POD] * 3
    assert cluster.asked == [(token, ("swiftlet-operator",))]
    clock.now = 61
    cluster.reviews.clear()  # the pod is gone
    with pytest.raises(UnauthenticatedError, match="not valid"):
        asyncio.run(ask())
    clock.now = 65
    with pytest.raises(UnauthenticatedError):
        asyncio.run(ask())
    assert len(cluster.asked) == 2


def test_the_token_itself_is_not_kept(cluster: Any) -> None:
    token, authenticator = cluster.add("bird-0", "bird"), Authenticator(cluster)
    asyncio.run(authenticator.authenticate(token))
    assert token not in repr(authenticator._answers)
    assert len(authenticator._answers) == 1


@pytest.mark.parametrize("token", ["", "abc", "a.b", "a.b.c.d", "a.b\n.c", "a." + "b" * 9000 + ".c"])
def test_what_is_no_token_is_not_asked_about(cluster: Any, token: str) -> None:
    with pytest.raises(UnauthenticatedError, match="not a ServiceAccount token"):
        asyncio.run(Authenticator(cluster).authenticate(token))
    assert cluster.asked == []


def test_a_failure_of_the_api_server_is_no_answer(cluster: Any) -> None:
    token, authenticator = cluster.add("bird-0", "bird"), Authenticator(cluster)
    cluster.is_down = True
    with pytest.raises(ReviewUnavailableError, match="ConnectionError"):
        asyncio.run(authenticator.authenticate(token))
    cluster.is_down = False
    assert asyncio.run(authenticator.authenticate(token)) == POD


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"authenticated": False}, "not valid"),
        ({"audiences": ["https://kubernetes.default.svc"]}, "audience swiftlet-operator"),
        ({"audiences": None}, "audience swiftlet-operator"),
        ({"user": {"username": "jane"}}, "not bound to a pod"),
        ({"user": {"username": "system:serviceaccount:team:default"}}, "not bound to a pod"),
    ],
)
def test_reviews_that_let_nobody_in(cluster: Any, change: dict[str, Any], words: str) -> None:
    token = cluster.add("bird-0", "bird")
    review = cluster.reviews[token]
    assert pod_of(review) == POD
    found = pod_of({"status": {**review["status"], **change}})
    assert isinstance(found, str) and words in found
