"""Finds what writes to a scheme by its name: `swiftlet_trainer.storage.<scheme>` has `probe` and `write_artifact`,
`folder_of` where checkpoints can be kept, and `attach` where results can be."""

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from swiftlet.api.v1alpha1.uris import parse_uri

from swiftlet_trainer.storage.upload import Folder


def probe(text: str, who: str) -> None:
    """See that `text` can be written to. who: who writes there. Raises InvalidInput and TransferFailed."""
    uri = parse_uri(text)
    import_module(f"swiftlet_trainer.storage.{uri.scheme}").probe(uri, who)


def write_artifact(artifact: Path, text: str) -> str:
    """Write the artifact in the folder `artifact` to `text`; returns the URI that it is read by. Raises as `probe`."""
    uri = parse_uri(text)
    written: str = import_module(f"swiftlet_trainer.storage.{uri.scheme}").write_artifact(artifact, uri)
    return written


def attach(files: Sequence[Path], text: str, digest: str | None, who: str) -> None:
    """Attach files to what `text` names. digest: of the artifact that this has to be. who: what has found them. Raises
    as `probe`."""
    uri = parse_uri(text)
    import_module(f"swiftlet_trainer.storage.{uri.scheme}").attach(files, uri, digest, who)


def folder_of(text: str) -> Folder:
    """The folder that `text` names."""
    uri = parse_uri(text)
    folder: Folder = import_module(f"swiftlet_trainer.storage.{uri.scheme}").folder_of(uri)
    return folder
