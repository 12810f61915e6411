"""`fetch`: models and data that lie on no volume, into the pod's own, before another verb reads them."""

from collections.abc import Sequence
from importlib import import_module

from swiftlet.api.v1alpha1.uris import parse_uri
from swiftlet.wire.messages import EXIT_OK

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.paths import in_pod
from swiftlet_trainer.progress import Reporter


def run(sources: Sequence[tuple[str, str]], most: int) -> int:
    """Fetch each (URI, path); a path that ends in / is a folder. most: bytes of the largest that is allowed.

    Raises InvalidInput with every problem, and TransferFailed for what may pass.
    """
    problems: list[str] = []
    for text, path in sources:
        uri = parse_uri(text)
        Reporter().emit(type="phase", message=f"fetching {text}")
        scheme = import_module(f"swiftlet_trainer.storage.{uri.scheme}")
        try:
            (scheme.fetch_folder if path.endswith("/") else scheme.fetch_file)(uri, in_pod(path), most)
        except InvalidInput as error:
            problems += [f"{text}: {problem}" for problem in error.problems]
    if problems:
        raise InvalidInput(problems)
    return EXIT_OK
