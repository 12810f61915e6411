"""What a ServiceAccount token says of itself, before anybody is asked whether it is true.

Whatever is wrong here costs microseconds; a TokenReview costs the API server a request. Source of the claims:
Kubernetes, "Managing Service Accounts", schema of a bound token.
"""

import base64
import re
from typing import NamedTuple

import msgspec

from swiftlet.wire.messages import PROGRESS_AUDIENCE

LONGEST_TOKEN = 8000
"""Characters; ServiceAccount tokens have about 1,200."""
LONGEST_NAME = 253
"""Characters of a name or uid. Source: Kubernetes, DNS subdomain names."""
SKEW_SECONDS = 60.0
"""Clocks differ."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


class UnauthenticatedError(Exception):
    """The token is missing or no good; the message says what to do and never holds the token."""


class PodIdentity(NamedTuple):
    """The pod that a token was made for."""

    namespace: str
    pod: str
    pod_uid: str


class Claims(NamedTuple):
    """Nothing of it is proven."""

    pod: PodIdentity
    expires: float
    """Seconds since the epoch."""


class _Bound(msgspec.Struct):
    name: str
    uid: str


class _Kubernetes(msgspec.Struct):
    namespace: str
    pod: _Bound | None = None


class _Payload(msgspec.Struct):
    aud: str | list[str]
    exp: float
    kubernetes: _Kubernetes = msgspec.field(name="kubernetes.io")
    nbf: float = 0.0


def claims_of(token: str, now: float) -> Claims:
    """What a token says. now: seconds since the epoch. Raises UnauthenticatedError when it can be no good as it is."""
    if len(token) > LONGEST_TOKEN or not _TOKEN.fullmatch(token):
        raise UnauthenticatedError("the bearer token is not a ServiceAccount token")
    said = _payload(token)
    if PROGRESS_AUDIENCE not in ([said.aud] if isinstance(said.aud, str) else said.aud):
        raise UnauthenticatedError(f"the token is not for the audience {PROGRESS_AUDIENCE}")
    if not said.nbf - SKEW_SECONDS <= now <= said.exp + SKEW_SECONDS:
        raise UnauthenticatedError("the token has expired or is not valid yet; read it anew from its file")
    bound = said.kubernetes.pod
    if bound is None:
        raise UnauthenticatedError("the token is not bound to a pod; use the token that is projected into the pod")
    pod = PodIdentity(said.kubernetes.namespace, bound.name, bound.uid)
    if not all(0 < len(text) <= LONGEST_NAME for text in pod):
        raise UnauthenticatedError("the bearer token is not a ServiceAccount token")
    return Claims(pod, said.exp)


def _payload(token: str) -> _Payload:
    part = token.split(".")[1]
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)), type=_Payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise UnauthenticatedError("the bearer token is not a ServiceAccount token") from None
