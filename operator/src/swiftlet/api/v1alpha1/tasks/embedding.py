"""Embeddings: a vector of each text, close to those of texts that are relevant to it."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from swiftlet.api.base import Rule
from swiftlet.api.v1alpha1.tasks.block import HeadName, TaskBlock

EmbeddingLoss = Literal["infonce", "contrastive", "online_contrastive", "cosine_similarity", "cosent", "triplet"]
Pooling = Literal["last", "mean", "cls"]
Prompt = Annotated[str, Field(max_length=2048)]
Margin = Annotated[float, Field(ge=0, le=2)]

OF_INFONCE = {"temperature": "0.1", "useBatch": "true", "maskFakeNegative": "false", "fakeNegMargin": "0.1"}
"""Fields that mean something to infonce alone, and their defaults as CEL writes them."""


def _of_loss(name: str, default: str, *losses: str) -> Rule:
    """A field that other losses would ignore is refused with them."""
    is_default = "!has(self.lossType) || " if "infonce" in losses else "has(self.lossType) && "
    is_one = f"self.lossType in [{', '.join(repr(loss) for loss in losses)}]"
    return Rule(
        f"!has(self.{name}) || self.{name} == {default} || ({is_default}{is_one})",
        f"{name} is of lossType {', '.join(losses)}; leave it out",
        name,
    )


class EmbeddingTask(TaskBlock):
    """Vectors of texts, compared by their cosine. Names and defaults are those of ms-swift and sentence-transformers.

    infonce and triplet learn from positives and negatives, the other losses from pairs with scores: 1 for a positive
    and 0 for a negative where a row has none.
    """

    learns: ClassVar[str] = "vectors of texts, close to those of relevant ones"
    formats: ClassVar[tuple[str, ...]] = ("relevance", "ranking")
    has_own_formats: ClassVar[bool] = True
    reads_texts: ClassVar[bool] = True
    compared: ClassVar[tuple[str, ...]] = ("query", "document", "negative")

    rules: ClassVar[tuple[Rule, ...]] = (
        *(_of_loss(name, default, "infonce") for name, default in OF_INFONCE.items()),
        _of_loss("hardNegatives", "7", "infonce", "triplet"),
        _of_loss("margin", "0.5", "contrastive", "online_contrastive", "triplet"),
        _of_loss("scale", "20.0", "cosent"),
        Rule(
            "!has(self.hardNegatives) || self.hardNegatives > 0 || ((!has(self.lossType) || self.lossType != 'triplet')"
            " && (!has(self.useBatch) || self.useBatch))",
            "without negatives of the row or of others nothing is compared; set hardNegatives above 0",
            "hardNegatives",
        ),
        Rule(
            "!has(self.matryoshkaWeights)"
            " || (has(self.matryoshkaDims) && self.matryoshkaDims.size() == self.matryoshkaWeights.size())",
            "matryoshkaWeights must have one weight for each of matryoshkaDims",
            "matryoshkaWeights",
        ),
    )

    loss_type: EmbeddingLoss = Field("infonce", description="What is asked of the cosines of texts.")
    pooling: Pooling = Field(
        "last",
        description="A text's vector: the hidden state of its last token, the mean of all, or that of the first. It is"
        " recorded in the artifact, as sentence-transformers has it.",
    )
    temperature: Annotated[float, Field(ge=0.001, le=10)] = Field(
        0.1, description="What cosines are divided by (infonce)."
    )
    use_batch: bool = Field(
        True,
        description="Take the documents of a step's other rows as negatives too, on whatever process they are"
        " (infonce).",
    )
    hard_negatives: Annotated[int, Field(ge=0, le=63)] = Field(
        7, description="Most negatives of a row that are used, the first ones (infonce, triplet)."
    )
    mask_fake_negative: bool = Field(
        False, description="Leave out negatives that are closer to the query than the positive is (infonce)."
    )
    fake_neg_margin: Margin = Field(0.1, description="By how much closer, for maskFakeNegative.")
    margin: Margin = Field(
        0.5,
        description="How far apart what differs shall be, as 1 - cosine (contrastive, online_contrastive, triplet).",
    )
    scale: Annotated[float, Field(gt=0, le=1000)] = Field(20.0, description="Factor of cosines (cosent).")
    matryoshka_dims: (
        Annotated[list[Annotated[int, Field(ge=1, le=65536)]], Field(min_length=1, max_length=16)] | None
    ) = Field(None, description="Lengths of beginnings of the vectors that are learnt each (arXiv:2205.13147).")
    matryoshka_weights: (
        Annotated[list[Annotated[float, Field(gt=0, le=1000)]], Field(min_length=1, max_length=16)] | None
    ) = Field(None, description="Weight of each of matryoshkaDims; 1 each when absent.")
    query_prompt: Prompt = Field("", description="What is written in front of queries, here and when it is used.")
    document_prompt: Prompt = Field("", description="What is written in front of documents.")

    @property
    def head(self) -> HeadName:
        return "pool"

    @property
    def sequences(self) -> int:
        return 2 + (self.hard_negatives if self.loss_type in ("infonce", "triplet") else 0)
