"""Runs that start from another run's artifact."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from swiftlet_trainer.artifact.manifest import manifest_digest, read_and_verify, read_manifest
from swiftlet_trainer.artifact.model_card import MODEL_CARD
from swiftlet_trainer.failures import InvalidInput, Terminated

PARENT = "/swiftlet/sources/parent"
BASE = {"uri": "hf://org/tiny", "path": "/swiftlet/models/tiny"}
MERGED = {"uri": "pvc://artifacts/bird/merged", "path": "/swiftlet/artifacts/bird/merged"}
DPO: dict[str, Any] = {"dpo": {}}


@pytest.fixture
def following(make_pod: Callable[[str], Any], tiny_model: Path, chat_adapter: Path) -> Callable[..., Any]:
    """Makes a pod whose job starts from the parent's adapter."""

    def make(name: str, merges: bool = False, **changes: Any) -> Any:
        pod = make_pod(name)
        place = pod.root / PARENT.removeprefix("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            place.symlink_to(chat_adapter)
        adapter = {"uri": "pvc://artifacts/sft/artifact", "path": PARENT, "digest": manifest_digest(chat_adapter)}
        start = {"adapter": adapter, **({"mergeInto": BASE} if merges else {})}
        pod.write_job(tiny_model, **{"start": start, **({"model": MERGED} if merges else {}), **changes})
        return pod

    return make


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "adapter_model.safetensors")


def test_an_adapter_is_trained_further(following: Callable[..., Any], chat_adapter: Path) -> None:
    """With steps of no length it stays what it was."""
    pod = following("second", training={"maxSteps": 1, "learningRate": 1e-12})
    pod.prepare()
    pod.train_here()
    artifact = pod.output / "artifact"
    before, after = weights(chat_adapter), weights(artifact)
    assert before.keys() == after.keys()
    for name, weight in before.items():
        torch.testing.assert_close(after[name], weight, rtol=0, atol=1e-9)
    manifest = read_and_verify(artifact)
    assert manifest.type == "adapter" and manifest.base_model == read_manifest(chat_adapter).base_model
    (recorded,) = manifest.parents or []
    assert (recorded.name, recorded.type, recorded.digest) == ("default/sft", "adapter", manifest_digest(chat_adapter))
    assert recorded.base_model.uri == "hf://org/tiny"
    card = (artifact / MODEL_CARD).read_text()
    assert f"Started from the adapter of `default/sft`, `{manifest_digest(chat_adapter)}`" in card


def test_a_preference_is_learnt_beside_the_adapter_as_it_was(
    following: Callable[..., Any], make_pod: Callable[[str], Any], tiny_model: Path
) -> None:
    pod = following("second", task=DPO)
    pod.prepare()
    pod.train_here()
    assert float(pod.losses()[1]) == pytest.approx(0.6931472, abs=1e-5), "nothing is ahead of where it started"
    (reference,) = pod.output.glob("data/*/reference-*.safetensors")
    bare = make_pod("bare")
    bare.write_job(tiny_model, task=DPO)
    bare.prepare()
    bare.train_here()
    (of_base,) = bare.output.glob("data/*/reference-*.safetensors")
    assert reference.name != of_base.name
    assert not torch.allclose(load_file(reference)["train"], load_file(of_base)["train"], atol=1)


def test_a_run_that_goes_on_knows_its_beginning_though_the_reference_is_lost(following: Callable[..., Any]) -> None:
    through = following("through", task=DPO)
    through.prepare()
    through.train_here()
    stopped = following("stopped", task=DPO)
    stopped.prepare()
    with pytest.raises(Terminated, match="stopped after step"):
        stopped.train_here(stop_after=9)
    (reference,) = stopped.output.glob("data/*/reference-*.safetensors")
    whole = load_file(reference)
    reference.unlink()
    stopped.train_here()
    torch.testing.assert_close(load_file(reference), whole)
    assert stopped.losses() == through.losses()


