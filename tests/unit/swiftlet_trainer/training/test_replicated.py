"""The engine of plain data parallelism, on one process."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from swiftlet.api.v1alpha1.training import Training
from swiftlet_trainer.parallel.peers import Peers
from swiftlet_trainer.training.replicated import OPTIMIZER_FILE, Replicated

ALONE = Peers(0, 1, torch.device("cpu"))
TOKENS = torch.arange(3, 23).view(2, 10)


def engine(model: Any, **training: Any) -> Replicated:
    masters = model.dtype == torch.bfloat16
    return Replicated(copy.deepcopy(model), ALONE, Training(**training), masters)


def steps(engine: Replicated, *rates: float) -> None:
    """A step by each learning rate, in two micro-batches."""
    for rate in rates:
        for tokens in TOKENS.split(1):
            loss = engine.wrapped(input_ids=tokens, labels=tokens).loss
            engine.backward(loss / 2, last=tokens is TOKENS[1:])
        engine.update(rate)


def weights(engine: Replicated) -> torch.Tensor:
    return torch.cat([each.detach().float().flatten() for each in engine.model.parameters()])


def test_a_step_is_that_of_the_optimizer_on_the_clipped_sum(tiny: Any) -> None:
    plain = copy.deepcopy(tiny)
    optimizer = torch.optim.AdamW(plain.parameters(), lr=3e-3, weight_decay=0.0)
    plain(input_ids=TOKENS, labels=TOKENS).loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 0.5)
    optimizer.step()
    ours = engine(tiny, max_grad_norm=0.5, weight_decay=0.0, learning_rate=1.0)
    for tokens in TOKENS.split(1):
        ours.backward(ours.wrapped(input_ids=tokens, labels=tokens).loss / 2, last=False)
    assert float(ours.update(3e-3)) == pytest.approx(float(norm), rel=1e-5)
    assert all(parameter.grad is None for parameter in ours.model.parameters())
    expected = torch.cat([each.detach().flatten() for each in plain.parameters()])
    # The first step of AdamW has the size of the rate, whatever the gradient is: nothing but noise where that is 0.
    known = torch.cat([each.grad.flatten() for each in plain.parameters()]).abs() > 1e-6
    assert known.float().mean() > 0.8
    assert torch.allclose(weights(ours)[known], expected[known], atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("earlier", [False, True], ids=["", "written by a release with a scheduler"])
def test_what_was_saved_goes_on_bit_for_bit(tiny: Any, tmp_path: Path, dtype: torch.dtype, earlier: bool) -> None:
    """A tied head is one weight; a scheduler of PyTorch leaves a key of its own in the optimizer's groups."""
    model = tiny.to(dtype)
    straight, stopped, resumed = engine(model), engine(model), engine(model)
    steps(straight, 1e-3, 5e-4)
    steps(stopped, 1e-3)
    if earlier:
        torch.optim.lr_scheduler.LambdaLR(stopped._optimizer, lambda _: 1.0)
    stopped.save(tmp_path, is_main=True)
    assert (tmp_path / OPTIMIZER_FILE).exists()
    resumed.load(tmp_path)
    steps(resumed, 5e-4)
    assert torch.equal(weights(resumed), weights(straight))
    assert not torch.equal(weights(stopped), weights(straight))


def test_other_processes_write_nothing_of_what_all_have_alike(tiny: Any, tmp_path: Path) -> None:
    engine(tiny).save(tmp_path, is_main=False)
    assert not list(tmp_path.iterdir())


def test_weights_of_another_model_are_refused(tiny: Any, tmp_path: Path) -> None:
    from transformers import LlamaForCausalLM

    engine(tiny).save(tmp_path, is_main=True)
    deeper = copy.deepcopy(tiny.config)
    deeper.num_hidden_layers = 3
    with pytest.raises(RuntimeError, match=r"Missing key|layers\.2"):
        engine(LlamaForCausalLM(deeper)).load(tmp_path)
