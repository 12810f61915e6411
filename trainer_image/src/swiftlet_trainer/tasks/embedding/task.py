"""Embeddings as the trainer sees them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from swiftlet.api.v1alpha1.tasks.embedding import EmbeddingTask
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.tasks.base import StepLoss
from swiftlet_trainer.tasks.embedding.loss import loss
from swiftlet_trainer.tasks.embedding.texts import Among, Texts, numbered, shared
from swiftlet_trainer.training.collate import Batch
from swiftlet_trainer.training.heads.pool import PoolHead, SequenceVectors
from swiftlet_trainer.training.heads.tokens import NOTHING, Want


@dataclass(frozen=True)
class Embedding:
    """Losses of the texts of a whole step, see tasks.embedding.loss."""

    block: EmbeddingTask
    figures: tuple[str, ...] = ()
    items: Literal["tokens", "groups"] = "groups"
    want: Want = NOTHING
    is_linear: bool = False
    has_reference: bool = False
    has_baseline: bool = False

    @property
    def head(self) -> PoolHead:
        return PoolHead(self.block.pooling)

    def part(self, outputs: SequenceVectors, batch: Batch) -> Texts:
        """What a batch is to the others of its step."""
        inputs = batch["inputs"]
        same = numbered(inputs["input_ids"], inputs["bounds"])
        return Texts(outputs.vectors, batch["group"], same, batch["targets"].squeeze(-1))

    def shared(self, parts: Sequence[Texts], counted: Sequence[bool], peers: Peers) -> list[Among]:
        return shared(parts, counted, peers)

    def loss(self, outputs: SequenceVectors, batch: Batch) -> StepLoss:
        """Its value is that of the batch's groups, its gradient that of all groups of the step by the batch's vectors:
        summed over batches they are the loss and its gradient (arXiv:2101.06983, section 3.2)."""
        own, among = self.part(outputs, batch), batch.get("among")
        if among is None:
            return StepLoss(loss(own, self.block).sum())
        each = loss(among.with_own(own), self.block)
        whole, end = each.sum(), among.first_group + len(own.scores)
        return StepLoss(each[among.first_group : end].sum().detach() + (whole - whole.detach()))

    def told(self, means: Mapping[str, float]) -> Mapping[str, float]:
        return means


def task(document: TrainDocument) -> Embedding:
    """Of a document with the block task.embedding."""
    assert document.task.embedding  # noqa: S101
    return Embedding(document.task.embedding)
