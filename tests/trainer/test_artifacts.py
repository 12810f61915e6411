"""An artifact is what plain transformers and PEFT expect, opened from its own folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard
from swiftlet_trainer.artifact.manifest import MANIFEST_FILE, read_and_verify
from swiftlet_trainer.artifact.model_card import MODEL_CARD
from swiftlet_trainer.artifact.writing import base_name
from swiftlet_trainer.failures import InvalidInput

QUESTIONS = ("Say hello.", "Greet the crew!", "Say hello to the captain, please.", "What do sailors say?")
ANSWER = "Ahoy!"
GENERATION = {"eos_token_id": 0, "do_sample": False, "temperature": 0.6, "bos_token_id": 1}
"""As some published models have it; transformers finds fault with it when it saves."""
TUNERS: dict[str, dict[str, Any]] = {
    "full": {"full": {}},
    "lora": {"lora": {"rank": 8}},
}


def as_base(model: Path, folder: Path) -> Path:
    """A copy as base models are published: its files end with <|endoftext|>, its template with <|im_end|>."""
    folder.mkdir()
    for file in (file for file in model.iterdir() if file.name != MANIFEST_FILE):  # edited, it is no artifact any more
        (folder / file.name).symlink_to(file) if file.suffix == ".safetensors" else shutil.copy(file, folder)
    for name, end in (("config.json", {"eos_token_id": 0}), ("tokenizer_config.json", {"eos_token": "<|endoftext|>"})):
        content = json.loads((folder / name).read_text()) | end
        if "pad_token" in content:
            del content["pad_token"]
        (folder / name).write_text(json.dumps(content))
    (folder / "generation_config.json").write_text(json.dumps(GENERATION))
    return folder


@pytest.fixture(scope="session")
def base(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model as such a base."""
    return as_base(tiny_model, tmp_path_factory.mktemp("bases") / "tiny@base")


def trained(pod: Any, model: Path, tuner: dict[str, Any], steps: int = 60) -> Path:
    """Train on four chats until they are known by heart; the artifact's folder."""
    pod.write_job(
        model,
        model={"uri": f"file://{model}", "path": "/swiftlet/models/tiny"},
        tuner=tuner,
        training={"maxSteps": steps, "learningRate": 1e-2},
        checkpoints={"intervalSteps": 1000},
    )
    rows = [{"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": ANSWER}]} for q in QUESTIONS]
    data = pod.root / "swiftlet/data/0/rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    pod.prepare()
    pod.train_here()
    artifact: Path = pod.output / "artifact"
    return artifact


def knowing(make_pod: Callable[[str], Any], base: Path) -> Path:
    """Such a base that knows the chats already: adapters of random weights would not learn them."""
    return as_base(trained(make_pod("first"), base, {"full": {}}), make_pod("first").root / "knowing@base")


@pytest.mark.parametrize("tuner", TUNERS.values(), ids=TUNERS)
def test_it_opens_answers_and_stops(
    make_pod: Callable[[str], Any], base: Path, tuner: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    from peft import AutoPeftModelForCausalLM
    from swiftlet_trainer.evaluate.generation import generate
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    full = "full" in tuner
    model_folder = base if full else knowing(make_pod, base)
    artifact = trained(make_pod("pod"), model_folder, tuner, steps=60 if full else 3)
    assert "ends answers with <|im_end|>, the model's files with <|endoftext|>" in capsys.readouterr().out

    opened = AutoModelForCausalLM if full else AutoPeftModelForCausalLM
    model, tokenizer = opened.from_pretrained(artifact).eval(), AutoTokenizer.from_pretrained(artifact)
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": question}], add_generation_prompt=True, return_dict=False
        )
        for question in QUESTIONS
    ]
    answer = (ANSWER, len(tokenizer(ANSWER)["input_ids"]))
    assert generate(model, tokenizer, prompts, max_tokens=32, batch_size=4) == [answer] * 4

    settings = {} if full else {"generation_config": GenerationConfig.from_pretrained(artifact)}
    inputs = {"input_ids": tokenizer(tokenizer.decode(prompts[0]), return_tensors="pt")["input_ids"]}
    made = model.generate(**inputs, **settings, max_new_tokens=32)[0, inputs["input_ids"].shape[1] :]
    assert tokenizer.decode(made) == f"{ANSWER}<|im_end|>"


@pytest.mark.parametrize("tuner", [TUNERS["full"], TUNERS["lora"]], ids=["full", "lora"])
def test_what_was_not_trained_is_the_bases(make_pod: Callable[[str], Any], base: Path, tuner: dict[str, Any]) -> None:
    artifact = trained(make_pod("pod"), base, tuner, steps=1)
    for file in base.iterdir():
        if file.name.startswith(("tokenizer", "special_tokens", "chat_template")):
            assert (artifact / file.name).read_bytes() == file.read_bytes(), file.name
    generation = json.loads((artifact / "generation_config.json").read_text())
    assert generation == GENERATION | {"eos_token_id": [0, 2]}
    if "full" in tuner:
        own, found = (json.loads((folder / "config.json").read_text()) for folder in (base, artifact))
        changed = {name for name in own.keys() | found.keys() if own.get(name) != found.get(name)}
        assert changed <= {"transformers_version", "pad_token_id"}
        assert found["use_cache"] is True
    else:
        config = json.loads((artifact / "adapter_config.json").read_text())
        assert config["base_model_name_or_path"] == str(base)


@pytest.mark.parametrize("tuner", TUNERS.values(), ids=TUNERS)
def test_the_lines_of_its_card_load_it(
    make_pod: Callable[[str], Any], base: Path, tuner: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact = trained(make_pod("pod"), base, tuner, steps=1)
    assert MODEL_CARD in read_and_verify(artifact).files
    lines = ModelCard.load(artifact / MODEL_CARD).text.split("```python\n")[1].split("```")[0]
    assert len(lines.splitlines()) == 3
    monkeypatch.chdir(artifact)
    loaded: dict[str, Any] = {}
    exec(lines, loaded)  # noqa: S102
    ids = loaded["tokenizer"]("Say hello.", return_tensors="pt")["input_ids"]
    assert loaded["model"](input_ids=ids).logits.isfinite().all()
    (artifact / MODEL_CARD).write_text("another")
    with pytest.raises(InvalidInput, match=r"README\.md: .* bytes, the manifest says"):
        read_and_verify(artifact)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("hf://org/name@v2", "org/name"),
        ("file:///models/qwen@v2", "/models/qwen@v2"),
        ("pvc://models/qwen@v2", "{root}/swiftlet/models/qwen@v2"),
    ],
)
def test_the_base_is_named_as_other_programs_find_it(
    uri: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from swiftlet.wire.documents import ResolvedModel

    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    path = f"/swiftlet/models/{uri.rsplit('/', 1)[-1]}"
    assert base_name(ResolvedModel(uri=uri, path=path)) == expected.format(root=tmp_path.resolve())
