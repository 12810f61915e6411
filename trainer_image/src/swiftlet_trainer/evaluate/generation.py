"""Greedy answers, in batches padded on the left."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from swiftlet_trainer.evaluate.finite import finite_logits
from swiftlet_trainer.evaluate.likelihood import MAX_BATCH_TOKENS, batches
from swiftlet_trainer.models.vocabulary import padding_id
from swiftlet_trainer.templates.detokenizer import silent_tokens
from swiftlet_trainer.templates.end_token import stopping_tokens
from swiftlet_trainer.templates.speech import Speech
from swiftlet_trainer.templates.stops import cut


def generate(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[list[int]],
    max_tokens: int,
    batch_size: int,
    done: Callable[[int], None] = lambda count: None,
    kept: Collection[str] = (),
    stops: Sequence[str] = (),
) -> list[tuple[str, int]]:
    """(answer, tokens) for each prompt of token ids, in order. The end token is not part of the answer, nor are other
    control tokens but those in `kept`.

    Greedy: each token is the likeliest, whatever the model's generation config says, so that two models differ by their
    weights only. An answer stops at one of `end_tokens`, before the first of the texts `stops`, or after `max_tokens`
    tokens. Raises NotFiniteError.
    """
    from transformers import LogitsProcessorList, StoppingCriteriaList

    settings = _settings(model, tokenizer, max_tokens)
    ends, found = set(settings.eos_token_id), dict[int, tuple[str, int]]()
    silent = silent_tokens(tokenizer, [*kept, *stops])
    with torch.inference_mode(), own_settings_aside(model):
        for batch in batches([len(ids) + max_tokens for ids in prompts], batch_size, 4 * MAX_BATCH_TOKENS):
            width = max(len(prompts[index]) for index in batch)
            padded = [[settings.pad_token_id] * (width - len(prompts[i])) + prompts[i] for i in batch]
            mask = [[0] * (width - len(prompts[i])) + [1] * len(prompts[i]) for i in batch]
            spoken = [Speech(tokenizer, stops, kept) for _ in batch] if stops else []
            output = model.generate(
                input_ids=torch.tensor(padded, device=model.device),
                attention_mask=torch.tensor(mask, device=model.device),
                generation_config=settings,
                logits_processor=LogitsProcessorList([finite_logits(batch, width, settings.eos_token_id)]),
                stopping_criteria=StoppingCriteriaList([_stopped_by(spoken)] if stops else []),
            )
            for position, (index, ids) in enumerate(zip(batch, output[:, width:].tolist(), strict=True)):
                answer = _until(ids[: spoken[position].tokens] if stops else ids, ends)
                text = tokenizer.decode([token for token in answer if token not in silent])
                found[index] = (cut(text, stops), len(answer))
            done(len(batch))
    return [found[index] for index in range(len(prompts))]


@contextmanager
def own_settings_aside(model: Any) -> Iterator[None]:
    """Let `model` generate by what the caller sets alone.

    What a caller's GenerationConfig leaves open, transformers fills in from the model's own: penalties, forbidden and
    forced tokens, beams, and whatever a later version adds. A blank config stands in for it, so that nothing is filled
    in but transformers' neutral defaults. Source: transformers.generation.utils, _prepare_generation_config.
    """
    from transformers import GenerationConfig

    # PEFT keeps a reference of its own and puts it on the model that it wraps.
    wrapped = model.get_base_model() if hasattr(model, "get_base_model") else model
    holders = [model] if wrapped is model else [model, wrapped]
    own = wrapped.generation_config
    for holder in holders:
        holder.generation_config = GenerationConfig()
    try:
        yield
    finally:
        for holder in holders:
            holder.generation_config = own


def end_tokens(model: Any, tokenizer: Any) -> list[int]:
    """Ids that end an answer: those of the model's generation config, the tokenizer's, the chat template's."""
    return stopping_tokens(model.generation_config.eos_token_id, tokenizer)


def padding_token(model: Any, tokenizer: Any) -> int:
    """An id to pad with; masked positions never count."""
    return padding_id(tokenizer, model.get_input_embeddings().weight.shape[0])


def _settings(model: Any, tokenizer: Any, max_tokens: int) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_tokens,
        eos_token_id=end_tokens(model, tokenizer),
        pad_token_id=padding_token(model, tokenizer),
    )


def _stopped_by(answers: Sequence[Speech]) -> Callable[..., Any]:
    """A criterion of generate(): which rows have come to a stop text. It listens to their tokens."""

    def stopped(ids: Any, scores: Any, **_: Any) -> Any:
        for answer, token in zip(answers, ids[:, -1].tolist(), strict=True):
            if not answer.has_stopped:
                answer.push(token)
        return torch.tensor([answer.has_stopped for answer in answers], device=ids.device)

    return stopped


def _until(ids: list[int], ends: set[int]) -> list[int]:
    for position, token in enumerate(ids):
        if token in ends:
            return ids[:position]
    return ids
