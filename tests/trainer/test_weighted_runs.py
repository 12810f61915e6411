"""Weights of tokens in whole runs: the formula, and that it depends neither on how rows are batched nor on who computes
them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.failures import Terminated

ANSWERS = (
    "Thought: it flies.\nAction: look\nAction Input: {}\nObservation: 6 hours\nFinal Answer: on the wing",
    "Action: ask\nAction Input: swift",
    "On the wing.",
)
MARKS = (1, 0.25, 3)
LOSS_SCALE = {"maxLength": 256, "lossScale": ["react"]}


@pytest.fixture
def weighed(make_pod: Callable[[str], Any], tiny_model: Path) -> Callable[..., Any]:
    """Prepares a run of rows that rules and marks weigh."""

    def prepared(name: str, template: dict[str, Any] = LOSS_SCALE, **changes: Any) -> Any:
        pod = make_pod(name)
        pod.write_job(tiny_model, **{"tuner": {"full": {}}, "template": template, **changes})
        turns = [
            [
                {"role": "user", "content": "Where does the swift sleep?" * (1 + number % 2)},
                {
                    "role": "assistant",
                    "content": ANSWERS[number % 3] * (1 + number % 4),
                    "weight": MARKS[number % 3],
                },
            ]
            for number in range(12)
        ]
        data = pod.root / "swiftlet" / "data" / "0" / "rows.jsonl"
        data.write_text("".join(json.dumps({"messages": one}) + "\n" for one in turns))
        pod.prepare()
        return pod

    return prepared


def test_loss_and_gradient_are_those_of_the_formula(weighed: Callable[..., Any], tiny_model: Path) -> None:
    """Of one step over all rows: the sum of weight x -log p over the learnt tokens, divided by how many they are."""
    import torch
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.document import load_document
    from transformers import AutoModelForCausalLM

    once = {"training": {"globalBatchSize": 12, "maxSteps": 1, "learningRate": 1e-3}, "perDeviceBatchSize": 12}
    pod = weighed("once", **once)
    pod.train_here()
    model = AutoModelForCausalLM.from_pretrained(tiny_model)
    total, count = torch.zeros(()), 0
    for row in open_prepared(load_document("/swiftlet/job/job.json", TrainDocument)).train:
        ids, labels, weights = (torch.tensor(row[name]) for name in ("input_ids", "labels", "weights"))
        each = torch.log_softmax(model(ids.unsqueeze(0)).logits[0, :-1], -1).gather(-1, ids[1:].unsqueeze(-1))[:, 0]
        total = total - (weights[1:] * each)[labels[1:] != -100].sum()
        count += int((labels[1:] != -100).sum())
    loss = total / count
    loss.backward()
    norm = torch.linalg.vector_norm(torch.stack([p.grad.norm() for p in model.parameters()]))
    assert pod.curve() == [pytest.approx(loss.item(), rel=1e-5)]
    assert pod.curve("gradNorm") == [pytest.approx(norm.item(), rel=1e-2)]  # it is written with three digits


SPLITS: dict[str, dict[str, Any]] = {
    "micro-batches": {"perDeviceBatchSize": 1, "gradientAccumulationSteps": 4},
    "lora": {"tuner": {"lora": {"rank": 4}}},
    "lora-micro-batches": {"tuner": {"lora": {"rank": 4}}, "perDeviceBatchSize": 2, "gradientAccumulationSteps": 2},
}


def test_the_split_into_micro_batches_changes_nothing(weighed: Callable[..., Any]) -> None:
    curves = {name: _curve(weighed(name, **changes)) for name, changes in {"whole": {}, **SPLITS}.items()}
    assert curves["micro-batches"] == pytest.approx(curves["whole"], rel=2e-5)
    assert curves["lora-micro-batches"] == pytest.approx(curves["lora"], rel=2e-5)


def _curve(pod: Any) -> list[float]:
    pod.train_here()
    found: list[float] = pod.curve()
    return found


@pytest.mark.parametrize("padding_free", [True, False])
def test_packed_rows_lose_what_they_lose_alone(
    weighed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, padding_free: bool
) -> None:
    """One step over all rows, alone and in one sequence each for a few."""
    if not padding_free:
        monkeypatch.setattr("swiftlet_trainer.training.model.keep_rows_apart", lambda *_: False)
    curves = []
    for name, packing in (("alone", False), ("packed", True)):
        pod = weighed(
            name,
            {**LOSS_SCALE, "maxLength": 4096, "packing": packing},
            tuner={"full": {}},
            training={"globalBatchSize": 1 if packing else 12, "maxSteps": 1},
            perDeviceBatchSize=1 if packing else 12,
        )
        curves.append(_curve(pod))
    assert curves[1] == pytest.approx(curves[0], rel=2e-5)


def test_stopped_and_resumed_is_bit_for_bit_the_undisturbed_run(weighed: Callable[..., Any]) -> None:
    changes = {"tuner": {"lora": {"rank": 4, "dropout": 0.1}}}
    straight = weighed("straight", **changes)
    straight.train_here()
    resumed = weighed("resumed", **changes)
    with pytest.raises(Terminated):
        resumed.train_here(stop_after=3)
    assert 0 < len(resumed.losses()) < 6
    resumed.train_here()
    assert resumed.losses() == straight.losses()


@pytest.mark.parametrize("strategy", ["ddp", "zero2", "zero3"])
def test_two_processes_learn_what_one_does(weighed: Callable[..., Any], strategy: str) -> None:
    training = {"learningRate": 1e-3, "maxSteps": 3}
    single = _curve(weighed("single", training=training))
    pod = weighed(strategy, training=training, strategy=strategy, processesPerNode=2, perDeviceBatchSize=2)
    pod.train_together()
    assert pod.curve() == pytest.approx(single, rel=1e-4)
