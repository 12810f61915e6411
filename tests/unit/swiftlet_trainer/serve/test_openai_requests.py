"""Requests that are answered and those that are refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError
from swiftlet_trainer.data.turns import Turn
from swiftlet_trainer.serve.chat_requests import ChatRequest
from swiftlet_trainer.serve.openai_requests import MESSAGE, ChatMessage, CompletionRequest, Refused

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
    [("n", 2), ("logprobs", True), ("presence_penalty", 0.5), ("colour", "red")],
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
    assert request.messages[0].said() == Turn("user", "Who are you?")


def test_prompt_may_be_token_ids() -> None:
    assert CompletionRequest.model_validate({"model": "m", "prompt": [1, 2]}).prompt == [1, 2]


ASSISTANT = {"role": "assistant", "content": "Hello"}


@pytest.mark.parametrize("field", MESSAGE)
def test_nulls_of_an_answer_are_neutral_in_a_history(field: str) -> None:
    chats = [{"model": "m", "messages": [*CHAT["messages"], turn]} for turn in (ASSISTANT, {**ASSISTANT, field: None})]
    assert ChatRequest.model_validate(chats[0]) == ChatRequest.model_validate(chats[1])


@pytest.mark.parametrize(
    "turn", [{"role": "assistant"}, {"role": "assistant", "content": None}, {"role": "assistant", "content": []}]
)
def test_an_assistant_may_have_said_nothing(turn: dict[str, Any]) -> None:
    assert ChatMessage.model_validate(turn).said() == Turn("assistant", "")


@pytest.mark.parametrize("role", ["user", "system"])
def test_others_say_something(role: str) -> None:
    with pytest.raises(ValidationError, match="content"):
        ChatMessage.model_validate({"role": role, "content": None})


def test_developer_is_the_system() -> None:
    assert ChatMessage(role="developer", content="Be brief").said() == Turn("system", "Be brief")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"tool_calls": [{"id": "x"}]}, "tool_calls: [{'id': 'x'}] needs vllm"),
        ({"refusal": "I cannot"}, "refusal: 'I cannot' needs vllm"),
        ({"mood": "glad"}, "mood: not supported"),
    ],
)
def test_what_a_turn_asks_for_and_cannot_have_is_refused_by_name(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ChatMessage.model_validate(ASSISTANT | fields)
    assert told in str(caught.value)


@pytest.mark.parametrize("prompt", [["a", "b"], [[1], [2]], [], [1.5], ["a", 1], True, {}, [True], [["1"]]])
def test_a_prompt_is_one_text_or_token_ids(prompt: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        CompletionRequest.model_validate({"model": "m", "prompt": prompt})
    (problem,) = caught.value.errors()
    assert problem["loc"] == ("prompt",)


@pytest.mark.parametrize("place", ["model", "prompt", "user", "stop", "a\ud83d"])
def test_half_a_character_is_refused_wherever_it_stands(place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CompletionRequest.model_validate({"model": "m", "prompt": "a", place: ["x", {"y": "\ud83d"}]})
    assert "lone surrogate" in str(caught.value.errors()[0]["ctx"]["error"])
