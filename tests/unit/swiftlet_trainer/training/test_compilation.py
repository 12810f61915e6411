"""Compiled layers compute what the others do; where they cannot be compiled, the run goes on."""

from pathlib import Path
from typing import Any

import pytest
import torch
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.attention import ROW_BY_ROW, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.compilation import compile_layers, eagerly
from swiftlet_trainer.training.heads.score import attach_scores
from swiftlet_trainer.training.heads.tokens import attach_token_scores


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is compiled once for all: the headers that every layer includes."""
    return tmp_path_factory.mktemp("compiled")


def row(length: int, seed: int) -> dict[str, Any]:
    tokens = torch.randint(3, 49000, (length,), generator=torch.Generator().manual_seed(seed)).tolist()
    return {"input_ids": tokens, "labels": [-100] * (length // 2) + tokens[length // 2 :], "length": length}


def packed(*rows: dict[str, Any]) -> dict[str, Any]:
    joined = {name: [each for one in rows for each in one[name]] for name in ("input_ids", "labels")}
    return {**joined, "seq_lengths": [one["length"] for one in rows]}


def gradients(model: Any, batch: dict[str, torch.Tensor]) -> tuple[float, dict[str, torch.Tensor]]:
    model.zero_grad(set_to_none=True)
    loss = nll(model(**batch))
    loss.backward()
    trained = {name: each.grad.clone() for name, each in model.named_parameters() if each.requires_grad}
    return loss.item(), trained


@pytest.mark.timeout(1800)  # as below
def test_layers_below_a_score_are_compiled_too(cache: Path) -> None:
    """Whose batches say where sequences end, and whose outputs are not of tokens."""
    from transformers import LlamaConfig, LlamaForSequenceClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_attention_heads": 2, "num_key_value_heads": 2}
    model = LlamaForSequenceClassification(LlamaConfig(vocab_size=300, num_hidden_layers=1, num_labels=3, **sizes))
    assert keep_rows_apart(model, ROW_BY_ROW, 128)
    attach_scores(model)
    collator = Collator(0, padding_free=True)
    batch = collator([{"input_ids": [*range(3, end)], "labels": [*range(3, end)]} for end in (8, 12, 33)])["inputs"]

    def computed() -> tuple[torch.Tensor, ...]:
        scores = model(**batch).scores
        return scores, *torch.autograd.grad(scores.square().sum(), [*model.parameters()])

    expected = computed()
    said = compile_layers(model, collator, 2, cache)
    assert said.reason == "Compiled", said.message
    for found, wanted in zip(computed(), expected, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.timeout(1800)  # to compile takes a minute of both cores, and other tests run beside it
@pytest.mark.parametrize("packs", [False, True], ids=["padded", "packed"])
def test_loss_and_gradients_are_those_of_the_plain_layers(smollm2: Path, cache: Path, packs: bool) -> None:
    """On three layers of the real model with adapters, for rows of lengths that were not tried, and a last batch of
    another size."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    as_trained: dict[str, Any] = {"dtype": torch.float32, "attn_implementation": "sdpa"}
    base = AutoModelForCausalLM.from_pretrained(smollm2, num_hidden_layers=3, **as_trained)
    if packs:
        assert keep_rows_apart(base, ROW_BY_ROW, 128)
    attach_token_scores(base)
    adapter = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False)
    model: Any = get_peft_model(base, adapter).train()
    collator = Collator(2, packed=packs)
    batches = (
        [collator([packed(row(23, 1), row(41, 2))]), collator([packed(row(9, 3), row(30, 4), row(12, 5))])]
        if packs
        else [collator([row(50, 1), row(37, 2), row(9, 4)]), collator([row(21, 3), row(30, 5)])]
    )
    expected = [gradients(model, batch["inputs"]) for batch in batches]
    said = compile_layers(model, collator, 1 if packs else 3, cache)
    assert said.reason == "Compiled", said.message
    assert said.message.startswith("3 layers in ")
    assert any(cache.rglob("*.so")), "what was compiled is kept in the folder"
    for batch, (loss, wanted) in zip(batches, expected, strict=True):
        found, tuned = gradients(model, batch["inputs"])
        assert found == pytest.approx(loss, rel=1e-5)
        for name, gradient in tuned.items():
            torch.testing.assert_close(gradient, wanted[name], rtol=1e-3, atol=1e-3 * float(wanted[name].abs().max()))
    with eagerly():
        assert gradients(model, batches[0]["inputs"])[0] == expected[0][0], (
            "evaluation goes the plain way, to the last bit"
        )


def test_the_last_of_several_threads_ends_what_the_first_began() -> None:
    import torch._dynamo.eval_frame as compiler

    first, second = eagerly(), eagerly()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert compiler._stance.stance == "force_eager"
    second.__exit__(None, None, None)
    assert compiler._stance.stance == "default"


def test_a_compiler_that_fails_leaves_the_model_as_it_was(tiny: Any, tmp_path: Path) -> None:
    attach_token_scores(tiny)
    batch = Collator(0)([{"input_ids": [5, 6, 7], "labels": [5, 6, 7]}])["inputs"]
    expected, _ = gradients(tiny, batch)
    tiny.zero_grad()
    torch._dynamo.reset()
    with torch._inductor.config.patch({"cpp.cxx": (None, "/bin/false")}):
        said = compile_layers(tiny, Collator(0), 2, tmp_path)
    assert said.reason == "CompileFailed"
    assert said.message.startswith("the run goes on without it: ")
    assert "false" in said.message
    assert all(parameter.grad is None for parameter in tiny.parameters())
    assert gradients(tiny, batch)[0] == expected
