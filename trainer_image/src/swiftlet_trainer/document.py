"""Reading a job document."""

import json
import sys
from pathlib import Path
from typing import Any, TypeVar

import swiftlet
from pydantic import ValidationError
from swiftlet.wire.reading import problem_line, read
from swiftlet.wire.version import Wire, version_problem

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.paths import in_pod

Document = TypeVar("Document", bound=Wire)

WHO = f"this trainer, swiftlet {swiftlet.__version__}"
REMEDY = "set images of the ComputeProfile to those of the operator's release, or of the one after it"


def load_document(job_path: str | Path, kind: type[Document]) -> Document:
    """The job document at `job_path` (inside the pod) as a `kind`, one of the types of swiftlet.wire.documents.

    Fields that a later release has added are left out, and named on stderr. Raises InvalidInput with every problem of
    the document, each with the path of its field, and when its major version is beyond what this release can know.
    """
    path = in_pod(job_path)
    content = _content(path)
    found = content.get("kind")
    if found != kind.__name__:
        raise InvalidInput([f"{path}: kind is {found!r}, this verb reads a {kind.__name__}"])
    if problem := version_problem(content, WHO, REMEDY):
        raise InvalidInput([f"{path}: {problem}"])
    try:
        document = read(kind, content)
    except ValidationError as error:
        lines = [f"{path}: {problem_line(detail)}" for detail in error.errors()]
        raise InvalidInput([*lines, f"if the operator is of another release than {WHO}: {REMEDY}"]) from None
    if unknown := [name for name in document.ignored if name.startswith("task.")]:
        raise InvalidInput(
            [f"{path}: {WHO} does not know {name}, which changes what is learnt; {REMEDY}" for name in unknown]
        )
    if document.ignored:
        sys.stderr.write(f"{path}: {WHO} does not know {', '.join(document.ignored)} and goes without; {REMEDY}\n")
    return document.value


def _content(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInput([f"{path}: no such job document; name one with --job"]) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput([f"{path}: not a JSON document: {error}"]) from None
    if not isinstance(content, dict):
        raise InvalidInput([f"{path}: a job document is a JSON object, this is {type(content).__name__}"])
    return content
