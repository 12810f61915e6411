"""Adapters on a base model, by PEFT."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from swiftlet_trainer.failures import InvalidInput


@dataclass(frozen=True)
class AdapterSource:
    """key: what PEFT shall know it by, a module's name. owner: whom a message names."""

    key: str
    folder: Path
    owner: str


def with_adapters(model: Any, adapters: Sequence[AdapterSource], base: str) -> Any:
    """`model` with all of `adapters` on it, in its own precision. base: what messages call the model.

    Raises InvalidInput with what PEFT says of an adapter that it cannot put on.
    """
    if not adapters:
        return model
    from peft import PeftModel

    first, *rest = adapters
    with _fitting(first, base):
        model = PeftModel.from_pretrained(
            model, str(first.folder), adapter_name=first.key, autocast_adapter_dtype=False
        )
    for adapter in rest:
        with _fitting(adapter, base):
            model.load_adapter(str(adapter.folder), adapter_name=adapter.key, autocast_adapter_dtype=False)
    return model


@contextmanager
def _fitting(adapter: AdapterSource, base: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RuntimeError) as error:
        # Of torch's own errors only this one is about the files; the others may pass.
        if isinstance(error, RuntimeError) and "loading state_dict" not in str(error):
            raise
        cause = " ".join(str(error).split()) or type(error).__name__
        problem = f"{adapter.folder}: does not fit {base}: {cause}; use the base that it was trained on"
        raise InvalidInput([f"{adapter.owner}: {problem}"]) from error
