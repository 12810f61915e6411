"""Greedy answers, in batches padded on the left."""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from swiftlet_trainer.evaluate.likelihood import MAX_BATCH_TOKENS, batches


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[list[int]],
    max_tokens: int,
    batch_size: int,
    done: Callable[[int], None] = lambda count: None,
) -> list[tuple[str, int]]:
    """(answer, tokens) for each prompt of token ids, in order. The end token is not part of the answer.

    Greedy: the model's own sampling settings, penalties included, are left aside, so that two models differ by their
    weights only. An answer stops at an end token of the model or the tokenizer, or after `max_tokens` tokens.
    """
    settings = _settings(model, tokenizer, max_tokens)
    stops, found = set(settings.eos_token_id), dict[int, tuple[str, int]]()
    with torch.inference_mode():
        for batch in batches([len(ids) + max_tokens for ids in prompts], batch_size, 4 * MAX_BATCH_TOKENS):
            width = max(len(prompts[index]) for index in batch)
            padded = [[settings.pad_token_id] * (width - len(prompts[i])) + prompts[i] for i in batch]
            mask = [[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch]
            output = model.generate(
                input_ids=torch.tensor(padded, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                generation_config=settings,
            )
            for index, ids in zip(batch, output[:, width:].tolist(), strict=True):
                answer = _until(ids, stops)
                found[index] = (tokenizer.decode(answer, skip_special_tokens=True), len(answer))
            done(len(batch))
    return [found[index] for index in range(len(prompts))]


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Ids that end an answer: those of the model's generation settings and the tokenizer's own."""
    configured = model.generation_config.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    return sorted({token for token in [*listed, tokenizer.eos_token_id] if token is not None})


def padding_token(model: Any, tokenizer: Any) -> int:
    """An id to pad with; masked positions never count, so any id will do where the tokenizer names none."""
    if tokenizer.pad_token_id is not None:
        return int(tokenizer.pad_token_id)
    return next(iter(end_tokens(model, tokenizer)), 0)


def _settings(model: Any, tokenizer: Any, max_tokens: int) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_tokens,
        eos_token_id=end_tokens(model, tokenizer),
        pad_token_id=padding_token(model, tokenizer),
    )


def _until(ids: list[int], stops: set[int]) -> list[int]:
    for position, token in enumerate(ids):
        if token in stops:
            return ids[:position]
    return ids
