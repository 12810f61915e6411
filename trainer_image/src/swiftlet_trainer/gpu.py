"""Whether this pod can compute on a GPU, before anything is loaded for it."""

import ctypes
import os

from swiftlet_trainer.failures import InvalidInput, TrainerError

VARIANT_VARIABLE = "SWIFTLET_IMAGE_VARIANT"
"""The VARIANT that this image was built with (trainer_image/Dockerfile). Absent in other images and outside of them."""
DRIVER = "libcuda.so.1"
"""CUDA's driver library. It comes from the node, put into the container by NVIDIA's container runtime."""
REMEDY = (
    "check that the node has NVIDIA's driver and container toolkit (nvidia-smi works there), and that runtimeClassName"
    " of the ComputeProfile names NVIDIA's runtime where that is not the node's own; or set compute.gpus to 0"
)


class NoGPU(TrainerError):  # noqa: N818 - says what it is
    """The pod was given a GPU that it cannot see. Another attempt may find one, on another node."""

    reason = "NoGPU"


def require_gpu(use_gpu: bool, image: str) -> None:
    """Raise InvalidInput in our images for CPUs, and NoGPU in those for CUDA where no GPU is visible.

    image: the ComputeProfile's field that names this pod's image. The driver itself is asked: importing torch for it
    takes seconds, and vLLM says no more than that it cannot infer the device type.
    """
    variant = os.environ.get(VARIANT_VARIABLE) if use_gpu else None
    if variant == "cpu":
        remedy = f"set {image} of the ComputeProfile to one that was built with VARIANT=cuda, or compute.gpus to 0"
        raise InvalidInput([f"compute.gpus: this image computes on CPUs only; {remedy}"])
    if variant == "cuda" and (obstacle := _obstacle()):
        raise NoGPU(f"{obstacle}; {REMEDY}")


def _obstacle() -> str | None:
    try:
        cuda = ctypes.CDLL(DRIVER)
    except OSError:
        return f"no NVIDIA driver is visible to this container ({DRIVER} cannot be loaded)"
    if code := cuda.cuInit(0):
        name = ctypes.c_char_p()
        cuda.cuGetErrorName(code, ctypes.byref(name))
        said = name.value.decode() if name.value else f"error {code}"
        return f"no NVIDIA GPU is visible to this container (its driver says {said})"
    return None
