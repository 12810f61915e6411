"""Rows to tensors.

A row is one or more sequences, and what a loss compares is a group of them: one sequence, a pair, a list. Rows of one
sequence that is a group of its own, as in supervised fine-tuning, need not say so.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice, takewhile
from typing import Any, NotRequired, TypedDict

import torch

from swiftlet_trainer.data.encode import IGNORED

Row = Mapping[str, Any]
"""input_ids and labels; weights, those of the labels in the loss, 1 each if absent; seq_lengths, the tokens of each of
its sequences in order, all of them if absent; group_sizes, the sequences of each of its groups in order, one each if
absent; targets, those of its groups one after the other; reference, see Batch."""

OF_TOKENS = ("input_ids", "labels", "weights")
"""What a row has a value of for each token."""


class Batch(TypedDict):
    """What a forward pass takes, and which group its N labelled tokens belong to."""

    inputs: dict[str, Any]
    """Of the model, see Collator."""
    sequence: torch.Tensor
    """Number of the sequence that each labelled token is of, int64, (N,)."""
    group: torch.Tensor
    """Number of the group that each sequence is of, int64, (sequences,)."""
    targets: NotRequired[torch.Tensor]
    """What is to come out for each group, fp32, (groups, values of each); where rows have them. Ids are exact up to
    2^24."""
    reference: NotRequired[torch.Tensor]
    """log p of each sequence's answer under the reference, fp32, (sequences,); where rows have it."""
    baseline: NotRequired[torch.Tensor]
    """What the losses of the whole step compare with, fp32, (); see training.baseline."""
    among: NotRequired[Any]
    """What the other rows of the step are to the loss, see training.among."""


@dataclass(frozen=True)
class Collator:
    """Pads rows on the right and shifts labels, so that `labels[i]` is what position `i` has to predict.

    No attention mask is made: attention is causal and padding comes last, so no real token sees it. A packed row gets
    `position_ids` that restart with each of its sequences; transformers makes the block-diagonal mask from them
    (masking_utils.find_packed_sequence_indices). Sequences of a row that is not packed are padded each.
    """

    pad_token_id: int
    packed: bool = False
    padding_free: bool = False
    """All rows in one sequence, without padding, for an attention that keeps them apart by their position_ids."""
    sharing: bool = False
    """When padding-free: what all sequences of a group begin with is there once, see shared_tokens. Of the others, only
    what follows is in the batch; it is what bounds and labels speak of."""
    place: int | None = None
    """Of each group only the sequence at this place; None: all."""

    def __call__(self, rows: Sequence[Row]) -> Batch:
        """inputs: input_ids, labels and, when packed or padding-free, position_ids: int64 tensors of shape (rows,
        longest); of shape (1, tokens) when padding-free. weights of the labels, fp32, of that shape, where rows have
        them; 0 where nothing is learnt. bounds, int64, (sequences, 2): where each sequence begins, and
        the place behind its last token, in the flattened input_ids. When padding-free, and not sharing, there are also
        cu_seq_lens_q, int32, (sequences + 1,), where sequences begin and the last one ends, and max_length_q, the
        tokens of the longest (transformers' FlashAttentionKwargs)."""
        if self.place is not None:
            rows = [_at(self.place, row) for row in rows]
        sizes = [size for row in rows for size in group_sizes(row)]
        known = {name: [one for row in rows for one in row.get(name, ())] for name in ("targets", "reference")}
        if self.padding_free:
            shared = [shared_tokens(row) if self.sharing else [0] * len(lengths_of(row)) for row in rows]
            inputs = _joined(rows, shared)
            lengths = [
                [one.stop - one.start for row, each in zip(rows, shared, strict=True) for one in _own(row, each)]
            ]
            if not self.sharing:
                inputs["cu_seq_lens_q"], inputs["max_length_q"] = bounds(inputs["position_ids"])
        else:
            rows = rows if self.packed else [sequence for row in rows for sequence in _sequences(row)]
            inputs = self._padded(rows)
            lengths = [[*lengths_of(row)] for row in rows]
        group = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
        starts, ends = _places(lengths, inputs["input_ids"].shape[-1])
        inputs["bounds"] = torch.stack([starts, ends], -1)
        batch = Batch(inputs=inputs, sequence=_sequence_of_labels(inputs["labels"], starts), group=group)
        if known["targets"]:
            batch["targets"] = torch.tensor(known["targets"], dtype=torch.float32).view(len(sizes), -1)
        if known["reference"]:
            batch["reference"] = torch.tensor(known["reference"], dtype=torch.float32)
        return batch

    def _padded(self, rows: Sequence[Row]) -> dict[str, Any]:
        width = max(len(row["input_ids"]) for row in rows)
        batch = {
            "input_ids": padded([row["input_ids"] for row in rows], width, self.pad_token_id),
            "labels": padded([_shifted(row) for row in rows], width, IGNORED),
        }
        if "weights" in rows[0]:
            batch["weights"] = torch.tensor([[*one, *[0.0] * (width - len(one))] for one in map(_weights, rows)])
        if self.packed:
            batch["position_ids"] = torch.stack([_restarting(row["seq_lengths"], width) for row in rows])
        return batch


def lengths_of(row: Row) -> Sequence[int]:
    """Tokens of each sequence of a row."""
    return row.get("seq_lengths") or [len(row["input_ids"])]


def group_sizes(row: Row) -> Sequence[int]:
    """Sequences of each group of a row."""
    return row.get("group_sizes") or [1] * len(lengths_of(row))


