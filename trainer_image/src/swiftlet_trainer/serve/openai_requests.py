"""Requests of the OpenAI API that the transformers engine answers; what it cannot do is refused by name.

Source: platform.openai.com/docs/api-reference (chat completions, completions).
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "best_of": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "echo": (False,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "response_format": ({"type": "text"},),
    "suffix": ("",),
    "store": (False,),
    "metadata": ({},),
    "user": (),
}
"""Fields that clients send although they ask for nothing: field to the values that ask for nothing. An empty tuple
means any value; null asks for nothing everywhere."""


class Refused(ValueError):  # noqa: N818  (the state of a request, told to its sender)
    """A request that cannot be answered. param: the field to blame. status: of the HTTP answer."""

    def __init__(self, message: str, param: str | None = None, status: int = 400, code: str | None = None) -> None:
        self.param, self.status, self.code = param, status, code
        super().__init__(message)


class StreamOptions(BaseModel):
    """What a stream carries beside its pieces."""

    model_config = ConfigDict(extra="forbid")
    include_usage: bool = False


class Request(BaseModel):
    """What both kinds of requests have."""

    model_config = ConfigDict(extra="forbid")

    model: str
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stop: str | Annotated[list[str], Field(max_length=16)] | None = None
    seed: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _without_neutral(cls, data: Any) -> Any:
        """Drop fields that ask for nothing; refuse by name those that ask for what this engine cannot do."""
        if not isinstance(data, dict):
            return data
        kept = {name: value for name, value in data.items() if value is not None}
        for name in set(kept) & set(NEUTRAL):
            value, neutral = kept.pop(name), NEUTRAL[name]
            if neutral and value not in neutral:
                raise Refused(f"{name}: {value!r} needs vllm; the transformers engine cannot do it, leave it out", name)
        unknown = sorted(set(kept) - set(cls.model_fields) - {"max_completion_tokens"})
        if unknown:
            raise Refused(f"{', '.join(unknown)}: not supported by the transformers engine, leave it out", unknown[0])
        if "max_completion_tokens" in kept:
            kept["max_tokens"] = kept.pop("max_completion_tokens")
        return kept

    @property
    def stops(self) -> list[str]:
        """Texts that end the answer; they are not part of it."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [text for text in given if text]


class TextPart(BaseModel):
    """A part of a message's content. Other types than text are refused."""

    type: Literal["text"]
    text: str


class ChatMessage(BaseModel):
    """One turn."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: str | list[TextPart]
    name: str | None = None

    def turn(self) -> dict[str, str]:
        """As chat templates take it."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return {"role": self.role, "content": text}


class ChatRequest(Request):
    """POST /v1/chat/completions."""

    messages: Annotated[list[ChatMessage], Field(min_length=1)]


class CompletionRequest(Request):
    """POST /v1/completions. One prompt: a text, or token ids."""

    prompt: str | Annotated[list[int], Field(min_length=1)]
