"""Runs that learn from pairs of answers, or from judged ones: what they learn, and that it does not depend on how they
are computed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import TrainDocument
from swiftlet_trainer.document import load_document
from swiftlet_trainer.failures import InvalidInput, Terminated, failure_of
from swiftlet_trainer.training.reference import reference_file

TASKS = {
    "dpo": {"dpo": {}},
    "dpo of several losses": {
        "dpo": {"lossTypes": ["sigmoid", "bco_pair", "sft"], "lossWeights": [0.8, 0.2, 1], "ldAlpha": 0.5}
    },
    "dpo of sorted pairs": {"dpo": {"lossTypes": ["sigmoid", "aot", "aot_unpaired"], "labelSmoothing": 0.1}},
    "wpo": {"dpo": {"useWeighting": True, "rpoAlpha": 0.1}},
    "orpo": {"orpo": {}},
    "cpo": {"cpo": {}},
    "simpo": {"simpo": {"cpoAlpha": 0}},
    "kto": {"kto": {}},
}


PACKED = {"packing": True, "maxLength": 256}


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_the_margin_grows(trained: Callable[..., Any], task: Any) -> None:
    pod = trained("pod", task)
    margins = pod.curve("rewardsMargins")
    assert pod.curve()[-1] < pod.curve()[0]
    assert margins[-1] > margins[0]
    assert "dpo" not in task or pod.curve("rewardsAccuracies")[-1] == 1
    result = json.loads((pod.output / "result.json").read_text())
    assert result["progress"]["rewardsMargins"] == list(pod.figures("rewardsMargins").values())[-1]
    assert result["lastLines"].endswith("\nphase message=writing the artifact")


def test_the_first_step_is_that_of_the_reference(trained: Callable[..., Any]) -> None:
    """Before anything is learnt the ratios are 0: -log sigmoid(0), and nobody is ahead."""
    pod = trained("pod", {"dpo": {}})
    assert pod.curve()[0] == pytest.approx(0.6931472, abs=1e-5)
    assert pod.curve("rewardsMargins")[0] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    "task",
    [TASKS[name] for name in ("dpo of several losses", "dpo of sorted pairs", "wpo", "simpo", "kto")],
    ids=["dpo", "aot", "wpo", "simpo", "kto"],
)
def test_what_is_learnt_does_not_depend_on_the_batches(trained: Callable[..., Any], task: Any) -> None:
    whole = trained("whole", task)
    split = trained("split", task, perDeviceBatchSize=1, gradientAccumulationSteps=4)
    for figure in ("rewardsMargins", "gradNorm", "kl"):
        assert split.curve(figure) == pytest.approx(whole.curve(figure), rel=2e-2, abs=2e-3)
    assert split.curve() == pytest.approx(whole.curve(), rel=1e-4)


@pytest.mark.parametrize("task", ["dpo", "orpo", "kto"])
def test_prompts_that_are_computed_once_teach_what_whole_rows_do(
    trained: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    once = trained("once", TASKS[task])
    monkeypatch.setattr("swiftlet_trainer.training.layout._unshared", lambda *_: "it is tried")
    whole = trained("whole", TASKS[task])
    assert once.curve() == pytest.approx(whole.curve(), rel=1e-4)
    assert once.curve("rewardsMargins") == pytest.approx(whole.curve("rewardsMargins"), rel=2e-2, abs=2e-3)


def test_a_run_of_every_weight_needs_no_second_model(trained: Callable[..., Any]) -> None:
    pod = trained("pod", {"dpo": {}}, rate=1e-3, tuner={"full": {}})
    assert pod.curve()[0] == pytest.approx(0.6931472, abs=1e-5)
    assert pod.curve()[-1] < 0.6


def test_what_kto_compares_with_is_a_mean_over_the_whole_step(trained: Callable[..., Any], all_tokens: Path) -> None:
    """Of the answers to other prompts, each computed alone with the weights before that step."""
    changes = {"perDeviceBatchSize": 2, "gradientAccumulationSteps": 2}
    pod = trained(
        "pod", TASKS["kto"], steps=3, model=all_tokens, checkpoints={"intervalSteps": 2, "keep": 2}, **changes
    )
    expected = mean_log_ratio(all_tokens, pod.output / "checkpoints" / pod.checkpoints()[0], step=2)
    assert expected > 0.05, "what was learnt shows in other answers"
    assert (pod.curve()[0], pod.curve("kl")[0]) == pytest.approx((0.5, 0), abs=1e-4)
    assert pod.curve("kl")[2] == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize("task", ["dpo", "kto"])
def test_held_out_answers_are_compared_too(make_pod: Callable[[str], Any], tiny_model: Path, task: str) -> None:
    pod = make_pod("pod")
    pod.write_job(
        tiny_model, task={task: {}}, training={"evalFraction": 0.2}, template={"packing": True, "maxLength": 256}
    )
    pod.prepare()
    pod.train_here()
    losses = {"dpo": 0.69, "kto": 0.5}
    assert 0 < pod.curve("evalLoss")[-1] < losses[task]
    assert task != "dpo" or pod.curve("evalRewardsAccuracies") == [1, 1, 1]
    assert pod.curve("evalRewardsMargins")[-1] > 0.05


@pytest.mark.parametrize("task", ["dpo", "kto"])
def test_a_resumed_run_is_the_same_run(make_pod: Callable[[str], Any], tiny_model: Path, task: str) -> None:
    """Bit for bit, and with the reference of its beginning; noise on embeddings is drawn as it would have been."""
    training = {"learningRate": 1e-3, "neftuneNoiseAlpha": 5}
    curves = []
    for name in ("through", "stopped"):
        pod = make_pod(name)
        pod.write_job(tiny_model, task={task: {}}, tuner={"full": {}}, training=training)
        pod.prepare()
        if name == "stopped":
            with pytest.raises(Terminated, match="stopped after step"):
                pod.train_here(stop_after=9 if task == "dpo" else 8)
            assert 0 < len(pod.losses()) < 6
        pod.train_here()
        curves.append(pod.losses())
    assert curves[0] == curves[1]


def test_the_reference_pass_stops_when_asked_and_begins_anew(pod_of_pairs: Any) -> None:
    with pytest.raises(Terminated, match="nothing was learnt yet"):
        pod_of_pairs.train_here(stop_after=1)
    assert not list(pod_of_pairs.output.glob("data/*/reference-*"))
    pod_of_pairs.train_here()
    assert len(list(pod_of_pairs.output.glob("data/*/reference-*.safetensors"))) == 1


def test_kill_nine_in_the_reference_pass_costs_that_pass(pod_of_pairs: Any) -> None:
    """A killed writer leaves a part of a file, which is nobody's reference."""
    pod_of_pairs.train_here()
    (file,) = pod_of_pairs.output.glob("data/*/reference-*.safetensors")
    whole, losses = file.read_bytes(), pod_of_pairs.losses()
    file.rename(file.with_suffix(".part"))
    file.with_suffix(".part").write_bytes(whole[:100])
    for name in ("checkpoints", "events.jsonl", "artifact", "result.json"):
        _remove(pod_of_pairs.output / name)
    pod_of_pairs.train_here()
    assert file.read_bytes() == whole
    assert pod_of_pairs.losses() == losses


