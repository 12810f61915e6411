"""Reading what another release may have written: unknown fields are left out, at every depth, and named."""

import copy
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from swiftlet.api.schema.problems import field_path

Model = TypeVar("Model", bound=BaseModel)
UNKNOWN = "extra_forbidden"
"""pydantic's name for a field that a type does not have."""


@dataclass(frozen=True)
class Read(Generic[Model]):
    """What was read. ignored: paths of the fields that this release does not know."""

    value: Model
    ignored: tuple[str, ...] = ()


def read(kind: type[Model], content: Any) -> Read[Model]:
    """`content` as a `kind`, without what it does not know. Raises ValidationError for all that is wrong with the rest,
    such as a value that only a later release gives a meaning."""
    try:
        return Read(kind.model_validate(content))
    except ValidationError as error:
        places = unknown_places(error)
        if not places:
            raise
    return Read(kind.model_validate(without(content, places)), tuple(field_path(place) for place in places))


def unknown_places(error: ValidationError) -> list[tuple[int | str, ...]]:
    """Where `error` found fields that are not known."""
    return [found["loc"] for found in error.errors(include_url=False) if found["type"] == UNKNOWN]


def without(content: Any, places: list[tuple[int | str, ...]]) -> Any:
    """A copy of `content` without what stands at `places`."""
    known = copy.deepcopy(content)
    for *above, name in places:
        with suppress(LookupError, TypeError):  # reached by another of a field's names: what is wrong there stays
            del reduce(getitem, above, known)[name]
    return known


def problem_line(detail: ErrorDetails) -> str:
    """`field.path: rule, got value` of one of pydantic's errors."""
    value = "" if detail["type"] == "missing" else f", got {detail['input']!r}"[:200]
    return f"{field_path(detail['loc']) or 'document'}: {detail['msg']}{value}"
