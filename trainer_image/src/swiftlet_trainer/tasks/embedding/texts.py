"""The texts of a step and how they belong together."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch

from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.training.among import joined, with_own
from swiftlet_trainer.training.collate import tokens_of


@dataclass(frozen=True)
class Texts:
    """S texts in G groups, each a query and its documents in turn: of positives and negatives, the positive first."""

    vectors: torch.Tensor
    """fp32, (S, hidden), of length 1."""
    group: torch.Tensor
    """Number of the group that each text is of, int64, (S,), rising."""
    same: torch.Tensor
    """A number of each text, int64, (S,): equal for equal texts."""
    scores: torch.Tensor
    """Of each group's pair, fp32, (G,)."""

    @property
    def queries(self) -> torch.Tensor:
        """Places of the queries, int64, (G,)."""
        return _firsts(self.group)

    @property
    def positives(self) -> torch.Tensor:
        """Places of the documents that come first, int64, (G,)."""
        return self.queries + 1

    @property
    def documents(self) -> torch.Tensor:
        """Places of all documents, int64, (S - G,)."""
        is_query = torch.zeros_like(self.group, dtype=torch.bool)
        is_query[self.queries] = True
        return is_query.logical_not().nonzero().squeeze(-1)

    @property
    def cosines(self) -> torch.Tensor:
        """Of each query and the document that comes first, (G,)."""
        return (self.vectors[self.queries] * self.vectors[self.positives]).sum(-1)


class Among(NamedTuple):
    """The texts of a whole step, and which of them are a batch's."""

    texts: Texts
    first: int
    first_group: int

    def with_own(self, own: Texts) -> Texts:
        """The texts of the step, of which the batch's are those given: with their gradient."""
        return replace(self.texts, vectors=with_own(self.texts.vectors, self.first, own.vectors))


def shared(batches: Sequence[Texts], counted: Sequence[bool], peers: Peers) -> list[Among]:
    """Of each of this process's batches of a step, all that the processes of a run have of it, see among.joined."""
    scores, first_groups = joined([one.scores for one in batches], counted, peers)
    vectors, firsts = joined([one.vectors for one in batches], counted, peers)
    same, _ = joined([one.same for one in batches], counted, peers)
    group, _ = joined([one.group + first for one, first in zip(batches, first_groups, strict=True)], counted, peers)
    whole = Texts(vectors, group, same, scores)
    return [Among(whole, first, first_group) for first, first_group in zip(firsts, first_groups, strict=True)]


def _firsts(group: torch.Tensor) -> torch.Tensor:
    """Where each group begins."""
    return torch.cat([group.new_ones(1), group.diff()]).nonzero().squeeze(-1)


def numbered(input_ids: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """A number of each text, int64, (texts,): equal for equal tokens, and of others with a chance of 2^-64 a pair.

    input_ids: of any shape. bounds: where each text begins and ends in them, flattened, int64, (texts, 2).
    """
    text, place = tokens_of(bounds)
    tokens = input_ids.flatten()[bounds[text, 0] + place]
    return tokens.new_zeros(len(bounds)).index_add(0, text, _mixed(_mixed(place + 1) + tokens + 1))


def _mixed(numbers: torch.Tensor) -> torch.Tensor:
    """Each number as one that looks drawn; overflow is meant. Source: SplitMix64, doi:10.1145/2714064.2660195."""
    mixed = numbers * -0x61C8864680B583EB
    mixed = (mixed ^ (mixed >> 30)) * -0x40A7B892E31B1A47
    mixed = (mixed ^ (mixed >> 27)) * -0x6B2FB644ECCEEE15
    return mixed ^ (mixed >> 31)
