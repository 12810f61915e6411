"""What is in the project's images, asked of the images themselves."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from installation import OPERATOR_IMAGE, TRAINER_IMAGE
from testbed import image_builds, images

REPOSITORY = Path(__file__).parent.parent
SOURCES = (
    "operator/src/swiftlet/__init__.py",
    "operator/src/swiftlet/app/process.py",
    "trainer_image/src/swiftlet_trainer/__main__.py",
)
Run = Callable[..., str]


def inside(image: str) -> Iterator[Run]:
    """Runs Python in a container of the image, as the image's own user."""
    container = images.buildah("from", "--pull-never", image).strip()
    try:
        yield lambda program: images.buildah("run", "--isolation=chroot", container, "--", "python", "-c", program)
    finally:
        images.buildah("rm", container)


@pytest.fixture(scope="module")
def in_operator() -> Iterator[Run]:
    yield from inside(image_builds.operator(OPERATOR_IMAGE))


@pytest.fixture(scope="module")
def in_trainer() -> Iterator[Run]:
    yield from inside(image_builds.trainer(TRAINER_IMAGE))


def test_the_operator_has_its_parts_and_nothing_heavy(in_operator: Run) -> None:
    found = json.loads(in_operator(
        "import importlib.util as u, json, os, pwd;"
        "names = ['kopf', 'lightkube', 'aiohttp', 'torch', 'numpy', 'kubernetes', 'pip', 'uv'];"
        "print(json.dumps([os.getuid(), pwd.getpwuid(os.getuid()).pw_name, [n for n in names if u.find_spec(n)]]))"
    ))  # fmt: skip
    assert found == [65532, "nonroot", ["kopf", "lightkube", "aiohttp"]]


def test_the_operator_starts(in_operator: Run) -> None:
    said = in_operator("import swiftlet.app.process, sys; from swiftlet.cli.main import main; main(['operator', '-h'])")
    assert "swiftlet operator" in said


@pytest.mark.parametrize("image", ["in_operator", "in_trainer"])
def test_the_code_is_that_of_the_working_tree(image: str, request: pytest.FixtureRequest) -> None:
    """Layers are reused between builds; that of the code must not be when the code has changed."""
    run: Run = request.getfixturevalue(image)
    for source in SOURCES:
        package, _, path = source.split("src/")[1].partition("/")
        ours = hashlib.sha256((REPOSITORY / source).read_bytes()).hexdigest()
        theirs = run(
            "import hashlib, importlib.util, pathlib;"
            f"folder = pathlib.Path(importlib.util.find_spec('{package}').origin).parent;"
            f"print(hashlib.sha256((folder / '{path}').read_bytes()).hexdigest())"
        )
        assert theirs.strip() == ours, source


def test_code_is_compiled(in_trainer: Run) -> None:
    """The root file system of a pod is read-only, so each process would compile everything anew."""
    missing = in_trainer(
        "import importlib.util as u, pathlib\n"
        "for name in ('swiftlet_trainer', 'transformers', 'vllm', 'torch'):\n"
        "    origin = u.find_spec(name).origin\n"
        "    print(name * (not pathlib.Path(u.cache_from_source(origin)).exists()), end='')"
    )
    assert missing == ""


def test_torch_loads_without_what_was_left_out(in_trainer: Run) -> None:
    said = in_trainer(
        "import torch; a = torch.eye(3) * 2;"
        "print(torch.linalg.inv(a)[0, 0].item(), torch.cuda.is_available(), torch.distributed.is_gloo_available())"
    )
    assert said.split() == ["0.5", "False", "True"]


def test_vllm_finds_its_kernels(in_trainer: Run) -> None:
    """They are loaded as torch operators; without libnuma they are not, and vLLM says so only when it serves."""
    said = in_trainer(
        "from vllm.platforms import current_platform; import torch; current_platform.import_kernels();"
        "print(hasattr(torch.ops._C, 'init_cpu_memory_env'))"
    )
    assert said.split()[-1] == "True"
