"""What is learnt: one block per method, in a file of its own."""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from swiftlet.api.base import ApiModel, Rule, one_of
from swiftlet.api.tasks.cpo import CpoTask
from swiftlet.api.tasks.dpo import DpoTask
from swiftlet.api.tasks.embedding import EmbeddingTask
from swiftlet.api.tasks.kto import KtoTask
from swiftlet.api.tasks.orpo import OrpoTask
from swiftlet.api.tasks.pretrain import PretrainTask
from swiftlet.api.tasks.reranker import RerankerTask
from swiftlet.api.tasks.rm import RmTask
from swiftlet.api.tasks.seq_cls import SeqClsTask
from swiftlet.api.tasks.sft import SftTask
from swiftlet.api.tasks.simpo import SimpoTask

PREFERENCE_TASKS = ("dpo", "orpo", "cpo", "simpo", "rm")
"""Blocks that learn from pairs of answers."""
SCORE_TASKS = ("rm", "reranker", "seq_cls")
"""Blocks that teach a model to score texts, instead of what follows them."""
POOL_TASKS: tuple[str, ...] = ("embedding",)
"""Blocks that teach a model vectors of texts."""
TARGET_TASKS = ("kto", "rm", "reranker", "seq_cls", "embedding")
"""Blocks whose rows say what is to come out for them beside their text."""
HeadName = Literal["tokens", "score", "pool"]
AUTO_CLASSES: Mapping[HeadName, str] = {
    "tokens": "AutoModelForCausalLM",
    "score": "AutoModelForSequenceClassification",
    "pool": "AutoModel",
}
"""What opens a model in transformers, by its head; what makes vectors was trained without one."""

FORMATS: Mapping[str, tuple[str, ...]] = {
    "unpaired_preference": ("kto",),
    "preference": (*PREFERENCE_TASKS, "kto"),
    "relevance": ("embedding", "reranker"),
    "ranking": ("embedding", "reranker"),
}
"""Formats of rows that some blocks learn from and no others, and those."""

_BLOCKS: Mapping[str, Any] = {
    "sft": SftTask,
    "dpo": DpoTask,
    "orpo": OrpoTask,
    "cpo": CpoTask,
    "simpo": SimpoTask,
    "kto": KtoTask,
    "rm": RmTask,
    "pretrain": PretrainTask,
    "embedding": EmbeddingTask,
    "reranker": RerankerTask,
    "seq_cls": SeqClsTask,
}


class Task(ApiModel):
    """What is learnt: one block per method; sft when there is none."""

    rules: ClassVar[tuple[Rule, ...]] = (one_of(*map(to_camel, _BLOCKS), required=False),)

    sft: SftTask | None = Field(None, description="Supervised fine-tuning.")
    dpo: DpoTask | None = Field(None, description="Direct preference optimization, beside a reference.")
    orpo: OrpoTask | None = Field(None, description="Odds ratio preference optimization, without a reference.")
    cpo: CpoTask | None = Field(None, description="Contrastive preference optimization, without a reference.")
    simpo: SimpoTask | None = Field(None, description="Simple preference optimization, without a reference.")
    pretrain: PretrainTask | None = Field(None, description="Pre-training, continued on texts.")
    kto: KtoTask | None = Field(None, description="Kahneman-Tversky optimization: single answers beside a reference.")
    rm: RmTask | None = Field(None, description="Reward model: a score of conversations, from pairs of answers.")
    embedding: EmbeddingTask | None = Field(None, description="Vectors of texts, close to those of relevant ones.")
    reranker: RerankerTask | None = Field(None, description="A score of a query and a document, read together.")
    seq_cls: SeqClsTask | None = Field(None, description="Classes of texts, or figures of them.")

    @property
    def name(self) -> str:
        """Of the block that is set."""
        return next((name for name in type(self).model_fields if getattr(self, name) is not None), "sft")

    @property
    def block(self) -> str:
        """The same, as documents spell it."""
        return to_camel(self.name)

    @property
    def learns(self) -> str:
        """What is learnt from which rows, in a line."""
        return self.learnt_by(self.name)

    @classmethod
    def learnt_by(cls, name: str) -> str:
        """The same of a block by its name."""
        words: str = _BLOCKS[name].learns
        return words

    @property
    def head(self) -> HeadName:
        """What the model makes of texts: log-probabilities of their tokens, scores or vectors."""
        if self.reranker and self.reranker.generative:
            return "tokens"
        return "score" if self.name in SCORE_TASKS else "pool" if self.name in POOL_TASKS else "tokens"

    @property
    def learns_tokens(self) -> bool:
        """Whether what is learnt are tokens of texts, and not one thing of each text."""
        return self.head == "tokens" and self.reranker is None

    @property
    def scores(self) -> int:
        """How many scores each text gets; 0 with another head."""
        return len(self.seq_cls.names) if self.seq_cls else int(self.head == "score")

    @property
    def has_targets(self) -> bool:
        """Whether rows say something beside their text: what is to come out for them, or their channel."""
        return self.name in TARGET_TASKS or self.has_channels

    @property
    def has_channels(self) -> bool:
        """Whether rows say where they are from, so that losses are told apart by it."""
        block = self.sft or self.pretrain
        return block is not None and bool(block.enable_channel_loss)

    @property
    def sequences(self) -> int:
        """Most sequences of tokens that a row becomes."""
        if block := self.embedding or self.reranker:
            return block.texts
        return 2 if self.name in PREFERENCE_TASKS or self.mismatches else 1

    @property
    def learnt_sequences(self) -> int:
        """Those of them that a step has gradients of."""
        return 1 if self.mismatches else self.sequences

    @property
    def mismatches(self) -> bool:
        """Whether a row has another row's answer behind its own, which is not learnt: the loss of a step compares with
        what the model makes of those."""
        return self.kto is not None and self.kto.mismatches
