import json
import shutil
from pathlib import Path

import pytest
from swiftlet.wire.documents import ResolvedModel
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.checks import folder_problems
from swiftlet_trainer.models.loading import check_model, load_tokenizer, model_folder


@pytest.fixture
def folder(tmp_path: Path, smollm2: Path) -> Path:
    """A copy of the model's folder that may be damaged; the weights are a tiny file of the same format."""
    import numpy as np
    from safetensors.numpy import save_file

    copy = tmp_path / "model"
    shutil.copytree(smollm2, copy, ignore=shutil.ignore_patterns("*.safetensors"))
    save_file({"weight": np.zeros(4, dtype=np.float32)}, copy / "model.safetensors")
    return copy


def problem(folder: Path, chat: bool = True) -> str:
    (one,) = folder_problems(folder, "hf://org/name", chat)
    assert one.startswith("model hf://org/name: ")
    return one


def changed(file: Path, **fields: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | fields))


def test_good_folder(folder: Path, smollm2: Path) -> None:
    assert folder_problems(folder, "m") == folder_problems(smollm2, "m") == []


def test_missing_folder_and_file_instead(folder: Path) -> None:
    assert "does not exist; put the model's folder there" in problem(folder / "absent")
    assert "is a file" in problem(folder / "config.json")


def test_no_config(folder: Path) -> None:
    (folder / "config.json").unlink()
    assert "no config.json in" in problem(folder)


def test_broken_config(folder: Path) -> None:
    (folder / "config.json").write_text("{")
    assert "config.json cannot be read: Expecting property name" in problem(folder)


def test_code_of_the_models_own_is_refused(folder: Path) -> None:
    changed(folder / "config.json", auto_map={"AutoModel": "modeling.Own"})
    assert "has auto_map: the model brings its own program code, which is never run" in problem(folder)


def test_unknown_architecture(folder: Path) -> None:
    changed(folder / "config.json", model_type="swallow")
    assert "model_type 'swallow' is none that transformers" in problem(folder)


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    assert "no tokenizer in" in problem(folder) and "copy tokenizer.json" in problem(folder)


def test_no_chat_template_matters_to_conversations_only(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    assert "no chat template in" in problem(folder)
    assert folder_problems(folder, "m", chat=False) == []
    changed(folder / "tokenizer_config.json", chat_template="{{ messages }}")
    assert folder_problems(folder, "m") == []


def test_pickled_weights_are_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "weights are pickled (pytorch_model.bin)" in problem(folder) and "save_pretrained" in problem(folder)


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert "no weights (*.safetensors)" in problem(folder)


def test_download_that_broke_off(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4])
    assert "model.safetensors is incomplete or damaged" in problem(folder)


def test_missing_shard(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-2.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "names model-2.safetensors, which" in problem(folder)


def test_all_problems_at_once(folder: Path) -> None:
    for name in ("config.json", "tokenizer.json", "model.safetensors"):
        (folder / name).unlink()
    assert len(folder_problems(folder, "m")) == 3


def test_paths_are_below_the_pods_root(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWIFTLET_ROOT", str(folder.parent))
    model = ResolvedModel(uri="hf://org/name", path="/model")
    assert model_folder(model) == folder and check_model(model) == []
    assert load_tokenizer(model).eos_token == "<|im_end|>"


def test_tokenizer_that_cannot_be_loaded(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{}")
    with pytest.raises(InvalidInput, match="model hf://org/name: its tokenizer cannot be loaded"):
        load_tokenizer(ResolvedModel(uri="hf://org/name", path=str(folder)))


def test_model_that_is_nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    (one,) = check_model(ResolvedModel(uri="hf://swiftlet-none/none", repo_id="swiftlet-none/none"))
    assert "not in the mirror and not to be had from the hub" in one and "into the mirror as swiftlet-none/none" in one
