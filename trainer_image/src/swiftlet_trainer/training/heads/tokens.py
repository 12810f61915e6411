"""Log-probabilities of labelled tokens, with their gradients from the same pass.

The head of a language model costs vocabulary x hidden multiplications per position and its logits are the largest
tensor of a step. Prompts and padding carry no label, so nothing is computed there; the rest is done in chunks, so that
memory does not grow with vocabulary x length.

log p(t) depends on no other hidden state than its own position's, so dL/dh = dL/dlogp dlogp/dh, position by position.
The second factor is computed while the logits exist; the first comes from whatever the loss makes of the
log-probabilities. So any loss of them is exact, and logits are computed once.
"""

import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.utils.checkpoint import checkpoint
from transformers.utils import ModelOutput

from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.hardware import has_c_compiler
from swiftlet_trainer.parallel.shards import is_sharded
from swiftlet_trainer.training.heads.backbone import hidden_states
from swiftlet_trainer.training.logits import Logits, logits_of

CHUNK_BYTES = {"cpu": 256 << 20}
"""fp32 logits of one chunk, by the type of device. Others want larger matrix products than a CPU."""
ACCELERATOR_CHUNK_BYTES = 1 << 30
BLOCK_BYTES = 8 << 20
"""fp32 logits that a CPU works on at once: they stay in its cache."""
FLOAT_BYTES = 4
TILE = 128
"""Positions that a matrix product computes at a time; what is left over costs as much as a whole tile."""

Want = frozenset[Literal["entropy", "top1", "log_sum_sq"]]
"""What to tell of the predictions beside the log-probabilities."""
NOTHING: Want = frozenset()


@dataclass
class TokenScores(ModelOutput):  # type: ignore[misc]
    """What a forward pass returns: fp32 tensors of shape (N,), for the N labelled tokens of a batch in its order."""

    logprob: torch.Tensor
    """Natural logarithms of the tokens' probabilities; the loss is a function of them. With label smoothing, of which
    they are the whole: (1 - smoothing) log p of the token + smoothing x the mean of log p over the vocabulary."""
    entropy: torch.Tensor | None = None
    """Of the predictions, in nats, without a gradient. None where it is not asked for."""
    top1: torch.Tensor | None = None
    """1 where the token was the likeliest, else 0. None where it is not asked for."""
    log_sum_sq: torch.Tensor | None = None
    """log of the sum of all squared probabilities, without a gradient. None where it is not asked for."""
    weight: torch.Tensor | None = None
    """Of each token in the loss, as the batch says. None: 1 each."""


def attach_token_scores(
    model: nn.Module, want: Want = NOTHING, is_linear: bool = False, smoothing: float = 0.0
) -> None:
    """Make `model(input_ids, labels=...)` return the scores of the labelled tokens, as TokenScores.

    model: a causal language model of transformers, before it is wrapped by PEFT, DDP or DeepSpeed: their hooks run on
    forward, so the head must be part of it. `labels` are already shifted (see collate.Collator); `weights`, of the same
    shape, are those of the labels. is_linear, smoothing: see token_scores.
    """

    def forward(
        self: Any,
        input_ids: torch.Tensor,
        labels: torch.Tensor,
        weights: torch.Tensor | None = None,
        position_ids: torch.Tensor | None = None,
        cu_seq_lens_q: torch.Tensor | None = None,
        max_length_q: int | None = None,
        **_unused: Any,
    ) -> TokenScores:
        hidden = hidden_states(self.base_model, input_ids, position_ids, cu_seq_lens_q, max_length_q)
        labelled = labels.reshape(-1).ne(IGNORED).nonzero().squeeze(-1)
        chosen = hidden.index_select(0, labelled)
        targets = labels.reshape(-1).index_select(0, labelled)
        weight = None if weights is None else weights.reshape(-1).index_select(0, labelled)
        return token_scores(chosen, targets, logits_of(self), want, weight, is_linear, smoothing)

    model.forward = types.MethodType(forward, model)  # type: ignore[method-assign]