def test_an_adapter_is_merged_into_its_base(
    following: Callable[..., Any], chat_adapter: Path, tiny_model: Path
) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    pod = following("second", merges=True, tuner={"lora": {"rank": 2}}, training={"maxSteps": 1})
    pod.prepare()
    merged, artifact = pod.output / "merged", pod.output / "artifact"
    ids = torch.arange(3, 40)[None]
    tuned = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(tiny_model), chat_adapter)
    found = AutoModelForCausalLM.from_pretrained(merged)(ids).logits
    torch.testing.assert_close(found, tuned(ids).logits, rtol=1e-4, atol=1e-5)
    assert (merged / "tokenizer.json").read_bytes() == (tiny_model / "tokenizer.json").read_bytes()

    was = (merged / "manifest.json").stat().st_mtime_ns
    pod.prepare()
    assert (merged / "manifest.json").stat().st_mtime_ns == was, "the next attempt finds it"
    digest = manifest_digest(merged)
    (merged / "config.json").write_text("{}")
    pod.prepare()
    assert manifest_digest(merged) == digest, "and makes it again where it is damaged"

    pod.train_here()
    manifest = read_and_verify(artifact)
    assert manifest.base_model.uri == MERGED["uri"]
    assert [one.digest for one in manifest.parents or []] == [manifest_digest(chat_adapter)]
    assert json.loads((artifact / "adapter_config.json").read_text())["r"] == 2


def test_a_whole_model_is_the_base_of_the_next(make_pod: Callable[[str], Any], tiny_model: Path) -> None:
    first = make_pod("first")
    first.write_job(tiny_model, name="sft", tuner={"full": {}}, training={"maxSteps": 1})
    first.prepare()
    first.train_here()
    made = first.output / "artifact"
    second = make_pod("second")
    model = {"uri": "pvc://artifacts/sft/artifact", "path": "/swiftlet/models/tiny", "digest": manifest_digest(made)}
    second.write_job(made, model=model, training={"maxSteps": 1})
    second.prepare()
    second.train_here()
    manifest = read_and_verify(second.output / "artifact")
    (recorded,) = manifest.parents or []
    assert (recorded.type, recorded.digest) == ("model", manifest_digest(made))
    assert recorded.base_model.uri == "hf://org/tiny"


def other_tokenizer(pod: Any, model: Path, chat_adapter: Path) -> None:
    folder = pod.root / "swiftlet/models/other"
    shutil.copytree(model, folder)
    settings = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(settings | {"chat_template": "{{ messages }}"}))
    (pod.root / "swiftlet/models/tiny").unlink()
    (pod.root / "swiftlet/models/tiny").symlink_to(folder)


def replaced(pod: Any, model: Path, chat_adapter: Path) -> None:
    place = pod.root / PARENT.removeprefix("/")
    place.unlink()
    shutil.copytree(chat_adapter, place)
    (place / MODEL_CARD).write_text("another")


@pytest.mark.parametrize(
    ("changes", "spoil", "said"),
    [
        ({"tuner": {"lora": {"rank": 8}}}, None, "tuner.lora.rank is 8, the adapter's 4"),
        ({"tuner": {"full": {}}}, None, "tuner.full trains every weight of a model"),
        ({}, other_tokenizer, "trained with another tokenizer"),
        ({}, replaced, "README.md: 7 bytes, the manifest says"),
    ],
    ids=["shape", "full", "tokenizer", "bytes"],
)
def test_what_cannot_be_started_from_is_told_before_anything_is_loaded(
    following: Callable[..., Any], tiny_model: Path, chat_adapter: Path, changes: Any, spoil: Any, said: str
) -> None:
    pod = following("second", **changes)
    if spoil:
        spoil(pod, tiny_model, chat_adapter)
    with pytest.raises(InvalidInput) as error:
        pod.prepare()
    assert any(said in problem for problem in error.value.problems), error.value.problems


def test_sharded_processes_go_on_as_one_does(following: Callable[..., Any]) -> None:
    alone = following("alone", task=DPO, training={"maxSteps": 3})
    alone.prepare()
    alone.train_here()
    split = {"processesPerNode": 2, "perDeviceBatchSize": 1, "gradientAccumulationSteps": 2, "strategy": "zero3"}
    pod = following("sharded", task=DPO, training={"maxSteps": 3}, **split)
    pod.prepare()
    pod.train_together()
    curves = [[float(loss) for loss in one.losses().values()] for one in (pod, alone)]
    assert curves[0] == pytest.approx(curves[1], rel=1e-4)
