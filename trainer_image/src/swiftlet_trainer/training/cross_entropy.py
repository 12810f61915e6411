"""Cross entropies and their gradients in two passes over the logits, as a GPU kernel.

PyTorch's operators would pass over them a dozen times, in fp32: with a vocabulary of 128,000 that is a megabyte and a
half for each position. Here the sum of exponentials is built up as the row is read (Milakov and Gimelshein 2018,
arXiv:1805.02867, algorithm 3), and the second pass leaves the gradient where the logits were.
"""

import torch
import triton
import triton.language as tl

LONGEST_BLOCK = 32768
"""Logits that are read at a time by the threads of one row."""
WARPS = {32768: 32, 16384: 16}
FEW_WARPS = 8


@triton.jit
def _row(  # type: ignore[no-untyped-def]  # Triton takes annotations for types of its own
    logits,
    stride,
    target,
    weights,
    losses,
    metrics,
    vocabulary,
    weighed: tl.constexpr,
    measured: tl.constexpr,
    block: tl.constexpr,
):
    """One position: (vocabulary,) logits become their gradient."""
    row = tl.program_id(0).to(tl.int64)
    logits += row * stride
    label = tl.load(target + row)
    wanted = tl.load(logits + label).to(tl.float32)
    largest, total, weighted = float("-inf"), 0.0, 0.0
    for start in range(0, vocabulary, block):
        columns = start + tl.arange(0, block)
        within = columns < vocabulary
        some = tl.load(logits + columns, mask=within, other=float("-inf")).to(tl.float32)
        before, largest = largest, tl.maximum(largest, tl.max(some))
        powers = tl.exp(some - largest)
        shrunk = tl.exp(before - largest)
        total = total * shrunk + tl.sum(powers)
        if measured:
            weighted = weighted * shrunk + tl.sum(tl.where(powers > 0.0, powers * some, 0.0))
    log_total = largest + tl.log(total)
    tl.store(losses + row, log_total - wanted)
    if measured:
        tl.store(metrics + 2 * row, log_total - weighted / total)
        tl.store(metrics + 2 * row + 1, (wanted == largest).to(tl.float32))
    for start in range(0, vocabulary, block):
        columns = start + tl.arange(0, block)
        within = columns < vocabulary
        some = tl.load(logits + columns, mask=within, other=float("-inf")).to(tl.float32)
        gradient = tl.exp(some - log_total) - tl.where(columns == label, 1.0, 0.0)
        if weighed:
            gradient *= tl.load(weights + row)
        tl.store(logits + columns, gradient.to(logits.dtype.element_ty), mask=within)


def cross_entropy_(
    logits: torch.Tensor, target: torch.Tensor, weights: torch.Tensor | None, measured: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """-log p(target), fp32, (positions,), in nats; `logits` become the gradient, softmax(logits) - onehot(target), each
    position's times its weight.

    logits: (positions, vocabulary), rows contiguous. target: (positions,). weights: fp32, (positions,); None for 1
    each. The second part, when measured, fp32, (positions, 2): the entropy in nats, and 1 where no logit is larger than
    the target's, else 0.
    """
    positions, vocabulary = logits.shape
    losses = torch.empty(positions, dtype=torch.float32, device=logits.device)
    metrics = torch.empty(positions, 2, dtype=torch.float32, device=logits.device) if measured else None
    block = min(LONGEST_BLOCK, triton.next_power_of_2(vocabulary))
    if positions:
        # What is not used needs an address all the same.
        _row[(positions,)](
            logits,
            logits.stride(0),
            target,
            losses if weights is None else weights,
            losses,
            losses if metrics is None else metrics,
            vocabulary,
            weights is not None,
            measured,
            block,
            num_warps=WARPS.get(block, FEW_WARPS),
        )
    return losses, metrics
