"""From a standby to the leader: a report is handed on as it came, and whose it is."""

import hmac
from collections.abc import Callable

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web

FORWARDED = "X-Swiftlet-Forwarded"
"""On a report that a standby has passed on: the leader's key, and the address that it came from. Nobody else is
believed about addresses."""
FORWARD_SECONDS = 5.0
FORWARDS_AT_ONCE = 24
"""Connections of a standby to the leader; fewer than the leader takes from one address."""
LONGEST_ADDRESS = 64


class LeaderUnreachableError(Exception):
    """There is nobody to hand the report on to, or it does not answer."""


class Leadership:
    """Who keeps the board. The defaults are a process that is alone."""

    def __init__(
        self,
        is_leader: Callable[[], bool] = lambda: True,
        leader_url: Callable[[], str | None] = lambda: None,
        key: Callable[[], str | None] = lambda: None,
    ) -> None:
        """leader_url: `http://address:port` of the leader, None while nobody is known to lead. key: by which the
        leader knows its standbys."""
        self.is_leader, self.leader_url, self._key = is_leader, leader_url, key
        self._session: ClientSession | None = None

    def caller(self, request: web.Request) -> str:
        """The address that a report comes from: as a standby says, or that of the connection."""
        key, _, address = request.headers.get(FORWARDED, "").partition(" ")
        known = self._key()
        if known and address and hmac.compare_digest(key.encode(), known.encode()):
            return address[:LONGEST_ADDRESS]
        return request.remote or ""

    async def forward(self, request: web.Request, body: bytes) -> web.Response:
        """The leader's answer. Raises LeaderUnreachableError."""
        leader = self.leader_url()
        if leader is None or FORWARDED in request.headers:
            raise LeaderUnreachableError("no replica of the operator leads at the moment")
        headers = {
            "Authorization": request.headers["Authorization"],
            FORWARDED: f"{self._key() or '-'} {request.remote or ''}",
        }
        if self._session is None:
            connector = TCPConnector(limit=FORWARDS_AT_ONCE, force_close=True)
            self._session = ClientSession(connector=connector, timeout=ClientTimeout(total=FORWARD_SECONDS))
        try:
            async with self._session.post(leader.rstrip("/") + request.path, data=body, headers=headers) as answer:
                text = await answer.text()
                retry = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else {}
                return web.Response(status=answer.status, text=text, content_type="application/json", headers=retry)
        except (ClientError, TimeoutError) as error:
            raise LeaderUnreachableError(f"the leader does not answer: {type(error).__name__}") from error

    async def close(self) -> None:
        """End connections to the leader."""
        if self._session:
            await self._session.close()
