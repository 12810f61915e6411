"""What tests of the trainer share: the real tokenizer, and a pod's folder with documents in it."""

import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import TrainDocument

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture(scope="session")
def tokenizer(smollm2: Path) -> Any:
    """The real tokenizer of the quickstart's model."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(smollm2)


@pytest.fixture
def chat_template(tokenizer: Any) -> Iterator[Any]:
    """The tokenizer with one of TRL's copies of published chat templates: `chat_template("qwen3")`."""
    own, spec = tokenizer.chat_template, find_spec("trl")
    assert spec is not None
    assert spec.origin is not None
    folder = Path(spec.origin).parent / "chat_templates"

    def with_template(name: str) -> Any:
        tokenizer.chat_template = (folder / f"{name}.jinja").read_text()
        return tokenizer

    yield with_template
    tokenizer.chat_template = own


@pytest.fixture(scope="session")
def glm(smollm2: Path) -> Any:
    """The same with control tokens of GLM."""
    from transformers import AutoTokenizer

    made = AutoTokenizer.from_pretrained(smollm2)
    made.add_special_tokens({"additional_special_tokens": ["<|assistant|>", "<|observation|>", "<|system|>"]})
    return made


class Pod:
    """A folder that stands for a pod's file system: the model is mounted, data and documents are written here."""

    def __init__(self, root: Path, model: Path) -> None:
        self.root = root
        models = root / "swiftlet" / "models" / MODEL
        models.parent.mkdir(parents=True)
        models.symlink_to(model)

    def data(self, name: str, content: str | bytes | list[Any]) -> dict[str, str]:
        """A data file, its rows as JSON lines when a list; returns the part of a dataset that names it."""
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        file = self.root / "swiftlet" / "data" / "0" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return {"uri": name, "path": f"/swiftlet/data/0/{name}"}

    def document(self, *datasets: dict[str, Any], **changes: Any) -> TrainDocument:
        """A training document on these data sets."""
        fields: dict[str, Any] = {
            "name": "bird",
            "namespace": "default",
            "uid": "1",
            "model": {"uri": f"hf://{MODEL}", "path": f"/swiftlet/models/{MODEL}"},
            "datasets": list(datasets),
            "task": {},
            "tuner": {"lora": {}},
            "template": {},
            "training": {},
            "checkpoints": {},
            "nodes": 1,
            "processesPerNode": 1,
            "strategy": "ddp",
            "perDeviceBatchSize": 1,
            "gradientAccumulationSteps": 1,
            "useGpu": False,
            "outputDir": "/swiftlet/artifacts/bird",
            "artifactUri": "pvc://artifacts/bird/artifact",
        }
        return TrainDocument.model_validate(fields | changes)

    def job(self, document: TrainDocument) -> str:
        """The document as the pod's job file; returns its path inside the pod."""
        file = self.root / "swiftlet" / "job" / "job.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(document.model_dump_json(by_alias=True, exclude_none=True))
        return "/swiftlet/job/job.json"

    def termination(self) -> dict[str, Any]:
        """What was left in the termination log."""
        return json.loads((self.root / "dev" / "termination-log").read_text())


@pytest.fixture
def pod(tmp_path: Path, smollm2: Path, monkeypatch: pytest.MonkeyPatch) -> Pod:
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    monkeypatch.setenv("SWIFTLET_PROGRESS_FILE", "/swiftlet/run/progress.jsonl")
    return Pod(tmp_path, smollm2)


@pytest.fixture
def chat() -> Callable[..., dict[str, Any]]:
    """A row of messages from alternating texts of user and assistant."""

    def row(*texts: str) -> dict[str, Any]:
        roles = ("user", "assistant")
        return {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]}

    return row
