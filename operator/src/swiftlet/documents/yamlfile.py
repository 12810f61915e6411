"""YAML and JSON text as documents with the line of every field."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from swiftlet.api.schema.problems import InvalidDocuments, Location, Problem, Source, field_path
from swiftlet.documents.jsonstream import json_texts
from swiftlet.documents.scalars import resolve, tagged

_MOST_NODES = 1_000_000
"""Values of one file, aliases expanded: more is an attack or a mistake (source: the "billion laughs" attack)."""


class _RefusedError(Exception):
    """A construct that Kubernetes refuses, too."""

    def __init__(self, line: int, at: Location, rule: str, remedy: str = "") -> None:
        super().__init__(rule)
        self.line, self.at, self.rule, self.remedy = line, at, rule, remedy


@dataclass
class _Composer:
    """Turns the events of one file into values, one document after the other."""

    events: Iterator[Event]
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    lines: dict[Location, int] = field(default_factory=dict)
    duplicates: list[tuple[Location, int, int]] = field(default_factory=list)
    nodes: int = 0

    def value(self, event: Event, at: Location) -> Any:
        before = self.nodes
        self.nodes += 1
        line = event.start_mark.line + 1
        self.lines.setdefault(at, line)
        if isinstance(event, AliasEvent):
            return self._alias(event, at, line)
        if isinstance(event, ScalarEvent):
            result = self._scalar(event, at, line)
        elif isinstance(event, SequenceStartEvent):
            result = self._sequence(at)
        else:
            result = self._mapping(at)
        if anchor := getattr(event, "anchor", None):
            self.anchors[anchor] = (result, self.nodes - before)
        return result

    def _alias(self, event: AliasEvent, at: Location, line: int) -> Any:
        if event.anchor not in self.anchors:
            raise _RefusedError(line, at, f"the anchor &{event.anchor} is not defined before *{event.anchor}")
        result, size = self.anchors[event.anchor]
        self.nodes += size
        if self.nodes > _MOST_NODES:
            raise _RefusedError(
                line, at, f"aliases make more than {_MOST_NODES:,} values", "write fewer aliases of aliases"
            )
        return result

    def _scalar(self, event: ScalarEvent, at: Location, line: int) -> Any:
        plain = bool(event.implicit[0])
        try:
            if event.tag is not None:
                return tagged(event.value, str(event.tag))
            return resolve(event.value) if plain else _without_surrogates(event.value)
        except ValueError as error:
            rule, _, remedy = str(error).partition("; ")
            raise _RefusedError(line, at, rule, remedy) from None

    def _sequence(self, at: Location) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            items.append(self.value(event, (*at, len(items))))
        return items

    def _mapping(self, at: Location) -> dict[str, Any]:
        result: dict[str, Any] = {}
        merged: set[str] = set()
        while not isinstance(event := next(self.events), MappingEndEvent):
            line = event.start_mark.line + 1
            if isinstance(event, ScalarEvent) and event.value == "<<" and event.implicit[0]:
                below = self._merge(self.value(next(self.events), (*at, "<<")), at, line)
                merged |= set(below) - set(result)
                result |= below
                continue
            key = self._key(event, at, line)
            if key in result and key not in merged:
                self.duplicates.append(((*at, key), line, self.lines.get((*at, key), line)))
            merged.discard(key)
            self.lines[(*at, key)] = line
            result[key] = self.value(next(self.events), (*at, key))
        return result

    def _merge(self, value: Any, at: Location, line: int) -> dict[str, Any]:
        """Maps merged by `<<`. Of a list the first counts; against keys written out, what comes later counts."""
        maps = value if isinstance(value, list) else [value]
        if not all(isinstance(item, dict) for item in maps):
            raise _RefusedError(line, at, "<< needs a map or a list of maps")
        return {key: item for below in reversed(maps) for key, item in below.items()}

    def _key(self, event: Event, at: Location, line: int) -> str:
        key = self.value(event, (*at, "<key>"))
        if isinstance(key, bool):
            return "true" if key else "false"
        if isinstance(key, str | int | float):
            return str(key)
        raise _RefusedError(line, at, "a key must be text", "put the key in quotes")


def _without_surrogates(text: str) -> str:
    r"""Text in which pairs of escapes such as \ud83d\udc26, JSON's form of one character, are that character."""
    if text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text):
        return text
    try:
        return text.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError("an escape such as \\ud83d stands alone; write both halves of the pair") from None


def parse_documents(text: str, file: str) -> list[tuple[Any, Source]]:
    """The documents of a YAML or JSON text, as Kubernetes reads them, each with its lines; empty ones left out.

    Raises InvalidDocuments for syntax errors and duplicate keys.
    """
    found: list[tuple[Any, Source]] = []
    problems: list[Problem] = []
    for part, before in json_texts(text):
        try:
            parsed = _parsed(part, file)
        except InvalidDocuments as error:
            problems += [replace(one, line=one.line + before if one.line else None) for one in error.problems]
        else:
            found += [(value, _moved(source, before)) for value, source in parsed]
    if problems:
        raise InvalidDocuments(problems)
    return found


def _moved(source: Source, lines: int) -> Source:
    return Source(source.file, {at: line + lines for at, line in source.lines.items()}) if lines else source


def _parsed(text: str, file: str) -> list[tuple[Any, Source]]:
    """`parse_documents` of YAML, of which JSON is a part."""
    events = YAML(typ="safe", pure=True).parse(text)
    found: list[tuple[Any, Source]] = []
    problems: list[Problem] = []
    composer = _Composer(iter(events))
    try:
        for event in composer.events:
            if not isinstance(event, DocumentStartEvent):
                continue
            if event.version or event.tags:
                line = event.start_mark.line + 1
                raise _RefusedError(line, (), "kubectl cannot read % directives", "delete the line that starts with %")
            composer.lines, composer.anchors = {}, {}
            value = composer.value(next(composer.events), ())
            if value is not None:
                found.append((value, Source(file, composer.lines)))
    except MarkedYAMLError as error:
        problems.append(_syntax_problem(error, text, file))
    except YAMLError as error:
        problems.append(Problem(file, None, "", None, f"is not YAML: {' '.join(str(error).split())}"))
    except _RefusedError as error:
        problems.append(Problem(file, error.line, field_path(error.at), None, error.rule, error.remedy))
    problems += [
        Problem(file, line, field_path(at), None, f"duplicate key, first set on line {first}", "keep one of them")
        for at, line, first in composer.duplicates
    ]
    if problems:
        raise InvalidDocuments(problems)
    return found


def _syntax_problem(error: MarkedYAMLError, text: str, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else None
    said = ", ".join(part for part in (error.context, error.problem) if part)
    lines = text.splitlines()
    at = lines[mark.line].strip()[:60] if mark and mark.line < len(lines) else "the end of the file"
    remedy = "indent with spaces, not tabs" if "'\\t'" in said else f"look at: {at}"
    return Problem(file, line, "", None, f"YAML syntax error: {' '.join(said.split())}", remedy)