def shared_tokens(row: Row) -> list[int]:
    """How many tokens each sequence of a row leaves to the first one of its group: 0 for that, and for the others what
    all of the group begin with alike.

    Each keeps a token at least, and every one that predicts a label: the last token of a prompt predicts an answer's
    first, so each answer has its own. Source: prefix sharing, arXiv:2410.20305.
    """
    found, sequences = [], iter(_sequences(row))
    for size in group_sizes(row):
        first, *others = islice(sequences, size)
        alike = min((_alike(first, other) for other in others), default=0)
        found += [0, *[alike] * (size - 1)]
    return found


def _alike(first: Row, other: Row) -> int:
    """Tokens that `first` begins with as well, of those of `other` that need not be its own."""
    tokens, following = other["input_ids"], other["labels"][1:]
    most = next((place for place, label in enumerate(following) if label != IGNORED), len(following))
    pairs = zip(first["input_ids"], tokens[:most], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def bounds(position_ids: torch.Tensor) -> tuple[torch.Tensor, int]:
    """Where the rows of a sequence begin and the last one ends, int32, (rows + 1,); and tokens of the longest.

    position_ids: (length,) or (1, length), 0 where a row begins.
    """
    starts = position_ids.flatten().eq(0).nonzero().flatten()
    ends = torch.cat([starts, starts.new_tensor([position_ids.numel()])]).to(torch.int32)
    return ends, int(ends.diff().max())


def tokens_of(bounds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Of each token of all sequences, one after the other: the number of its sequence, and its place in it; int64,
    (tokens,). bounds: see Collator."""
    lengths = bounds[:, 1] - bounds[:, 0]
    sequence = torch.repeat_interleave(lengths)
    return sequence, torch.arange(len(sequence), device=bounds.device) - (lengths.cumsum(0) - lengths)[sequence]


def padded(rows: Sequence[Sequence[int]], width: int, fill: int) -> torch.Tensor:
    """Rows of up to `width` numbers, int64, (rows, width), with `fill` behind them."""
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows], dtype=torch.long)


def _at(place: int, row: Row) -> Row:
    """A row with one sequence of each of its groups alone."""
    kept = [start + place for start in accumulate(group_sizes(row)[:-1], initial=0)]
    lengths, ends = lengths_of(row), list(accumulate(lengths_of(row)))
    spans = [slice(ends[one] - lengths[one], ends[one]) for one in kept]
    told = {name: [token for span in spans for token in row[name][span]] for name in OF_TOKENS if name in row}
    if "reference" in row:
        told["reference"] = [row["reference"][one] for one in kept]
    if "targets" in row:
        told["targets"] = row["targets"]
    return {**told, "seq_lengths": [lengths[one] for one in kept]}


def _sequences(row: Row) -> list[Row]:
    """A row as rows of one sequence each."""
    lengths = lengths_of(row)
    ends = list(accumulate(lengths))
    return [
        {name: row[name][end - length : end] for name in OF_TOKENS if name in row}
        for end, length in zip(ends, lengths, strict=True)
    ]


def _own(row: Row, shared: Sequence[int]) -> list[slice]:
    """Where in a row its sequences' own tokens are. shared: how many each has of another's."""
    lengths = lengths_of(row)
    spans = zip(accumulate(lengths), lengths, shared, strict=True)
    return [slice(end - length + begun, end) for end, length, begun in spans]


def _joined(rows: Sequence[Row], shared: Sequence[Sequence[int]]) -> dict[str, Any]:
    """shared: of each row, see shared_tokens."""

    def told(of_row: Callable[[Row], Sequence[Any]]) -> list[Any]:
        known = [(of_row(row), _own(row, each)) for row, each in zip(rows, shared, strict=True)]
        return [value for values, spans in known for span in spans for value in values[span]]

    batch = {
        "input_ids": torch.tensor(told(lambda row: row["input_ids"]), dtype=torch.long),
        "labels": torch.tensor(told(_shifted), dtype=torch.long),
        "position_ids": torch.tensor(
            told(lambda row: _restarting(lengths_of(row), len(row["input_ids"])).tolist()), dtype=torch.long
        ),
    }
    if "weights" in rows[0]:
        batch["weights"] = torch.tensor(told(_weights))
    return {name: tokens.unsqueeze(0) for name, tokens in batch.items()}


def _places(lengths: Sequence[Sequence[int]], width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each sequence begins and ends in rows of `width` positions, one after the other: int64, (sequences,) each.
    lengths: tokens of each row's sequences."""
    starts = [row * width + start for row, each in enumerate(lengths) for start in accumulate(each[:-1], initial=0)]
    found = torch.tensor(starts)
    return found, found + torch.tensor([length for each in lengths for length in each])


def _sequence_of_labels(labels: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """Number of the sequence that each labelled position is of. labels: (rows, width). starts: of the sequences."""
    positions = labels.flatten().ne(IGNORED).nonzero().flatten()
    return torch.searchsorted(starts, positions, right=True) - 1


def _shifted(row: Row) -> list[int]:
    """Labels moved one to the left; the last token of a sequence predicts nothing, above all not the next one."""
    return _moved(row, "labels", IGNORED)


def _weights(row: Row) -> list[float]:
    """The same of their weights."""
    return _moved(row, "weights", 0.0)


def _moved(row: Row, name: str, nothing: Any) -> list[Any]:
    moved = [*row[name][1:], nothing]
    for end in accumulate(lengths_of(row)):
        moved[end - 1] = nothing
    return moved


def _restarting(lengths: Sequence[int], width: int) -> torch.Tensor:
    """0, 1, 2, … anew for each sequence; the padding at the end is one more."""
    rest = width - sum(lengths)
    return torch.cat([torch.arange(length) for length in (*lengths, rest)])
