"""POST /progress: from a pod's report to the board, or one refusal that says why."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from prometheus_client import CollectorRegistry, Counter

from swiftlet.kinds.timestamps import to_text
from swiftlet.observability.authentication import (
    Authenticator,
    PodIdentity,
    ReviewUnavailableError,
    UnauthenticatedError,
)
from swiftlet.observability.progress import ProgressBoard
from swiftlet.observability.progress_binding import NotAllowedError, Objects, resource_of
from swiftlet.observability.progress_pace import report_seconds
from swiftlet.observability.progress_payload import MalformedReportError, report_of
from swiftlet.observability.progress_rates import RateLimit
from swiftlet.observability.server_body import bounded_body
from swiftlet.wire.messages import PROGRESS_INTERVAL_FIELD

FORWARDED = "X-Swiftlet-Forwarded"
"""Set on a report that a standby has passed on, so that it is passed on once."""
FORWARD_SECONDS = 5.0
REVIEWS_AT_ONCE = 16
"""Questions to the API server at a time; more reports wait."""
OPEN_REPORTS = 512
"""Reports that are dealt with at a time; more are told to come back."""

log = logging.getLogger(__name__)


class Leadership:
    """Who keeps the board. The defaults are a process that is alone."""

    def __init__(
        self, is_leader: Callable[[], bool] = lambda: True, leader_url: Callable[[], str | None] = lambda: None
    ) -> None:
        """leader_url: `http://address:port` of the leader, None while nobody is known to lead."""
        self.is_leader, self.leader_url = is_leader, leader_url


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
        self._reviews = asyncio.Semaphore(REVIEWS_AT_ONCE)
        self._open = 0
        self._session: ClientSession | None = None
        self._count = Counter(
            "swiftlet_progress_reports", "Progress reports of pods, by HTTP status.", ["code"], registry=registry
        )

    async def close(self) -> None:
        """End connections to the leader."""
        if self._session:
            await self._session.close()

    async def handle(self, request: web.Request) -> web.Response:
        """One report: 200, or 400, 401, 403, 408, 413, 415, 429, 503."""
        if self._open >= OPEN_REPORTS:
            return self._refused(503, "too many reports at once", retry_after=2)
        self._open += 1
        try:
            return await self._report(request)
        except web.HTTPException as refusal:
            return self._refused(refusal.status, refusal.text or refusal.reason)
        finally:
            self._open -= 1

    async def _report(self, request: web.Request) -> web.Response:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            return self._refused(401, "Authorization: Bearer with the pod's projected token is needed")
        if not self._leadership.is_leader():
            return await self._forward(request)
        try:
            async with self._reviews:
                pod = await self._authenticator.authenticate(token.strip())
        except UnauthenticatedError as error:
            return self._refused(401, str(error))
        except ReviewUnavailableError as error:
            log.warning("%s", error)
            return self._refused(503, str(error), retry_after=5)
        if wait := self._rates.seconds_to_wait(pod.pod_uid):
            return self._refused(429, "the pod reports too often", retry_after=wait)
        return await self._take(request, pod)

    async def _take(self, request: web.Request, pod: PodIdentity) -> web.Response:
        body = await bounded_body(request)
        try:
            uid = resource_of(pod, request.match_info.get("uid"), self._objects)
            report = report_of(body, to_text(datetime.now(UTC)))
        except NotAllowedError as error:
            log.warning("progress report refused: %s", error)
            return self._refused(403, str(error))
        except MalformedReportError as error:
            return self._refused(400, str(error))
        if report.left_out:
            log.warning("progress of %s: left out: %s", f"{pod.namespace}/{pod.pod}", "; ".join(report.left_out))
        self._board.report(uid, report.events)
        self._count.labels("200").inc()
        wait = report_seconds(self._board.reporting)
        left_out = {"leftOut": report.left_out} if report.left_out else {}
        return web.json_response({"accepted": len(report.events), PROGRESS_INTERVAL_FIELD: round(wait, 1), **left_out})

    async def _forward(self, request: web.Request) -> web.Response:
        """A standby hands the report on as it is; the leader checks it."""
        leader = self._leadership.leader_url()
        if leader is None or FORWARDED in request.headers:
            return self._refused(503, "no replica of the operator leads at the moment", retry_after=5)
        body = await bounded_body(request)
        headers = {"Authorization": request.headers["Authorization"], FORWARDED: "1"}
        self._session = self._session or ClientSession(timeout=ClientTimeout(total=FORWARD_SECONDS))
        try:
            async with self._session.post(leader.rstrip("/") + request.path, data=body, headers=headers) as answer:
                text = await answer.text()
                retry = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else {}
                self._count.labels(str(answer.status)).inc()
                return web.Response(status=answer.status, text=text, content_type="application/json", headers={**retry})
        except (ClientError, TimeoutError) as error:
            return self._refused(503, f"the leader does not answer: {type(error).__name__}", retry_after=5)

    def _refused(self, status: int, message: str, retry_after: float | None = None) -> web.Response:
        self._count.labels(str(status)).inc()
        headers = {"Retry-After": str(max(1, round(retry_after)))} if retry_after else {}
        return web.json_response({"error": message}, status=status, headers=headers)
