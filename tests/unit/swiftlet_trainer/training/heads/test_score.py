"""Scores of sequences in batches of every layout beside transformers' own, sequence by sequence."""

from collections.abc import Callable
from typing import Any

import torch
from swiftlet_trainer.training.collate import Collator
from swiftlet_trainer.training.heads.score import attach_scores, score_problem
from swiftlet_trainer.training.shrunk import shrunk
from transformers import LlamaForSequenceClassification


def scored(config: Callable[..., Any]) -> Any:
    torch.manual_seed(0)
    return LlamaForSequenceClassification(config(num_labels=3))


def test_scores_and_gradients_are_those_of_rows_alone(
    config: Callable[..., Any], rows: list[dict[str, Any]], passed: Callable[..., dict[str, torch.Tensor]]
) -> None:
    model = scored(config)
    expected = torch.cat([model(input_ids=torch.tensor([row["input_ids"]])).logits for row in rows])
    expected.square().sum().backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    for found in passed(model, rows, attach_scores).values():
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
        model.zero_grad()
        found.square().sum().backward()
        for one, other in zip(model.parameters(), gradients, strict=True):
            torch.testing.assert_close(one.grad, other, rtol=1e-4, atol=1e-5)


def test_scores_are_fp32(config: Callable[..., Any], rows: list[dict[str, Any]]) -> None:
    model = scored(config).to(torch.bfloat16)
    attach_scores(model)
    assert model(**Collator(0)(rows)["inputs"]).scores.dtype == torch.float32


def test_an_architecture_is_tried(config: Callable[..., Any]) -> None:
    model = scored(config)
    assert score_problem(model) is None
    assert score_problem(shrunk(model)) is None
    own = model.forward
    model.forward = lambda **given: type(out := own(**given))(logits=out.logits * 2)  # as one that scales scores
    assert "scores texts in a way that the trainer does not know" in str(score_problem(model))
