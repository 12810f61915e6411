"""What is in the project's images, asked of the images themselves."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from installation import OPERATOR_IMAGE
from testbed import image_builds
from testbed.image_run import Inside, inside

REPOSITORY = Path(__file__).parent.parent
SOURCES = (
    "operator/src/swiftlet/__init__.py",
    "operator/src/swiftlet/app/process.py",
    "trainer_image/src/swiftlet_trainer/__main__.py",
)


@pytest.fixture(scope="module")
def in_operator() -> Iterator[Inside]:
    with inside(image_builds.operator(OPERATOR_IMAGE)) as image:
        yield image


def test_the_operator_has_its_parts_and_nothing_heavy(in_operator: Inside) -> None:
    found = json.loads(in_operator.python(
        "import importlib.util as u, json, os, pwd;"
        "names = ['kopf', 'lightkube', 'aiohttp', 'torch', 'numpy', 'kubernetes', 'pip', 'uv'];"
        "print(json.dumps([os.getuid(), pwd.getpwuid(os.getuid()).pw_name, [n for n in names if u.find_spec(n)]]))"
    ))  # fmt: skip
    assert found == [65532, "nonroot", ["kopf", "lightkube", "aiohttp"]]


def test_the_operator_starts(in_operator: Inside) -> None:
    said = in_operator.python(
        "import swiftlet.app.process; from swiftlet.cli.main import main; main(['operator', '-h'])"
    )
    assert "swiftlet operator" in said


@pytest.mark.parametrize("image", ["in_operator", "in_trainer"])
def test_the_code_is_that_of_the_working_tree(image: str, request: pytest.FixtureRequest) -> None:
    """Layers are reused between builds; that of the code must not be when the code has changed."""
    image_run: Inside = request.getfixturevalue(image)
    for source in SOURCES:
        package, _, path = source.split("src/")[1].partition("/")
        ours = hashlib.sha256((REPOSITORY / source).read_bytes()).hexdigest()
        theirs = image_run.python(
            "import hashlib, importlib.util, pathlib;"
            f"folder = pathlib.Path(importlib.util.find_spec('{package}').origin).parent;"
            f"print(hashlib.sha256((folder / '{path}').read_bytes()).hexdigest())"
        )
        assert theirs.strip() == ours, source


def test_code_is_compiled(in_trainer: Inside) -> None:
    """The root file system of a pod is read-only, so each process would compile everything anew."""
    missing = in_trainer.python(
        "import importlib.util as u, pathlib\n"
        "for spec in filter(None, map(u.find_spec, ('swiftlet_trainer', 'transformers', 'vllm', 'torch'))):\n"
        "    print(spec.name * (not pathlib.Path(u.cache_from_source(spec.origin)).exists()), end='')"
    )
    assert missing == ""


def test_torch_loads_without_what_was_left_out(in_trainer: Inside) -> None:
    said = in_trainer.python(
        "import torch; a = torch.eye(3) * 2;"
        "print(torch.linalg.inv(a)[0, 0].item(), torch.cuda.is_available(), torch.distributed.is_gloo_available())"
    )
    assert said.split() == ["0.5", "False", "True"]


@pytest.mark.parametrize("arguments", [("--help",), ("train", "--help"), ("evaluate", "--help"), ("serve", "--help")])
def test_the_trainer_starts_where_nothing_can_be_written(in_trainer: Inside, arguments: tuple[str, ...]) -> None:
    done = in_trainer.run("python", "-m", "swiftlet_trainer", *arguments)
    assert (done.returncode, "usage: python -m swiftlet_trainer" in done.stdout) == (0, True), done.stderr
