"""What a pod says that was given a GPU and cannot use it. Drivers are libraries made here, of CUDA's own functions."""

import shutil
import subprocess
from pathlib import Path

import pytest
from swiftlet.wire.messages import EXIT_ERROR, EXIT_INVALID
from swiftlet_trainer import gpu
from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.gpu import VARIANT_VARIABLE, NoGPU, require_gpu

FIELD = "images.server"
CODES = [
    (100, "CUDA_ERROR_NO_DEVICE"),
    (803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"),
    (4711, "error 4711"),  # of a newer driver, which names it to nobody
]


def driver(folder: Path, code: int, name: str) -> str:
    """A CUDA driver whose cuInit returns `code`. Source: cuda.h."""
    if not (compiler := shutil.which("cc")):
        pytest.skip("no C compiler")
    known = f'"{name}"' if name.isupper() else "0"
    (folder / "driver.c").write_text(
        f"int cuInit(unsigned flags) {{ return flags ? 1 : {code}; }}\n"
        f"int cuGetErrorName(int code, const char **name) {{ *name = code == {code} ? {known} : 0; return 0; }}\n"
    )
    subprocess.run([compiler, "-shared", "-fPIC", "-o", "libcuda.so.1", "driver.c"], cwd=folder, check=True)
    return str(folder / "libcuda.so.1")


@pytest.fixture(params=["cuda"])
def variant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the image was built for. No driver is there."""
    monkeypatch.setenv(VARIANT_VARIABLE, request.param)
    monkeypatch.setattr(gpu, "DRIVER", "/nowhere/libcuda.so.1")
    return str(request.param)


@pytest.mark.parametrize("variant", ["cpu", "cuda"], indirect=True)
@pytest.mark.usefixtures("variant")
def test_without_gpus_nothing_is_asked() -> None:
    require_gpu(False, FIELD)


@pytest.mark.parametrize("variant", ["", "rocm"], indirect=True)
@pytest.mark.usefixtures("variant")
def test_images_of_others_are_left_to_their_torch() -> None:
    require_gpu(True, FIELD)


@pytest.mark.usefixtures("variant")
def test_a_node_without_a_driver_is_named_with_the_remedy_and_tried_again() -> None:
    with pytest.raises(NoGPU, match=r"^no NVIDIA driver is visible to this container .*runtimeClassName") as error:
        require_gpu(True, FIELD)
    assert (error.value.exit_code, error.value.reason) == (EXIT_ERROR, "NoGPU")


@pytest.mark.usefixtures("variant")
@pytest.mark.parametrize(("code", "name"), CODES)
def test_what_the_driver_says_is_passed_on(
    code: int, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "DRIVER", driver(tmp_path, code, name))
    with pytest.raises(NoGPU, match=rf"^no NVIDIA GPU is visible to this container \(its driver says {name}\); check"):
        require_gpu(True, FIELD)


@pytest.mark.usefixtures("variant")
def test_a_gpu_that_is_there_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "DRIVER", driver(tmp_path, 0, "CUDA_SUCCESS"))
    require_gpu(True, FIELD)


@pytest.mark.parametrize("variant", ["cpu"], indirect=True)
@pytest.mark.usefixtures("variant")
def test_an_image_for_cpus_is_refused_for_good() -> None:
    with pytest.raises(InvalidInput, match=r"set images.server of the ComputeProfile .* VARIANT=cuda") as error:
        require_gpu(True, FIELD)
    assert error.value.exit_code == EXIT_INVALID
