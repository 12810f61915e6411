"""Reading a job document."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from swiftlet.api.base import ApiModel

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.paths import in_pod

Document = TypeVar("Document", bound=ApiModel)


def load_document(job_path: str | Path, kind: type[Document]) -> Document:
    """The job document at `job_path` (inside the pod) as a `kind`, one of the types of swiftlet.api.job.

    Raises InvalidInput with every problem of the document, each with the path of its field.
    """
    path = in_pod(job_path)
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InvalidInput([f"{path}: no such job document; name one with --job"]) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput([f"{path}: not a JSON document: {error}"]) from None
    if not isinstance(content, dict):
        raise InvalidInput([f"{path}: a job document is a JSON object, this is {type(content).__name__}"])
    found = content.get("kind")
    if found != kind.__name__:
        raise InvalidInput([f"{path}: kind is {found!r}, this verb reads a {kind.__name__}"])
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise InvalidInput([f"{path}: {_line(detail)}" for detail in error.errors()]) from None


def _line(detail: ErrorDetails) -> str:
    """`field.path: rule, got value` of one of pydantic's errors."""
    where = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
    value = "" if detail["type"] == "missing" else f", got {detail['input']!r}"[:200]
    return f"{where or 'document'}: {detail['msg']}{value}"
