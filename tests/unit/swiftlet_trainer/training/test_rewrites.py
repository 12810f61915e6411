"""Rewrites of a model are tried on a small one: what means the same is done, and nothing else."""

import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from swiftlet.api.v1alpha1.tuner import Lora, Tuner
from swiftlet.wire.step_plan import Choice
from swiftlet_trainer.training.rewrites import OF_MODEL, Rewrite, rewrite_adapters, rewrite_model
from swiftlet_trainer.training.shrunk import shrunk
from swiftlet_trainer.tuners.apply import apply_tuner

PLAN: Any = SimpleNamespace(liger=Choice(False, "for GPUs"), norms=Choice("fused", ""), adapters=Choice("fused", ""))
TUNER = Tuner(lora=Lora(rank=4))
ODD = "odd ones (LlamaForCausalLM computes something else with them)"
IDS = torch.arange(3, 15).unsqueeze(0)


def asked(does: Callable[[Any], Any]) -> tuple[Rewrite, ...]:
    return (Rewrite("odd ones", lambda plan: Choice(True, ""), True, does),)


def rewritten(model: Any) -> list[str]:
    """Names of modules that are computed in another way."""
    return [name for name, module in model.named_modules() if "forward" in vars(module)]


def test_what_the_plan_asks_for_is_done_and_means_the_same(tiny: Any) -> None:
    before = tiny(input_ids=IDS).logits
    found = rewrite_model(tiny, PLAN)
    assert len(rewritten(tiny)) == 5, "all norms"
    tuned = apply_tuner(tiny, TUNER, seed=0)
    found += rewrite_adapters(tuned, TUNER, "tokens", PLAN)
    assert len(rewritten(tuned)) == 5 + 14, "and every layer that has an adapter"
    torch.testing.assert_close(tuned(input_ids=IDS).logits, before, atol=1e-4, rtol=1e-4)
    assert str(found) == (
        "rewritten: norms in one piece (5), adapters in one piece (14); left out: Liger's kernels (for GPUs)"
    )


@pytest.mark.parametrize(("head", "kind"), [("pool", "LlamaModel"), ("score", "LlamaForSequenceClassification")])
def test_models_with_another_head_are_tried_as_they_are(head: Any, kind: str) -> None:
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2}
    config = transformers.LlamaConfig(vocab_size=300, num_hidden_layers=2, **sizes)
    tuned = apply_tuner(getattr(transformers, kind)(config), TUNER, 0, head)
    assert rewrite_adapters(tuned, TUNER, head, PLAN).taken == ("adapters in one piece (14)",)
    assert len(rewritten(tuned)) == 14


def test_layers_that_are_named_one_by_one_may_lie_behind_the_first_few() -> None:
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 2}
    tuner = Tuner(lora=Lora(rank=4, target_modules=["layers.11.self_attn.q_proj"]))
    config = transformers.LlamaConfig(vocab_size=300, num_hidden_layers=12, **sizes)
    tuned = apply_tuner(transformers.LlamaForCausalLM(config), tuner, 0)
    assert rewrite_adapters(tuned, tuner, "tokens", PLAN).taken == ("adapters in one piece (1)",)
    assert len(rewritten(tuned)) == 1


def test_what_the_plan_does_not_ask_for_is_not_tried(tiny: Any) -> None:
    plan: Any = SimpleNamespace(liger=Choice(False, "for GPUs"), norms=Choice("own", "as written"))
    found = rewrite_model(tiny, plan)
    assert str(found) == "rewritten: nothing; left out: Liger's kernels (for GPUs), norms in one piece (as written)"
    assert rewritten(tiny) == []


def unnormed(model: Any) -> bool:
    """A norm that forgets to divide."""
    model.base_model.norm.forward = lambda hidden: hidden
    return True


def turned(model: Any) -> bool:
    """Positions of no account, for every model of the architecture."""
    sys.modules[type(model).__module__].apply_rotary_pos_emb = lambda query, key, *_others, **_options: (query, key)  # type: ignore[attr-defined]
    return True


def broken(model: Any) -> bool:
    raise RuntimeError("no kernel for heads of this size")


class CompilationError(Exception):
    """Triton's errors are of no kind that Python has."""


def uncompiled(model: Any) -> bool:
    raise CompilationError("no such type")


@pytest.mark.parametrize("does", [unnormed, turned, broken, uncompiled])
def test_what_means_something_else_is_left_out_and_said(tiny: Any, does: Callable[[Any], bool]) -> None:
    before = tiny(input_ids=IDS).logits
    found = rewrite_model(tiny, PLAN, (*asked(does), *OF_MODEL))
    assert found.left == (ODD, "Liger's kernels (for GPUs)")
    assert len(rewritten(tiny)) == 5, "those after it are done"
    torch.testing.assert_close(tiny(input_ids=IDS).logits, before, atol=1e-4, rtol=1e-4)


def test_adapters_that_are_left_out_would_show(tiny: Any) -> None:
    """New adapters add nothing, so the trial gives them something to add."""

    def without(tuned: Any) -> bool:
        for layer in tuned.modules():
            if hasattr(layer, "lora_A"):
                layer.forward = layer.base_layer.forward
        return True

    tuned = apply_tuner(tiny, TUNER, seed=0)
    assert rewrite_adapters(tuned, TUNER, "tokens", PLAN, asked(without)).left == (ODD,)
    assert rewritten(tuned) == []


def test_weights_that_are_not_here_need_not_be() -> None:
    """As under ZeRO-3, and random numbers go on as they were."""
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(num_hidden_layers=12))
    before, done = torch.get_rng_state(), list[Any]()
    found = rewrite_model(model, PLAN, [*asked(done.append), *asked(unnormed)])
    small, own = done
    assert (small.config.num_hidden_layers, own) == (8, model)
    assert found.left == ("odd ones (they fit nothing in LlamaForCausalLM)", ODD)
    assert torch.equal(torch.get_rng_state(), before)


def test_without_a_small_form_nothing_is_done(rigid: Any) -> None:
    left = rewrite_model(rigid, PLAN).left
    assert left == ("Liger's kernels (for GPUs)", "norms in one piece (Rigid has no small form to try them on)")


def test_a_small_model_may_have_few_layers() -> None:
    """Also where each layer's kind is said."""
    with torch.device("meta"):
        model = transformers.Gemma2ForCausalLM(transformers.Gemma2Config(num_hidden_layers=12))
    small = shrunk(model, layers=8)
    assert len(small.model.layers) == len(small.config.layer_types) == 8
    assert len(shrunk(model).model.layers) == 12