def token_scores(
    hidden: torch.Tensor,
    targets: torch.Tensor,
    logits: Logits,
    want: Want = NOTHING,
    weight: torch.Tensor | None = None,
    is_linear: bool = False,
    smoothing: float = 0.0,
) -> TokenScores:
    """log p(target) of each position, and what else is wanted of the predictions there.

    hidden: (N, hidden). targets: (N,). weight: fp32, (N,). is_linear: the loss is a multiple of the sum of
    weight x logprob, so that what a position adds to the gradient of a head that is trained is known before the loss
    is; another loss is then refused in the backward pass. Without it, logits are computed again there if the head is
    trained. No positions give no log-probabilities, with a gradient of 0. smoothing: share of each target that is
    spread over the vocabulary (arXiv:1512.00567, section 7); the gradient is that of the whole.
    """

    def score(part: torch.Tensor, target: torch.Tensor, weight: torch.Tensor | None = None, last: bool = False) -> Any:
        found = logits(part)
        if not found.requires_grad:
            return _in_blocks(found, target, None, want, smoothing, leaves_gradient=False)
        return _CrossEntropy.apply(found, target, weight, want, smoothing, last)  # type: ignore[no-untyped-call]

    size = _positions(chunk_bytes(hidden.device), logits.vocabulary)
    parameters = list(logits.head.parameters())
    trained = [parameter for parameter in parameters if parameter.requires_grad]
    # ZeRO-3 takes weights away between the passes, and with them the shape of a gradient that is handed on later.
    comes_and_goes = any(is_sharded(parameter) for parameter in parameters)
    if torch.is_grad_enabled() and not comes_and_goes and (is_linear or not trained):
        known = weight if trained else None
        nll, *metrics = _AtOnce.apply(score, size, hidden, targets, known, *trained)  # type: ignore[no-untyped-call]
    else:
        nll, *metrics = _checkpointed(score, size, hidden, targets)
    entropy, top1, log_sum_sq = metrics
    return TokenScores(-nll, entropy, top1, log_sum_sq, weight)


def chunk_bytes(device: torch.device) -> int:
    """Bytes of the fp32 logits that exist at once on `device`."""
    return CHUNK_BYTES.get(device.type, ACCELERATOR_CHUNK_BYTES)


def _positions(limit: int, vocabulary: int) -> int:
    """How many positions' logits take `limit` bytes: whole tiles of a matrix product."""
    found = max(1, limit // (FLOAT_BYTES * vocabulary))
    return found // TILE * TILE or found


Scores = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None, torch.Tensor | None]
"""-logprob, entropy, top1 and log_sum_sq of TokenScores."""
Score = Callable[..., Scores]
"""From hidden states, (positions, hidden), targets, (positions,), and weights, (positions,) or None, by which gradients
are multiplied; `last`: the gradient that comes back is 1 each."""


def _joined(parts: list[Scores]) -> Scores:
    return tuple(None if each[0] is None else torch.cat(each) for each in zip(*parts, strict=True))  # type: ignore[return-value,arg-type]


def _checkpointed(score: Score, size: int, hidden: torch.Tensor, targets: torch.Tensor) -> Scores:
    """`size` positions at a time. Their logits are computed again in the backward pass, so few exist at a time."""
    parts = list(zip(hidden.split(size), targets.split(size), strict=True))
    if len(parts) == 1:
        return score(*parts[0])
    return _joined([checkpoint(score, *part, use_reentrant=False) for part in parts])


class _AtOnce(torch.autograd.Function):
    """`size` positions at a time, each time with the gradient: logits are computed once, and few exist at a time.

    Source: Liger Kernel, arXiv:2410.10989, section 3.2, FusedLinearCrossEntropy, which does so for a sum; here each
    position's gradient awaits the factor of its own.
    """

    @staticmethod
    def forward(
        ctx: Any,
        score: Score,
        size: int,
        hidden: torch.Tensor,
        targets: torch.Tensor,
        weight: torch.Tensor | None,
        *trained: torch.Tensor,
    ) -> Scores:
        """trained: parameters of the head that are. weight: of the positions in their gradient; None for 1 each."""
        of_hidden, of_head = torch.empty_like(hidden), [torch.zeros_like(parameter) for parameter in trained]
        weights = [None] * len(targets.split(size)) if weight is None else weight.split(size)
        found = []
        for part, target, known, gradient in zip(
            hidden.split(size), targets.split(size), weights, of_hidden.split(size), strict=True
        ):
            with torch.enable_grad():
                leaf = part.detach().requires_grad_()
                found.append(score(leaf, target, known, last=True))
                own, *shared = torch.autograd.grad(found[-1][0].sum(), (leaf, *trained))
            gradient.copy_(own)
            for whole, more in zip(of_head, shared, strict=True):
                whole += more
        ctx.save_for_backward(of_hidden, weight, *of_head)
        scores = _joined(found)
        ctx.mark_non_differentiable(*(one for one in scores[1:] if one is not None))
        return scores

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor, *_others: None) -> tuple[torch.Tensor | None, ...]:
        # In place: autograd refuses a second backward pass through the same scores, as their graph is freed anyway.
        of_hidden, weight, *of_head = ctx.saved_tensors
        if not of_head:
            return None, None, _scaled(of_hidden, grad), None, None
        factor = _common_factor(grad, weight)
        return None, None, of_hidden.mul_(factor), None, None, *(gradient.mul_(factor) for gradient in of_head)


