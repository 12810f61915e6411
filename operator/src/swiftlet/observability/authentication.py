"""Who posts a progress report: a pod, by the ServiceAccount token that the kubelet projected into it.

The token's audience is the operator, so it opens nothing else, and the API server itself says whether it is good
(TokenReview). Only tokens whose pod is known to be ours are asked about.
"""

import asyncio
import hashlib
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from swiftlet.observability.review_slots import ReviewSlots
from swiftlet.observability.token_claims import Claims, PodIdentity, UnauthenticatedError
from swiftlet.wire.messages import PROGRESS_AUDIENCE

ACCEPTED_SECONDS = 300.0
"""How long a good answer is believed, unless the token ends before. That the pod is still there the cache knows."""
REFUSED_SECONDS = 10.0
"""How long a bad answer is believed."""
REVIEW_SECONDS = 5.0
"""For the API server's answer."""
REMEMBERED = 20000
"""Answers that are kept of each sort; bad ones never push out good ones."""

_EXTRA = "authentication.kubernetes.io/"


class ReviewUnavailableError(Exception):
    """The API server could not be asked; try again later."""


class TokenReviewer(Protocol):
    """Asks the API server about a token."""

    async def token_review(self, token: str, audiences: Sequence[str]) -> dict[str, Any]:
        """The TokenReview that `authentication.k8s.io/v1` answers with, as a document with its `status`."""


class Authenticator:
    """Whether tokens are what they claim, with a memory keyed by digests; tokens themselves are not kept."""

    def __init__(self, reviewer: TokenReviewer, clock: Callable[[], float] = time.time) -> None:
        """clock: seconds since the epoch."""
        self._reviewer, self._clock = reviewer, clock
        self._key = os.urandom(32)
        self._slots = ReviewSlots()
        self._good: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        """By the uid of the pod: digest of its token, and until when it is believed."""
        self._bad: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def is_known(self, token: str, claims: Claims) -> bool:
        """Whether the token is known to be good, so that nobody need be asked."""
        known, until = self._good.get(claims.pod.pod_uid, (b"", 0.0))
        return known == self._digest(token) and until > self._clock()

    async def authenticate(self, token: str, claims: Claims, address: str) -> None:
        """Make sure of the claims of a token that is not known to be good. `address`: whose place it takes while the
        API server is asked.

        Raises UnauthenticatedError; BusyError; ReviewUnavailableError when the API server does not answer.
        """
        digest = self._digest(token)
        said, until = self._bad.get(digest, ("", 0.0))
        if until > self._clock():
            raise UnauthenticatedError(said)
        async with self._slots.of(address):
            found = await self._ask(token)
        if found != claims.pod:
            said = found if isinstance(found, str) else "the token is of another pod than it says"
            _remember(self._bad, digest, (said, self._clock() + REFUSED_SECONDS))
            raise UnauthenticatedError(said)
        self.remember(token, claims)

    def remember(self, token: str, claims: Claims) -> None:
        """The token is good."""
        until = min(self._clock() + ACCEPTED_SECONDS, claims.expires)
        _remember(self._good, claims.pod.pod_uid, (self._digest(token), until))

    def _digest(self, token: str) -> bytes:
        return hashlib.blake2b(token.encode(), key=self._key).digest()

    async def _ask(self, token: str) -> PodIdentity | str:
        try:
            async with asyncio.timeout(REVIEW_SECONDS):
                review = await self._reviewer.token_review(token, [PROGRESS_AUDIENCE])
        except Exception as error:  # whatever the client raises: nobody is let in, and nothing is remembered
            raise ReviewUnavailableError(f"the API server could not check the token: {type(error).__name__}") from error
        return pod_of(review)


def _remember(answers: OrderedDict[Any, Any], key: Any, answer: Any) -> None:
    answers[key] = answer
    answers.move_to_end(key)
    while len(answers) > REMEMBERED:
        answers.popitem(last=False)


def pod_of(review: dict[str, Any]) -> PodIdentity | str:
    """The pod that a TokenReview is about, or why its token is refused.

    Source: Kubernetes, serviceaccount.UserInfo: `system:serviceaccount:<namespace>:<name>`, and the pod in `extra`.
    """
    status = review.get("status") or {}
    if not status.get("authenticated"):
        return "the token is not valid (expired, of a deleted pod, or for another audience)"
    if PROGRESS_AUDIENCE not in (status.get("audiences") or []):
        return f"the token is not for the audience {PROGRESS_AUDIENCE}"
    user = status.get("user") or {}
    account = str(user.get("username") or "").split(":")
    extra = user.get("extra") or {}
    name, uid = ((extra.get(_EXTRA + field) or [""])[0] for field in ("pod-name", "pod-uid"))
    if account[:2] != ["system", "serviceaccount"] or len(account) != 4 or not name or not uid:
        return "the token is not bound to a pod; use the token that is projected into the pod"
    return PodIdentity(account[2], name, uid)
