"""Whether an adapter fits a base model."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet_trainer.artifact.compatibility import check_adapter, describe_base
from swiftlet_trainer.artifact.manifest import Manifest, write_manifest
from swiftlet_trainer.models.loading import model_digest

Make = Callable[..., Path]


@pytest.fixture
def base(tmp_path: Path) -> Make:
    """A random model on disk, of a given shape."""

    def make(name: str, hidden: int = 32, layers: int = 2, seed: int = 0) -> Path:
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(seed)
        config = LlamaConfig(
            vocab_size=50,
            hidden_size=hidden,
            intermediate_size=48,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=4,
        )
        LlamaForCausalLM(config).save_pretrained(tmp_path / name)
        return tmp_path / name

    return make


def adapter(base_folder: Path, folder: Path, manifest: bool) -> Path:
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model: Any = get_peft_model(
        AutoModelForCausalLM.from_pretrained(base_folder), LoraConfig(target_modules="all-linear")
    )
    model.save_pretrained(folder)
    if manifest:
        record = describe_base(base_folder, "hf://org/base", None, model_digest(base_folder))
        empty = {"data_digest": "", "parameters": {}, "parameters_digest": "", "packages": {}, "seed": 1, "steps": 1}
        write_manifest(folder, Manifest(type="adapter", name="ns/n", base_model=record, **empty))
    return folder


def test_fits_the_base_it_was_trained_on(base: Make, tmp_path: Path) -> None:
    made = adapter(base("a"), tmp_path / "adapter", manifest=True)
    assert check_adapter(made, tmp_path / "a") == []


def test_same_shape_other_weights(base: Make, tmp_path: Path) -> None:
    made = adapter(base("a"), tmp_path / "adapter", manifest=True)
    (problem,) = check_adapter(made, base("b", seed=1))
    assert "was trained on hf://org/base" in problem and "use the model it was trained on" in problem


def test_adapter_of_another_program_is_held_against_the_shape_only(base: Make, tmp_path: Path) -> None:
    made = adapter(base("a"), tmp_path / "adapter", manifest=False)
    assert check_adapter(made, base("b", seed=1)) == []
    assert "made for hidden size 32" in check_adapter(made, base("wide", hidden=64))[0]
    assert "weights for 2 layers" in check_adapter(made, base("flat", layers=1))[0]


def test_a_folder_that_is_no_adapter(base: Make, tmp_path: Path) -> None:
    problems = check_adapter(tmp_path, base("a"))
    assert [problem.split(": ")[1].split(";")[0] for problem in problems] == ["no such file", "no such file"]


def test_an_adapter_of_a_vision_tower_is_not_held_against_the_language_model(tmp_path: Path) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, Gemma3Config

    sizes = {"intermediate_size": 40, "num_attention_heads": 2}
    text = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 2, "head_dim": 16, "num_key_value_heads": 1}
    vision = {"hidden_size": 48, "num_hidden_layers": 3, "image_size": 28, "patch_size": 14}
    torch.manual_seed(0)
    config = Gemma3Config(text_config={**sizes, **text}, vision_config={**sizes, **vision}, mm_tokens_per_image=4)
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(tmp_path / "base")
    get_peft_model(model, LoraConfig(target_modules="all-linear")).save_pretrained(tmp_path / "adapter")
    assert check_adapter(tmp_path / "adapter", tmp_path / "base") == []
    for name, size, words in (("hidden_size", 64, "hidden size 32"), ("num_hidden_layers", 1, "for 2 layers")):
        changed = Gemma3Config.from_pretrained(tmp_path / "base")
        setattr(changed.text_config, name, size)
        changed.save_pretrained(tmp_path / name)
        assert words in check_adapter(tmp_path / "adapter", tmp_path / name)[0]


def _cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def _foreign(file: Path) -> None:
    import torch
    from safetensors.torch import save_file

    save_file({"transformer.h.0.weight": torch.zeros(2, 2)}, file)


@pytest.mark.parametrize(
    ("name", "spoil", "problem"),
    [
        ("adapter_model.safetensors", _cut, "is incomplete or damaged"),
        ("adapter_model.safetensors", lambda file: file.write_bytes(b""), "is incomplete or damaged"),
        (
            "adapter_model.safetensors",
            lambda file: file.write_text("<html>not found</html>"),
            "is incomplete or damaged",
        ),
        ("adapter_model.safetensors", _foreign, "holds no LoRA weights"),
        ("adapter_config.json", lambda file: file.write_text("{"), "cannot be read"),
        ("adapter_config.json", lambda file: file.write_text("[]"), "holds no JSON object"),
        ("adapter_config.json", lambda file: file.write_bytes(b"\xff\xfe"), "cannot be read"),
    ],
)
def test_a_file_that_is_none_of_an_adapter_is_named(
    base: Make, tmp_path: Path, name: str, spoil: Callable[[Path], object], problem: str
) -> None:
    made = adapter(base("a"), tmp_path / "adapter", manifest=False)
    spoil(made / name)
    (found,) = check_adapter(made, tmp_path / "a")
    assert found.startswith(str(made / name))
    assert problem in found
