"""Another run's adapter that is trained further: its weights, put where the tuner has made place for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from swiftlet.wire.documents import TrainDocument

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.models.saving import load_adapter
from swiftlet_trainer.paths import in_pod


def continued_adapter(document: TrainDocument) -> Path | None:
    """Folder of the adapter that the run trains further; None where it begins with one of its own, or with none."""
    start = document.start
    if start is None or start.merge_into or start.adapter.path is None:
        return None
    return in_pod(start.adapter.path)


def put_weights(model: Any, folder: Path) -> None:
    """The weights of the adapter in `folder` into that of `model`, a PeftModel of the same shape. Raises InvalidInput
    where not every weight finds its place."""
    if apart := load_adapter(model, folder):
        raise InvalidInput(
            [f"{folder}: {len(apart)} weights are of another shape of adapter, such as {apart[0]}; leave tuner out"]
        )


@contextmanager
def with_weights_of(model: Any, folder: Path) -> Iterator[None]:
    """Within, the adapter of `model` is the one in `folder`; afterwards it is what it was."""
    trained = [weight for weight in model.parameters() if weight.requires_grad]
    now = [weight.detach().clone() for weight in trained]
    put_weights(model, folder)
    try:
        yield
    finally:
        with torch.no_grad():
            torch._foreach_copy_(trained, now)


def is_sharded(model: Any) -> bool:
    """Whether ZeRO-3 has given each process a part of every weight."""
    return any(hasattr(weight, "ds_id") for weight in model.parameters())
