"""The pods of an attempt that are alike: how many, and what each of them is."""

from dataclasses import dataclass
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Role:
    """Pods that do the same work. What they need, image, volumes, environment and resources, their template says."""

    name: str
    """A DNS label without `-`, unique in its attempt: some backends write it into the pods' names."""
    replicas: int
    template: Manifest
    """Of a pod."""
    indexed: bool = True
    """Each pod has a number, and a hostname with it."""
