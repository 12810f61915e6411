"""Every verb that would compute on a GPU says first that there is none, not how a library failed for want of it."""

import json
from typing import Any

import pytest
from swiftlet.wire.messages import EXIT_ERROR, EXIT_INVALID
from swiftlet_trainer import gpu
from swiftlet_trainer.__main__ import main
from swiftlet_trainer.gpu import VARIANT_VARIABLE

MODEL = {"uri": "hf://tiny/base", "path": "/swiftlet/models/tiny"}
COMMON = {"name": "bird", "namespace": "default", "useGpu": True}
SUITE = {"name": "text", "perplexity": {"uri": "configmap://data/text.jsonl"}, "path": "/swiftlet/data/0/text.jsonl"}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "evaluate": {
        "uid": "1",
        "target": {"model": MODEL},
        "suites": [SUITE],
        "batchSize": 1,
        "seed": 1,
        "outputDir": "/swiftlet/artifacts/eval",
        "reportUri": "pvc://artifacts/eval/report.html",
    },
    "serve": {
        "model": MODEL,
        "modelNames": ["base"],
        "engine": "auto",
        "maxModelLength": 2048,
        "port": 0,
        "healthPort": 0,
    },
}
IMAGES = {"evaluate": "images.trainer", "serve": "images.server", "train": "images.trainer"}


@pytest.fixture(params=sorted(IMAGES))
def verb(request: pytest.FixtureRequest, pod: Any) -> str:
    """A verb, whose document is the pod's."""
    document = DOCUMENTS.get(request.param) or pod.document().document()
    kind = {"kind": f"{request.param.capitalize()}Document"}
    (pod.root / "job.json").write_text(json.dumps(document | COMMON | kind))
    return str(request.param)


def test_in_a_container_without_a_driver(verb: str, pod: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIANT_VARIABLE, "cuda")
    monkeypatch.setattr(gpu, "DRIVER", "/nowhere/libcuda.so.1")
    assert main([verb, "--job", "/job.json"]) == EXIT_ERROR
    found = pod.termination()["failure"]
    assert found["reason"] == "NoGPU" and found["message"].startswith("no NVIDIA driver is visible to this container")
    assert "traceback" not in found


def test_in_an_image_for_cpus(verb: str, pod: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIANT_VARIABLE, "cpu")
    assert main([verb, "--job", "/job.json"]) == EXIT_INVALID
    assert f"set {IMAGES[verb]} of the ComputeProfile" in pod.termination()["failure"]["message"]
