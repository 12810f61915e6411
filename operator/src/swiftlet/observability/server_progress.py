"""POST /progress: from a pod's report to the board, or one refusal that says why.

What costs nothing comes first: the claims of the token, and whether the cache knows their pod as one of ours. Only then
the API server is asked, and only as often as the report's address may make it.
"""

import logging
import math
import time
from datetime import UTC, datetime

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from swiftlet.kinds.conditions.timestamps import to_text
from swiftlet.observability.authentication import Authenticator, ReviewUnavailableError
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_binding import NotAllowedError, Objects, resource_of
from swiftlet.observability.progress_pace import pod_rate, report_seconds
from swiftlet.observability.progress_payload import MalformedReportError, report_of
from swiftlet.observability.progress_rates import RateLimit
from swiftlet.observability.review_slots import BusyError
from swiftlet.observability.server_body import bounded_body
from swiftlet.observability.server_forward import Leadership, LeaderUnreachableError
from swiftlet.observability.token_claims import Claims, UnauthenticatedError, claims_of
from swiftlet.wire.messages import PROGRESS_INTERVAL_FIELD

STRANGERS_AT_ONCE = 20
"""Reports of one address whose token is not known to be good yet; and a second after that:"""
STRANGERS_PER_SECOND = 1.0

TOO_OFTEN = "the pod reports too often"

log = logging.getLogger(__name__)


class ProgressEndpoint:
    """Takes reports. Every refusal is a JSON object with `error`."""

    def __init__(
        self,
        board: ProgressBoard,
        authenticator: Authenticator,
        objects: Objects,
        leadership: Leadership,
        registry: CollectorRegistry,
        rates: RateLimit | None = None,
    ) -> None:
        self._board, self._authenticator, self._objects = board, authenticator, objects
        self._leadership, self._rates = leadership, rates or RateLimit()
        self._strangers = RateLimit(STRANGERS_AT_ONCE, STRANGERS_PER_SECOND)
        self._count = Counter(
            "swiftlet_progress_reports", "Progress reports of pods, by HTTP status.", ["code"], registry=registry
        )

    async def close(self) -> None:
        """End connections to the leader."""
        await self._leadership.close()

    async def handle(self, request: web.Request) -> web.Response:
        """One report: 200, or 400, 401, 403, 408, 413, 415, 429, 503."""
        try:
            response = await self._report(request)
        except UnauthenticatedError as error:
            response = _refusal(401, str(error))
        except NotAllowedError as error:
            log.debug("progress report refused: %s", error)
            response = _refusal(403, str(error))
        except MalformedReportError as error:
            response = _refusal(400, str(error))
        except BusyError as error:
            response = _refusal(429, str(error), retry_after=error.seconds)
        except (ReviewUnavailableError, LeaderUnreachableError) as error:
            log.warning("%s", error)
            response = _refusal(503, str(error), retry_after=5)
        except web.HTTPException as refusal:
            response = _refusal(refusal.status, refusal.text or refusal.reason)
        self._count.labels(str(response.status)).inc()
        return response

    async def _report(self, request: web.Request) -> web.Response:
        address = self._leadership.caller(request)
        token = _bearer(request)
        claims = claims_of(token, time.time())
        is_known = self._authenticator.is_known(token, claims)
        if not is_known:
            _count(self._strangers, address, "too many reports with tokens that are not known to be good")
        if not self._leadership.is_leader():
            return await self._forward(request, token, claims, is_known)
        uid = resource_of(claims.pod, request.match_info.get("uid"), self._objects)
        if not is_known:
            await self._authenticator.authenticate(token, claims, address)
        _count(self._rates, claims.pod.pod_uid, TOO_OFTEN, pod_rate(self._board.reporting))
        report = report_of(await bounded_body(request), to_text(datetime.now(UTC)))
        resource_of(claims.pod, uid, self._objects)  # it may have gone while the body came in
        if report.left_out:
            log.warning("progress of %s/%s: left out: %s", *claims.pod[:2], "; ".join(report.left_out))
        self._board.report(uid, report.events)
        wait = report_seconds(self._board.reporting)
        left_out = {"leftOut": report.left_out} if report.left_out else {}
        return web.json_response({"accepted": len(report.events), PROGRESS_INTERVAL_FIELD: round(wait, 1), **left_out})

    async def _forward(self, request: web.Request, token: str, claims: Claims, is_known: bool) -> web.Response:
        """A standby hands the report on as it is; the leader checks it."""
        if is_known:
            _count(self._rates, claims.pod.pod_uid, TOO_OFTEN)
        answer = await self._leadership.forward(request, await bounded_body(request))
        if answer.status == 200:
            self._authenticator.remember(token, claims)
        return answer


def _count(rates: RateLimit, key: str, message: str, at_most: float = math.inf) -> None:
    """One more of `key`; at_most: a second. Raises BusyError when that is too many."""
    if wait := rates.seconds_to_wait(key, at_most):
        raise BusyError(message, wait)


def _bearer(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise UnauthenticatedError("Authorization: Bearer with the pod's projected token is needed")
    return token.strip()


def _refusal(status: int, message: str, retry_after: float | None = None) -> web.Response:
    headers = {"Retry-After": str(max(1, round(retry_after)))} if retry_after else {}
    return web.json_response({"error": message}, status=status, headers=headers)
