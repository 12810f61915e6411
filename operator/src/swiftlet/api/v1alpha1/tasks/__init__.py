"""What is learnt: one block per method, in a file of its own."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field
from pydantic.alias_generators import to_camel

from swiftlet.api.base import ApiModel, Rule, one_of
from swiftlet.api.v1alpha1.tasks.block import HeadName, TaskBlock
from swiftlet.api.v1alpha1.tasks.cpo import CpoTask
from swiftlet.api.v1alpha1.tasks.dpo import DpoTask
from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingTask
from swiftlet.api.v1alpha1.tasks.kto import KtoTask
from swiftlet.api.v1alpha1.tasks.orpo import OrpoTask
from swiftlet.api.v1alpha1.tasks.pretrain import PretrainTask
from swiftlet.api.v1alpha1.tasks.reranker import RerankerTask
from swiftlet.api.v1alpha1.tasks.rm import RmTask
from swiftlet.api.v1alpha1.tasks.seq_cls import SeqClsTask
from swiftlet.api.v1alpha1.tasks.sft import SftTask
from swiftlet.api.v1alpha1.tasks.simpo import SimpoTask

AUTO_CLASSES: Mapping[HeadName, str] = {
    "tokens": "AutoModelForCausalLM",
    "score": "AutoModelForSequenceClassification",
    "pool": "AutoModel",
}
"""What opens a model in transformers, by its head; what makes vectors was trained without one."""

_BLOCKS: Mapping[str, type[TaskBlock]] = {
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


def tasks_with_own_rows() -> dict[str, list[str]]:
    """Formats of rows that some blocks learn from and no others, and those: first whose own they are."""
    own = {name: block.formats for name, block in _BLOCKS.items() if block.has_own_formats}
    found = dict.fromkeys(one for formats in own.values() for one in formats)
    return {
        one: sorted((name for name in own if one in own[name]), key=lambda name: own[name].index(one)) for one in found
    }


def tasks_of_texts() -> list[str]:
    """Blocks whose rows are texts, not turns."""
    return [name for name, block in _BLOCKS.items() if block.reads_texts]


def job_rules() -> list[Rule]:
    """Of a whole job, about one task each."""
    return [rule for block in _BLOCKS.values() for rule in block.job_rules]


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

    @classmethod
    def default(cls) -> "Task":
        """What is learnt where no block says it."""
        return cls(sft=SftTask())

    @property
    def name(self) -> str:
        """Of the block that is set."""
        return next((name for name in type(self).model_fields if getattr(self, name) is not None), "sft")

    @property
    def block(self) -> str:
        """The same, as documents spell it."""
        return to_camel(self.name)

    @property
    def chosen(self) -> TaskBlock:
        """The block that is set."""
        found: TaskBlock | None = getattr(self, self.name)
        return found or SftTask()

    @property
    def learns(self) -> str:
        """What is learnt from which rows, in a line."""
        return self.chosen.learns

    @classmethod
    def block_named(cls, name: str) -> type[TaskBlock]:
        """A block's type by its name."""
        return _BLOCKS[name]

    @property
    def head(self) -> HeadName:
        """See TaskBlock, as of what follows."""
        return self.chosen.head

    @property
    def learns_tokens(self) -> bool:
        return self.chosen.learns_tokens

    @property
    def scores(self) -> int:
        """How many scores each text gets; 0 with another head."""
        return len(self.chosen.score_names)

    @property
    def has_targets(self) -> bool:
        return self.chosen.has_targets

    @property
    def has_channels(self) -> bool:
        return self.chosen.has_channels

    @property
    def sequences(self) -> int:
        return self.chosen.sequences

    @property
    def learnt_sequences(self) -> int:
        """Those of them that a step has gradients of."""
        return 1 if self.mismatches else self.sequences

    @property
    def mismatches(self) -> bool:
        return self.chosen.mismatches
