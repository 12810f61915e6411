"""The API server's answer about a token, through the operator's own client."""

from collections.abc import Sequence
from typing import Any, Protocol


class Creates(Protocol):
    """The part of the operator's client that a TokenReview needs."""

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        """Create an object; returns it as the API server answered."""


class ClusterTokenReviewer:
    """A TokenReview for each question. Needs the permission to create tokenreviews.authentication.k8s.io."""

    def __init__(self, client: Creates) -> None:
        self._client = client

    async def token_review(self, token: str, audiences: Sequence[str]) -> dict[str, Any]:
        """The answered TokenReview. Raises what the client raises."""
        return await self._client.create(
            {
                "apiVersion": "authentication.k8s.io/v1",
                "kind": "TokenReview",
                "metadata": {},
                "spec": {"token": token, "audiences": list(audiences)},
            }
        )
