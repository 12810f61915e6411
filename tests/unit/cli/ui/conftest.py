"""An API server that knows some tokens."""

from collections.abc import Callable

import pytest
from swiftlet.cli.ui.sessions import Session, Sessions
from swiftlet.cluster.errors import RefusedError

PEOPLE = {"a-token": "ada", "b-token": "system:serviceaccount:team-b:bob"}


class Clock:
    """Tells what a test says."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sessions(monkeypatch: pytest.MonkeyPatch, clock: Clock) -> Sessions:
    """Of an hour."""

    def send(session: Session) -> Callable[..., object]:
        def answer(*_: object, **__: object) -> object:
            token = session.world.connection.access.authorization() or ""
            if person := PEOPLE.get(token.removeprefix("Bearer ")):
                return {"status": {"userInfo": {"username": person}}}
            raise RefusedError(401, "Unauthorized", "<unknown>")

        return answer

    introduce = Session.introduce

    def introduced(session: Session) -> None:
        monkeypatch.setattr(session.world.connection, "send", send(session))
        introduce(session)

    monkeypatch.setattr(Session, "introduce", introduced)
    return Sessions("http://127.0.0.1:1", None, 3600, clock)
