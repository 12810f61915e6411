"""Weights that compute NaN never serve, on either engine."""

from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file, save_file
from swiftlet.wire.messages import EXIT_INVALID


@pytest.fixture(params=["transformers", "vllm"])
def broken(request: pytest.FixtureRequest, smollm2_adapter: Path, adapter: Path, tmp_path: Path) -> tuple[str, Path]:
    """(engine, adapter of NaN for the model that it is tried with)."""
    source, folder = adapter if request.param == "transformers" else smollm2_adapter, tmp_path / "broken"
    folder.mkdir()
    (folder / "adapter_config.json").write_bytes((source / "adapter_config.json").read_bytes())
    weights = load_file(source / "adapter_model.safetensors")
    save_file({name: one * float("nan") for name, one in weights.items()}, folder / "adapter_model.safetensors")
    return request.param, folder


def test_adapter_of_nan_never_becomes_ready(
    pod: Any, broken: tuple[str, Path], smollm2: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, folder = broken
    monkeypatch.setenv("CXX", "none")  # as in the images for CPUs, which have no compiler
    pod.mount("/swiftlet/artifacts/broken", folder)
    path = "/swiftlet/models/tiny"
    if engine == "vllm":  # whose kernels have no heads as small as the tiny model's
        path = pod.mount("/swiftlet/models/smollm2", smollm2)
    pod.start(
        engine=engine,
        model={"uri": "hf://tiny/base", "path": path},
        adapters=[{"name": "broken", "path": "/swiftlet/artifacts/broken"}],
    )
    assert pod.wait(400) == EXIT_INVALID, pod.log.read_text()[-4000:]
    failure = pod.failure()
    assert failure["reason"] == "LogitsNotFinite"
    assert failure["message"].startswith("broken: its logits are NaN or infinite")