def _common_factor(grad: torch.Tensor, weight: torch.Tensor | None) -> torch.Tensor:
    """What all of `weight`, 1 each if None, are multiplied by to give `grad`; a scalar, 0 if there are none.

    Raises RuntimeError when there is no such number: each position's share of the head's gradient is summed up by then.
    """
    if not len(grad):
        return grad.sum()
    # Selected by a tensor and not by a number, which a GPU would have to be waited for.
    weight = torch.ones_like(grad) if weight is None else weight
    largest = weight.abs().argmax(keepdim=True)
    of_largest = weight.index_select(0, largest)
    factor = torch.where(of_largest == 0, 0.0, grad.index_select(0, largest) / of_largest).squeeze(0)
    is_linear = torch.isclose(grad, factor * weight, rtol=1e-4, equal_nan=True).all()
    torch._assert_async(is_linear, "the loss is no multiple of the sum of weight x logprob, as is_linear said")
    return factor


class _CrossEntropy(torch.autograd.Function):
    """-log p(target) that leaves its gradient where the logits were.

    What autograd would keep of it, the logits in fp32 and their logarithms, is several times what the logits take. The
    gradient, softmax(logits) - onehot(target), needs nothing but the logits, so it is computed in the same pass, a
    block of positions at a time, and written over them: whoever made the logits must not need them again.
    """

    @staticmethod
    def forward(
        ctx: Any,
        logits: torch.Tensor,
        target: torch.Tensor,
        weight: torch.Tensor | None,
        want: Want,
        smoothing: float,
        last: bool,
    ) -> Scores:
        """logits: (positions, vocabulary), spent afterwards. target: (positions,). weight: see Score."""
        ctx.last = last
        if logits.is_cuda and has_c_compiler() and "log_sum_sq" not in want and not smoothing:
            from swiftlet_trainer.training.cross_entropy import cross_entropy_

            nll, metrics = cross_entropy_(logits, target, weight, bool(want))
            entropy, top1 = (None, None) if metrics is None else metrics.unbind(-1)
            scores: Scores = (nll, entropy if "entropy" in want else None, top1 if "top1" in want else None, None)
        else:
            scores = _in_blocks(logits, target, weight, want, smoothing, leaves_gradient=True)
        ctx.save_for_backward(logits)
        ctx.mark_non_differentiable(*(one for one in scores[1:] if one is not None))
        return scores

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, grad: torch.Tensor, *_others: None) -> tuple[torch.Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient if ctx.last else _scaled(gradient, grad), None, None, None, None, None


def _in_blocks(
    logits: torch.Tensor,
    target: torch.Tensor,
    weight: torch.Tensor | None,
    want: Want,
    smoothing: float,
    leaves_gradient: bool,
) -> Scores:
    """Scores of logits, (positions, vocabulary), which become the gradient of weight x -logprob if one is left."""
    size = _block(logits)
    weights = [None] * len(target.split(size)) if weight is None else weight.split(size)
    found: list[Scores] = []
    for block, wanted, factor in zip(logits.split(size), target.unsqueeze(-1).split(size), weights, strict=True):
        gradient = nn.functional.log_softmax(block, -1, dtype=torch.float32)
        nll = -gradient.gather(-1, wanted).squeeze(-1)
        if smoothing:
            nll = (1 - smoothing) * nll - smoothing * gradient.mean(-1)
        top1 = gradient.argmax(-1, keepdim=True).eq(wanted).float().squeeze(-1) if "top1" in want else None
        if leaves_gradient or want & {"entropy", "log_sum_sq"}:
            gradient.exp_()
        entropy = torch.special.entr(gradient).sum(-1) if "entropy" in want else None
        found.append((nll, entropy, top1, gradient.square().sum(-1).log() if "log_sum_sq" in want else None))
        if leaves_gradient:
            if smoothing:
                gradient -= smoothing / gradient.shape[-1]
            gradient.scatter_add_(-1, wanted, gradient.new_full(wanted.shape, smoothing - 1.0))
            block.copy_(gradient if factor is None else gradient.mul_(factor.unsqueeze(-1)))
    return _joined(found)


def _block(rows: torch.Tensor) -> int:
    """Rows to work on at once; all of them on an accelerator."""
    return max(1, len(rows) if rows.is_cuda else BLOCK_BYTES // (FLOAT_BYTES * rows.shape[-1]))


def _scaled(rows: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """`rows`, (positions, …), in place, each times its factor, fp32: rounded once."""
    size = _block(rows)
    for block, factor in zip(rows.split(size), factors.split(size), strict=True):
        block.mul_(factor.unsqueeze(-1))
    return rows
