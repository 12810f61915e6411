"""vLLM in the trainer's image, as far as a machine without a GPU lets it run: `make image-check VARIANT=cuda`."""

import json
from pathlib import Path
from typing import Any

import pytest
from swiftlet.wire.messages import EXIT_ERROR, EXIT_INVALID
from testbed.image_run import Inside

DOCUMENT: dict[str, Any] = {
    "kind": "ServeDocument",
    "name": "bird",
    "namespace": "default",
    "model": {"uri": "hf://tiny/base", "path": "/swiftlet/models/tiny"},
    "modelNames": ["base"],
    "engine": "vllm",
    "maxModelLength": 2048,
    "port": 8000,
    "healthPort": 8001,
    "useGpu": False,
}
ON_EIGHT_GPUS: dict[str, Any] = DOCUMENT | {
    "useGpu": True,
    "vllm": {
        "tensorParallelSize": 4,
        "pipelineParallelSize": 2,
        "enableExpertParallel": True,
        "gpuMemoryUtilization": 0.85,
        "kvCacheDtype": "fp8",
        "enablePrefixCaching": False,
        "enableChunkedPrefill": True,
        "maxNumSeqs": 64,
        "speculativeConfig": {"method": "ngram", "numSpeculativeTokens": 3, "promptLookupMax": 4},
        "limitMmPerPrompt": {"image": 2},
    },
}
KERNELS = {
    "cpu": "from vllm.platforms import current_platform; current_platform.import_kernels()",
    "cuda": "import vllm._C_stable_libtorch",
}
PROGRAMS = Path(__file__).parent / "in_image"


@pytest.fixture(scope="module", autouse=True)
def has_vllm(in_trainer: Inside) -> None:
    """Only of the flavour that serves by vLLM."""
    if "False" in in_trainer.python("import importlib.util; print(importlib.util.find_spec('vllm') is not None)"):
        pytest.skip("this flavour has no vLLM")


def run(image: Inside, variant: str, program: str, document: dict[str, Any]) -> tuple[int, str]:
    """Run Python in the image, for CUDA with a driver that finds no GPU; its exit code and all that it printed."""
    first = (PROGRAMS / "driver_without_gpu.py").read_text() if variant == "cuda" else program
    env = {"DOCUMENT": json.dumps(document), "SWIFTLET_ROOT": "/tmp", "THEN": program}  # noqa: S108
    done = image.run("python", "-c", first, **env)
    return done.returncode, done.stderr + done.stdout


def found(said: str) -> Any:
    """What a program of in_image has found."""
    return json.loads(said.partition("FOUND")[2].splitlines()[0])


def test_vllm_has_its_kernels(in_trainer: Inside, variant: str) -> None:
    """For CPUs they are torch operators: without libnuma they are not, and vLLM says so only when it serves. For GPUs
    the library of the driver is all that they lack here."""
    kernel = "init_cpu_memory_env" if variant == "cpu" else "rms_norm"
    program = f"import torch\n{KERNELS[variant]}\nprint(hasattr(torch.ops._C, {kernel!r}))"
    code, said = run(in_trainer, variant, program, {})
    assert (code, said.split()[-1]) == (0, "True"), said


def test_each_generation_of_gpus_has_kernels_that_are_in_the_image(in_trainer: Inside, variant: str) -> None:
    """FlashInfer's, which vLLM would take on Blackwell, would be compiled or fetched as the server starts."""
    if variant == "cpu":
        pytest.skip("computes on CPUs")
    code, said = run(in_trainer, variant, (PROGRAMS / "vllm_on_gpus.py").read_text(), {})
    assert code == 0, said
    assert set(found(said).values()) == {"FLASH_ATTN"}


def test_our_command_line_is_understood(in_trainer: Inside, variant: str) -> None:
    document = ON_EIGHT_GPUS if variant == "cuda" else DOCUMENT
    code, said = run(in_trainer, variant, (PROGRAMS / "vllm_command_line.py").read_text(), document)
    assert code == 0, said
    refused = "--tensor-parallel-sizes: vllm has no such argument; did you mean --tensor-parallel-size?"
    sizes = [4, 2, "fp8", 64] if variant == "cuda" else [1, 1, "auto", None]
    assert found(said) == [*sizes, ["base"], [refused], True]


def test_a_gpu_that_is_not_there_is_said_in_one_line(in_trainer: Inside, variant: str) -> None:
    """Without a driver, and with one that finds no GPU; in an image for CPUs that it can use none."""
    serve = (PROGRAMS / "serve_verb.py").read_text()
    code, said = run(in_trainer, "cpu", serve, ON_EIGHT_GPUS)
    if variant == "cpu":
        assert (code, said.splitlines()[0]) == (EXIT_INVALID, "InvalidInput:"), said
        assert "this image computes on CPUs only; set images.server" in said
        return
    assert (code, said.splitlines()[0]) == (EXIT_ERROR, "NoGPU:"), said
    assert "no NVIDIA driver is visible to this container" in said
    code, said = run(in_trainer, variant, serve, ON_EIGHT_GPUS)
    assert (code, said.splitlines()[0]) == (EXIT_ERROR, "NoGPU:"), said
    assert "no NVIDIA GPU is visible to this container (its driver says CUDA_ERROR_NO_DEVICE)" in said
