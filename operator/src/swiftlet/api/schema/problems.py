"""Problems of documents: where, which field, which value, which rule, and what to do about it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Location = tuple[str | int, ...]
"""Keys and indices from the root of a document to a field."""

_LONGEST_VALUE = 80


@dataclass(frozen=True)
class Source:
    """Where a document was read."""

    file: str
    lines: Mapping[Location, int] = field(default_factory=dict)
    """Line (from 1) of each field, by its location."""

    def line(self, location: Sequence[str | int]) -> int | None:
        """Line of a field, or of the nearest parent that the file has."""
        at = tuple(location)
        while at and at not in self.lines:
            at = at[:-1]
        return self.lines.get(at)


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a document."""

    file: str
    line: int | None
    field: str
    """Path from the root of the document, such as `spec.datasets[0].uri`; empty for the document as a whole."""
    value: str | None
    """The value as JSON, shortened; None where the rule names it or there is none."""
    rule: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        stated = f"{self.value} {self.rule}" if self.value is not None else self.rule
        text = ": ".join(part for part in (where, self.field, stated) if part)
        return f"{text}; {self.remedy}" if self.remedy else text


class InvalidDocuments(Exception):  # noqa: N818 - it names what was given, as the command line prints it
    """Documents that cannot be used. Carries every problem that was found."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
        super().__init__("\n".join(str(problem) for problem in self.problems))


def field_path(location: Sequence[str | int]) -> str:
    """`spec.datasets[0].uri` for ("spec", "datasets", 0, "uri"); map keys that hold dots stand in brackets."""
    path = ""
    for step in location:
        if isinstance(step, int) or not step.replace("-", "").replace("_", "").isalnum():
            path += f"[{step}]"
        else:
            path += f".{step}" if path else step
    return path


def shown(value: Any) -> str:
    """A value as one line of JSON, shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
