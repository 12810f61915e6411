"""Who is logged in to the page of a cluster. Tokens are kept in this process's memory, and nowhere else."""

import secrets
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from swiftlet.cli.reading.clusterworld import ClusterWorld
from swiftlet.cluster.access import Access, authority
from swiftlet.cluster.connection import Connection
from swiftlet.cluster.errors import RefusedError

MOST, MOST_OF_ONE = 500, 20
"""Sessions at a time, of all and of one person; the one that ends first makes room."""
REVIEW = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
ACCOUNT = "system:serviceaccount:"


class Session:
    """One person's. `world` reads and acts with his token, and with nothing else, until it is over."""

    def __init__(self, token: str, is_late: Callable[[], bool], server: str, ca: Path | None) -> None:
        self._token: str | None = token
        self._is_late = is_late
        tls = authority(ca) if server.startswith("https") else None
        access = Access(
            "this cluster",
            server.rstrip("/"),
            "default",
            tls,
            self._authorization,
            credentials="the credentials that you gave",
            on_unknown=self.end,
        )
        self.world = ClusterWorld(Connection(access))
        self.person = ""
        self.namespace = access.namespace
        """Where he looked last."""
        self.is_lent = False
        """A proxy shows the token each time, and logs him out."""

    def end(self) -> None:
        """Forget the token."""
        self._token = None

    def is_over(self) -> bool:
        """By his will, by its age, or because the API server knows the token no longer."""
        if self._token is not None and self._is_late():
            self.end()
        return self._token is None

    def introduce(self) -> None:
        """Ask the API server who this is. Raises ClusterError; RefusedError with 401 where it does not know him."""
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
        self.person = self.world.connection.send("POST", REVIEW, body=body)["status"]["userInfo"]["username"]
        if self.person.startswith(ACCOUNT):
            self.namespace = self.person.split(":")[2]

    def _authorization(self) -> str:
        if self.is_over():
            raise RefusedError(401, "Unauthorized", "you are logged out; log in again")
        return f"Bearer {self._token}"


class Sessions:
    """By the secret that a browser shows: a cookie's, or the token itself where a proxy sends one each time."""

    def __init__(
        self, server: str, ca: Path | None, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """server, ca: the API server and who signed its certificate. seconds: for which a session lasts."""
        self._server, self._ca, self._seconds, self._clock = server, ca, seconds, clock
        self._found: dict[str, Session] = {}

    def begin(self, token: str, secret: str | None = None) -> str:
        """Log in: the secret of a new session (None: one is made up). Raises ClusterError."""
        until = self._clock() + self._seconds
        session = Session(token, lambda: self._clock() >= until, self._server, self._ca)
        session.is_lent = secret is not None
        secret = secret or secrets.token_urlsafe(32)
        try:
            session.introduce()
        except BaseException:
            session.end()
            # Whoever is unknown may ask often; the collector of garbage comes when it likes.
            session.world.connection.close()
            raise
        self._keep(_key(secret), session)
        return secret

    def of(self, secret: str) -> Session | None:
        """The session that goes on under a secret."""
        session = self._found.get(_key(secret))
        if session is not None and session.is_over():
            self.end(secret)
            return None
        return session

    def end(self, secret: str) -> None:
        """Log out."""
        self._end(_key(secret))

    def _end(self, key: str) -> None:
        if session := self._found.pop(key, None):
            session.end()

    def _keep(self, key: str, session: Session) -> None:
        found = self._found.copy()  # others log in and out meanwhile
        over = [other for other, one in found.items() if one.is_over()]
        there = [other for other in found if other not in over]
        his = [other for other in there if found[other].person == session.person]
        first = his if len(his) >= MOST_OF_ONE else there if len(there) >= MOST else []
        for other in (*over, *first[:1]):
            self._end(other)
        self._found[key] = session


def _key(secret: str) -> str:
    """How long a look-up takes tells nothing of a secret that is looked up by its digest."""
    return sha256(secret.encode()).hexdigest()
