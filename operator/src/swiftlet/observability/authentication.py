"""Who posts a progress report: a pod, by the ServiceAccount token that the kubelet projected into it.

The token's audience is the operator, so it opens nothing else, and the API server itself says whether it is good
(TokenReview): the token of a pod that was deleted no longer is.
"""

import hashlib
import os
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from swiftlet.wire.messages import PROGRESS_AUDIENCE

LONGEST_TOKEN = 8000
"""Characters; ServiceAccount tokens have about 1,200."""
ACCEPTED_SECONDS = 60.0
"""How long a good answer is believed: so long can a deleted pod still report."""
REFUSED_SECONDS = 10.0
"""How long a bad answer is believed."""
REMEMBERED = 20000
"""Answers that are kept."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_EXTRA = "authentication.kubernetes.io/"


@dataclass(frozen=True)
class PodIdentity:
    """The pod that a token was made for."""

    namespace: str
    pod: str
    pod_uid: str


class UnauthenticatedError(Exception):
    """The token is missing or no good; the message says what to do and never holds the token."""


class ReviewUnavailableError(Exception):
    """The API server could not be asked; try again later."""


class TokenReviewer(Protocol):
    """Asks the API server about a token."""

    async def token_review(self, token: str, audiences: Sequence[str]) -> dict[str, Any]:
        """The TokenReview that `authentication.k8s.io/v1` answers with, as a document with its `status`."""


class Authenticator:
    """Tokens to pods, with a short memory keyed by a digest of the token; the token itself is not kept."""

    def __init__(self, reviewer: TokenReviewer, clock: Callable[[], float] = time.monotonic) -> None:
        self._reviewer, self._clock = reviewer, clock
        self._key = os.urandom(32)
        self._answers: OrderedDict[bytes, tuple[float, PodIdentity | str]] = OrderedDict()

    async def authenticate(self, token: str) -> PodIdentity:
        """The pod. Raises UnauthenticatedError, or ReviewUnavailableError when the API server does not answer."""
        if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
            raise UnauthenticatedError("the bearer token is not a ServiceAccount token")
        digest = hashlib.blake2b(token.encode(), key=self._key).digest()
        answer = self._remembered(digest)
        if answer is None:
            answer = await self._ask(token)
            self._remember(digest, answer)
        if isinstance(answer, str):
            raise UnauthenticatedError(answer)
        return answer

    async def _ask(self, token: str) -> PodIdentity | str:
        try:
            review = await self._reviewer.token_review(token, [PROGRESS_AUDIENCE])
        except Exception as error:  # whatever the client raises: nobody is let in, and nothing is remembered
            raise ReviewUnavailableError(f"the API server could not check the token: {type(error).__name__}") from error
        return pod_of(review)

    def _remembered(self, digest: bytes) -> PodIdentity | str | None:
        found = self._answers.get(digest)
        return found[1] if found and found[0] > self._clock() else None

    def _remember(self, digest: bytes, answer: PodIdentity | str) -> None:
        seconds = REFUSED_SECONDS if isinstance(answer, str) else ACCEPTED_SECONDS
        self._answers[digest] = (self._clock() + seconds, answer)
        self._answers.move_to_end(digest)
        while len(self._answers) > REMEMBERED:
            self._answers.popitem(last=False)


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
