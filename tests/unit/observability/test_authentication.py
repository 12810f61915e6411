import asyncio
from typing import Any

import pytest
from swiftlet.observability import authentication
from swiftlet.observability.authentication import Authenticator, ReviewUnavailableError, pod_of
from swiftlet.observability.review_slots import BusyError
from swiftlet.observability.token_claims import PodIdentity, UnauthenticatedError, claims_of

from .conftest import claims_document, review_of, signed

POD = PodIdentity("team", "bird-0", "uid-of-bird-0")
NOW = 0.0


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


def token_until(expires: float, signature: str = "signature") -> str:
    return signed(claims_document("bird-0", exp=expires, nbf=NOW), signature)


async def ask(authenticator: Authenticator, token: str, address: str = "10.0.0.1") -> None:
    claims = claims_of(token, NOW)
    if not authenticator.is_known(token, claims):
        await authenticator.authenticate(token, claims, address)


@pytest.mark.parametrize(("expires", "believed"), [(3600, authentication.ACCEPTED_SECONDS), (100, 100)])
def test_a_good_answer_is_remembered_while_the_token_lasts(cluster: Any, expires: float, believed: float) -> None:
    token, clock = token_until(expires), Clock()
    cluster.reviews[token] = review_of("bird-0")
    authenticator = Authenticator(cluster, clock)
    for clock.now in (0, 0, believed - 1):
        asyncio.run(ask(authenticator, token))
    assert cluster.asked == [(token, ("swiftlet-operator",))]
    cluster.reviews.clear()  # the pod is gone
    for clock.now in (believed + 1, believed + 5):
        with pytest.raises(UnauthenticatedError, match="not valid"):
            asyncio.run(ask(authenticator, token))
    assert len(cluster.asked) == 2


def test_the_token_itself_is_not_kept(cluster: Any) -> None:
    token, authenticator = token_until(3600), Authenticator(cluster, Clock())
    cluster.reviews[token] = review_of("bird-0")
    asyncio.run(ask(authenticator, token))
    assert token not in repr((authenticator._good, authenticator._bad, authenticator._slots))
    assert len(authenticator._good) == 1


def test_a_token_of_another_pod_than_it_says_is_refused(cluster: Any) -> None:
    token = token_until(3600)
    cluster.reviews[token] = review_of("fish-0")
    with pytest.raises(UnauthenticatedError, match="another pod than it says"):
        asyncio.run(ask(Authenticator(cluster, Clock()), token))


def test_bad_tokens_do_not_push_out_good_ones(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They claim to be of the very pod whose token is good."""
    monkeypatch.setattr(authentication, "REMEMBERED", 5)
    good, authenticator = token_until(3600), Authenticator(cluster, Clock())
    cluster.reviews[good] = review_of("bird-0")

    async def scenario() -> None:
        await ask(authenticator, good)
        for number in range(20):
            with pytest.raises(UnauthenticatedError):
                await ask(authenticator, token_until(3600, f"forged-{number}"))
        await ask(authenticator, good)

    asyncio.run(scenario())
    assert [token for token, _ in cluster.asked].count(good) == 1
    assert len(authenticator._bad) == 5


def test_one_address_does_not_take_the_places_of_others(cluster: Any, in_virtual_time: Any) -> None:
    good = token_until(3600)
    cluster.reviews[good] = review_of("bird-0")
    cluster.seconds = 0.2
    authenticator = Authenticator(cluster, Clock())

    async def scenario() -> list[Any]:
        forged = [ask(authenticator, token_until(3600, f"forged-{number}"), "10.0.0.66") for number in range(100)]
        flood = asyncio.gather(*forged, return_exceptions=True)
        await asyncio.sleep(0.05)
        async with asyncio.timeout(1):
            await ask(authenticator, good)
        return await flood

    refused = in_virtual_time(scenario())
    assert [type(error) for error in refused].count(BusyError) == 98
    assert len(cluster.asked) == 3


def test_a_failure_of_the_api_server_is_no_answer(cluster: Any) -> None:
    token, authenticator = token_until(3600), Authenticator(cluster, Clock())
    cluster.reviews[token] = review_of("bird-0")
    cluster.is_down = True
    with pytest.raises(ReviewUnavailableError, match="ConnectionError"):
        asyncio.run(ask(authenticator, token))
    cluster.is_down = False
    asyncio.run(ask(authenticator, token))


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
def test_reviews_that_let_nobody_in(change: dict[str, Any], words: str) -> None:
    review = review_of("bird-0")
    assert pod_of(review) == POD
    found = pod_of({"status": {**review["status"], **change}})
    assert isinstance(found, str) and words in found
