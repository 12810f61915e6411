"""What vLLM for CUDA would compute attention with, by the GPU's capability. It imports the API server first, and
no worker: as those are imported they define Triton's kernels, which takes a GPU."""

import importlib
import json

import torch
import vllm.platforms
from vllm.platforms.cuda import CudaPlatform
from vllm.platforms.interface import DeviceCapability

vllm.platforms._current_platform = CudaPlatform()  # which vLLM would find where there is a GPU

SERVER = "vllm.entrypoints.launchers.api_server.entry"
GENERATIONS = {"Ampere": (8, 0), "Ada": (8, 9), "Hopper": (9, 0), "Blackwell": (10, 0), "Blackwell RTX": (12, 0)}


def pretend(capability: DeviceCapability) -> None:
    """Modules of vLLM ask for it as they are imported."""
    CudaPlatform.get_device_capability = classmethod(lambda *_, **__: capability)


def backend(capability: DeviceCapability) -> str:
    """The first of those that vLLM finds usable."""
    pretend(capability)
    config = importlib.import_module("vllm.v1.attention.selector").AttentionSelectorConfig
    wanted = config(head_size=128, dtype=torch.bfloat16, kv_cache_dtype="auto", block_size=16)
    usable, _ = CudaPlatform.get_valid_backends(capability, wanted)
    return str(usable[0].backend.name)


pretend(DeviceCapability(*GENERATIONS["Hopper"]))
importlib.import_module(SERVER)
print("FOUND", json.dumps({name: backend(DeviceCapability(*found)) for name, found in GENERATIONS.items()}))
