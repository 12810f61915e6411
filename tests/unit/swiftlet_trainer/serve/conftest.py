"""Serve documents and adapter folders."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.documents import ServeDocument


@pytest.fixture
def document() -> Callable[..., ServeDocument]:
    """A document with changes: `document(engine="vllm")`."""

    def build(**changes: Any) -> ServeDocument:
        fields = {
            "name": "bird",
            "namespace": "default",
            "model": {"uri": "hf://tiny/base", "path": "/swiftlet/models/tiny"},
            "modelNames": ["base"],
            "engine": "auto",
            "maxModelLength": 2048,
            "port": 8000,
            "healthPort": 8001,
            "useGpu": False,
        }
        return ServeDocument.model_validate(fields | changes)

    return build


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root of a pod, with a model's config in it."""
    monkeypatch.setenv("SWIFTLET_ROOT", str(tmp_path))
    model = tmp_path / "swiftlet/models/tiny"
    model.mkdir(parents=True)
    config = {"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3, "hidden_size": 576}
    (model / "config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.fixture
def adapter_folder(pod: Path) -> Callable[..., str]:
    """An adapter's configuration; returns the folder inside the pod."""

    def build(name: str, **config: Any) -> str:
        folder = pod / "swiftlet/artifacts" / name
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({"r": 16, **config}))
        return f"/swiftlet/artifacts/{name}"

    return build
