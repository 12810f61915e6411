"""Requests of the OpenAI API that the transformers engine answers; what it cannot do is refused by name.

Source: platform.openai.com/docs/api-reference (chat completions, completions).
"""

from collections.abc import Iterator, Mapping
from reprlib import repr as shown
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from swiftlet_trainer.data.turns import Turn

PATHS = ("/v1/chat/completions", "/v1/completions")
"""Where they are posted to."""
Neutral = Mapping[str, tuple[Any, ...]]
"""Fields that clients send although they ask for nothing: field to the values that ask for nothing. An empty tuple
means any value; null asks for nothing everywhere."""

REQUEST: Neutral = {
    "n": (1,),
    "best_of": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "echo": (False,),
    "logit_bias": ({},),
    "tools": ([],),
    "tool_choice": ("none", "auto"),
    "parallel_tool_calls": (True, False),
    "functions": ([],),
    "function_call": ("none", "auto"),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
    "suffix": ("",),
    "store": (False,),
    "metadata": (),
    "user": (),
    "safety_identifier": (),
    "service_tier": (),
    "prompt_cache_key": (),
    "prompt_cache_retention": (),
    "verbosity": (),
}
STREAM_OPTIONS: Neutral = {"include_obfuscation": ()}
MESSAGE: Neutral = {
    "refusal": (None,),
    "annotations": ([],),
    "audio": (None,),
    "function_call": (None,),
    "tool_calls": ([],),
}
"""What an assistant's turn holds beside its text, and clients send back with the history."""
MOST_STOPS = 4
"""OpenAI's, and vLLM's."""
SMALLEST_SEED, LARGEST_SEED = -(2**63), 2**63 - 1
"""OpenAI's and PyTorch's: 64 bits."""


class Refused(ValueError):  # noqa: N818  (the state of a request, told to its sender)
    """A request that cannot be answered. param: the field to blame. status: of the HTTP answer."""

    def __init__(self, message: str, param: str | None = None, status: int = 400, code: str | None = None) -> None:
        self.param, self.status, self.code = param, status, code
        super().__init__(message)


def _listed(given: Any) -> Any:
    return [given] if isinstance(given, str) else given


def _parts(given: Any) -> Any:
    return [{"type": "text", "text": given}] if isinstance(given, str) else given


def _one_prompt(given: Any) -> str | list[int]:
    """A text or token ids, alone or as the one item of a list."""
    many = given if isinstance(given, list) and given and isinstance(given[0], str | list) else [given]
    if len(many) > 1:
        raise Refused(f"{len(many)} prompts in one request need vllm; send them one by one")
    prompt = many[0]
    if isinstance(prompt, str):
        return prompt
    if isinstance(prompt, list) and prompt and all(type(token) is int for token in prompt):
        return prompt
    raise Refused("give a text, or a list of token ids that is not empty")


def _texts(data: Any) -> Iterator[tuple[str, str]]:
    """(field of the request, text) for every text in it, names of fields included, however deep."""
    if not isinstance(data, dict):
        return
    for field, value in data.items():
        yield field, field
        left = [value]
        while left:
            one = left.pop()
            if isinstance(one, str):
                yield field, one
            elif isinstance(one, list):
                left.extend(one)
            elif isinstance(one, dict):
                left.extend([*one, *one.values()])


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class Fields(BaseModel):
    """A JSON object of a request: what its fields ask for is done, ignored by name or refused by name."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    neutral: ClassVar[Neutral] = {}
    renamed: ClassVar[Mapping[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _without_neutral(cls, data: Any) -> Any:
        """Drop fields that ask for nothing; refuse by name those that ask for what this engine cannot do."""
        if not isinstance(data, dict):
            return data
        kept = {cls.renamed.get(name, name): value for name, value in data.items() if value is not None}
        asking = {name: kept[name] for name in kept if (nothing := cls.neutral.get(name)) and kept[name] not in nothing}
        if asking:
            told = ", ".join(f"{name}: {shown(value)}" for name, value in asking.items())
            raise Refused(f"{told} needs vllm; the transformers engine cannot do it, leave it out", next(iter(asking)))
        kept = {name: value for name, value in kept.items() if name not in cls.neutral}
        if unknown := sorted(set(kept) - set(cls.model_fields)):
            raise Refused(f"{', '.join(unknown)}: not supported by the transformers engine, leave it out", unknown[0])
        return kept


class StreamOptions(Fields):
    """What a stream carries beside its pieces."""

    neutral: ClassVar[Neutral] = STREAM_OPTIONS

    include_usage: bool = False


class Body(Fields):
    """A whole request. model: the served name that is asked."""

    model: str

    @model_validator(mode="before")
    @classmethod
    def _encodable(cls, data: Any) -> Any:
        """Refuse texts that are none: JSON can hold half of a surrogate pair, which no tokenizer takes."""
        if broken := next((name for name, text in _texts(data) if not _is_unicode(text)), None):
            field = broken.encode(errors="backslashreplace").decode()
            raise Refused(f"{field}: holds a lone surrogate, which is no character of Unicode", field)
        return data


class Request(Body):
    """What both kinds of requests have for which a model says something."""

    neutral: ClassVar[Neutral] = REQUEST
    renamed: ClassVar[Mapping[str, str]] = {"max_completion_tokens": "max_tokens"}

    max_tokens: Annotated[int, Field(ge=1)] | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    stop: Annotated[list[str], Field(max_length=MOST_STOPS), BeforeValidator(_listed)] = []
    seed: Annotated[int, Field(ge=SMALLEST_SEED, le=LARGEST_SEED)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    @property
    def stops(self) -> list[str]:
        """Texts that end the answer; they are not part of it."""
        return [text for text in self.stop if text]


class TextPart(BaseModel):
    """A part of a message's content. Other types than text are refused."""

    type: Literal["text"]
    text: str


class ChatMessage(Fields):
    """One turn."""

    neutral: ClassVar[Neutral] = MESSAGE

    role: Literal["system", "developer", "user", "assistant"]
    content: Annotated[list[TextPart], BeforeValidator(_parts)]
    name: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _empty_turn(cls, data: Any) -> Any:
        """What an assistant said may be nothing: clients keep its null."""
        is_empty = isinstance(data, dict) and data.get("role") == "assistant" and data.get("content") is None
        return {**data, "content": ""} if is_empty else data

    def said(self) -> Turn:
        """As training has it, which knows no developers: they are the newer name of the system."""
        return Turn("system" if self.role == "developer" else self.role, "".join(part.text for part in self.content))


class CompletionRequest(Request):
    """POST /v1/completions. One prompt: a text, or token ids."""

    prompt: Annotated[Any, BeforeValidator(_one_prompt)]
