"""Log-odds of two tokens behind sequences in batches of every layout, beside transformers' own logits."""

from collections.abc import Callable
from typing import Any

import torch
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.odds import OddsHead, attach_odds
from transformers import LlamaForCausalLM

HEAD = OddsHead(positive=7, negative=3)


def asked(config: Callable[..., Any]) -> Any:
    torch.manual_seed(0)
    return LlamaForCausalLM(config())


def test_scores_and_gradients_are_those_of_rows_alone(
    config: Callable[..., Any], rows: list[dict[str, Any]], passed: Callable[..., dict[str, torch.Tensor]]
) -> None:
    model = asked(config)
    last = [model(input_ids=torch.tensor([row["input_ids"]])).logits[:, -1].log_softmax(-1) for row in rows]
    expected = torch.cat([one[:, [7]] - one[:, [3]] for one in last])
    expected.square().sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    for found in passed(model, rows, lambda one: attach_odds(one, HEAD)).values():
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        model.zero_grad()
        found.square().sum().backward()
        for one, other in zip(model.parameters(), gradients, strict=True):
            torch.testing.assert_close(one.grad, other, rtol=1e-4, atol=1e-5)


def test_scores_are_fp32(config: Callable[..., Any], rows: list[dict[str, Any]]) -> None:
    model = asked(config).to(torch.bfloat16)
    attach_odds(model, HEAD)
    assert model(**Collator(0)(rows)["inputs"]).scores.dtype == torch.float32
