"""How long a token is kept, and for whom."""

import pytest
from swiftlet.cli.ui.sessions import MOST_OF_ONE, Session, Sessions
from swiftlet.cluster.connection import Connection
from swiftlet.cluster.errors import RefusedError

from .conftest import Clock

TOKEN = "a-token"


def _begun(sessions: Sessions, token: str = TOKEN) -> tuple[str, Session]:
    secret = sessions.begin(token)
    session = sessions.of(secret)
    assert session is not None
    return secret, session


def _authorization(session: Session) -> str | None:
    return session.world.connection.access.authorization()


def test_a_session_asks_with_the_token_of_its_person(sessions: Sessions) -> None:
    (_, ada), (_, bob) = _begun(sessions), _begun(sessions, "b-token")
    assert (ada.person, _authorization(ada), ada.namespace) == ("ada", "Bearer a-token", "default")
    assert (_authorization(bob), bob.namespace) == ("Bearer b-token", "team-b")


def test_who_is_unknown_has_none_and_keeps_no_connection(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Connection] = []
    monkeypatch.setattr(Connection, "close", lambda connection: closed.append(connection))
    with pytest.raises(RefusedError):
        sessions.begin("other")
    assert sessions.of("other") is None
    assert len(closed) == 1
    sessions.begin(TOKEN)
    assert len(closed) == 1


@pytest.mark.parametrize("how", ["logs out", "time", "unknown to the API server"])
def test_an_end_forgets_the_token_also_for_pages_that_are_open(sessions: Sessions, clock: Clock, how: str) -> None:
    secret, session = _begun(sessions)
    if how == "logs out":
        sessions.end(secret)
    elif how == "time":
        clock.now = 3600
    else:
        session.world.connection.access.on_unknown()
    assert sessions.of(secret) is None
    assert session.is_over()
    with pytest.raises(RefusedError, match="you are logged out"):
        _authorization(session)
    assert "a-token" not in repr(vars(session))


def test_one_person_takes_nobodys_place(sessions: Sessions) -> None:
    other, _ = _begun(sessions, "b-token")
    secrets = [sessions.begin(TOKEN) for _ in range(MOST_OF_ONE + 2)]
    assert [sessions.of(secret) is not None for secret in secrets] == [False] * 2 + [True] * MOST_OF_ONE
    assert sessions.of(other)


def test_all_together_have_room_for_so_many(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("swiftlet.cli.ui.sessions.MOST", 2)
    first, second, third = (sessions.begin(token) for token in (TOKEN, "b-token", TOKEN))
    assert [sessions.of(secret) is not None for secret in (first, second, third)] == [False, True, True]


def test_who_logs_out_while_another_one_logs_in_is_in_nobodys_way(sessions: Sessions, clock: Clock) -> None:
    """Log-ins are threads of their own."""
    first, (second, session) = sessions.begin("b-token"), _begun(sessions)
    session._is_late = lambda: bool(sessions.end(first))
    third = sessions.begin(TOKEN)
    assert [sessions.of(secret) is not None for secret in (first, second, third)] == [False, True, True]
