"""Rerankers: how relevant a document is to a query, where both are read together."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import TaskBlock

RerankerLoss = Literal["pointwise", "listwise"]
Prompt = Annotated[str, Field(max_length=2048)]
Word = Annotated[str, Field(min_length=1, max_length=64)]

OF_GENERATIVE = {"positiveToken": "'yes'", "negativeToken": "'no'"}
"""Fields that mean something where generative is true alone, and their defaults as CEL writes them."""


class RerankerTask(TaskBlock):
    """One score of a query and a document, written one behind the other. Names and defaults are those of ms-swift.

    Its score is that of a layer of its own, or what the model says itself to whether the document is relevant.
    """

    learns: ClassVar[str] = "a score of a query and a document, which is higher for relevant ones"
    formats: ClassVar[tuple[str, ...]] = ("relevance", "ranking")
    has_own_formats: ClassVar[bool] = True
    reads_texts: ClassVar[bool] = True
    compared: ClassVar[tuple[str, ...]] = ("positive", "negative")

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.temperature) || self.temperature == 1.0 || (has(self.lossType) && self.lossType == 'listwise')",
            "temperature is of lossType listwise; leave it out",
            "temperature",
        ),
        *(
            Rule(
                f"!has(self.{name}) || self.{name} == {default} || (has(self.generative) && self.generative)",
                f"{name} is what a generative reranker says; leave it out, or set generative to true",
                name,
            )
            for name, default in OF_GENERATIVE.items()
        ),
        Rule(
            "(has(self.positiveToken) ? self.positiveToken : 'yes')"
            " != (has(self.negativeToken) ? self.negativeToken : 'no')",
            "positiveToken and negativeToken must differ",
            "negativeToken",
        ),
    )

    loss_type: RerankerLoss = Field(
        "pointwise",
        description="pointwise: each document by itself is relevant or not, or as much as its score says"
        " (binary cross-entropy). listwise: the positive is chosen among the negatives of its row (cross-entropy).",
    )
    generative: bool = Field(
        False,
        description="The score is log p(positiveToken) - log p(negativeToken) of what the model answers, asked by its"
        " chat template, and it stays a language model (arXiv:2506.05176). False: that of a layer which is trained with"
        " it.",
    )
    positive_token: Word = Field("yes", description="What it answers to a relevant document, one token (generative).")
    negative_token: Word = Field("no", description="What it answers to another one, one token (generative).")
    temperature: Annotated[float, Field(ge=0.001, le=1000)] = Field(
        1.0, description="What scores are divided by (listwise)."
    )
    max_negative_samples: Annotated[int, Field(ge=1, le=63)] = Field(
        7, description="Most negatives of a row that are used, the first ones."
    )
    query_prompt: Prompt = Field(
        "Query: ", description="What is written in front of the query, here and when it is used."
    )
    document_prompt: Prompt = Field("\nDocument: ", description="What is written between the query and the document.")

    @property
    def score_names(self) -> tuple[str, ...]:
        return () if self.generative else ("relevance",)

    @property
    def learns_tokens(self) -> bool:
        return False

    @property
    def has_targets(self) -> bool:
        return True

    @property
    def sequences(self) -> int:
        return 1 + self.max_negative_samples if self.loss_type == "listwise" else 1
