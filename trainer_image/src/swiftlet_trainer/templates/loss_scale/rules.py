"""One rule: keys or patterns in an answer, and what the text that they find weighs."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import regex

from swiftlet_trainer.templates.factors import Piece

LONGEST = 2.0
"""Seconds that a pattern may search one answer; a pattern that backtracks for ever is told from its first row."""
LARGEST = 1000.0
"""Weight, as marks may have it; see data.turns."""


@dataclass(frozen=True)
class Rule:
    """What a rule file says, in ms-swift's form.

    following: of each key the weight of the key itself and of what follows up to the next key. found: of each pattern
    the weight of what it matches. A rule has one of the two. asked: of texts in what is asked, the weight of the whole
    answer. All else weighs 1.
    """

    name: str
    following: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    found: Mapping[str, float] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)

    def pieces(self, text: str, asked: str) -> Iterator[Piece]:
        """The text in pieces, all of it. Raises TimeoutError for a pattern that takes longer than LONGEST."""
        if (weight := next((weight for key, weight in self.asked.items() if key in asked), None)) is not None:
            yield 0, len(text), weight
            return
        place, weight = 0, 1.0
        for start, end, index in self._matches(text):
            if place < start:
                yield place, start, weight
            of_match, weight = self._weights[index]
            yield start, end, of_match
            place = end
        if place < len(text):
            yield place, len(text), weight

    @cached_property
    def _weights(self) -> list[tuple[float, float]]:
        """Of what each key or pattern matches, and of what follows."""
        return list(self.following.values()) or [(weight, 1.0) for weight in self.found.values()]

    def _matches(self, text: str) -> Iterator[tuple[int, int, int]]:
        """Where keys or patterns are, those that begin first and of them those that stand first in the rule; with the
        number of each."""
        if self.following:  # texts, for which the standard library's search is many times as fast
            for match in self._keys.finditer(text):
                yield match.start(), match.end(), self._numbers[match[0]]
            return
        for found in self._pattern.finditer(text, timeout=LONGEST):
            if found.end() > found.start():
                index = next(number for number, name in enumerate(self._names) if found[name] is not None)
                yield found.start(), found.end(), index

    @cached_property
    def _numbers(self) -> dict[str, int]:
        """Of each key."""
        return {key: number for number, key in enumerate(self.following)}

    @cached_property
    def _keys(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self.following)))

    @cached_property
    def _names(self) -> list[str]:
        return [f"of_rule_{number}" for number in range(len(self.found))]

    @cached_property
    def _pattern(self) -> Any:
        """All patterns as one, a named group each."""
        patterns, names = list(self.found) or ["(?!)"], self._names or ["nothing"]
        return regex.compile("|".join(f"(?P<{n}>{one})" for n, one in zip(names, patterns, strict=True)), regex.DOTALL)


def of_text(name: str, text: str) -> Rule:
    """A rule from the text of its file. Raises ValueError with every problem of it."""
    try:
        held = json.loads(text)
    except ValueError as error:
        raise ValueError(f"it is no JSON: {error}") from None
    return of_mapping(name, held)


def of_mapping(name: str, held: Any) -> Rule:
    """A rule from what its file holds: keys with one or two weights; or those as `response`, beside `query`. Raises
    ValueError with every problem of it."""
    if not isinstance(held, Mapping):
        raise ValueError('it is no object; write keys with their weights, such as {"Action:": [2.0, 2.0]}')
    is_split = set(held) <= {"response", "query"} and all(isinstance(one, Mapping) for one in held.values())
    response, asked = (held.get("response", {}), held.get("query", {})) if is_split else (held, {})
    weights = {key: _numbers(value) for key, value in response.items()}
    queries = {key: _numbers(value) for key, value in asked.items()}
    problems = [*_shape_problems(weights, (1, 2)), *_shape_problems(queries, (1,))]
    if len({len(one) for one in weights.values()} & {1, 2}) > 1:
        problems.append("keys (two weights) and patterns (one) cannot be in one rule; make two of it and chain them")
    problems += [problem for key, one in weights.items() if len(one) == 1 and (problem := _pattern_problem(key))]
    if problems:
        raise ValueError("; ".join(problems))
    return Rule(
        name,
        {key: (one[0], one[1]) for key, one in weights.items() if len(one) == 2},
        {key: one[0] for key, one in weights.items() if len(one) == 1},
        {key: one[0] for key, one in queries.items()},
    )


def _numbers(value: Any) -> list[float]:
    """Weights as a list; NaN for what is none."""
    several = value if isinstance(value, list) else [value]
    return [float(one) if isinstance(one, int | float) and not isinstance(one, bool) else math.nan for one in several]


def _shape_problems(weights: Mapping[str, list[float]], counts: tuple[int, ...]) -> Iterator[str]:
    for key, one in weights.items():
        if not key:
            yield "a key is empty; write the text that it stands for"
        if len(one) not in counts or not all(0 <= weight <= LARGEST for weight in one):
            words = " or ".join(map(str, counts))
            yield f"{key!r} has {one}; give it {words} weights of 0 to {LARGEST:g}"


def _pattern_problem(pattern: str) -> str | None:
    try:
        regex.compile(pattern, regex.DOTALL)
    except regex.error as error:
        return f"{pattern!r} is no pattern: {error}"
    return None
