"""NEFTune's noise: as far as transformers', of each sequence by its own length, and in training alone."""

from typing import Any

import pytest
import torch
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from swiftlet_trainer.training.noise import add_noise
from transformers.integrations.neftune import neftune_post_forward_hook

ALPHA = 5.0


@pytest.fixture
def noted(tiny: Any) -> Any:
    """A model with noise, and what it last embedded with and without."""
    seen: dict[str, torch.Tensor] = {}
    embedding = tiny.get_input_embeddings()
    embedding.register_forward_hook(lambda _module, _args, output: seen.update(clean=output.detach()))
    add_noise(tiny, ALPHA)
    embedding.register_forward_hook(lambda _module, _args, output: seen.update(noisy=output.detach()))
    return tiny, seen


def inputs(*lengths: int, **collator: Any) -> dict[str, Any]:
    rows = [{"input_ids": [7] * length, "labels": [7] * length} for length in lengths]
    return Collator(0, **collator)(rows)["inputs"]


def test_it_is_transformers_noise_on_a_row(noted: Any) -> None:
    model, seen = noted
    attach_token_scores(model)
    model.train()
    torch.manual_seed(3)
    model(**inputs(10))
    module = torch.nn.Identity().train()
    module.neftune_noise_alpha = ALPHA
    torch.manual_seed(3)
    theirs = neftune_post_forward_hook(module, None, seen["clean"])
    torch.testing.assert_close(seen["noisy"], theirs)
    assert not torch.equal(seen["noisy"], seen["clean"])


@pytest.mark.parametrize("joined", [False, True])
def test_it_reaches_as_far_as_a_sequences_own_length_says(noted: Any, joined: bool) -> None:
    model, seen = noted
    attach_token_scores(model)
    assert not joined or keep_rows_apart(model, ROW_BY_ROW, 64)
    model.train()
    torch.manual_seed(0)
    batch = inputs(40, 5, padding_free=joined)
    model(**batch)
    noise = (seen["noisy"] - seen["clean"]).flatten(0, 1)
    for (start, end), length in zip(batch["bounds"].tolist(), (40, 5), strict=True):
        most = ALPHA / (length * noise.shape[-1]) ** 0.5
        assert 0.9 * most < noise[start:end].abs().max() <= most + 1e-6
    padding = torch.ones(len(noise), dtype=torch.bool)
    for start, end in batch["bounds"].tolist():
        padding[start:end] = False
    assert not noise[padding].any()


def test_outside_of_training_there_is_none_and_no_random_number_is_drawn(noted: Any) -> None:
    model, seen = noted
    attach_token_scores(model)
    model.eval()
    before = torch.get_rng_state()
    model(**inputs(10))
    assert torch.equal(seen["noisy"], seen["clean"])
    assert torch.equal(before, torch.get_rng_state())
