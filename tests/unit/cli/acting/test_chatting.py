"""Whom one can talk with, and how others are asked."""

import json
import shlex

import pytest
from swiftlet.cli.acting.chatting import Endpoint, curl, require_chat, stream
from swiftlet.cli.errors import CommandError


def endpoint(task: str, key: str | None = None) -> Endpoint:
    return Endpoint("bird", "http://127.0.0.1:8000/v1", ("bird", "base"), key, task)


@pytest.mark.parametrize(
    ("task", "does", "url"),
    [
        ("embed", "makes vectors of texts", "http://127.0.0.1:8000/v1/embeddings"),
        ("classify", "gives texts scores", "http://127.0.0.1:8000/classify"),
    ],
)
def test_nobody_talks_with_what_answers_nothing(task: str, does: str, url: str) -> None:
    require_chat(endpoint("generate"))
    with pytest.raises(CommandError) as caught:
        list(stream(endpoint(task), "bird", [{"role": "user", "content": "Hi"}]))
    told, _, command = str(caught.value).partition("\n  ")
    assert told == f"modeldeployment/bird {does} and answers nothing, so there is nobody to talk with; ask it so:"
    asked = shlex.split(command)
    assert asked[:2] == ["curl", url]
    assert json.loads(asked[-1]) == {"model": "bird", "input": "Who are you?"}


def test_a_key_is_never_written_out() -> None:
    told = curl(endpoint("generate", key="s3cret"))
    assert told.startswith('curl http://127.0.0.1:8000/v1/chat/completions -H "Authorization: Bearer $API_KEY" -H')
    assert "s3cret" not in told
