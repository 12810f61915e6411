"""What a step is computed with on a GPU, beside fp32 on the CPU with masks and full logits."""

import copy
from typing import Any

import pytest
import torch
from swiftlet_trainer.data.encode import IGNORED
from swiftlet_trainer.tasks.sft.loss import nll
from swiftlet_trainer.training.attention import VARLEN, keep_rows_apart
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.compilation import compile_layers
from swiftlet_trainer.training.heads.tokens import attach_token_scores
from swiftlet_trainer.training.liger import use_liger
from swiftlet_trainer.training.norms import fuse_rms_norms
from swiftlet_trainer.tuners.fused_lora import fuse_lora

LENGTHS = (70, 13, 130)


def rows() -> list[dict[str, Any]]:
    tokens = torch.randint(3, 300, (sum(LENGTHS),), generator=torch.Generator().manual_seed(1)).tolist()
    labels = [token if number % 3 else IGNORED for number, token in enumerate(tokens)]
    return [{"input_ids": tokens, "labels": labels, "seq_lengths": list(LENGTHS)}]


def on_cuda(batch: dict[str, Any]) -> dict[str, Any]:
    return {name: each.cuda() if isinstance(each, torch.Tensor) else each for name, each in batch.items()}


def learnt(model: Any, batch: dict[str, Any]) -> tuple[float, torch.Tensor]:
    """Loss and gradients."""
    model.zero_grad(set_to_none=True)
    loss = nll(model(**batch))
    loss.backward()
    gradients = [each.grad.float().flatten().cpu() for each in model.parameters() if each.requires_grad]
    return float(loss), torch.cat(gradients)


def with_adapters(model: Any) -> Any:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(2)
    config = LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False, task_type="CAUSAL_LM")
    return get_peft_model(model, config, autocast_adapter_dtype=False)


def test_no_row_sees_another(tiny: Any) -> None:
    model = tiny.to(torch.bfloat16).cuda().eval()
    assert keep_rows_apart(model, VARLEN, 512)
    batch = on_cuda(Collator(0, packed=True, padding_free=True)(rows())["inputs"])
    for name in ("labels", "bounds"):  # of the heads
        batch.pop(name)
    with torch.no_grad():
        before = model.base_model(**batch).last_hidden_state
        batch["input_ids"][0, 75] = 5
        after = model.base_model(**batch).last_hidden_state
    same = (before == after).all(-1)[0]
    assert same[:75].all() and same[83:].all()
    assert not same[75:83].any()


@pytest.mark.parametrize("way", ["plain", "fused norms", "liger", "compiled"])
def test_loss_and_gradients(tiny: Any, tmp_path: Any, way: str) -> None:
    """As near to fp32 as the masked, padded bf16 step is."""
    exact = with_adapters(copy.deepcopy(tiny))
    attach_token_scores(exact.get_base_model())
    packed = Collator(0, packed=True)(rows())["inputs"]
    loss, gradients = learnt(exact, packed)

    masked = copy.deepcopy(exact).to(torch.bfloat16).cuda()
    masked_loss, masked_gradients = learnt(masked, on_cuda(packed))

    base = tiny.to(torch.bfloat16).cuda()
    if way == "liger":
        assert use_liger(base)
    assert keep_rows_apart(base, VARLEN, 512)
    if way == "fused norms":
        assert fuse_rms_norms(base) == 5
    attach_token_scores(base)
    ours = with_adapters(base)
    fuse_lora(ours)
    collator = Collator(0, packed=True, padding_free=True)
    if way == "compiled":
        said = compile_layers(ours, collator, 1, tmp_path)
        assert said.reason == "Compiled", said.message
    our_loss, our_gradients = learnt(ours, on_cuda(collator(rows())["inputs"]))
    assert our_loss == pytest.approx(loss, rel=5e-3)
    assert masked_loss == pytest.approx(loss, rel=5e-3)
    assert (our_gradients - gradients).norm() < 1.2 * (masked_gradients - gradients).norm()
