"""A tiny random model with the real tokenizer, an adapter for it, and a pod to evaluate them in."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


def tiny_model(folder: Path, tokenizer: Any, seed: int, hidden: int = 64) -> Path:
    """A two-layer Llama of random weights in `folder`, saved as a hub model is."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def random_adapter(folder: Path, model: Path, seed: int) -> Path:
    """A LoRA adapter for `model` whose effect is plain to see."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(model), LoraConfig(r=4, target_modules="all-linear"))
    for name, weight in adapted.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.3)
    adapted.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the tiny model."""
    return tiny_model(tmp_path_factory.mktemp("tiny") / "base", tokenizer, seed=1)


@pytest.fixture(scope="session")
def other(tokenizer: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a model of the same shape with other weights."""
    return tiny_model(tmp_path_factory.mktemp("other") / "base", tokenizer, seed=2)


@pytest.fixture(scope="session")
def adapter(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an adapter of the tiny model, with a manifest that names it."""
    from swiftlet_trainer.artifact.compatibility import describe_base
    from swiftlet_trainer.artifact.manifest import Manifest, write_manifest
    from swiftlet_trainer.models.loading import model_digest

    folder = random_adapter(tmp_path_factory.mktemp("adapter") / "artifact", tiny, seed=3)
    manifest = Manifest(
        type="adapter",
        name="default/bird",
        base_model=describe_base(tiny, "hf://tiny/base", None, model_digest(tiny)),
        data_digest="sha256:0",
        parameters={},
        parameters_digest="sha256:0",
        packages={},
        seed=1,
        steps=1,
    )
    write_manifest(folder, manifest)
    return folder


@pytest.fixture(scope="session")
def model(tiny: Path) -> Any:
    """The tiny model in memory, fp32."""
    from transformers import AutoModelForCausalLM

    return AutoModelForCausalLM.from_pretrained(tiny).eval()


class EvalPod:
    """A folder that stands for a pod's file system."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def mount(self, at: str, source: Path) -> str:
        """A symlink below the root, as the local engine makes for a volume; returns the path inside the pod."""
        place = self.root / at.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(source)
        return at

    def rows(self, name: str, rows: list[Any]) -> str:
        """A jsonl file; a text among the rows is written as it is."""
        file = self.root / "swiftlet/data/0" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        return f"/swiftlet/data/0/{name}"

    def job(
        self, target: dict[str, Any], baseline: dict[str, Any] | None, suites: list[dict[str, Any]], **more: Any
    ) -> str:
        """The job document of an evaluation; returns its path inside the pod."""
        content = {
            "kind": "EvaluateDocument",
            "name": "bird",
            "namespace": "default",
            "uid": "1",
            "target": target,
            **({"baseline": baseline} if baseline else {}),
            "suites": suites,
            "batchSize": 4,
            "seed": 7,
            "useGpu": False,
            "outputDir": "/swiftlet/artifacts/eval",
            "reportUri": "pvc://artifacts/eval/report.html",
            **more,
        }
        file = self.root / "swiftlet/job/job.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(content))
        return "/swiftlet/job/job.json"

    def termination(self) -> dict[str, Any]:
        """The termination message."""
        content: dict[str, Any] = json.loads((self.root / "dev/termination-log").read_text())
        return content


@pytest.fixture
def eval_pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EvalPod:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    monkeypatch.delenv("SWIFTLET_PROGRESS_FILE", raising=False)
    return EvalPod(tmp_path)


@pytest.fixture
def suite() -> Callable[..., Any]:
    """A suite by its block: `suite(perplexity={...})`."""
    from swiftlet.wire.documents import ResolvedSuite

    def build(name: str = "suite", placeholders: dict[str, str] | None = None, **block: dict[str, Any]) -> Any:
        blocks = {key: {"uri": "configmap://data/rows.jsonl", **value} for key, value in block.items()}
        path = "/swiftlet/data/0/rows.jsonl"
        return ResolvedSuite.model_validate({"name": name, "path": path, "placeholders": placeholders or {}, **blocks})

    return build
