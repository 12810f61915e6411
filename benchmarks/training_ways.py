"""The trainers that are compared, and each one's settings."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal


@dataclass(frozen=True)
class Way:
    """One trainer with one set of settings."""

    title: str
    environment: Literal["swiftlet", "trl", "ms-swift", "llamafactory", "sentence-transformers"]
    program: Literal["swiftlet", "loop", "trl", "ms-swift", "llamafactory", "sentence-transformers"]
    precision: Literal["fp32", "bf16"] = "bf16"
    packed: bool = False
    compiled: bool = False
    liger: bool = False
    """Liger's kernels, in TRL."""
    attention: str | None = None
    """TRL's attn_implementation, when it is not the model's own."""
    instead: tuple[tuple[str, Any], ...] = ()
    """Choices of our plan made otherwise: name and value."""

    def in_fp32(self) -> "Way":
        """The same on a machine that does not multiply bf16."""
        title = self.title.replace(", bf16", ", fp32")
        return replace(self, title=title, precision="fp32")


WAYS = {
    "trl-fp32": Way("TRL, fp32", "trl", "trl", "fp32"),
    "trl": Way("TRL, bf16", "trl", "trl"),
    "trl-packed": Way("TRL, bf16, packed", "trl", "trl", packed=True),
    "ms-swift": Way("ms-swift, bf16", "ms-swift", "ms-swift"),
    "llamafactory": Way("LLaMA-Factory, bf16", "llamafactory", "llamafactory"),
    "llamafactory-packed": Way("LLaMA-Factory, bf16, packed", "llamafactory", "llamafactory", packed=True),
    "loop": Way("bare PyTorch loop, bf16", "swiftlet", "loop"),
    "padded": Way("swiftlet, rows of like length", "swiftlet", "swiftlet"),
    "packed": Way("swiftlet, packed", "swiftlet", "swiftlet", packed=True),
    "compiled": Way("swiftlet, compiled", "swiftlet", "swiftlet", compiled=True),
    "compiled-packed": Way("swiftlet, compiled and packed", "swiftlet", "swiftlet", packed=True, compiled=True),
}
FULL = ("trl", "ms-swift", "llamafactory", "loop", "padded", "packed")
"""Ways of the table of full fine-tuning."""
LENGTHS = (512, 1024, 2048, 4096)
"""Tokens of the rows of the table of memory, longest allowed."""


def ways_here(bf16: bool, among: Mapping[str, Way] = WAYS) -> tuple[dict[str, Way], list[str]]:
    """The ways that this machine can go, and a line for each that is left out."""
    ways, notes = dict(among), []
    if not bf16:
        ways = {name: way.in_fp32() for name, way in ways.items() if name != "trl-fp32"}
        notes.append("this CPU does not multiply bf16: everything ran in fp32, and the goals are set for bf16")
    return ways, notes
