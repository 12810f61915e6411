"""What a document asks of the loss within answers: which answers are learnt, and rules, one after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from swiftlet.api.v1alpha1.loss_scale import BASES

from swiftlet_trainer.failures import InvalidInput
from swiftlet_trainer.templates.factors import Piece
from swiftlet_trainer.templates.loss_scale.known import KNOWN
from swiftlet_trainer.templates.loss_scale.rules import Rule, of_mapping, of_text

Base = Literal["default", "last_round", "all"]


@dataclass(frozen=True)
class Chain:
    """base: default, all answers; last_round, those behind the last turn of the user or a tool; all, every token.
    rules: each works on the pieces that the one before it has cut, and their weights multiply."""

    base: Base = "default"
    rules: tuple[Rule, ...] = ()

    def pieces(self, text: str, asked: str) -> list[Piece]:
        """An answer, without what ends it, in pieces with their weights. asked: what was said since the answer before
        it. Raises TimeoutError for a pattern that searches for too long."""
        found: list[Piece] = [(0, len(text), 1.0)]
        for rule in self.rules:
            found = [
                (start + begin, start + stop, weight * factor)
                for start, end, weight in found
                for begin, stop, factor in rule.pieces(text[start:end], asked)
            ]
        return found


PLAIN = Chain()
"""Where a document says nothing."""


def chain_of(names: Sequence[str] | None, own: Mapping[str, str] | None) -> Chain:
    """Of the fields template.lossScale and template.lossScaleRules. Raises InvalidInput with every problem of them."""
    parts = [part for name in names or () for part in name.split("+")]
    base = cast(Base, parts.pop(0)) if parts and parts[0] in BASES else "default"
    rules, problems, own = list[Rule](), list[str](), own or {}
    for name in parts:
        try:
            rules.append(of_text(name, own[name]) if name in own else of_mapping(name, KNOWN[name]))
        except KeyError:
            known = ", ".join([*BASES, *KNOWN, *own])
            problems.append(f"template.lossScale: {name} is no rule here; known are {known}")
        except ValueError as error:
            problems.append(f"template.lossScaleRules.{name}: {error}")
    if problems:
        raise InvalidInput(problems)
    return Chain(base, tuple(rules))
