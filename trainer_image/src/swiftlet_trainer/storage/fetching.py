"""Finds what fetches by the scheme's name: `swiftlet_trainer.storage.<scheme>` has `fetch`."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet.wire.documents import ResolvedModel

from swiftlet_trainer.failures import InvalidInput


def fetch(model: ResolvedModel) -> Path:
    """The folder of a model that no volume holds. Raises InvalidInput when it is not there or cannot be reached."""
    module = f"swiftlet_trainer.storage.{parse_uri(model.uri).scheme}"
    if find_spec(module) is None:
        raise InvalidInput([f"model {model.uri}: has no path, and nothing here fetches it; plan the job again"])
    folder: Path = import_module(module).fetch(model)
    return folder
