"""Requests that are answered and those that are refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError
from swiftlet_trainer.serve.openai_requests import ChatRequest, CompletionRequest, Refused

CHAT: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}


def test_fields_that_ask_for_nothing_are_accepted() -> None:
    neutral = {
        "n": 1,
        "tools": None,
        "frequency_penalty": 0.0,
        "logprobs": False,
        "user": "me",
        "response_format": {"type": "text"},
    }
    assert ChatRequest.model_validate(CHAT | neutral) == ChatRequest.model_validate(CHAT)


@pytest.mark.parametrize(
    ("field", "value"),
    [("n", 2), ("tools", [{"type": "function"}]), ("logprobs", True), ("presence_penalty", 0.5), ("colour", "red")],
)
def test_what_it_cannot_do_is_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(ValidationError, match=field) as caught:
        ChatRequest.model_validate(CHAT | {field: value})
    refused = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(refused, Refused)
    assert refused.param == field


def test_newer_name_of_max_tokens() -> None:
    assert ChatRequest.model_validate(CHAT | {"max_completion_tokens": 7}).max_tokens == 7


def test_stop_is_one_text_or_several() -> None:
    assert ChatRequest.model_validate(CHAT | {"stop": "x"}).stops == ["x"]
    assert ChatRequest.model_validate(CHAT | {"stop": ["x", ""]}).stops == ["x"]
    assert ChatRequest.model_validate(CHAT).stops == []


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "Who "}, {"type": "text", "text": "are you?"}]
    request = ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": parts}]})
    assert request.messages[0].turn() == {"role": "user", "content": "Who are you?"}


def test_prompt_may_be_token_ids() -> None:
    assert CompletionRequest.model_validate({"model": "m", "prompt": [1, 2]}).prompt == [1, 2]
