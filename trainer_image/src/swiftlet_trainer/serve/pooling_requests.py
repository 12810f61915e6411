"""Requests for vectors and scores of texts, in the forms of vLLM's server; what the transformers engine cannot do is
refused by name.

Source: platform.openai.com/docs/api-reference/embeddings, jina.ai/reranker, vllm/entrypoints/pooling.
"""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from swiftlet_trainer.serve.openai_requests import Body, ChatMessage, Neutral, Refused

SCORE_PATHS, RERANK_PATHS = ("/score", "/v1/score"), ("/rerank", "/v1/rerank", "/v2/rerank")
PATHS = ("/v1/embeddings", "/classify", "/pooling", *SCORE_PATHS, *RERANK_PATHS)
"""Where they are posted to."""
POOLING: Neutral = {
    "user": (),
    "request_id": (),
    "priority": (0,),
    "cache_salt": (),
    "padding": ("do_not_pad",),
    "truncation_side": ("right",),
    "add_special_tokens": (True,),
    "mm_processor_kwargs": ({},),
    "embed_dtype": ("float32",),
    "endianness": ("native", "little"),
    "max_tokens_per_query": (0,),
    "max_tokens_per_doc": (0,),
    "instruction": ("",),
    "chat_template_kwargs": ({},),
    "continue_final_message": (False,),
    "add_generation_prompt": (False,),
}
MOST_TEXTS = 2048
"""In a request; OpenAI's."""


def _texts(given: Any) -> list[str | list[int]]:
    """Texts and lists of token ids, alone or several."""
    is_many = isinstance(given, list) and not (given and all(type(one) is int for one in given))
    many = given if is_many else [given]
    if not many or len(many) > MOST_TEXTS:
        raise Refused(f"{len(many)} texts; give 1 to {MOST_TEXTS:,} in a request")
    if not all(isinstance(one, str) or _is_ids(one) for one in many):
        raise Refused("give a text, a list of token ids that is not empty, or a list of either")
    return many


def _is_ids(given: Any) -> bool:
    return isinstance(given, list) and bool(given) and all(type(token) is int for token in given)


def _documents(given: Any) -> list[str]:
    """Texts, as such or within an object as Jina has them, alone or several."""
    many = given if isinstance(given, list) else [given]
    if not many or len(many) > MOST_TEXTS:
        raise Refused(f"{len(many)} texts; give 1 to {MOST_TEXTS:,} in a request")
    texts = [one["text"] if isinstance(one, dict) and set(one) == {"text"} else one for one in many]
    if not all(isinstance(one, str) for one in texts):
        raise Refused("give texts; pictures and token ids need vllm")
    return texts


Texts = Annotated[list[Any], BeforeValidator(_texts)]
Documents = Annotated[list[str], BeforeValidator(_documents)]


class PoolingFields(Body):
    """What all of these requests have."""

    neutral: ClassVar[Neutral] = POOLING

    truncate_prompt_tokens: Annotated[int, Field(ge=-1)] | None = None


class EmbeddingsRequest(PoolingFields):
    """POST /v1/embeddings. Vectors have the length 1."""

    neutral: ClassVar[Neutral] = {**POOLING, "use_activation": (True,)}

    input: Texts
    encoding_format: Literal["float", "base64"] = "float"
    dimensions: Annotated[int, Field(ge=1)] | None = None


class _TextsOrTurns(PoolingFields):
    """Texts, or one conversation. Exactly one is set."""

    input: Texts | None = None
    messages: Annotated[list[ChatMessage], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> "_TextsOrTurns":
        if (self.input is None) == (self.messages is None):
            raise Refused("set exactly one of input and messages", "input")
        return self


class ClassifyRequest(_TextsOrTurns):
    """POST /classify. use_activation: probabilities, or logits as they are; figures have neither."""

    use_activation: bool = True


class PoolingRequest(_TextsOrTurns):
    """POST /pooling: whatever the model makes of texts. use_activation: of scores, see ClassifyRequest."""

    task: Literal["embed", "classify"] | None = None
    use_activation: bool = True
    encoding_format: Literal["float", "base64"] = "float"


class _Pairs(PoolingFields):
    """Texts that are compared."""

    neutral: ClassVar[Neutral] = {**POOLING, "use_activation": (True,)}

    @property
    @abstractmethod
    def sides(self) -> dict[str, list[str]]:
        """First and second texts by their fields: one first text is compared with all second ones."""

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All that are compared."""
        firsts, seconds = self.sides.values()
        return list(zip(firsts * len(seconds) if len(firsts) == 1 else firsts, seconds, strict=True))


class ScoreRequest(_Pairs):
    """POST /score: how well texts go together, each pair, or one with all others."""

    renamed: ClassVar[Mapping[str, str]] = {
        "data_1": "text_1",
        "data_2": "text_2",
        "queries": "text_1",
        "documents": "text_2",
        "items": "text_2",
    }

    text_1: Documents
    text_2: Documents

    @model_validator(mode="after")
    def _in_pairs(self) -> "ScoreRequest":
        if len(self.text_1) not in (1, len(self.text_2)):
            what = f"text_1: {len(self.text_1)} texts and {len(self.text_2)} of text_2"
            raise Refused(f"{what}; give one, or as many", "text_1")
        return self

    @property
    def sides(self) -> dict[str, list[str]]:
        return {"text_1": self.text_1, "text_2": self.text_2}


class RerankRequest(_Pairs):
    """POST /rerank: documents by how relevant they are to a query. top_n: the first of them; 0: all."""

    query: str
    documents: Documents
    top_n: Annotated[int, Field(ge=0)] = 0
    return_documents: bool = True

    @property
    def sides(self) -> dict[str, list[str]]:
        return {"query": [self.query], "documents": self.documents}
