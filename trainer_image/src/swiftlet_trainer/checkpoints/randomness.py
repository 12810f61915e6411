"""The state of a process's random numbers, in a file of its own in each checkpoint."""

import random
from pathlib import Path

import numpy as np
import torch


def save_randomness(folder: Path, rank: int, world_size: int) -> None:
    """Of Python, NumPy and PyTorch, in `folder`."""
    state = {"python": random.getstate(), "numpy": np.random.get_state(), "cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    torch.save(state, _file(folder, rank, world_size))


def load_randomness(folder: Path, rank: int, world_size: int) -> None:
    """What `save_randomness` found."""
    known = [np._core.multiarray._reconstruct, np.ndarray, np.dtype, type(np.dtype(np.uint32))]  # type: ignore[attr-defined]
    with torch.serialization.safe_globals(known):
        state = torch.load(_file(folder, rank, world_size), map_location="cpu", weights_only=True)
    random.setstate(state["python"])
    np.random.set_state(state["numpy"])
    torch.set_rng_state(state["cpu"])
    if "cuda" in state and torch.cuda.is_available():
        of_devices = state["cuda"]  # one, or by the releases before, all of them
        own = of_devices[torch.cuda.current_device()] if isinstance(of_devices, list) else of_devices
        torch.cuda.set_rng_state(own)


def _file(folder: Path, rank: int, world_size: int) -> Path:
    return folder / (f"rng_state_{rank}.pth" if world_size > 1 else "rng_state.pth")