def test_a_reference_that_does_not_fit_on_the_disk_is_told(pod_of_pairs: Any) -> None:
    (folder,) = pod_of_pairs.output.glob("data/*/")
    document = load_document("/swiftlet/job/job.json", TrainDocument)
    reference_file(document, folder).with_suffix(".part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left") as full:
        pod_of_pairs.train_here()
    assert failure_of(full.value).reason == "DiskFull"
    assert not (pod_of_pairs.output / "checkpoints").exists() or not pod_of_pairs.checkpoints(), "nothing was learnt"


def test_a_reference_that_is_lost_is_told(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    """With every weight trained, nothing knows any more what the model said before."""
    pod = make_pod("pod")
    pod.write_job(tiny_model, task={"dpo": {}}, tuner={"full": {}})
    pod.prepare()
    with pytest.raises(Terminated):
        pod.train_here(stop_after=9)
    (file,) = pod.output.glob("data/*/reference-*.safetensors")
    file.unlink()
    with pytest.raises(InvalidInput, match="delete the resource to start over"):
        pod.train_here()


@pytest.mark.parametrize(
    ("name", "strategy"),
    [
        ("dpo of several losses", "ddp"),
        ("dpo of several losses", "zero3"),
        ("dpo of sorted pairs", "zero2"),
        ("kto", "zero3"),
    ],
)
def test_two_processes_learn_what_one_does(
    make_pod: Callable[[str], Any], tiny_model: Path, trained: Callable[..., Any], name: str, strategy: str
) -> None:
    alone = trained("alone", TASKS[name], steps=3)
    pod = make_pod(strategy)
    changes = {"task": TASKS[name], "processesPerNode": 2, "strategy": strategy}
    split = {"perDeviceBatchSize": 1, "gradientAccumulationSteps": 2, "training": {"maxSteps": 3}}
    pod.write_job(tiny_model, **changes, **split)
    pod.prepare()
    pod.train_together()
    assert pod.curve() == pytest.approx(alone.curve(), rel=1e-4)
    for figure in ("rewardsMargins", "kl"):
        assert pod.curve(figure) == pytest.approx(alone.curve(figure), rel=2e-2, abs=2e-3)


@pytest.fixture
def pod_of_pairs(make_pod: Callable[[str], Any], tiny_model: Path) -> Any:
    """A pod whose job learns from pairs, its data prepared."""
    pod = make_pod("pod")
    pod.write_job(tiny_model, task={"dpo": {}})
    pod.prepare()
    return pod


def mean_log_ratio(model: Path, adapter: Path, step: int) -> float:
    """Over the second sequence of each row of a step, of log p with the adapter to log p without."""
    import torch
    from peft import PeftModel
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.training.collate import Collator
    from swiftlet_trainer.training.order import order_data
    from transformers import AutoModelForCausalLM

    document = load_document("/swiftlet/job/job.json", TrainDocument)
    data = order_data(open_prepared(document).train, None, Collator(0), 4, document.training.seed, "groups")
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), adapter).eval()
    ratios = []
    for number in data.plan.rows(step).tolist():
        row = data.train[number]
        ids, labels = (torch.tensor([row[name][row["seq_lengths"][0] :]]) for name in ("input_ids", "labels"))
        with torch.no_grad():
            after = tuned(ids, labels=labels).loss
            with tuned.disable_adapter():
                before = tuned(ids, labels=labels).loss
        ratios.append((before - after).item() * int((labels[:, 1:] != -100).sum()))
    return max(0.0, sum(ratios) / len(ratios))


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
