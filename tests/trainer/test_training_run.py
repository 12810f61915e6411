"""What a run learns does not depend on how it is computed, interrupted or resumed."""

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.artifact.compatibility import check_adapter
from swiftlet_trainer.artifact.manifest import read_and_verify
from swiftlet_trainer.failures import Diverged, InvalidInput, Terminated


def test_the_model_learns_and_leaves_an_artifact(pod: Any, tiny_model: Path) -> None:
    pod.train_here()
    losses = pod.curve()
    assert len(losses) == 6
    assert losses[-1] < losses[0] - 0.2
    assert pod.checkpoints() == ["step-00000002", "step-00000004", "step-00000006"]
    artifact = pod.output / "artifact"
    manifest = read_and_verify(artifact)
    assert (manifest.type, manifest.steps, manifest.seed) == ("adapter", 6, 42)
    assert manifest.final_loss == f"{losses[-1]:.4f}"
    assert {"adapter_model.safetensors", "adapter_config.json", "tokenizer.json"} <= set(manifest.files)
    assert check_adapter(artifact, tiny_model) == []


def test_the_artifact_is_the_model_that_was_trained(pod: Any, tiny_model: Path) -> None:
    """Loaded again by peft, its loss on the rows is below that of the base model."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    pod.train_here()
    from swiftlet.wire.documents import TrainDocument
    from swiftlet_trainer.data.prepared import open_prepared
    from swiftlet_trainer.document import load_document
    from swiftlet_trainer.training.collate import Collator

    rows = open_prepared(load_document("/swiftlet/job/job.json", TrainDocument)).train
    batch = Collator(2)(list(rows))["inputs"]
    labels = torch.cat([torch.full((len(rows), 1), -100), batch["labels"][:, :-1]], dim=1)
    base = AutoModelForCausalLM.from_pretrained(tiny_model)
    before = base(batch["input_ids"], labels=labels).loss.item()
    tuned = PeftModel.from_pretrained(base, pod.output / "artifact")
    after = tuned(input_ids=batch["input_ids"], labels=labels).loss.item()
    assert after == pytest.approx(pod.curve()[-1], rel=0.1)
    assert after < before - 0.2


@pytest.mark.parametrize(("size", "accumulation"), [(2, 2), (1, 4)])
def test_loss_does_not_depend_on_the_split_into_micro_batches(
    make_pod: Callable[[str], Any], tiny_model: Path, size: int, accumulation: int
) -> None:
    """Mean over the labelled tokens of the whole batch, so the split changes rounding only."""
    curves = []
    for name, per_device, steps in (("whole", 4, 1), ("split", size, accumulation)):
        pod = make_pod(name)
        pod.write_job(tiny_model, perDeviceBatchSize=per_device, gradientAccumulationSteps=steps)
        pod.prepare()
        pod.train_here()
        curves.append(pod.curve())
    assert curves[1] == pytest.approx(curves[0], rel=2e-5)


@pytest.mark.parametrize("changes", [{}, {"template": {"packing": True, "maxLength": 256}}], ids=["padded", "packed"])
def test_losses_of_channels_make_up_the_loss(
    make_pod: Callable[[str], Any], tiny_model: Path, changes: dict[str, Any]
) -> None:
    """And do not depend on the split into micro-batches, nor on whether they are told."""
    told, curves = [], []
    for name, task, per_device in (("whole", {"enableChannelLoss": True}, 4), ("split", {"enableChannelLoss": True}, 1),
                                   ("off", {}, 4)):  # fmt: skip
        pod = make_pod(name)
        pod.write_job(
            tiny_model,
            task={"sft": task},
            training={"evalFraction": 0.2, "loggingSteps": 1},
            perDeviceBatchSize=per_device,
            gradientAccumulationSteps=4 // per_device,
            **changes,
        )
        data = pod.root / "swiftlet" / "data" / "0" / "rows.jsonl"
        rows = [json.loads(line) for line in data.read_text().splitlines()]
        marked = [{**row, **({"channel": "long"} if number % 7 > 2 else {})} for number, row in enumerate(rows)]
        data.write_text("".join(json.dumps(row) + "\n" for row in marked))
        pod.prepare()
        pod.train_here()
        told.append(pod.figures("channelLosses"))
        curves.append(pod.curve())
    assert curves[2] == curves[0]
    assert (told[2], pod.figures("evalChannelLosses")) == ({}, {})
    assert {"rows", "long"} == {channel for losses in told[0].values() for channel in losses}
    for step, losses in told[0].items():
        known = [float(loss) for loss in losses.values()]
        assert min(known) - 1e-4 <= curves[0][step - 1] <= max(known) + 1e-4
        split = {channel: float(loss) for channel, loss in told[1][step].items()}
        assert split == pytest.approx({channel: float(loss) for channel, loss in losses.items()}, abs=2e-4)


@pytest.mark.timeout(1800)  # one of them compiles
@pytest.mark.parametrize(
    "changes",
    [
        {
            "training": {"precision": "bf16"},
            "tuner": {"lora": {"rank": 4, "dropout": 0.2}},
            "gradientAccumulationSteps": 2,
            "perDeviceBatchSize": 2,
        },
        {"tuner": {"full": {}}, "training": {"optimizer": "adafactor", "learningRate": 1e-3}},
        {"template": {"maxLength": 256, "packing": True}, "training": {"gradientCheckpointing": True}},
        {"training": {"torchCompile": True}},
        {"training": {"dataloaderNumWorkers": 1}},
    ],
    ids=["bf16-masters-dropout", "full-adafactor", "packed-checkpointed", "compiled", "data-worker"],
)
def test_stopped_and_resumed_is_bit_for_bit_the_undisturbed_run(
    make_pod: Callable[[str], Any], tiny_model: Path, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve steps straight; and twelve that were stopped during the seventh."""
    from swiftlet_trainer import hardware

    monkeypatch.setattr(hardware, "multiplies_bf16", lambda use_gpu: True)  # emulated where it is missing
    changes = {**changes, "training": {"maxSteps": 12, **changes.get("training", {})}}
    changes["checkpoints"] = {"intervalSteps": 5}
    straight = make_pod("straight")
    straight.write_job(tiny_model, **changes)
    straight.prepare()
    straight.train_here()
    stopped = make_pod("stopped")
    stopped.write_job(tiny_model, **changes)
    stopped.prepare()
    if (compiled := straight.output / "compiled").exists():  # the same layers, which take a minute to compile
        shutil.copytree(compiled, stopped.output / "compiled")
    with pytest.raises(Terminated, match="stopped after step 7 of 12; a checkpoint was written"):
        stopped.train_here(stop_after=7)
    assert stopped.checkpoints()[-1] == "step-00000007"
    assert len(stopped.losses()) == 7
    stopped.train_here()
    assert stopped.losses() == straight.losses()
    one, other = (pod.output / "artifact" for pod in (straight, stopped))
    assert read_and_verify(one).files == read_and_verify(other).files


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"perDeviceBatchSize": 4, "gradientAccumulationSteps": 1}, {"perDeviceBatchSize": 2}),
        ({"perDeviceBatchSize": 4, "gradientAccumulationSteps": 1}, {"training": {"gradientCheckpointing": True}}),
        ({"perDeviceBatchSize": 4, "gradientAccumulationSteps": 1}, {"perDeviceBatchSize": 1}),
    ],
    ids=["half the rows", "recomputed", "a quarter of the rows"],
)
def test_what_may_be_changed_between_two_attempts_leaves_the_loss_as_it_is(
    make_pod: Callable[[str], Any], tiny_model: Path, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The way out of too little memory: stopped during the seventh step, and gone on from there with less."""
    steps = {"training": {"maxSteps": 12}, "checkpoints": {"intervalSteps": 5}}
    straight = make_pod("straight")
    straight.write_job(tiny_model, **{**steps, **before})
    straight.prepare()
    straight.train_here()
    changed = make_pod("changed")
    changed.write_job(tiny_model, **{**steps, **before})
    changed.prepare()
    with pytest.raises(Terminated, match="stopped after step 7 of 12"):
        changed.train_here(stop_after=7)
    accumulation = 4 // after.get("perDeviceBatchSize", 4)
    less = {**before, **after, "gradientAccumulationSteps": accumulation}
    changed.write_job(tiny_model, **{**steps, **less, "training": {**steps["training"], **after.get("training", {})}})
    changed.train_here()
    assert len(changed.curve()) == 12
    assert changed.curve()[:7] == straight.curve()[:7]
    assert changed.curve()[7:] == pytest.approx(straight.curve()[7:], rel=2e-5)


def test_half_written_and_damaged_checkpoints_are_passed_over(pod: Any, capsys: pytest.CaptureFixture[str]) -> None:
    pod.train_here()
    expected = pod.losses()
    folder = pod.output / "checkpoints"
    (folder / "step-00000006" / "adapter_model.safetensors").write_bytes(b"cut")
    (folder / ".partial-step-00000008").mkdir()
    (folder / "step-00000004" / "complete.json").unlink()
    pod.train_here()
    out = capsys.readouterr().out
    assert "checkpoint set aside" in out and "3 bytes" in out
    assert "resuming from step 2" in out
    assert pod.losses() == expected
    assert pod.checkpoints() == ["step-00000002", "step-00000004", "step-00000006"]


def test_a_finished_run_only_writes_its_artifact_again(pod: Any) -> None:
    pod.train_here()
    expected, manifest = pod.losses(), read_and_verify(pod.output / "artifact")
    pod.train_here()
    assert pod.losses() == expected
    assert read_and_verify(pod.output / "artifact") == manifest


def test_loss_on_held_out_rows_is_reported(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    pod = make_pod("eval")
    pod.write_job(tiny_model, training={"evalFraction": 0.25})
    pod.prepare()
    pod.train_here()
    losses = {step: float(loss) for step, loss in pod.figures("evalLoss").items()}
    assert list(losses) == [2, 4, 6]
    assert losses[6] < losses[2]
    assert read_and_verify(pod.output / "artifact").eval_loss == f"{losses[6]:.4f}"


def test_token_metrics_are_reported_when_asked_for_and_change_nothing(
    pod: Any, make_pod: Callable[[str], Any], tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pod.train_here()
    assert pod.figures("entropy") == pod.figures("meanTokenAccuracy") == {}
    asked = make_pod("metrics")
    asked.write_job(tiny_model, training={"tokenMetrics": True})
    asked.prepare()
    asked.train_here()
    assert asked.losses() == pod.losses()
    entropy, accuracy = asked.figures("entropy"), asked.figures("meanTokenAccuracy")
    assert list(entropy) == list(accuracy) == list(asked.losses())
    # A model of random weights thinks all tokens about as likely.
    tokens = json.loads((tiny_model / "config.json").read_text())["vocab_size"]
    assert float(entropy[1]) == pytest.approx(math.log(tokens), rel=1e-2)
    assert 0 <= float(accuracy[1]) < float(accuracy[6]) <= 1
    assert f"mean_token_accuracy={accuracy[6]}" in capsys.readouterr().out


def test_the_losses_that_a_document_asks_for_are_learnt(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    """Of every weight, the tied head's too. A model that knows nothing yet has the loss of any label, and weighs it by
    next to nothing in dft."""
    curves = {}
    for name, block in {"nll": {}, "smooth": {"labelSmoothing": 0.5}, "dft": {"lossType": "dft"}}.items():
        pod = make_pod(name)
        training = {"maxSteps": 2, "learningRate": 1e-3}
        pod.write_job(tiny_model, task={"sft": block}, tuner={"full": {}}, training=training)
        pod.prepare()
        pod.train_here()
        curves[name] = pod.curve()
    assert curves["smooth"][0] == pytest.approx(curves["nll"][0], abs=0.1)
    assert curves["nll"][1] < curves["smooth"][1] < curves["smooth"][0]
    assert 0 < curves["dft"][0] < 0.01


def test_packing_is_refused_for_a_model_that_runs_on_into_the_next_row(
    make_pod: Callable[[str], Any], tiny_model: Path, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer, MambaConfig, MambaForCausalLM

    sizes = {"vocab_size": 2048, "hidden_size": 32, "state_size": 8, "num_hidden_layers": 1}
    MambaForCausalLM(MambaConfig(**sizes, initializer_range=0.5)).save_pretrained(tmp_path / "mamba")
    AutoTokenizer.from_pretrained(tiny_model).save_pretrained(tmp_path / "mamba")
    pod = make_pod("mamba")
    pod.write_job(tmp_path / "mamba", template={"maxLength": 256, "packing": True})
    pod.prepare()
    with pytest.raises(InvalidInput, match=r"template.packing: MambaForCausalLM .* set packing: false"):
        pod.train_here()


def test_weights_that_give_nan_end_the_run_with_the_step(
    make_pod: Callable[[str], Any], tiny_model: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    poisoned = tmp_path / "poisoned"
    shutil.copytree(tiny_model, poisoned)
    weights = load_file(poisoned / "model.safetensors")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, poisoned / "model.safetensors", metadata={"format": "pt"})
    pod = make_pod("nan")
    pod.write_job(poisoned)
    pod.prepare()
    with pytest.raises(Diverged, match=r"the loss of step 1 is nan; lower training\.learningRate"):
        pod.train_here()
    assert not (pod.output / "artifact").exists()


def test_a_batch_that_does_not_add_up_is_refused(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    pod = make_pod("batch")
    pod.write_job(tiny_model, perDeviceBatchSize=3)
    with pytest.raises(
        InvalidInput, match=r"4 is not perDeviceBatchSize 3 x gradientAccumulationSteps 1 x 1 processes"
    ):
        pod.train_here()
